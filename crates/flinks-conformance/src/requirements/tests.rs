//! Each thing that can be wrong with a requirement has its line, and the table its form.

use serde_json::{Value, json};

use super::*;

fn good() -> Value {
    json!({
        "id": "upload.token.basic",
        "document": "Upload guide",
        "section": "Step 1, Token",
        "text": "Say who asks.",
        "cases": ["auth/token-ok"],
    })
}

fn corpus() -> Vec<Fixture> {
    let case = json!({
        "docs": "d", "source": "s", "call": { "operation": "auth.token", "input": {} },
        "steps": [], "want": { "ok": {} },
    });
    let fixture = |name: &str| Fixture {
        family: "auth".to_owned(),
        name: name.to_owned(),
        case: serde_json::from_value(case.clone()).expect("a case"),
        steps: Vec::new(),
        ok: None,
        live: None,
    };
    vec![fixture("token-ok"), fixture("type-mac")]
}

fn read(requirements: &[Value]) -> Result<Requirements, CorpusError> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = json!({ "$schema": "x", "requirements": requirements });
    std::fs::write(folder.path().join(FILE), file.to_string()).expect("written");
    Requirements::load(folder.path())
}

/// What is wrong once a key of a good requirement has this value.
fn lines(key: &str, value: Value) -> Vec<String> {
    let mut requirement = good();
    requirement[key] = value;
    let read = read(&[requirement]).expect("the right form");
    read.check(&corpus())
}

fn only(key: &str, value: Value) -> String {
    let lines = lines(key, value);
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    line.clone()
}

#[test]
fn a_good_requirement_has_no_problem() {
    assert_eq!(lines("text", json!("Another.")), Vec::<String>::new());
}

#[test]
fn an_id_is_given_once() {
    let lines = read(&[good(), good()]).expect("read").check(&corpus());
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains(FILE), "{lines:?}");
    let said = "\"upload.token.basic\": the id is given twice";
    assert!(lines[0].ends_with(said), "{lines:?}");
}

#[test]
fn an_id_is_an_area_and_lower_case_words_after_dots() {
    let bad = [
        "",
        "upload",
        "upload.",
        "upload..token",
        "upload.Token",
        "upload.a b",
        "auth.token",
        ".token",
        "upload.token_ok",
    ];
    for id in bad {
        let line = only("id", json!(id));
        assert!(line.contains("the id is not"), "{id}: {line}");
    }
    for id in ["upload.a", "fraud.a-b.c2", "legacy.case-1.all-at-once"] {
        assert!(lines("id", json!(id)).is_empty(), "{id}");
    }
}

#[test]
fn section_and_text_say_something() {
    for key in ["section", "text"] {
        let line = only(key, json!("  "));
        assert!(line.ends_with(&format!("{key} is empty")), "{line}");
    }
}

#[test]
fn the_document_is_one_of_them() {
    let line = only("document", json!("upload guide"));
    assert!(line.contains("\"upload guide\""), "{line}");
    assert!(line.contains("Upload guide, Legacy guide"), "{line}");
    for document in DOCUMENTS {
        assert!(lines("document", json!(document)).is_empty(), "{document}");
    }
}

#[test]
fn at_least_one_case_pins_it() {
    assert!(only("cases", json!([])).ends_with("no case pins it"));
}

#[test]
fn a_case_is_named_once() {
    let line = only("cases", json!(["auth/token-ok", "auth/token-ok"]));
    let said = "the case auth/token-ok is named twice";
    assert!(line.ends_with(said), "{line}");
}

#[test]
fn a_case_that_is_not_there_is_named_with_the_nearest() {
    for wrong in [
        "auth/token-okay",
        "aut/token-ok",
        "auth/token-k",
        "upload/token-ok",
    ] {
        let line = only("cases", json!([wrong]));
        let said = format!("there is no case {wrong}; the nearest is auth/token-ok");
        assert!(line.ends_with(&said), "{line}");
        assert!(line.contains("\"upload.token.basic\""), "{line}");
    }
    let line = only("cases", json!(["session/two-files"]));
    assert!(
        line.ends_with("there is no case session/two-files"),
        "{line}"
    );
}

#[test]
fn the_form_is_strict() {
    let mut more = good();
    more["waived"] = json!("because");
    let mut less = good();
    less.as_object_mut().expect("an object").remove("section");
    for (requirement, key) in [(more, "waived"), (less, "section")] {
        let error = read(&[requirement]).map(|_| ()).expect_err(key).to_string();
        assert!(error.contains(key) && error.contains(FILE), "{error}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let error = Requirements::load(folder.path())
        .map(|_| ())
        .expect_err("no file");
    assert!(error.to_string().contains(FILE), "{error}");
}

#[test]
fn the_table_is_grouped_by_document_and_fits_a_terminal() {
    let long = "Do what the sentence of the document says, ".repeat(6);
    let requirement = |id: &str, document: &str, cases: Value| json!({ "id": id, "document": document, "section": "é", "text": long, "cases": cases });
    let read = read(&[
        requirement(
            "upload.a",
            "Upload guide",
            json!(["auth/token-ok", "auth/type-mac"]),
        ),
        requirement("fraud.bcd", "Upload guide", json!(["auth/token-ok"])),
        requirement("legacy.e", "Legacy guide", json!(["auth/token-ok"])),
    ]);
    let table = read.expect("read").to_string();
    assert!(table.lines().all(|line| width(line) <= WIDTH), "{table}");
    assert!(
        table.starts_with("Upload guide\n\nid         section  cases  text\n"),
        "{table}"
    );
    assert!(
        table.contains("\nupload.a   é            2  Do what"),
        "{table}"
    );
    assert!(table.contains("\n                           "), "{table}");
    assert_eq!(table.matches("Upload guide\n").count(), 1, "{table}");
    assert!(table.contains("\n\nLegacy guide\n\n"), "{table}");
    assert!(table.ends_with("\n\n3 requirements, 2 cases\n"), "{table}");
}

#[test]
fn the_schema_for_editors_says_the_same() {
    let file = crate::fixtures().join("requirements.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(file).expect("read")).expect("JSON");
    let words = |value: &Value| -> BTreeSet<String> {
        serde_json::from_value(value.clone()).expect("a list of words")
    };
    let definition = &schema["$defs"]["Requirement"];
    // Each key of a good requirement is required, and no other is read.
    let keys: BTreeSet<_> = good()
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    let properties = definition["properties"].as_object().expect("properties");
    assert_eq!(properties.keys().cloned().collect::<BTreeSet<_>>(), keys);
    assert_eq!(words(&definition["required"]), keys);
    let documents = DOCUMENTS.map(ToOwned::to_owned).into();
    assert_eq!(words(&properties["document"]["enum"]), documents);
    let pattern = properties["id"]["pattern"].as_str().expect("a pattern");
    assert!(
        pattern.contains(&format!("({})", AREAS.join("|"))),
        "{pattern}"
    );
    for schema in [&schema, definition] {
        assert_eq!(schema["additionalProperties"], Value::Bool(false));
    }
}
