//! Every case can fail. That all of them pass is the runner's part.

use flinks_conformance::{CaseResult, Fixture, Level, Pass, fixtures, load, run};
use serde_json::{Value, json};

/// The corpus with every case changed, in a folder of its own.
fn changed(change: fn(usize, &mut Value)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (index, fixture) in load(&fixtures()).expect("a corpus").iter().enumerate() {
        let (from, to) = (
            fixtures().join(fixture.path()),
            folder.path().join(fixture.path()),
        );
        std::fs::create_dir_all(&to).expect("a folder");
        for entry in std::fs::read_dir(&from).expect("the case") {
            let file = entry.expect("an entry").file_name();
            std::fs::copy(from.join(&file), to.join(&file)).expect("copied");
        }
        let bytes = std::fs::read(to.join("case.json")).expect("read");
        let mut case = serde_json::from_slice(&bytes).expect("JSON");
        change(index, &mut case);
        std::fs::write(to.join("case.json"), case.to_string()).expect("written");
    }
    folder
}

fn none_passes(change: fn(usize, &mut Value)) {
    let folder = changed(change);
    for fixture in load(folder.path()).expect("a corpus") {
        let verdict = run(&fixture, &Pass::Stack);
        assert_ne!(
            verdict,
            CaseResult::Passed,
            "{} cannot fail",
            fixture.path()
        );
    }
}

#[test]
fn no_case_passes_with_a_step_more_than_it_needs() {
    none_passes(|_, case| {
        let object = case.as_object_mut().expect("an object");
        object.remove("waits_ms");
        let steps = object
            .get_mut("steps")
            .and_then(Value::as_array_mut)
            .expect("steps");
        steps.push(json!({
            "expect": { "method": "GET", "path": "/never" }, "reply": { "status": 200 }
        }));
    });
}

/// A third of the cases each: another path, one header more, another body.
#[test]
fn no_case_passes_with_another_request_than_it_has() {
    none_passes(|index, case| {
        let steps = case["steps"].as_array_mut().expect("steps");
        let unread = ["refuse", "reset-before-send", "stall"];
        let Some(step) = steps.last_mut() else {
            // Nothing may be sent: a step that is never requested fails it too.
            steps.push(json!({
                "expect": { "method": "GET", "path": "/never" }, "reply": { "status": 200 }
            }));
            return;
        };
        let is_read = step["reply"]["early"] != true
            && !step["fault"]
                .as_str()
                .is_some_and(|fault| unread.contains(&fault));
        let expect = step["expect"].as_object_mut().expect("an object");
        match index % 3 {
            1 => {
                let headers = expect.entry("headers").or_insert_with(|| json!({}));
                headers["x-never-sent"] = json!("1");
            }
            2 if is_read && !expect.contains_key("body") => {
                expect.retain(|key, _| !key.starts_with("body"));
                expect.insert("body_text".to_owned(), json!("another body"));
            }
            _ => {
                let path = expect["path"].as_str().expect("a path");
                expect["path"] = json!(format!("{path}x"));
            }
        }
    });
}

#[test]
fn no_case_passes_with_another_outcome_than_it_has() {
    none_passes(|_, case| {
        let want = case.get_mut("want").expect("want");
        if let Some(error) = want.get_mut("error") {
            let delivery = &mut error["delivery"];
            *delivery = json!(if *delivery == "unknown" {
                "rejected"
            } else {
                "unknown"
            });
        } else {
            want["ok"]["one key more"] = json!(1);
        }
    });
}

#[test]
fn every_case_runs_at_some_level_and_says_reason_not_run_at_all() {
    for fixture in load(&fixtures()).expect("a corpus") {
        assert!(
            [Level::L1, Level::L2, Level::L3]
                .into_iter()
                .any(|level| fixture.has(level)),
            "{}",
            fixture.path()
        );
    }
}

#[test]
fn every_refusal_has_a_case() {
    let corpus = load(&fixtures()).expect("a corpus");
    for refusal in [
        "api_credentials",
        "bank_down",
        "bank_login",
        "pending",
        "session_over",
        "wrong_answer",
        "wrong_answer_final",
    ] {
        let has = |fixture: &&Fixture| {
            let error = fixture.case.want.error.as_ref();
            error.and_then(|error| error.refusal.as_deref()) == Some(refusal)
        };
        assert!(corpus.iter().any(|fixture| has(&fixture)), "{refusal}");
    }
}
