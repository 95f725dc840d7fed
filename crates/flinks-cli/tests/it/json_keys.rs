//! The keys of `--json`: snake_case everywhere but in the answers that are passed through.

use flinks_sandbox::{CACHED_LOGIN_ID, FLAGGED_LOGIN_ID};
use serde_json::Value;

use crate::bench::Bench;

/// The keys of every object in `json`.
fn keys(json: &Value) -> Vec<&str> {
    match json {
        Value::Object(object) => {
            let inner = object.values().flat_map(keys);
            object.keys().map(String::as_str).chain(inner).collect()
        }
        Value::Array(list) => list.iter().flat_map(keys).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn is_snake_case(key: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    key.bytes().all(is_part)
}

#[test]
fn keys_are_snake_case_but_in_the_answers_of_the_service() {
    let bench = Bench::new(&[]);
    let (file, folder) = (bench.document("a.pdf"), bench.argument("keys"));
    let cached = ["authorize", "--login-id", CACHED_LOGIN_ID, "--cached"];
    let lines: [(&[&str], i32); 9] = [
        (&["upload", &file, "--sha256", "--wait", "--poll", "0.1"], 8),
        (&["fraud", FLAGGED_LOGIN_ID], 0),
        (&cached, 0),
        (&["ledgers"], 0),
        (&["institutions"], 0),
        (&["refresh", CACHED_LOGIN_ID, "on"], 0),
        (&["csr", "--out", &folder, "--common-name", "x"], 0),
        (&["doctor"], 0),
        (&["fraud", "unknown"], 1),
    ];
    for (line, status) in lines {
        let json = bench.run(&[line, &["--json"]].concat());
        let json = json.ends_with(status).json();
        let keys = keys(&json);
        let wrong: Vec<_> = keys.iter().filter(|key| !is_snake_case(key)).collect();
        assert!(
            !keys.is_empty() && wrong.is_empty(),
            "{line:?}: {wrong:?} of {json}"
        );
    }
    let of = ["--login-id", CACHED_LOGIN_ID, "--poll", "0.02", "--json"];
    for line in [&["accounts"][..], &["statements", "--out", &folder]] {
        let json = bench.run(&[line, &of].concat()).ends_with(0).json();
        assert!(json["RequestId"].is_string(), "{json}");
    }
}
