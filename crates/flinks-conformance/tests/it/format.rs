//! The format is strict, and a case that is not met fails: every rule is seen to bite.

use std::path::Path;

use flinks_conformance::{CaseResult, Level, Suite, load, run};
use serde_json::{Value, json};

/// A folder with one case, `family/case`, made of this JSON.
fn corpus(case: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("family/case");
    std::fs::create_dir_all(&place).expect("a folder");
    std::fs::write(place.join("case.json"), case.to_string()).expect("written");
    folder
}

/// A case that passes at every level.
pub(crate) fn good() -> Value {
    json!({
        "docs": "A case for these tests.",
        "source": "made up",
        "call": { "operation": "auth.token", "input": {} },
        "steps": [{
            "expect": {
                "method": "POST",
                "path": "/api/v1/token",
                "headers": { "content-type": "application/x-www-form-urlencoded" },
                "forbid_headers": ["x-api-key"],
                "body_text": "grant_type=client_credentials&scope=ocr.write"
            },
            "reply": {
                "status": 200,
                "body_json": { "access_token": "a-token", "token_type": "Bearer", "expires_in": 300 }
            }
        }],
        "want": { "ok": { "lifetime_s": 300 } }
    })
}

/// The good case with one value replaced.
pub(crate) fn with(pointer: &str, value: Value) -> Value {
    let mut case = good();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    match case.pointer_mut(parent).expect(pointer) {
        Value::Array(list) if key == "-" => list.push(value),
        Value::Object(object) => drop(object.insert(key.to_owned(), value)),
        other => panic!("{pointer} is in {other}"),
    }
    case
}

pub(crate) fn verdict(case: &Value, level: Level) -> CaseResult {
    let folder = corpus(case);
    let fixtures = load(folder.path()).expect("a corpus");
    let pass = Suite::USUAL.iter().find(|pass| pass.level() == level);
    run(&fixtures[0], pass.expect("a pass of this level"))
}

fn refused(folder: &Path) -> String {
    load(folder).expect_err("refused").to_string()
}

#[test]
fn the_good_case_passes_at_every_level() {
    for level in [Level::L1, Level::L2, Level::L3] {
        assert_eq!(verdict(&good(), level), CaseResult::Passed, "{level:?}");
    }
}

#[test]
fn files_that_no_key_names_are_errors() {
    let folder = corpus(&good());
    std::fs::write(folder.path().join("family/case/stray.json"), "{}").expect("written");
    assert!(refused(folder.path()).contains("stray.json"));
    let folder = corpus(&good());
    std::fs::rename(
        folder.path().join("family/case"),
        folder.path().join("family/Bad Case"),
    )
    .expect("renamed");
    assert!(refused(folder.path()).contains("kebab"));
}

#[test]
fn what_is_not_as_wanted_fails_with_its_place() {
    let (two, three) = ([Level::L2, Level::L3], [Level::L1, Level::L2, Level::L3]);
    let step = good()["steps"][0].clone();
    let rows: Vec<(Value, &[Level], &str)> = vec![
        (
            with("/want/ok", json!({ "lifetime_s": 299 })),
            &three,
            "$.lifetime_s: wanted 299, is 300",
        ),
        (
            with("/steps/0/expect/path", json!("/api/v2/token")),
            &three,
            "wanted /api/v2/token",
        ),
        (
            with("/steps/0/expect/method", json!("PUT")),
            &three,
            "wanted PUT, is POST",
        ),
        (
            with("/steps/0/expect/headers", json!({ "accept": "text/html" })),
            &two,
            "header accept",
        ),
        (
            with("/steps/0/expect/headers", json!({ "content-type": "a/b" })),
            &three,
            "content-type",
        ),
        (
            with("/steps/0/expect/headers", json!({ "x-new": "1" })),
            &two,
            "is missing",
        ),
        (
            with("/steps/0/expect/forbid_headers", json!(["Content-Type"])),
            &three,
            "must not",
        ),
        (
            with("/steps/0/expect/body_text", json!("scope=x")),
            &three,
            "body: wanted \"scope=x\"",
        ),
        (
            with("/steps/-", step),
            &two,
            "steps[1]: POST /api/v1/token was never requested",
        ),
        (with("/steps", json!([])), &two, "one request more"),
        (with("/steps/0/reply/status", json!(400)), &three, "want"),
    ];
    for (case, levels, place) in rows {
        for level in levels {
            match verdict(&case, *level) {
                CaseResult::Failed(lines) => {
                    let text = lines.join("\n");
                    assert!(
                        text.contains(place),
                        "{place} at {level:?} is missing from\n{text}"
                    );
                }
                other => panic!("{place} at {level:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn an_error_is_compared_in_every_part() {
    let wanted = json!({
        "kind": "api", "delivery": "rejected", "step": "token", "status": 400, "attempts": 1,
        "flinks_code": "INVALID_REQUEST", "display_contains": ["Not so."]
    });
    let mut case = good();
    case["steps"][0]["reply"] = json!({
        "status": 400, "body_json": { "FlinksCode": "INVALID_REQUEST", "Message": "Not so." }
    });
    case["want"] = json!({ "error": wanted });
    assert_eq!(verdict(&case, Level::L2), CaseResult::Passed);
    let rows = [
        ("kind", json!("decode")),
        ("delivery", json!("unknown")),
        ("step", json!("call")),
        ("status", json!(401)),
        ("status", Value::Null),
        ("attempts", json!(2)),
        ("flinks_code", Value::Null),
        ("flinks_code", json!("OTHER")),
        ("display_contains", json!(["Otherwise."])),
        ("retry_after_s", json!(1)),
        ("operation", json!("upload.file")),
        ("file", json!("a.pdf")),
        ("aggregation_id", json!("a")),
        ("abandoned", json!(["a"])),
        ("abandoned_unnamed", json!(1)),
    ];
    for (key, value) in rows {
        let mut case = case.clone();
        case["want"]["error"][key] = value;
        match verdict(&case, Level::L2) {
            CaseResult::Failed(lines) => {
                assert!(lines.join("\n").contains(key), "{key}: {lines:?}")
            }
            other => panic!("{key}: {other:?}"),
        }
    }
}

#[test]
fn pauses_and_durations_are_compared_in_virtual_time() {
    let mut case = good();
    let answer = case["steps"][0].clone();
    case["steps"][0]["reply"] = json!({ "status": 429, "headers": { "retry-after": "1" } });
    case["steps"].as_array_mut().expect("steps").push(answer);
    for (waits, takes, passes) in [
        ([1000, 1001], [1000, 1001], true),
        ([0, 999], [1000, 1001], false),
        ([1000, 1001], [0, 999], false),
    ] {
        case["waits_ms"] = json!([waits]);
        case["takes_ms"] = json!(takes);
        let verdict = verdict(&case, Level::L2);
        assert_eq!(
            verdict == CaseResult::Passed,
            passes,
            "{waits:?} {takes:?}: {verdict:?}"
        );
    }
}
