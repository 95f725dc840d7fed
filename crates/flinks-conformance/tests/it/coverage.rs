//! The matrices have no hole without a reason, and are seen to fail when they have one.

use std::path::Path;

use flinks_conformance::{Coverage, Fixture, fixtures, load};
use serde_json::{Value, json};
use tempfile::TempDir;

fn corpus() -> Vec<Fixture> {
    load(&fixtures()).expect("a corpus")
}

fn problems(folder: &Path, corpus: &[Fixture]) -> Vec<String> {
    let coverage = Coverage::of(folder, corpus).expect("coverage.json");
    coverage.problems().to_vec()
}

/// A folder whose `coverage.json` is this.
fn planned(plan: &Value) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("coverage.json"), plan.to_string()).expect("written");
    folder
}

fn waiver(matrix: &str, row: &str, column: &str, why: &str) -> Value {
    json!({ "matrix": matrix, "rows": [row], "columns": [column], "why": why })
}

/// What is said of the file itself, when the corpus is the real one.
fn said_of(plan: &Value) -> Vec<String> {
    let mut said = problems(planned(plan).path(), &corpus());
    said.retain(|line| line.starts_with("coverage.json: "));
    said
}

#[test]
fn the_corpus_leaves_no_cell_empty_without_a_reason() {
    let problems = problems(&fixtures(), &corpus());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_corpus_without_one_of_its_families_has_a_hole() {
    // The limits are checked before anything is sent, and have no row of their own.
    for (family, hole) in [
        ("auth", "operations: no case for auth.token × refused"),
        ("authorize", "FlinksCodes: no case for NEW_ACCOUNT"),
        ("challenge", "challenges: no case for TextOrCall × wrong"),
        ("complete", "operations: no case for upload.complete × lost"),
        ("data", "operations: no case for legacy.fetch × again"),
        ("fraud", "operations: no case for fraud.wait × new word"),
        ("session", "lost answers: no case for resend × complete"),
        ("tls", "certificates: no case for server × wrong-host"),
        ("upload", "faults: no case for 504 × Unsent"),
    ] {
        let mut corpus = corpus();
        corpus.retain(|fixture| !fixture.path().starts_with(&format!("{family}/")));
        let problems = problems(&fixtures(), &corpus);
        let seen = problems.iter().any(|line| line.starts_with(hole));
        assert!(seen, "without {family}:\n{}", problems.join("\n"));
    }
}

#[test]
fn a_corpus_of_nothing_has_nothing_but_holes() {
    let folder = planned(&json!({ "codes": { "CARD_IN_USE": [400] }, "waived": [] }));
    let coverage = Coverage::of(folder.path(), &[]).expect("coverage.json");
    let problems = coverage.problems();
    for hole in [
        "operations: no case for upload.file × success, and coverage.json does not waive it",
        "FlinksCodes: no case for CARD_IN_USE × 400, and coverage.json does not waive it",
    ] {
        assert!(problems.iter().any(|line| line == hole), "{hole}");
    }
    // A certificate's host is the server's alone, and a server always has a certificate.
    let absent = ["client × wrong-host", "server × none"];
    assert!(
        !problems
            .iter()
            .any(|line| absent.iter().any(|cell| line.contains(cell)))
    );
}

#[test]
fn a_waiver_must_name_empty_cells_and_a_reason() {
    let reason = "It cannot be.";
    let empty = || waiver("operations", "auth.token", "renewed", reason);
    for (waived, said) in [
        (
            json!([waiver("oprations", "auth.token", "renewed", reason)]),
            "oprations: there is no such matrix",
        ),
        (
            json!([waiver("operations", "auth.token", "renewed", " ")]),
            "operations: a waiver needs rows, columns and a reason",
        ),
        (
            json!([waiver("operations", "auth.tokn", "renewed", reason)]),
            "operations: auth.tokn × renewed is waived, but there is no such cell",
        ),
        (
            json!([waiver("operations", "auth.token", "success", reason)]),
            "operations: auth.token × success is waived, but there are cases: take the waiver out",
        ),
        (
            json!([empty(), empty()]),
            "operations: auth.token × renewed is waived twice",
        ),
    ] {
        let plan = json!({ "codes": {}, "waived": waived });
        assert_eq!(said_of(&plan), [format!("coverage.json: {said}")]);
    }
    assert!(said_of(&json!({ "codes": {}, "waived": [empty()] })).is_empty());
}

#[test]
fn a_status_without_a_column_is_a_problem() {
    let plan = json!({ "codes": { "CARD_IN_USE": [400, 418] }, "waived": [] });
    assert_eq!(
        said_of(&plan),
        ["coverage.json: codes: CARD_IN_USE: no column for 418"]
    );
}

#[test]
fn what_a_case_says_that_it_shows_must_be_so() {
    let path = "upload/aggregation-id-zero/case.json";
    let folder = planned(&json!({ "codes": {}, "waived": [] }));
    let bytes = std::fs::read(fixtures().join(path)).expect("the case");
    let mut case: Value = serde_json::from_slice(&bytes).expect("JSON");
    case["shows"] =
        json!({ "missing": ["AggregationId", "Never"], "new_words": ["SOMETHING_NEW"] });
    std::fs::create_dir_all(folder.path().join("upload/aggregation-id-zero")).expect("a folder");
    std::fs::write(folder.path().join(path), case.to_string()).expect("written");
    let corpus = load(folder.path()).expect("one case");
    let said = problems(folder.path(), &corpus);
    let said: Vec<_> = said.iter().filter(|line| line.contains("shows.")).collect();
    assert_eq!(
        said,
        [
            "upload/aggregation-id-zero: shows.missing: AggregationId is in an answer",
            "upload/aggregation-id-zero: shows.new_words: no answer says \"SOMETHING_NEW\"",
        ]
    );
}
