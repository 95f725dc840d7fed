//! Reads the body of an answer, with errors that never quote it.

use serde::de::{Deserialize, Error as _};

/// Reads an answer's body, which may begin with a byte order mark.
///
/// # Errors
/// The body is not a JSON object, or a required field is missing or has another type. Show the
/// error's position (`line`, `column`) rather than its text, which may quote the body.
pub fn from_json<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, serde_json::Error> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // serde's derived readers also take an array for an object, and an empty one would then read
    // as an answer in which everything is absent.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(no_object());
    }
    // Texts of what is known to be UTF-8 are not checked again.
    let read = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    };
    read.map_err(|error| {
        if error.is_data() && !is_object {
            no_object()
        } else {
            named(error, body)
        }
    })
}

fn no_object() -> serde_json::Error {
    serde_json::Error::custom("no object")
}

/// Adds the field's name to a type error and removes the value. serde already names missing and
/// repeated fields.
fn named(error: serde_json::Error, body: &[u8]) -> serde_json::Error {
    let text = error.to_string();
    let names_it = ["missing field", "duplicate field"]
        .iter()
        .any(|start| text.starts_with(start));
    if !error.is_data() || names_it {
        return error;
    }
    match field_at(body, error.line(), error.column()) {
        Some(field) => serde_json::Error::custom(format!("wrong type of field `{field}`")),
        None => error,
    }
}

/// The field name before the last colon before a position, if it is a plain word.
fn field_at(body: &[u8], line: usize, column: usize) -> Option<&str> {
    let before: usize = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.checked_sub(1)?)
        .map(<[u8]>::len)
        .sum();
    let text = body.get(..(before + column).min(body.len()))?;
    let (mut field, mut string, mut from, mut at) = (None, None, 0, 0);
    let mut inside = false;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if inside => at += 1,
            b'"' if inside => {
                string = text.get(from..at);
                inside = false;
            }
            b'"' => {
                from = at + 1;
                inside = true;
            }
            b':' if !inside => field = string,
            _ => {}
        }
        at += 1;
    }
    let plain = |name: &&str| {
        (1..=40).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    std::str::from_utf8(field?).ok().filter(plain)
}

#[cfg(test)]
mod tests {
    use crate::{TokenResponse, UploadResponse, from_json};

    #[test]
    fn a_byte_order_mark_is_no_matter() {
        let answer: UploadResponse = from_json(b"\xef\xbb\xbf {\"HttpStatusCode\":200}").unwrap();
        assert_eq!(answer.http_status_code, Some(200));
    }

    #[test]
    fn an_error_names_its_field_and_no_value() {
        for (body, message) in [
            ("[4711]", "no object"),
            ("4711", "no object"),
            (" null", "no object"),
            (r#"{"token_type":"x"}"#, "missing field `access_token`"),
            (
                r#"{"access_token":"x","scope":"a","scope":"b"}"#,
                "duplicate field `scope`",
            ),
            (
                r#"{"access_token":4711}"#,
                "wrong type of field `access_token`",
            ),
            (
                "{\"scope\":\"a\\\"b\\\":4711\",\n \"access_token\" : [4711]}",
                "wrong type of field `access_token`",
            ),
            (r#"{"access_token":""}"#, "missing field `access_token`"),
            (r#"{"access_token":null}"#, "missing field `access_token`"),
        ] {
            let error = from_json::<TokenResponse>(body.as_bytes()).unwrap_err();
            let said = error.to_string();
            assert!(said.starts_with(message), "{body}: {said}");
            assert!(!said.contains("4711"), "{body}: {said}");
        }
    }

    #[test]
    fn only_an_object_is_an_answer() {
        for wrong in [
            "", " ", "[]", "\n[200]", "null", "\"OK\"", "200", "<html>", "{", "{}{}",
        ] {
            assert!(
                from_json::<UploadResponse>(wrong.as_bytes()).is_err(),
                "{wrong}"
            );
        }
    }
}
