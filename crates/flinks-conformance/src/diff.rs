//! Where two JSON values differ, in lines that can be read.

use std::mem::discriminant;

use serde_json::Value;

/// One line for each place where `seen` is not what was `wanted`. Objects compare without order,
/// arrays with it, numbers exactly.
pub(crate) fn json(wanted: &Value, seen: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("$", wanted, seen, How::Equal, &mut lines);
    lines
}

/// One line for each place where `seen` has other keys or other JSON types than what was `wanted`.
/// Every element of a list is compared with the first wanted one. The values of the keys in `same`
/// must be equal.
pub(crate) fn shape(wanted: &Value, seen: &Value, same: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    compare("$", wanted, seen, How::Alike(same), &mut lines);
    lines
}

#[derive(Clone, Copy)]
enum How<'s> {
    Equal,
    /// Equal only under these keys.
    Alike(&'s [String]),
}

impl How<'_> {
    fn under(self, key: &str) -> Self {
        match self {
            Self::Alike(same) if !same.iter().any(|same| same == key) => self,
            Self::Alike(_) | Self::Equal => Self::Equal,
        }
    }

    fn fits(self, wanted: &Value, seen: &Value) -> bool {
        match self {
            Self::Equal => wanted == seen,
            Self::Alike(_) => discriminant(wanted) == discriminant(seen),
        }
    }
}

fn compare(place: &str, wanted: &Value, seen: &Value, how: How<'_>, lines: &mut Vec<String>) {
    match (wanted, seen) {
        (Value::Object(wanted), Value::Object(seen)) => {
            for (key, value) in wanted {
                let place = format!("{place}.{key}");
                match seen.get(key) {
                    Some(other) => compare(&place, value, other, how.under(key), lines),
                    None => lines.push(format!("{place}: wanted {}, is missing", cut(value))),
                }
            }
            for (key, value) in seen {
                if !wanted.contains_key(key) {
                    lines.push(format!("{place}.{key}: not wanted, is {}", cut(value)));
                }
            }
        }
        (Value::Array(wanted), Value::Array(seen)) => {
            if matches!(how, How::Equal) && wanted.len() != seen.len() {
                let (many, few) = (wanted.len(), seen.len());
                lines.push(format!("{place}: wanted {many} elements, has {few}"));
            }
            for (index, other) in seen.iter().enumerate() {
                let like = match how {
                    How::Equal => wanted.get(index),
                    How::Alike(_) => wanted.first(),
                };
                if let Some(value) = like {
                    compare(&format!("{place}[{index}]"), value, other, how, lines);
                }
            }
        }
        (wanted, seen) if how.fits(wanted, seen) => {}
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
    fn a_shape_has_its_keys_and_types_and_what_must_be_equal() {
        let wanted = json!({ "id": "a", "n": 1, "word": "clean", "list": [{ "t": true }] });
        let same = ["word".to_owned()];
        let lines = |seen: &Value| shape(&wanted, seen, &same).join("\n");
        for list in [json!([]), json!([{ "t": false }, { "t": true }])] {
            let seen = json!({ "id": "b", "n": 2, "word": "clean", "list": list });
            assert_eq!(lines(&seen), "");
        }
        for (key, value, part) in [
            ("id", Value::Null, "$.id: wanted \"a\", is null"),
            ("n", json!("1"), "$.n: wanted 1, is \"1\""),
            ("word", json!("flagged"), "$.word: wanted \"clean\""),
            ("list", json!([{ "t": true }, { "t": 0 }]), "$.list[1].t"),
            ("more", json!(1), "$.more: not wanted"),
        ] {
            let mut seen = wanted.clone();
            seen[key] = value;
            let text = lines(&seen);
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
        assert!(lines(&json!({})).contains("$.id: wanted \"a\", is missing"));
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
