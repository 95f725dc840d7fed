//! Exchanges with the sandbox become cases that pass, and nothing of the exchange is in them.

use std::fs;

use flinks_conformance::{Fixture, Verdict};
use flinks_conformance::{Level, Suite, load, record, run};
use flinks_sandbox::{CLEAN_LOGIN_ID, FLAGGED_LOGIN_ID};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::live::{Host, host};

/// Records one call, and gives the text of its case once a person has said why it exists.
fn recorded(host: &Host, operation: &str, input: &Value) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = record(
        &host.environment,
        folder.path(),
        "new/case",
        operation,
        input,
    );
    let file = file.unwrap_or_else(|error| panic!("{operation}: {error}"));
    let error = load(folder.path())
        .map(|_| ())
        .expect_err("nobody has said why");
    assert!(error.to_string().contains("docs"), "{error}");
    let text = fs::read_to_string(&file).expect("the case");
    let said = text.replacen("\"docs\": \"\"", "\"docs\": \"d\"", 1);
    let said = said.replacen("\"source\": \"\"", "\"source\": \"s\"", 1);
    fs::write(&file, said).expect("written");
    (folder, text)
}

/// The case passes wherever it applies, and none of these texts is in it.
fn holds(folder: &TempDir, text: &str, host: &Host, nowhere: &[&str]) -> Fixture {
    let mut fixtures = load(folder.path()).expect("a case");
    for pass in &Suite::USUAL {
        let verdict = run(&fixtures[0], pass);
        let fine = matches!(verdict, Verdict::Passed | Verdict::NotApplicable);
        assert!(fine, "{pass}: {verdict:?}\n{text}");
    }
    assert_eq!(
        run(&fixtures[0], &Suite::USUAL[1]),
        Verdict::Passed,
        "{text}"
    );
    let sandbox = &host.sandbox;
    let keys = [sandbox.auth_key(), sandbox.x_api_key()];
    let always = [
        sandbox.client_id(),
        sandbox.client_secret(),
        sandbox.api_secret(),
        sandbox.customer_id(),
    ];
    for secret in nowhere
        .iter()
        .copied()
        .chain(always)
        .chain(keys.into_iter().flatten())
    {
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
    fixtures.remove(0)
}

fn last_request_id(host: &Host) -> String {
    let log = host.sandbox.log();
    let ids = log.iter().rev().find_map(|line| line.request_id.clone());
    ids.expect("a session")
}

#[test]
fn a_session_of_uploads() {
    let host = host();
    let input = json!({
        "files": [
            { "name": "Jane Roe.pdf", "content_text": "%PDF-1.7 balance of Jane Roe" },
            { "name": "Roe2.PDF", "content_text": "%PDF-1.7 more of Jane Roe", "size": 90_000 }
        ],
        "tag": "loan-of-roe", "client_name": "Jane Roe"
    });
    let (folder, text) = recorded(&host, "upload.session", &input);
    let session = host.sandbox.sessions().remove(0);
    let ids = [session.aggregation_id, session.login_id.expect("completed")];
    let nowhere = ["Roe", "roe", "balance", ids[0].as_str(), ids[1].as_str()];
    let fixture = holds(&folder, &text, &host, &nowhere);
    assert!(text.contains("OCR process will start"), "{text}");
    let steps = serde_json::from_str::<Value>(&text).expect("JSON")["steps"].clone();
    assert_eq!(steps.as_array().map(Vec::len), Some(3), "{text}");
    assert!(fixture.has(Level::L3), "there is nothing to wait for");
    // The session goes on under the id that its first answer has.
    let id = &steps[0]["reply"]["body_json"]["AggregationId"];
    assert_eq!(&steps[2]["expect"]["body_json"]["AggregationId"], id);
    assert!(id.is_string(), "{text}");
}

#[test]
fn a_question_and_its_answer() {
    let host = host();
    let input = json!({ "credentials": {
        "institution": "FlinksCapital", "username": "Greatday", "password": "Everyday", "save": true
    } });
    let (folder, text) = recorded(&host, "legacy.authorize", &input);
    let id = last_request_id(&host);
    let nowhere = ["FlinksCapital", "Greatday", "Everyday", "city", id.as_str()];
    holds(&folder, &text, &host, &nowhere);
    assert!(text.contains("QuestionAndAnswer"), "{text}");

    let prompt = "What city were you born in?";
    let input = json!({
        "challenged": {
            "HttpStatusCode": 203, "RequestId": id, "Institution": "FlinksCapital",
            "SecurityChallenges": [{ "Type": "QuestionAndAnswer", "Prompt": prompt }]
        },
        "answers": [{ prompt: "Montreal" }, { "What is the best country on earth?": "Atlantis" }]
    });
    let (folder, text) = recorded(&host, "legacy.answer", &input);
    let nowhere = [&nowhere[..], &["Montreal", "country", "Atlantis", "shape"]].concat();
    holds(&folder, &text, &host, &nowhere);
    assert!(text.contains("INVALID_SECURITY_RESPONSE"), "{text}");
}

#[test]
fn a_code_and_a_phone_number_are_still_such() {
    let host = host();
    for (institution, username, prompt, answer) in [
        (
            "National",
            "national_securid",
            "Enter your SecurID",
            json!("123456"),
        ),
        (
            "TD",
            "td_code",
            "Choose a phone number",
            json!({ "to": "PhoneNumber #2", "by": "Text" }),
        ),
    ] {
        let input = json!({ "credentials": {
            "institution": institution, "username": username, "password": "Everyday"
        } });
        let (folder, text) = recorded(&host, "legacy.authorize", &input);
        holds(&folder, &text, &host, &[username, "PhoneNumber"]);
        let asked = serde_json::from_str::<Value>(&text).expect("JSON");
        let numbers = ["PhoneNumber #1", "PhoneNumber #2", "PhoneNumber #3"];
        let asked = &asked["steps"][0]["reply"]["body_json"]["SecurityChallenges"][0];
        let choices = if asked["Iterables"].is_null() {
            None
        } else {
            Some(numbers)
        };
        let input = json!({
            "challenged": { "RequestId": last_request_id(&host), "SecurityChallenges": [
                { "Type": asked["Type"], "Prompt": prompt, "Iterables": choices }
            ] },
            "answers": [{ prompt: answer }]
        });
        let (folder, text) = recorded(&host, "legacy.answer", &input);
        holds(&folder, &text, &host, &["123456", "PhoneNumber"]);
        assert!(text.contains("challenged"), "{text}");
    }
}

#[test]
fn the_data_of_a_session() {
    let host = host();
    let input = json!({ "credentials": {
        "institution": "FlinksCapital", "username": "greatday_nomfa", "password": "Everyday"
    } });
    let (folder, text) = recorded(&host, "legacy.authorize", &input);
    let id = last_request_id(&host);
    holds(&folder, &text, &host, &["nomfa", id.as_str()]);
    let input = json!({ "data": "accounts_detail", "request_id": id, "interval_ms": 20 });
    let (folder, text) = recorded(&host, "legacy.fetch", &input);
    let nowhere = [
        "nomfa",
        id.as_str(),
        "Cash Back",
        "Chequing Account",
        "4500",
    ];
    holds(&folder, &text, &host, &nowhere);
    for word in [
        "GetAccountsDetailAsync",
        "OPERATION_PENDING",
        "CreditCard",
        "CAD",
    ] {
        assert!(text.contains(word), "{word} is missing from\n{text}");
    }
    let input = json!({ "request_id": id });
    let (folder, text) = recorded(&host, "legacy.accounts_detail_async", &input);
    holds(&folder, &text, &host, &nowhere);
    let (folder, text) = recorded(&host, "legacy.statements", &input);
    holds(&folder, &text, &host, &nowhere);
}

#[test]
fn an_analysis_and_a_refusal() {
    let host = host();
    for (operation, login_id, word) in [
        ("fraud.analysis", FLAGGED_LOGIN_ID, "flagged"),
        ("fraud.wait", CLEAN_LOGIN_ID, "clean"),
        (
            "fraud.analysis",
            "00000000-0000-4000-8000-0000000000ff",
            "INVALID_LOGIN",
        ),
        (
            "legacy.mfa_questions",
            flinks_sandbox::REFUSED_LOGIN_ID,
            "questions",
        ),
        (
            "legacy.delete_card",
            "00000000-0000-4000-8000-0000000000ff",
            "INVALID_LOGIN",
        ),
    ] {
        let input = json!({ "login_id": login_id });
        let (folder, text) = recorded(&host, operation, &input);
        holds(&folder, &text, &host, &[login_id, "0.85", "city"]);
        assert!(text.contains(word), "{word} is missing from\n{text}");
    }
    for (operation, input) in [
        ("auth.token", json!({})),
        ("auth.token", json!({ "client_secret": "wrong:secret" })),
        ("auth.authorize_token", json!({})),
        ("legacy.institutions", json!({ "skip": 0, "take": 12 })),
        ("legacy.nightly_status", json!({})),
    ] {
        let (folder, text) = recorded(&host, operation, &input);
        holds(&folder, &text, &host, &["wrong:secret", "Laurentienne"]);
    }
}

/// Below the layer that records, two attempts were made with a token each.
#[test]
fn a_token_that_is_refused_twice() {
    let host = host();
    let fault = "upload=unauthorized".parse().expect("a fault");
    host.sandbox.inject(fault);
    let input = json!({ "file": { "name": "a.pdf", "content_text": "%PDF-1.7 of Roe" } });
    let (folder, text) = recorded(&host, "upload.file", &input);
    holds(&folder, &text, &host, &[]);
    let case = serde_json::from_str::<Value>(&text).expect("JSON");
    let steps = case["steps"].as_array().expect("steps").iter();
    let paths: Vec<_> = steps.map(|step| step["expect"]["path"].as_str()).collect();
    let once = [Some("/api/v1/token"), Some("/api/v1/upload")];
    assert_eq!(paths, [once, once].concat(), "{text}");
}

#[test]
fn pauses_leave_real_time_out() {
    let host = host();
    let input = json!({ "login_id": flinks_sandbox::PENDING_LOGIN_ID, "interval_ms": 1000, "deadline_s": 3 });
    let (folder, text) = recorded(&host, "fraud.wait", &input);
    let fixture = holds(&folder, &text, &host, &[]);
    assert!(!fixture.has(Level::L3), "{text}");
}

#[test]
fn what_cannot_be_a_case_is_refused_and_nothing_is_written() {
    let host = host();
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("fraud/there")).expect("a folder");
    let analysis = json!({ "login_id": FLAGGED_LOGIN_ID });
    let files = json!({ "files": [{ "name": "a.bmp", "content_text": "BM" }] });
    let rows = [
        ("fraud/there", "fraud.analysis", &analysis, "there already"),
        ("fraud/Bad Case", "fraud.analysis", &analysis, "kebab"),
        ("fraud", "fraud.analysis", &analysis, "kebab"),
        ("fraud/new", "fraud.analyses", &analysis, "fraud.analyses"),
        ("fraud/new", "upload.session", &files, "no answer to record"),
    ];
    for (path, operation, input, part) in rows {
        let error = record(&host.environment, folder.path(), path, operation, input);
        let error = error.expect_err(part).to_string();
        assert!(error.contains(part), "{part}: {error}");
    }
    let there = fs::read_dir(folder.path().join("fraud"))
        .expect("a folder")
        .count();
    assert_eq!(there, 1, "nothing is written");
}

#[test]
fn a_case_with_a_secret_in_it_is_not_written() {
    let mut host = host();
    // A word of the protocol, which stays: as a key it must not.
    host.set("FLINKS_X_API_KEY", "BANK_STATEMENT");
    let folder = tempfile::tempdir().expect("a folder");
    let input = json!({ "login_id": FLAGGED_LOGIN_ID });
    let error = record(
        &host.environment,
        folder.path(),
        "fraud/new",
        "fraud.analysis",
        &input,
    );
    let error = error.expect_err("a secret").to_string();
    assert!(
        error.contains("the x-api-key appears in the case"),
        "{error}"
    );
    assert!(!error.contains("BANK_STATEMENT"), "{error}");
    assert!(!folder.path().join("fraud").exists(), "nothing is written");
}
