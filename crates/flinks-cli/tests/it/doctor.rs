//! `flinks doctor`: each fault is named, and no document is ever sent.

use flinks_sandbox::ApiOperation;
use flinks_sandbox::certificates::{Authority, Validity};
use serde_json::Value;

use crate::bench::{Bench, Run, bare};

/// What the doctor says of one part.
fn finding(told: &Value, part: &str) -> Value {
    let findings = told["findings"].as_array().expect("a list");
    let of_part = |finding: &&Value| finding["check"] == part;
    findings
        .iter()
        .find(of_part)
        .unwrap_or_else(|| panic!("{part} in {told}"))
        .clone()
}

#[test]
fn a_set_up_in_order_has_no_fault() {
    let bench = Bench::new(&[]);
    let told = bench.run(&["doctor", "--json"]).ends_with(0).json();
    assert_eq!(told["ok"], true);
    for finding in told["findings"].as_array().expect("a list") {
        assert_eq!(finding["status"], "ok", "{finding}");
    }
    assert_eq!(bench.sandbox.requests(ApiOperation::Token), 1);
    assert_eq!(bench.sandbox.requests(ApiOperation::Upload), 0);
    let run = bench.run(&["doctor"]).ends_with(0);
    assert!(run.stdout.contains("OK    access token"), "{run:?}");
}

#[test]
fn without_settings_it_says_which() {
    let told = Run::of(&mut bare(&["doctor", "--json"]))
        .ends_with(2)
        .json();
    let message = finding(&told, "upload settings")["message"]
        .as_str()
        .expect("text")
        .to_owned();
    assert!(
        message.contains("FLINKS_CERT") && message.contains("FLINKS_CLIENT_SECRET"),
        "{message}"
    );
    assert_eq!(finding(&told, "results settings")["status"], "warn");
    assert_eq!(told["ok"], false);
}

#[test]
fn a_refused_secret_a_refused_certificate_and_nobody_there_are_told_apart() {
    let mut bench = Bench::new(&[]);
    bench.set("FLINKS_CLIENT_SECRET", "wrong");
    let told = bench.run(&["doctor", "--json"]).ends_with(1).json();
    let token = finding(&told, "access token");
    assert_eq!(token["status"], "fail");
    assert!(
        token["hint"]
            .as_str()
            .expect("a hint")
            .contains("401 Unauthorized"),
        "{token}"
    );
    assert_eq!(finding(&told, "mutual TLS")["status"], "ok");

    let other = Authority::new("Another CA").expect("a CA");
    let identity = other.issue_client("stranger", Validity::Valid);
    let identity = identity.expect("a certificate");
    bench.set(
        "FLINKS_CERT",
        &bench.write("other.pem", identity.cert_pem.as_bytes()),
    );
    bench.set(
        "FLINKS_KEY",
        &bench.write("other.key", identity.key_pem.as_bytes()),
    );
    let told = bench.run(&["doctor", "--json"]).ends_with(2).json();
    let mtls = finding(&told, "mutual TLS");
    assert_eq!(mtls["status"], "fail");
    assert!(
        mtls["hint"]
            .as_str()
            .expect("a hint")
            .contains("SSL Handshake Error"),
        "{mtls}"
    );

    bench.set("FLINKS_UPLOAD_URL", "https://127.0.0.1:1");
    let told = bench.run(&["doctor", "--json"]).ends_with(4).json();
    assert_eq!(finding(&told, "upload host")["status"], "fail");
}

#[test]
fn a_key_of_another_certificate_is_found_on_this_machine() {
    let mut bench = Bench::new(&[]);
    let authority = bench.sandbox.authority();
    let other = authority.issue_client("other", Validity::Valid);
    let other = other.expect("a certificate");
    bench.set(
        "FLINKS_KEY",
        &bench.write("other.key", other.key_pem.as_bytes()),
    );
    let told = bench.run(&["doctor", "--json"]).ends_with(2).json();
    assert_eq!(finding(&told, "client certificate")["status"], "fail");
    assert_eq!(bench.sandbox.requests(ApiOperation::Token), 0);
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_doubtful() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new(&[]);
    let open = PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(bench.path("client.key"), open).expect("a mode");
    let told = bench.run(&["doctor", "--json"]).ends_with(0).json();
    let key = finding(&told, "private key file");
    assert_eq!(key["status"], "warn");
    assert!(
        key["hint"].as_str().expect("a hint").contains("chmod 600"),
        "{key}"
    );
}
