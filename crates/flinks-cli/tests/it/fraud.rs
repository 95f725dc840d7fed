//! `flinks fraud`: verdicts, waiting, and the statuses they end in.

use flinks_sandbox::{
    ApiOperation, CLEAN_LOGIN_ID, FAILED_LOGIN_ID, FLAGGED_LOGIN_ID, PENDING_LOGIN_ID,
};

use crate::bench::{Bench, has};

#[test]
fn the_documented_ids_answer_alike() {
    let bench = Bench::new(&[]);
    let rows = [
        (CLEAN_LOGIN_ID, "clean"),
        (FLAGGED_LOGIN_ID, "flagged"),
        (PENDING_LOGIN_ID, "undetermined"),
        (FAILED_LOGIN_ID, "undetermined"),
    ];
    for (login_id, verdict) in rows {
        let output = bench
            .run(&["fraud", login_id, "--json"])
            .ends_with(0)
            .json();
        assert_eq!(
            (&output["verdict"], &output["login_id"]),
            (&verdict.into(), &login_id.into())
        );
        assert_eq!(
            output.get("reason").is_some(),
            verdict == "undetermined",
            "{output}"
        );
    }
}

#[test]
fn every_signal_is_printed_with_its_details() {
    let bench = Bench::new(&[]);
    let output = bench
        .run(&["fraud", FLAGGED_LOGIN_ID, "--json"])
        .ends_with(0)
        .json();
    let signal = &output["documents"][0]["analyses"][0]["signals"][0];
    assert_eq!(output["documents"][0]["status"], "COMPLETED");
    assert_eq!(signal["type"], "SIGNAL_TYPE");
    assert_eq!((&signal["page"], &signal["count"]), (&1.into(), &2.into()));
    let detail =
        serde_json::json!({ "specific_type": "delta", "value": "0.85", "data_type": "float" });
    assert_eq!(signal["details"], serde_json::json!([detail]));
    let run = bench.run(&["fraud", FLAGGED_LOGIN_ID]).ends_with(0);
    for part in [
        "FLAGGED",
        "Document 1 of",
        "bank statement",
        "SIGNAL_TYPE",
        "page 1",
        "0.85",
    ] {
        assert!(
            run.stdout.contains(part),
            "{part} is missing from\n{}",
            run.stdout
        );
    }
}

#[test]
fn a_flagged_verdict_ends_with_7_only_when_asked() {
    let bench = Bench::new(&[]);
    bench
        .run(&["fraud", FLAGGED_LOGIN_ID, "--wait"])
        .ends_with(0);
    bench
        .run(&["fraud", FLAGGED_LOGIN_ID, "--fail-on-flagged"])
        .ends_with(7);
    bench
        .run(&["fraud", CLEAN_LOGIN_ID, "--fail-on-flagged", "--wait"])
        .ends_with(0);
}

#[test]
fn an_undetermined_verdict_after_waiting_ends_with_8() {
    let bench = Bench::new(&[]);
    let wait = ["--wait", "--poll", "0.05", "--deadline", "0.4", "--json"];
    let output = bench
        .run(&[&["fraud", PENDING_LOGIN_ID], &wait[..]].concat())
        .ends_with(8)
        .json();
    assert_eq!(output["verdict"], "undetermined");
    assert!(bench.sandbox.requests(ApiOperation::Fraud) > 1);
    bench
        .run(&[&["fraud", FAILED_LOGIN_ID], &wait[..]].concat())
        .ends_with(8);
}

#[test]
fn a_deadline_before_any_answer_ends_with_6() {
    let bench = Bench::new(&["fraud=status:503"]);
    let wait = ["--wait", "--poll", "0.05", "--deadline", "0.4", "--json"];
    let output = bench
        .run(&[&["fraud", CLEAN_LOGIN_ID], &wait[..]].concat())
        .ends_with(6)
        .json();
    assert_eq!(output["error"]["operation"], "fraud.analysis");
    let bench = Bench::new(&["fraud=stall"]);
    bench
        .run(&[&["fraud", CLEAN_LOGIN_ID], &wait[..]].concat())
        .ends_with(6);
}

#[test]
fn the_results_host_wants_the_api_secret() {
    let mut bench = Bench::new(&[]);
    let run = bench.run(&["fraud", "aabf32b7", "--json"]).ends_with(1);
    let error = run.error();
    assert_eq!(error["flinks_code"], "INVALID_LOGIN");
    has(&error["hint"], "LoginId");
    bench.set("FLINKS_API_SECRET", "wrong");
    let error = bench
        .run(&["fraud", CLEAN_LOGIN_ID, "--json"])
        .ends_with(1)
        .error();
    assert_eq!(
        (&error["status"], &error["step"]),
        (&401.into(), &"call".into())
    );
    has(&error["hint"], "FLINKS_API_SECRET");
}

#[test]
fn an_invalid_login_id_is_not_sent() {
    let bench = Bench::new(&[]);
    for bad in ["", ".", "..", "a\nb"] {
        bench.run(&["fraud", bad]).ends_with(2);
    }
    assert!(bench.sandbox.log().is_empty());
}
