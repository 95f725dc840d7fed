//! A case is begun as a copy of one that passes, and cannot be forgotten half done.

use std::fs;

use flinks_conformance::{Begun, CorpusError, Suite, load};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::format::good;

/// A family `tokens`: a case with a file, two that are shorter, but one fails and one is not documented, one
/// that wants an error, and one of an operation that is not the commonest.
fn corpus() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut case = good();
    case["source"] = json!("not documented");
    write(&folder, "tokens/undocumented", &case);
    case["source"] = json!("Upload guide, Step 1");
    case["secrets"] = json!(["a secret of the model's"]);
    case["steps"][0]["reply"] = json!({ "status": 200, "body": "answer.json" });
    write(&folder, "tokens/good", &case);
    let answer = r#"{"access_token":"a-token","expires_in":300}"#;
    fs::write(folder.path().join("tokens/good/answer.json"), answer).expect("written");
    case["steps"][0]["reply"] = json!({ "status": 200 });
    write(&folder, "tokens/shorter", &case);
    case["want"] = json!({ "error": { "kind": "api", "delivery": "rejected" } });
    write(&folder, "tokens/refused", &case);
    case["call"] = json!({ "operation": "auth.authorize_token", "input": {} });
    write(&folder, "tokens/another", &case);
    folder
}

fn write(folder: &TempDir, path: &str, case: &Value) {
    let place = folder.path().join(path);
    fs::create_dir_all(&place).expect("a folder");
    fs::write(place.join("case.json"), case.to_string()).expect("written");
}

fn begin(folder: &TempDir, path: &str, operation: Option<&str>) -> Result<Begun, CorpusError> {
    Suite::of(folder.path())
        .expect("a corpus")
        .begin(path, operation)
}

fn refused(folder: &TempDir, path: &str, operation: Option<&str>) -> String {
    begin(folder, path, operation)
        .expect_err("refused")
        .to_string()
}

#[test]
fn a_case_begins_as_the_simplest_that_succeeds_and_passes() {
    let folder = corpus();
    let begun = begin(&folder, "tokens/new-one", None).expect("begun");
    assert_eq!(begun.from, "tokens/good");
    assert_eq!(begun.file, folder.path().join("tokens/new-one/case.json"));
    let text = |path: &str| fs::read_to_string(folder.path().join(path)).expect(path);
    assert_eq!(
        text("tokens/new-one/answer.json"),
        text("tokens/good/answer.json")
    );
    let model: Value = serde_json::from_str(&text("tokens/good/case.json")).expect("JSON");
    let (call, steps, want) = (&model["call"], &model["steps"], &model["want"]);
    let wanted = format!(
        r#"{{
  "$schema": "../../case.schema.json",
  "docs": "",
  "source": "",
  "call": {call},
  "steps": {steps},
  "want": {want}
}}
"#
    );
    assert_eq!(text("tokens/new-one/case.json"), wanted);

    // Nothing runs until somebody has said why it exists.
    let file = begun.file.display().to_string();
    let error = || load(folder.path()).expect_err("refused").to_string();
    assert_eq!(
        error(),
        format!("{file}: docs: must say why the case exists")
    );
    let mut case: Value = serde_json::from_str(&wanted).expect("JSON");
    case["docs"] = json!("It exists because.");
    write(&folder, "tokens/new-one", &case);
    assert_eq!(
        error(),
        format!("{file}: source: must say where the wire facts come from")
    );
    case["source"] = json!("made up");
    write(&folder, "tokens/new-one", &case);
    let suite = Suite::of(folder.path())
        .expect("a corpus")
        .matching("new-one");
    let summary = suite.run(&Suite::USUAL);
    assert_eq!((summary.passed(), summary.failed()), (3, 0), "{summary}");
}

#[test]
fn what_holds_against_the_real_service_comes_first() {
    let folder = corpus();
    let mut case = good();
    case["live"] = json!({ "compare": "shape" });
    write(&folder, "other/live", &case);
    let begun = begin(&folder, "tokens/new-one", None).expect("begun");
    assert_eq!(begun.from, "other/live");
    let text = fs::read_to_string(begun.file).expect("read");
    assert!(
        !text.contains("live"),
        "that is for its author to say: {text}"
    );
}

#[test]
fn a_new_family_needs_an_operation() {
    let folder = corpus();
    let error = refused(&folder, "new/one", None);
    assert!(error.ends_with("legacy.institutions"), "{error}");
    assert!(
        error.contains("a new family needs an operation: one of auth.token, "),
        "{error}"
    );
    let begun = begin(&folder, "new/one", Some("auth.token")).expect("begun");
    assert_eq!(begun.from, "tokens/good");
}

#[test]
fn what_cannot_be_begun_is_refused_and_nothing_is_written() {
    let folder = corpus();
    let before = fs::read(folder.path().join("tokens/good/case.json")).expect("read");
    let name = "must be FAMILY/CASE, both in kebab case, and not in documents";
    let rows = [
        ("tokens/good", None, "tokens/good: is there already"),
        ("tokens", None, name),
        ("tokens/new/one", None, name),
        ("tokens/New", None, name),
        ("tokens/new_one", None, name),
        ("tokens/new--one", None, name),
        ("tokens/", None, name),
        ("../tokens", None, name),
        ("documents/one", Some("auth.token"), name),
        (
            "tokens/one",
            Some("auth.tokens"),
            "auth.tokens is no operation: one of auth.token, ",
        ),
        (
            "tokens/one",
            Some("auth.authorize_token"),
            "no case of auth.authorize_token succeeds and passes",
        ),
    ];
    for (path, operation, message) in rows {
        let error = refused(&folder, path, operation);
        assert!(error.contains(message), "{path}: {error}");
    }
    assert_eq!(load(folder.path()).expect("a corpus").len(), 5);
    let after = fs::read(folder.path().join("tokens/good/case.json")).expect("read");
    assert_eq!(before, after);
}
