//! The leak rule bites: what is planted is found.

use flinks_conformance::{CaseResult, Level};
use serde_json::{Value, json};

use crate::format::{good, verdict};

/// A refusal whose message `Display` shows: with the message as a secret the case must fail.
fn planted(message: &str, secret: &str) -> Value {
    let mut case = good();
    case["steps"][0]["reply"] = json!({ "status": 400, "body_json": { "Message": message } });
    case["want"] = json!({
        "error": { "kind": "api", "delivery": "rejected", "step": "token", "status": 400 }
    });
    case["secrets"] = json!([secret]);
    case
}

fn leaks(case: &Value, level: Level) -> String {
    match verdict(case, level) {
        CaseResult::Failed(lines) => lines.join("\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_secret_in_display_and_report_is_found() {
    for level in [Level::L2, Level::L3] {
        let text = leaks(&planted("the planted secret", "planted secret"), level);
        for place in ["Display", "report()"] {
            let line = format!("leak: secrets[0] appears in {place}");
            assert!(text.contains(&line), "{line} is missing from\n{text}");
        }
        assert!(
            !text.contains("planted"),
            "the failure repeats the secret:\n{text}"
        );
    }
}

#[test]
fn a_secret_in_base64_is_found() {
    // "user:planted-secret-1"
    let text = leaks(
        &planted("Basic dXNlcjpwbGFudGVkLXNlY3JldC0x", "planted-secret-1"),
        Level::L2,
    );
    assert!(
        text.contains("leak: secrets[0] in base64 appears in Display"),
        "{text}"
    );
}

#[test]
fn a_secret_in_the_log_is_found() {
    // The operation's name is in every span of a call.
    let mut case = good();
    case["secrets"] = json!(["auth.token"]);
    for level in [Level::L2, Level::L3] {
        let text = leaks(&case, level);
        assert!(
            text.contains("leak: secrets[0] appears in the log"),
            "{text}"
        );
    }
}

/// A round with one question, whose answer the service repeats in its refusal.
#[test]
fn an_answer_or_a_key_that_comes_back_is_not_shown() {
    let path = "/v3/43387ca6-0391-4c82-857d-70d95f087ecb/BankingServices/Authorize";
    for (message, what) in [
        ("is planted-answer right?", "what the call was given"),
        ("conformance-auth-key", "the authorize secret key"),
        (
            "4f3f9c1e-conformance-authorize-token",
            "the authorize token",
        ),
        ("conformance-x-api-key", "the x-api-key"),
    ] {
        let case = json!({
            "docs": "A case for these tests.",
            "source": "made up",
            "call": { "operation": "legacy.answer", "input": {
                "challenged": {
                    "SecurityChallenges": [{ "Type": "QuestionAndAnswer", "Prompt": "Why?" }],
                    "RequestId": "a-request"
                },
                "answers": [{ "Why?": "planted-answer" }]
            } },
            "steps": [{
                "expect": { "method": "POST", "path": path },
                "reply": { "status": 400, "body_json": { "Message": message } }
            }],
            "want": { "error": {
                "kind": "api", "delivery": "rejected", "status": 400, "operation": "legacy.authorize"
            } }
        });
        for level in [Level::L2, Level::L3] {
            assert_eq!(verdict(&case, level), CaseResult::Passed, "{what}");
        }
    }
}

#[test]
fn the_client_secret_behind_a_token_is_not_shown() {
    for message in [
        "is c0nf:0rm+ance%2Fsecret= right?",
        "is YzBuZjowcm0rYW5jZSUyRnNlY3JldD0 right?",
    ] {
        let id = "d521ae0d-9cf1-40e1-a1ee-474983800601";
        let case = json!({
            "docs": "A case for these tests.",
            "source": "made up",
            "call": { "operation": "upload.complete", "input": { "aggregation_id": id } },
            "steps": [{
                "expect": { "method": "POST", "path": "/api/v1/upload/complete" },
                "reply": { "status": 400, "body_json": { "Message": message } }
            }],
            "want": { "error": {
                "kind": "api", "delivery": "rejected", "status": 400, "operation": "upload.complete"
            } }
        });
        for level in [Level::L2, Level::L3] {
            assert_eq!(verdict(&case, level), CaseResult::Passed, "{message}");
        }
    }
}

#[test]
fn a_secret_in_debug_is_found() {
    let mut case = good();
    case["secrets"] = json!(["AccessToken"]);
    assert!(leaks(&case, Level::L2).contains("leak: secrets[0] appears in Debug"));
}

#[test]
fn a_secret_in_the_ledger_is_found() {
    let mut case = good();
    case["call"] = json!({ "operation": "upload.session", "input": {
        "files": [{ "name": "planted-name.pdf", "content_text": "%PDF-1.7" }]
    } });
    case["steps"][0]["expect"] = json!({ "method": "POST", "path": "/api/v1/upload" });
    case["steps"][0]["reply"] = json!({ "status": 400, "body_json": { "Message": "no" } });
    case["want"] = json!({ "error": {
        "kind": "api", "delivery": "rejected", "operation": "upload.file", "status": 400,
        "file": "planted-name.pdf"
    } });
    case["secrets"] = json!(["planted-name"]);
    for level in [Level::L2, Level::L3] {
        let text = leaks(&case, level);
        assert!(
            text.contains("leak: secrets[0] appears in the ledger"),
            "{text}"
        );
    }
}

#[test]
fn a_secret_in_the_session_file_is_found() {
    let mut case = good();
    case["call"] = json!({ "operation": "legacy.answer", "input": {
        "challenged": {
            "SecurityChallenges": [{ "Type": "QuestionAndAnswer", "Prompt": "Why?" }],
            "RequestId": "planted-request"
        },
        "answers": []
    } });
    case["steps"] = json!([]);
    case["secrets"] = json!(["planted-request"]);
    for level in [Level::L2, Level::L3] {
        let text = leaks(&case, level);
        assert!(
            text.contains("leak: secrets[0] appears in the session file"),
            "{text}"
        );
    }
}

#[test]
fn what_a_layer_can_see_is_searched() {
    // A path is no secret, but the body of *complete* is one that layers can read.
    let mut case = good();
    case["call"] =
        json!({ "operation": "upload.complete", "input": { "aggregation_id": "planted-id" } });
    case["steps"][0]["expect"] = json!({ "method": "POST", "path": "/api/v1/upload/complete" });
    case["secrets"] = json!(["planted-id"]);
    for level in [Level::L2, Level::L3] {
        let text = leaks(&case, level);
        assert!(
            text.contains("leak: secrets[0] appears in what layers see"),
            "{text}"
        );
    }
}

#[test]
fn the_codec_is_searched_too() {
    let mut case = good();
    case["secrets"] = json!(["AccessToken", "application/x-www-form-urlencoded"]);
    let text = leaks(&case, Level::L1);
    for line in [
        "leak: secrets[0] appears in Debug",
        "leak: secrets[1] appears in the request's Debug",
    ] {
        assert!(text.contains(line), "{line} is missing from\n{text}");
    }
}
