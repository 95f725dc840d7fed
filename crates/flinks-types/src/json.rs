//! Reading a whole answer.

use serde::de::{DeserializeOwned, Error as _};

/// Reads an answer's body, which may begin with a byte order mark.
///
/// # Errors
/// When the body is no JSON object, or an answer lacks what it cannot do without. Show the
/// error's place (`line`, `column`) rather than its text, which may quote the body.
pub fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // serde's derived readers also take an array for an object, and an empty one would then read
    // as an answer in which everything is absent.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(serde_json::Error::custom(
            "expected an object, found an array",
        ));
    }
    serde_json::from_slice(body)
}

#[cfg(test)]
mod tests {
    use crate::{UploadResponse, from_json};

    #[test]
    fn a_byte_order_mark_is_no_matter() {
        let answer: UploadResponse = from_json(b"\xef\xbb\xbf {\"HttpStatusCode\":200}").unwrap();
        assert_eq!(answer.http_status_code, Some(200));
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
