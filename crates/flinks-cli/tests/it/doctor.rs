//! `flinks doctor`: each fault is named, and no document is ever sent.

use flinks_sandbox::ApiOperation;
use serde_json::Value;

use crate::bench::{Bench, Run, has, without_settings};

/// What the doctor says of one part.
fn finding(output: &Value, part: &str) -> Value {
    let findings = output["findings"].as_array().expect("a list");
    let of_part = |finding: &&Value| finding["check"] == part;
    findings
        .iter()
        .find(of_part)
        .unwrap_or_else(|| panic!("{part} in {output}"))
        .clone()
}

#[test]
fn a_correct_setup_has_no_fault() {
    let bench = Bench::new(&[]);
    let output = bench.run(&["doctor", "--json"]).ends_with(0).json();
    assert_eq!(output["ok"], true);
    for finding in output["findings"].as_array().expect("a list") {
        assert_eq!(finding["status"], "ok", "{finding}");
    }
    assert_eq!(bench.sandbox.requests(ApiOperation::Token), 1);
    assert_eq!(bench.sandbox.requests(ApiOperation::Upload), 0);
    let run = bench.run(&["doctor"]).ends_with(0);
    assert!(run.stdout.contains("OK    access token"), "{run:?}");
}

#[test]
fn missing_settings_are_named() {
    let output = Run::of(&mut without_settings(&["doctor", "--json"]))
        .ends_with(2)
        .json();
    let message = finding(&output, "upload settings")["message"]
        .as_str()
        .expect("text")
        .to_owned();
    assert!(
        message.contains("FLINKS_CERT") && message.contains("FLINKS_CLIENT_SECRET"),
        "{message}"
    );
    assert_eq!(finding(&output, "results settings")["status"], "warn");
    assert_eq!(output["ok"], false);
}

#[test]
fn a_mistyped_variable_and_unreadable_settings_are_findings() {
    let mut bench = Bench::new(&[]);
    bench.set("FLINKS_CLIENT_SECERT", "CANARY");
    let run = bench.run(&["doctor", "--json"]).ends_with(0);
    has(
        &finding(&run.json(), "settings")["message"],
        "FLINKS_CLIENT_SECRET meant",
    );
    assert!(!format!("{run:?}").contains("CANARY"), "{run:?}");
    bench.set("FLINKS_INSTANCE", "toolbox");
    let output = bench.run(&["doctor", "--json"]).ends_with(2).json();
    has(&finding(&output, "settings")["message"], "FLINKS_INSTANCE");
    assert_eq!(finding(&output, "upload host")["status"], "skip");
}

#[test]
fn a_fault_is_written_to_the_support_report() {
    let mut bench = Bench::new(&[]);
    bench.set("FLINKS_CLIENT_SECRET", "CANARY");
    let path = bench.argument("support");
    for json in [&["--json"][..], &[]] {
        let line = [&["doctor", "--support", &path], json].concat();
        bench.run(&line).ends_with(1).says(&["support report: "]);
        let report = std::fs::read_to_string(&path).expect("a report");
        std::fs::remove_file(&path).expect("removed");
        for part in [
            "/api/v1/token",
            "401",
            "token request",
            "FAIL  access token",
        ] {
            assert!(report.contains(part), "{part} is missing from {report}");
        }
        assert!(!report.contains("CANARY"), "{report}");
    }
    bench.set(
        "FLINKS_CLIENT_SECRET",
        bench.sandbox.client_secret().to_owned().as_str(),
    );
    bench.run(&["doctor", "--support", &path]).ends_with(0);
    assert!(
        !bench.path("support").exists(),
        "there is nothing to report"
    );
}

#[cfg(unix)]
#[test]
fn a_key_that_other_users_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new(&[]);
    let open = PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(bench.path("client.key"), open).expect("a mode");
    let output = bench.run(&["doctor", "--json"]).ends_with(0).json();
    let key = finding(&output, "private key file");
    assert_eq!(key["status"], "warn");
    has(&key["hint"], "chmod 600");
}
