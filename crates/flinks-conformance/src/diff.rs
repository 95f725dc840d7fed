//! Where two JSON values differ, in lines that can be read.

use serde_json::Value;

/// One line for each place where `seen` is not what was `wanted`. Objects compare without order,
/// arrays with it, numbers exactly.
pub(crate) fn json(wanted: &Value, seen: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("$", wanted, seen, &mut lines);
    lines
}

fn compare(place: &str, wanted: &Value, seen: &Value, lines: &mut Vec<String>) {
    match (wanted, seen) {
        (Value::Object(wanted), Value::Object(seen)) => {
            for (key, value) in wanted {
                match seen.get(key) {
                    Some(other) => compare(&format!("{place}.{key}"), value, other, lines),
                    None => lines.push(format!("{place}.{key}: wanted {}, is missing", cut(value))),
                }
            }
            for (key, value) in seen {
                if !wanted.contains_key(key) {
                    lines.push(format!("{place}.{key}: not wanted, is {}", cut(value)));
                }
            }
        }
        (Value::Array(wanted), Value::Array(seen)) => {
            if wanted.len() != seen.len() {
                let (many, few) = (wanted.len(), seen.len());
                lines.push(format!("{place}: wanted {many} elements, has {few}"));
            }
            for (index, (value, other)) in wanted.iter().zip(seen).enumerate() {
                compare(&format!("{place}[{index}]"), value, other, lines);
            }
        }
        (wanted, seen) if wanted == seen => {}
        (wanted, seen) => lines.push(format!("{place}: wanted {}, is {}", cut(wanted), cut(seen))),
    }
}

/// A value short enough for a line.
pub(crate) fn cut(value: &impl ToString) -> String {
    let text = value.to_string();
    if text.chars().count() <= 120 {
        return text;
    }
    let mut short: String = text.chars().take(120).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_have_no_lines_whatever_their_order() {
        let wanted = json!({ "a": 1, "b": [1, { "c": null }] });
        let seen = serde_json::from_str(r#"{ "b": [1, { "c": null }], "a": 1 }"#).expect("JSON");
        assert_eq!(json(&wanted, &seen), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_named_by_its_place() {
        let wanted = json!({ "a": 1, "b": [1, 2], "c": { "d": "x" }, "e": 0, "n": 200 });
        let seen = json!({ "a": 2, "b": [2], "c": { "d": null }, "f": 0, "n": 200.0 });
        let text = json(&wanted, &seen).join("\n");
        for part in [
            "$.a: wanted 1, is 2",
            "$.b: wanted 2 elements, has 1",
            "$.b[0]",
            "$.c.d: wanted \"x\", is null",
            "$.e: wanted 0, is missing",
            "$.f: not wanted",
            "$.n: wanted 200, is 200.0",
        ] {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
    }
}
