//! `--bless` rewrites what a case wants when that alone is wrong, and not a byte besides.

use std::fs;
use std::path::{Path, PathBuf};

use flinks_conformance::{Blessed, Suite, fixtures, load};
use serde_json::{Value, json};

use crate::format::good;

/// A corpus of one case, `family/case`.
struct Corpus(tempfile::TempDir);

impl Corpus {
    fn of(case: &str) -> Self {
        let corpus = Self(tempfile::tempdir().expect("a folder"));
        fs::create_dir_all(corpus.folder()).expect("a folder");
        corpus.write(case);
        corpus
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("family/case")
    }

    fn write(&self, case: &str) {
        fs::write(self.folder().join("case.json"), case).expect("written");
    }

    fn text(&self) -> String {
        fs::read_to_string(self.folder().join("case.json")).expect("the case")
    }

    fn bless(&self) -> Blessed {
        bless(self.0.path())
    }

    /// Blesses what only wants something else, so that it passes.
    #[track_caller]
    fn rewritten(&self) {
        let blessed = self.bless();
        assert_eq!(blessed.rewritten, ["family/case"], "{blessed}");
        assert_eq!(blessed.summary.failed(), 0, "{blessed}");
        let again = self.bless();
        assert_eq!(again.rewritten, Vec::<String>::new(), "{again}");
        assert_eq!(again.summary.failed(), 0, "{again}");
    }
}

fn bless(folder: &Path) -> Blessed {
    Suite::of(folder).expect("a corpus").bless()
}

/// The good case in an odd layout, wanting this.
fn odd(want: &str) -> String {
    let mut case = good();
    let rest = case.as_object_mut().expect("an object");
    let mut take = |key: &str| serde_json::to_string_pretty(&rest.remove(key)).expect("JSON");
    format!(
        "{{ \"docs\":{},\r\n\t\"source\" : {} ,\n\"steps\":\n{},\n  \"want\":  {want} ,\n\n  \"call\":{}}} \n\n",
        take("docs"),
        take("source"),
        take("steps"),
        take("call"),
    )
}

/// The good case with another answer.
fn answered(status: u16, body: &Value) -> Value {
    let mut case = good();
    case["steps"][0]["reply"] = json!({ "status": status, "body_json": body });
    case
}

#[test]
fn every_byte_outside_of_want_stays() {
    let corpus = Corpus::of(&odd("{ \"ok\":{\"lifetime_s\" :1} }"));
    corpus.rewritten();
    let want = "{\n    \"ok\": {\n      \"lifetime_s\": 300\n    }\n  }";
    assert_eq!(corpus.text(), odd(want));
}

#[test]
fn a_case_that_passes_stays_as_it_is() {
    let case = odd("{ \"ok\":{\"lifetime_s\" :300} }");
    let corpus = Corpus::of(&case);
    let blessed = corpus.bless();
    assert_eq!(blessed.rewritten, Vec::<String>::new());
    assert_eq!(blessed.summary.failed(), 0, "{blessed}");
    assert_eq!(corpus.text(), case);
}

#[test]
fn a_case_with_something_else_wrong_stays_as_it_is() {
    let asked = "not rewritten: the requests are not as the steps expect";
    let step = good()["steps"][0].clone();
    let secret = "canary-5d1e";
    let rows = [
        ("/steps/0/expect/method", json!("PUT"), asked),
        ("/steps/0/expect/path", json!("/api/v2/token"), asked),
        ("/steps/0/expect/headers", json!({ "x-new": "1" }), asked),
        (
            "/steps/0/expect/forbid_headers",
            json!(["content-type"]),
            asked,
        ),
        ("/steps/0/expect/body_text", json!("scope=x"), asked),
        ("/steps", json!([]), asked),
        ("/steps", json!([step, step]), asked),
        ("/takes_ms", json!([5, 9]), asked),
        (
            "/secrets",
            json!([secret]),
            "not rewritten: it shows a secret",
        ),
    ];
    for (pointer, value, why) in rows {
        let mut case = answered(
            400,
            &json!({ "FlinksCode": "INVALID_REQUEST", "Message": secret }),
        );
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        case.pointer_mut(parent).expect(pointer)[key] = value;
        let text = case.to_string();
        let corpus = Corpus::of(&text);
        let blessed = corpus.bless();
        assert_eq!(blessed.rewritten, Vec::<String>::new(), "{pointer}");
        assert!(blessed.to_string().contains(why), "{pointer}: {blessed}");
        assert_eq!(corpus.text(), text, "{pointer}");
    }
}

/// The answer comes too late; what the codec makes of it is another thing.
#[test]
fn a_case_that_would_fail_at_another_level_keeps_its_output() {
    let case = json!({
        "docs": "A case for these tests.",
        "source": "made up",
        "call": { "operation": "upload.complete", "input": { "aggregation_id": "a" } },
        "steps": [{
            "expect": { "method": "POST", "path": "/api/v1/upload/complete" },
            "reply": { "status": 200, "body_json": { "LoginId": "b" } },
            "after_ms": 300_000
        }],
        "want": { "ok": { "login_id": "b" } },
        "levels": { "only": ["l1", "l2"], "reason": "for this test" }
    });
    let text = case.to_string();
    let corpus = Corpus::of(&text);
    let blessed = corpus.bless();
    let why = "not rewritten: with the new output it would fail at L1";
    assert!(blessed.to_string().contains(why), "{blessed}");
    assert_eq!(corpus.text(), text);
}

#[test]
fn the_codec_decides_where_nothing_else_runs() {
    let mut case = good();
    case["levels"] = json!({ "only": ["l1"], "reason": "for this test" });
    case["want"] = json!({ "ok": {} });
    Corpus::of(&case.to_string()).rewritten();
    case["steps"][0]["reply"] = json!({ "status": 400 });
    let blessed = Corpus::of(&case.to_string()).bless();
    let why = "not rewritten: the codec alone does not determine the whole outcome";
    assert!(blessed.to_string().contains(why), "{blessed}");
}

#[test]
fn an_output_becomes_an_error_and_an_output_again() {
    let refused = json!({ "FlinksCode": "INVALID_REQUEST", "Message": "Not so." });
    let mut case = answered(400, &refused);
    let corpus = Corpus::of(&case.to_string());
    corpus.rewritten();
    case["want"] = json!({ "error": {
        "kind": "api", "delivery": "rejected", "step": "token", "status": 400,
        "flinks_code": "INVALID_REQUEST"
    } });
    let now: Value = serde_json::from_str(&corpus.text()).expect("JSON");
    assert_eq!(now, case);

    case["steps"] = good()["steps"].clone();
    corpus.write(&case.to_string());
    corpus.rewritten();
    let now: Value = serde_json::from_str(&corpus.text()).expect("JSON");
    assert_eq!(now["want"], good()["want"]);
}

#[test]
fn attempts_and_texts_are_kept_when_the_case_had_them() {
    let mut case = answered(400, &json!({ "Message": "Not so." }));
    case["want"] = json!({ "error": {
        "attempts": 7, "delivery": "unknown", "display_contains": ["so.", "or so."], "kind": "decode"
    } });
    let corpus = Corpus::of(&case.to_string());
    corpus.rewritten();
    let now: Value = serde_json::from_str(&corpus.text()).expect("JSON");
    let wanted = json!({ "error": {
        "attempts": 1, "delivery": "rejected", "display_contains": ["so."], "kind": "api",
        "status": 400, "step": "token"
    } });
    assert_eq!(now["want"], wanted);
}

/// Every twenty-fourth case, with another want, is rewritten to what it wanted.
#[test]
fn the_cases_of_this_workspace_are_rewritten_to_what_they_want() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut texts = Vec::new();
    for fixture in load(&fixtures()).expect("a corpus").iter().step_by(24) {
        let (from, to) = (
            fixtures().join(fixture.path()),
            folder.path().join(fixture.path()),
        );
        fs::create_dir_all(&to).expect("a folder");
        for entry in fs::read_dir(&from).expect("the case") {
            let file = entry.expect("an entry").file_name();
            fs::copy(from.join(&file), to.join(&file)).expect("copied");
        }
        let file = to.join("case.json");
        let text = fs::read_to_string(&file).expect("read");
        let wrong = match text.contains("\"delivery\": \"unknown\"") {
            true => text.replace("\"delivery\": \"unknown\"", "\"delivery\": \"rejected\""),
            false => text.replace("\"delivery\": \"", "\"delivery\": \"un"),
        };
        let wrong = wrong.replace("\n    \"ok\": {", "\n    \"ok\": { \"more\": 1,");
        fs::write(&file, wrong.replace("1,}", "1}")).expect("written");
        texts.push((fixture.path(), file, text));
    }
    let blessed = bless(folder.path());
    assert_eq!(blessed.summary.failed(), 0, "{blessed}");
    assert_eq!(blessed.rewritten.len(), texts.len(), "{blessed}");
    let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    for (path, file, text) in texts {
        let now = fs::read_to_string(file).expect("read");
        assert_eq!(parsed(&now), parsed(&text), "{path}");
    }
}
