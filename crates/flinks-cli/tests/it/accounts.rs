//! `flinks accounts`, `flinks statements`, `flinks delete-card`: what is behind a session or a LoginId.

use std::fs;
use std::time::Duration;

use flinks_sandbox::{ApiOperation, CACHED_LOGIN_ID, REFUSED_LOGIN_ID, Sandbox};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::mock::{self, Answer};

/// The RequestId of a session on kept data.
fn open(bench: &Bench) -> String {
    let line = [
        "authorize",
        "--login-id",
        CACHED_LOGIN_ID,
        "--cached",
        "--json",
    ];
    let output = bench.run(&line).ends_with(0).json();
    output["request_id"]
        .as_str()
        .expect("a RequestId")
        .to_owned()
}

#[test]
fn accounts_are_passed_through_with_the_text_of_amounts() {
    let bench = Bench::new(&[]);
    let id = open(&bench);
    let run = bench
        .run(&["accounts", "--poll", "0.02", "--request-id", &id, "--json"])
        .ends_with(0);
    assert_eq!(run.json()["RequestId"], id.as_str());
    // Fields and numbers that this program knows nothing of are there as the service wrote them.
    let raw: std::collections::BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&run.stdout).expect("JSON");
    let accounts = raw["Accounts"].get();
    for part in ["\"Transactions\":[", "\"Holder\":{", "\"Title\":"] {
        assert!(accounts.contains(part), "{part} is missing from {accounts}");
    }
    // An amount such as 12.50 keeps its last digit, which a floating number would lose.
    let cents = |text: &[u8]| text[0] == b'.' && text[2] == b'0' && b",}".contains(&text[3]);
    let kept = accounts.as_bytes().windows(4).any(cents);
    assert!(kept, "no amount with its trailing zero in {accounts}");
    let summary = [
        "accounts",
        "--poll",
        "0.02",
        "--request-id",
        &id,
        "--summary",
        "--json",
    ];
    let run = bench.run(&summary).ends_with(0);
    assert!(!run.stdout.contains("\"Transactions\":["), "{}", run.stdout);
    assert!(
        run.json()["Accounts"]
            .as_array()
            .is_some_and(|all| all.len() == 3)
    );
}

#[test]
fn accounts_are_a_table_for_people() {
    let bench = Bench::new(&[]);
    let id = open(&bench);
    let json = bench
        .run(&["accounts", "--poll", "0.02", "--request-id", &id, "--json"])
        .ends_with(0)
        .json();
    let run = bench.run(&["accounts", "--request-id", &id]).ends_with(0);
    assert!(run.stdout.starts_with("3 accounts\n"), "{}", run.stdout);
    for account in json["Accounts"].as_array().expect("accounts") {
        for part in [&account["Title"], &account["AccountNumber"]] {
            let part = part.as_str().expect("a text");
            assert!(
                run.stdout.contains(part),
                "{part} is missing: {}",
                run.stdout
            );
        }
    }
    // The table leaves out the holders.
    assert!(!run.stdout.contains('@'), "{}", run.stdout);
}

#[test]
fn pending_data_is_polled() {
    let bench = Bench::with(Sandbox::builder().data_pending(Duration::from_millis(10)));
    let id = bench_session(&bench, "greatday_nomfa");
    let line = ["accounts", "--request-id", &id, "--poll", "0.02", "--json"];
    bench.run(&line).ends_with(0);
    assert_eq!(bench.sandbox.requests(ApiOperation::Data), 1);
    assert!(bench.sandbox.requests(ApiOperation::DataAsync) > 0);

    let id = bench_session(&bench, "test_pending");
    let line = ["accounts", "--request-id", &id, "--poll", "0.02"];
    let run = bench.run(&[&line[..], &["--deadline", "0.3"]].concat());
    run.ends_with(6);
}

/// The RequestId of a live session of a user who is not challenged.
fn bench_session(bench: &Bench, username: &str) -> String {
    let password = bench.write("password", b"Everyday\n");
    let who = ["--institution", "FlinksCapital", "--username", username];
    let line = [&["authorize", "--password-stdin", "--json"], &who[..]].concat();
    let mut command = bench.command(&line);
    command.stdin(fs::File::open(password).expect("there"));
    let output = crate::bench::Run::of(&mut command).ends_with(0).json();
    output["request_id"]
        .as_str()
        .expect("a RequestId")
        .to_owned()
}

#[test]
fn a_login_id_takes_the_place_of_an_open_session() {
    let bench = Bench::new(&[]);
    let out = bench.argument("statements");
    let of = ["--login-id", CACHED_LOGIN_ID, "--poll", "0.02", "--json"];
    let accounts = bench.run(&[&["accounts"], &of[..]].concat()).ends_with(0);
    assert_eq!(accounts.json()["Login"]["Id"], CACHED_LOGIN_ID);
    let statements = [&["statements", "--out", &out], &of[..]].concat();
    bench.run(&statements).ends_with(0);
    assert!(fs::read_dir(&out).expect("a folder").count() > 0);
    let embedded = ["accounts", "--login-id", CACHED_LOGIN_ID, "--sandbox"];
    let table = bench.run(&embedded).ends_with(0).stdout;
    assert!(table.starts_with("3 accounts\n"), "{table}");
    let sent = bench.sandbox.log().len();
    let both = [&["accounts", "--request-id", "4f0d"], &of[..]].concat();
    bench.run(&both).ends_with(2);
    bench.run(&["accounts"]).ends_with(2).says(&["--login-id"]);
    assert_eq!(bench.sandbox.log().len(), sent, "nothing was sent");
}

#[test]
fn a_login_id_that_the_service_refuses_has_a_hint_of_its_own() {
    let bench = Bench::new(&[]);
    let refused = |line: &[&str]| {
        let error = bench.run(line).ends_with(1).error();
        (
            error["operation"].clone(),
            error["hint"].as_str().expect("a hint").to_owned(),
        )
    };
    for line in [
        &["accounts", "--login-id", "4f0d", "--json"][..],
        &["authorize", "--login-id", "4f0d", "--cached", "--json"],
        &["authorize", "--login-id", "4f0d", "--json"],
        &["delete-card", "4f0d", "--yes", "--json"],
    ] {
        let (_, hint) = refused(line);
        assert!(hint.contains("its card was deleted"), "{line:?}: {hint}");
    }
    // What the bank said at the last refresh is not about the LoginId.
    let (operation, hint) = refused(&["accounts", "--login-id", REFUSED_LOGIN_ID, "--json"]);
    assert_eq!(operation, "legacy.authorize");
    assert!(hint.contains("older data"), "{hint}");
}

#[test]
fn a_document_that_cannot_be_read_ends_the_wait_with_a_hint() {
    let mut bench = Bench::new(&[]);
    let url = mock::serve(|asked| {
        if asked.path.ends_with("/Authorize") {
            return Answer::ok(json!({ "HttpStatusCode": 200, "RequestId": "4f0d" }));
        }
        let failed = json!({ "FlinksCode": "DOCUMENT_PROCESSING_FAILED" });
        Answer(400, "", failed.to_string().into_bytes())
    });
    bench.set("FLINKS_API_URL", &url);
    let line = ["accounts", "--login-id", CACHED_LOGIN_ID, "--json"];
    let error = bench.run(&[&line[..], &["--allow-http"]].concat());
    let error = error.ends_with(1).error();
    assert_eq!(error["operation"], "legacy.accounts_detail");
    let hint = error["hint"].as_str().expect("a hint");
    assert!(hint.contains("upload them again"), "{hint}");
}

#[test]
fn an_unknown_session_is_refused_with_a_hint() {
    let bench = Bench::new(&[]);
    for command in [&["accounts"][..], &["statements", "--out", "out"]] {
        let out = bench.path("out");
        let line: Vec<_> = command
            .iter()
            .map(|word| {
                if *word == "out" {
                    out.to_str().expect("UTF-8")
                } else {
                    word
                }
            })
            .chain(["--request-id", "4f0d", "--json"])
            .collect();
        let error = bench.run(&line).ends_with(1).error();
        assert_eq!(error["flinks_code"], "SESSION_NONEXISTENT");
        let hint = error["hint"].as_str().expect("a hint");
        assert!(hint.contains("flinks authorize"), "{hint}");
    }
    bench.run(&["accounts", "--request-id", ".."]).ends_with(2);
}

#[test]
fn statements_become_files_and_are_written_once() {
    let bench = Bench::new(&[]);
    let id = open(&bench);
    let out = bench.path("statements");
    let out = out.to_str().expect("UTF-8");
    let line = [
        "statements",
        "--request-id",
        &id,
        "--out",
        out,
        "--poll",
        "0.02",
        "--json",
    ];
    let output = bench.run(&line).ends_with(0).json();
    let promised: usize = output["StatementsByAccount"]
        .as_array()
        .expect("accounts")
        .iter()
        .filter_map(|account| account["Statements"].as_array().map(Vec::len))
        .sum();
    let files: Vec<_> = fs::read_dir(out)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(promised > 0 && files.len() == promised, "{files:?}");
    for file in &files {
        assert!(fs::read(file).expect("readable").starts_with(b"%PDF-"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(file).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    let again = bench.run(&line[..7]).ends_with(0).stdout;
    assert_eq!(again.matches("already there").count(), promised, "{again}");
    assert_eq!(fs::read_dir(out).expect("a folder").count(), promised);
    let year = [&line[..], &["--months", "12"]].concat();
    let error = bench.run(&year).ends_with(2).error();
    crate::bench::has(&error["message"], "exactly one --account");
}

#[test]
fn a_card_is_deleted_only_when_confirmed() {
    let bench = Bench::new(&[]);
    bench
        .run(&["delete-card", CACHED_LOGIN_ID])
        .ends_with(2)
        .says(&["--yes"]);
    assert_eq!(bench.sandbox.log().len(), 0);
    let line = ["delete-card", CACHED_LOGIN_ID, "--yes", "--json"];
    let output: Value = bench.run(&line).ends_with(0).json();
    assert_eq!(output["deleted"], true);
    bench.run(&line).ends_with(1);
    let lost = Bench::new(&["delete-card=reset-after"]);
    lost.run(&line).ends_with(5);
    assert_eq!(lost.sandbox.requests(ApiOperation::DeleteCard), 1);
}

#[test]
fn the_keys_of_the_data_calls_are_sent() {
    let mut bench = Bench::with(Sandbox::builder().x_api_key("the-key"));
    let id = open(&bench);
    let line = ["accounts", "--poll", "0.02", "--request-id", &id, "--json"];
    let error = bench.run(&line).ends_with(1).error();
    let hint = error["hint"].as_str().expect("a hint");
    assert!(hint.contains("FLINKS_X_API_KEY"), "{error}");
    bench.set("FLINKS_X_API_KEY", "the-key");
    bench.run(&line).ends_with(0);
}

#[test]
fn a_nightly_refresh_is_turned_on_and_off() {
    let bench = Bench::new(&[]);
    let id = CACHED_LOGIN_ID;
    for (state, on) in [("on", true), ("off", false)] {
        let output = bench
            .run(&["refresh", id, state, "--json"])
            .ends_with(0)
            .json();
        assert_eq!(output["scheduled_refresh"], on);
        let logins = bench.sandbox.logins();
        let login = logins.iter().find(|login| login.login_id == id);
        assert_eq!(login.expect("it is stored").scheduled_refresh, on);
    }
    bench
        .run(&["refresh", "unknown", "on"])
        .ends_with(1)
        .says(&["INVALID_LOGIN"]);
}

#[test]
fn the_institutions_are_listed() {
    let bench = Bench::new(&[]);
    let listed = bench.run(&["institutions"]).ends_with(0).stdout;
    assert!(listed.contains("  FlinksCapital\n"), "{listed}");
    let json = bench.run(&["institutions", "--json"]).ends_with(0).json();
    let institutions = json["institutions"].as_array().expect("a list");
    assert_eq!(institutions.len(), listed.lines().count());
    assert!(institutions.iter().any(|one| one["name"] == "RBC"));
}
