//! Reading requests: authorization, media type, forms.

use http::{HeaderMap, header};

/// Returns the text of a header.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Returns the credentials of an `Authorization` header with this scheme.
pub(crate) fn authorization<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (name, credentials) = text(headers, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme)
        .then(|| credentials.trim())
}

/// Returns whether the body is of this media type, with any parameters.
pub(crate) fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    text(headers, header::CONTENT_TYPE.as_str())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

/// Returns the fields of an urlencoded form in their order, or `None` if it is malformed.
pub(crate) fn form(body: &[u8]) -> Option<Vec<(String, String)>> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            Some((name, decode(halves.next().unwrap_or_default())?))
        })
        .collect()
}

fn decode(encoded: &[u8]) -> Option<String> {
    let mut bytes = encoded.iter().copied();
    let mut decoded = Vec::with_capacity(encoded.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_and_case_do_not_matter() {
        let mut headers = HeaderMap::new();
        assert!(!is_of_type(&headers, "application/json"));
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("Application/JSON ; charset=utf-8"),
        );
        assert!(is_of_type(&headers, "application/json"));
        assert!(!is_of_type(&headers, "application/jso"));
    }

    #[test]
    fn forms_are_decoded() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            form(b"a=1+2&b%3D=%C3%A9&&c").unwrap(),
            [pair("a", "1 2"), pair("b=", "é"), pair("c", "")]
        );
        assert_eq!(form(b"a=%"), None);
        assert_eq!(form(b"a=%f"), None);
        assert_eq!(form(b"a=%ff"), None);
    }

    proptest! {
        #[test]
        fn every_text_survives_encoding(text: String) {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let fields = form(format!("k={encoded}").as_bytes());
            prop_assert_eq!(fields, Some(vec![("k".to_owned(), text)]));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>) {
            drop(form(&bytes));
        }
    }
}
