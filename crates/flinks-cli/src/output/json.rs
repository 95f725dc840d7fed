//! JSON as it is printed: one line, safe in a terminal.

use flinks_types::text::is_invisible;
use serde_json::Value;

/// Returns one JSON object as a line.
pub(crate) fn line(object: &Value) -> String {
    format!("{}\n", escaped(&object.to_string()))
}

/// Escapes invisible characters as `\uXXXX`. In JSON they occur only inside strings, where this is
/// valid.
pub(crate) fn escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if is_invisible(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_is_the_same_json_without_invisible_characters(text in "[\0\u{1b}\u{ad}\u{202e}\u{e0041}a-z]*") {
            let json = serde_json::json!({ "message": text });
            let line = line(&json);
            let line = line.strip_suffix('\n').expect("a line");
            prop_assert!(!line.contains(is_invisible), "{line:?}");
            prop_assert_eq!(serde_json::from_str::<Value>(line).expect("JSON"), json);
        }
    }
}
