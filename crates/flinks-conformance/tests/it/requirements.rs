//! Every demand of the documents has cases that fail without it, or says what shows it instead.

use std::fs;

use flinks_conformance::{Requirements, fixtures, load};
use serde_json::{Value, json};

#[test]
fn every_requirement_is_traced_to_cases() {
    let requirements = Requirements::load(&fixtures()).expect("the requirements");
    let problems = requirements.check(&load(&fixtures()).expect("a corpus"));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn good() -> Value {
    json!({
        "id": "upload.token.basic",
        "document": "Upload guide",
        "section": "Step 1",
        "text": "Authenticate with Basic.",
        "cases": ["auth/token-ok"],
    })
}

fn read(requirements: &[Value]) -> Result<Requirements, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = json!({ "requirements": requirements });
    fs::write(folder.path().join("requirements.json"), file.to_string()).expect("written");
    Requirements::load(folder.path()).map_err(|error| error.to_string())
}

#[test]
fn what_is_wrong_with_a_requirement_is_named() {
    let mut corpus = load(&fixtures()).expect("a corpus");
    corpus.retain(|fixture| fixture.path() == "auth/token-ok");
    let lines = |requirements: &[Value]| read(requirements).expect("the form").check(&corpus);
    assert!(lines(&[good()]).is_empty());
    assert!(lines(&[good(), good()]).join("").ends_with("given twice"));
    for (key, value, message) in [
        ("text", json!(" "), "a text is empty"),
        ("cases", json!([]), "no case shows it"),
        ("cases", json!(["auth/tokn"]), "there is no case auth/tokn"),
    ] {
        let mut requirement = good();
        requirement[key] = value;
        let lines = lines(&[requirement]).join("\n");
        assert!(lines.ends_with(message), "{lines}");
        assert!(lines.contains("\"upload.token.basic\""), "{lines}");
    }
    let mut more = good();
    more["waived"] = json!("because");
    let error = read(&[more]).map(|_| ()).expect_err("an unknown key");
    assert!(error.contains("waived"), "{error}");
}
