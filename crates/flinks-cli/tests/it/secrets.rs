//! No secret, token or document reaches any output, on any path, however much is logged.

use std::fs;

use flinks_sandbox::Config;

use crate::bench::{Bench, Run};

const CLIENT_SECRET: &str = "CANARY-client-secret";
const API_SECRET: &str = "CANARY-api-secret";
const CONTENT: &str = "%PDF-1.7 CANARY-content of a document";

/// Each secret as it is and as the wire spells it. The base64 forms were made by another program.
const FORBIDDEN: [&str; 6] = [
    CLIENT_SECRET,
    API_SECRET,
    "CANARY-content",
    // base64 of "sandbox-client:CANARY-client-secret"
    "c2FuZGJveC1jbGllbnQ6Q0FOQVJZLWNsaWVudC1zZWNyZXQ=",
    // base64 of the document, its beginning
    "JVBERi0xLjcgQ0FOQVJZLWNvbnRlbnQg",
    "PRIVATE KEY",
];

#[track_caller]
fn is_clean(what: &str, text: &str) {
    for forbidden in FORBIDDEN {
        assert!(!text.contains(forbidden), "{forbidden} in {what}:\n{text}");
    }
    // The sandbox's tokens look like real ones.
    assert!(
        !text.contains("Bearer ") && !text.contains("eyJ"),
        "a token in {what}:\n{text}"
    );
}

fn bench(faults: &[&str]) -> Bench {
    let mut config = Config::default();
    config.credentials.client_secret = CLIENT_SECRET.to_owned();
    config.credentials.api_secret = API_SECRET.to_owned();
    config.faults = faults
        .iter()
        .map(|fault| fault.parse().expect("a fault"))
        .collect();
    Bench::with(config)
}

fn run(bench: &Bench, arguments: &[&str]) -> Run {
    let (support, ledger) = (bench.path("support.txt"), bench.path("ledger"));
    let (support, ledger) = (
        support.to_str().expect("UTF-8"),
        ledger.to_str().expect("UTF-8"),
    );
    let extra = match arguments[0] {
        "upload" => &["-vvv", "--support", support, "--ledger", ledger][..],
        _ => &["-vvv", "--support", support][..],
    };
    let run = bench.run(&[arguments, extra].concat());
    is_clean("standard output", &run.stdout);
    is_clean("standard error", &run.stderr);
    assert!(run.stderr.contains("flinks"), "-vvv must log: {run:?}");
    for file in [support, ledger] {
        if let Ok(text) = fs::read_to_string(file) {
            is_clean(file, &text);
        }
    }
    run
}

#[test]
fn secrets_stay_secret_when_all_goes_well() {
    let bench = bench(&[]);
    let file = bench.write("a.pdf", CONTENT.as_bytes());
    run(&bench, &["upload", &file, "--json"]).ends_with(0);
    run(&bench, &["fraud", flinks_sandbox::FLAGGED_LOGIN_ID]).ends_with(0);
    run(&bench, &["doctor"]).ends_with(0);
}

#[test]
fn secrets_stay_secret_when_things_go_wrong() {
    let faults = [
        ("token=status:400", 1),
        ("token=torn", 4),
        ("upload=unauthorized", 1),
        ("upload=html:403", 1),
        ("upload=close-after", 5),
        ("upload=reset-before", 5),
        ("complete=status-after:500", 5),
    ];
    for (fault, status) in faults {
        let bench = bench(&[fault]);
        let file = bench.write("a.pdf", CONTENT.as_bytes());
        run(&bench, &["upload", &file, "--on-unknown", "stop"]).ends_with(status);
        let support = fs::read_to_string(bench.path("support.txt")).expect("a report");
        assert!(
            support.contains("Timestamp") && support.contains("Environment"),
            "{support}"
        );
    }
}

#[test]
fn the_support_report_names_the_call() {
    let bench = bench(&["upload=status:403"]);
    let file = bench.write("a.pdf", CONTENT.as_bytes());
    run(&bench, &["upload", &file]).ends_with(1);
    let support = fs::read_to_string(bench.path("support.txt")).expect("a report");
    let endpoint = format!("POST {}/api/v1/upload", bench.sandbox.upload_url());
    for part in [
        endpoint.as_str(),
        "403",
        "the API call",
        env!("CARGO_PKG_VERSION"),
    ] {
        assert!(support.contains(part), "{part} is missing from\n{support}");
    }
}
