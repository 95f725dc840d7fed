//! Finds ids in answers that cannot be decoded: incomplete, wrapped, encoded twice, or not JSON.
//!
//! After a call that must not be repeated, the answer is the only copy of its id, so a malformed
//! answer must not lose it. An id that was cut off is not an id: its end must be present.

use std::borrow::Cow;

use crate::lenient::{is_placeholder, lossy};
use crate::{AggregationId, LoginId, RequestId};

/// Finds the AggregationId anywhere in an answer.
///
/// Returns `None` if there is none, it is cut off, or there are two different ones.
#[must_use]
pub fn find_aggregation_id(answer: &[u8]) -> Option<AggregationId> {
    only(values(&text(answer), "AggregationId")).and_then(|id| AggregationId::new(id).ok())
}

/// Finds the LoginId anywhere in an answer: a `LoginId`, or the `Id` of a `Login`.
///
/// Returns `None` if there is none, it is cut off, or there are two different ones.
#[must_use]
pub fn find_login_id(answer: &[u8]) -> Option<LoginId> {
    let text = text(answer);
    let of_login = keys(&text, "Login").filter_map(|after| {
        let object = after.trim_start_matches(is_separator).strip_prefix('{')?;
        // What the object holds is flat in every documented answer.
        let end = object.find('}').unwrap_or(object.len());
        values(object.get(..end)?, "Id").next()
    });
    only(values(&text, "LoginId").chain(of_login)).and_then(|id| LoginId::new(id).ok())
}

/// Finds the RequestId anywhere in an answer.
///
/// Returns `None` if there is none, it is cut off, or there are two different ones.
#[must_use]
pub fn find_request_id(answer: &[u8]) -> Option<RequestId> {
    only(values(&text(answer), "RequestId")).and_then(|id| RequestId::new(id).ok())
}

/// Finds the HttpStatusCode anywhere in an answer.
#[must_use]
pub fn find_http_status_code(answer: &[u8]) -> Option<u16> {
    only(values(&text(answer), "HttpStatusCode")).and_then(|code| code.parse().ok())
}

/// Drops NULs, which is enough to find ASCII keys and ids in UTF-16.
fn text(answer: &[u8]) -> Cow<'_, str> {
    if !answer.contains(&0) {
        return lossy(answer);
    }
    let bytes: Vec<u8> = answer.iter().copied().filter(|byte| *byte != 0).collect();
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether the character may occur between a key and its value in JSON (also escaped), XML or a
/// form.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ':' | '=' | '>')
}

/// The rest of the text after each occurrence of `name` as a whole word, in any case.
fn keys<'t>(text: &'t str, name: &'static str) -> impl Iterator<Item = &'t str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let places = text.as_bytes().windows(name.len()).enumerate();
    let places = places.filter(|(_, bytes)| bytes.eq_ignore_ascii_case(name.as_bytes()));
    places.filter_map(move |(at, _)| {
        let (before, rest) = (text.get(..at)?, text.get(at + name.len()..)?);
        // `<LoginId>` opens a value, `</LoginId>` closes one.
        let whole = !before.ends_with(|c| is_word(c) || c == '/') && !rest.starts_with(is_word);
        whole.then_some(rest)
    })
}

/// The complete values of each key `name`.
fn values<'t>(text: &'t str, name: &'static str) -> impl Iterator<Item = &'t str> {
    keys(text, name).filter_map(|after| {
        let value = after.trim_start_matches(is_separator);
        let gap = after.get(..after.len() - value.len())?;
        // A key that is the value of another, or that has no value, is followed by something else.
        if !gap.contains([':', '=', '>']) {
            return None;
        }
        let quote = gap.chars().last().filter(|c| matches!(c, '"' | '\''));
        let end = match quote {
            Some(quote) => value.find(quote),
            None => value.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))),
        }?;
        let value = value.get(..end)?.trim_end_matches('\\').trim();
        let nothing = value.is_empty() || value.eq_ignore_ascii_case("null");
        // An empty string ends at once, and its quotes look like the gap to the next key.
        let id = !value.contains([',', '{', '[', '<', '\\']);
        (!nothing && id && !is_placeholder(value)).then_some(value)
    })
}

fn only<'t>(mut values: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "d521ae0d-9cf1-40e1-a1ee-474983800601";
    const L: &str = "aabf32b7-2f4e-4248-8895-b47b7ebc5a3c";

    fn found(answer: &[u8]) -> (Option<String>, Option<String>) {
        let aggregation = find_aggregation_id(answer).map(|id| id.as_str().to_owned());
        let login = find_login_id(answer).map(|id| id.as_str().to_owned());
        (aggregation, login)
    }

    fn documented() -> String {
        format!(
            r#"{{"HttpStatusCode":200,"AggregationId":"{A}","Login":{{"Id":"{L}"}},"Message":"ok"}}"#
        )
    }

    #[test]
    fn ids_are_found_in_any_wrapping() {
        let plain = documented();
        let utf16: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let answers: Vec<Vec<u8>> = vec![
            plain.clone().into(),
            format!("[{plain}]").into(),
            format!("{plain}{plain}").into(),
            format!("{plain}\n<!-- served by a gateway -->").into(),
            format!("callback({plain});").into(),
            serde_json::to_vec(&plain).expect("JSON"),
            serde_json::to_vec(&serde_json::json!({ "data": plain })).expect("JSON"),
            plain.replace('"', "'").into(),
            plain.replace("\"Login\":", "\"login\" :\r\n ").into(),
            plain.replace(r#"{"Id""#, r#"{"Name":"x","LoginId""#).into(),
            plain.replace("200", r#""two hundred""#).into(),
            plain.get(..plain.len() - 17).expect("ASCII").into(),
            format!("<r><AggregationId>{A}</AggregationId><LoginId>{L}</LoginId></r>").into(),
            format!("AggregationId={A}&LoginId={L}&x=1").into(),
            [b"\xef\xbb\xbf", plain.as_bytes(), b"\xff\xfe"].concat(),
            utf16,
        ];
        for answer in answers {
            let shown = String::from_utf8_lossy(&answer).into_owned();
            assert_eq!(found(&answer), (Some(A.into()), Some(L.into())), "{shown}");
        }
    }

    #[test]
    fn what_is_no_whole_id_is_not_found() {
        let cut = format!(r#"{{"AggregationId":"{A}","Login":{{"Id":"aabf32b7-2f4e"#);
        assert_eq!(found(cut.as_bytes()), (Some(A.into()), None));
        for answer in [
            "",
            "AggregationId LoginId",
            r#"{"AggregationId":"","LoginId":null,"Message":"x"}"#,
            r#"{"AggregationId":"00000000-0000-0000-0000-000000000000","Id":"x"}"#,
            r#"{"AggregationId":["a"],"Login":{"Message":"Id"}}"#,
            r#"{"MyAggregationId":"a","LoginIds":"b"}"#,
            "AggregationId=a",
        ] {
            assert_eq!(found(answer.as_bytes()), (None, None), "{answer}");
        }
        let two =
            r#"{"AggregationId":"a","x":{"AggregationId":"b"},"LoginId":"c","Login":{"Id":"d"}}"#;
        assert_eq!(found(two.as_bytes()), (None, None), "which one?");
    }

    #[test]
    fn the_status_in_the_body_is_found() {
        assert_eq!(
            find_http_status_code(br#"[{"HttpStatusCode": 500 }]"#),
            Some(500)
        );
        assert_eq!(
            find_http_status_code(br#"{"httpStatusCode":"202","x"#),
            Some(202)
        );
        assert_eq!(find_http_status_code(b"{}"), None);
    }

    proptest! {
        #[test]
        fn every_cut_gives_the_whole_id_or_none(at in 0usize..200, noise in proptest::collection::vec(any::<u8>(), 0..50)) {
            let plain = documented();
            let cut = &plain.as_bytes()[..at.min(plain.len())];
            let (aggregation, login) = found(cut);
            prop_assert!(aggregation.is_none_or(|id| id == A));
            prop_assert!(login.is_none_or(|id| id == L));
            prop_assert!(find_request_id(&noise).is_none_or(|id| !id.as_str().is_empty()));
            found(&noise);
        }
    }
}
