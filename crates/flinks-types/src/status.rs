//! `HttpStatusCode`: the status in a body, as a number, text or name.

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::lenient::{text_of, whole};

/// Reads a body's `HttpStatusCode`, for `#[serde(default, deserialize_with = "http_status_code")]`.
///
/// Accepts a number, numeric text (`"200"`), a number without a fraction (`200.0`), or its name in
/// .NET (`"OK"`, `"NonAuthoritativeInformation"`, in any case). Anything else, and anything outside
/// 100 to 999, is absent.
///
/// # Errors
/// The JSON is malformed.
#[doc(hidden)]
pub fn http_status_code<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u16>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(text_of(raw.get()).and_then(|text| status_of(&text)))
}

/// Reads a status.
pub(crate) fn status_of(text: &str) -> Option<u16> {
    let text = text.trim();
    if let Some(number) = whole(text) {
        return u16::try_from(number)
            .ok()
            .filter(|number| (100..=999).contains(number));
    }
    NAMES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
        .map(|&(_, number)| number)
}

/// Every name of .NET's `System.Net.HttpStatusCode`, its synonyms included.
const NAMES: &[(&str, u16)] = &[
    ("Continue", 100),
    ("SwitchingProtocols", 101),
    ("Processing", 102),
    ("EarlyHints", 103),
    ("OK", 200),
    ("Created", 201),
    ("Accepted", 202),
    ("NonAuthoritativeInformation", 203),
    ("NoContent", 204),
    ("ResetContent", 205),
    ("PartialContent", 206),
    ("MultiStatus", 207),
    ("AlreadyReported", 208),
    ("IMUsed", 226),
    ("Ambiguous", 300),
    ("MultipleChoices", 300),
    ("Moved", 301),
    ("MovedPermanently", 301),
    ("Found", 302),
    ("Redirect", 302),
    ("RedirectMethod", 303),
    ("SeeOther", 303),
    ("NotModified", 304),
    ("UseProxy", 305),
    ("Unused", 306),
    ("RedirectKeepVerb", 307),
    ("TemporaryRedirect", 307),
    ("PermanentRedirect", 308),
    ("BadRequest", 400),
    ("Unauthorized", 401),
    ("PaymentRequired", 402),
    ("Forbidden", 403),
    ("NotFound", 404),
    ("MethodNotAllowed", 405),
    ("NotAcceptable", 406),
    ("ProxyAuthenticationRequired", 407),
    ("RequestTimeout", 408),
    ("Conflict", 409),
    ("Gone", 410),
    ("LengthRequired", 411),
    ("PreconditionFailed", 412),
    ("RequestEntityTooLarge", 413),
    ("RequestUriTooLong", 414),
    ("UnsupportedMediaType", 415),
    ("RequestedRangeNotSatisfiable", 416),
    ("ExpectationFailed", 417),
    ("MisdirectedRequest", 421),
    ("UnprocessableContent", 422),
    ("UnprocessableEntity", 422),
    ("Locked", 423),
    ("FailedDependency", 424),
    ("UpgradeRequired", 426),
    ("PreconditionRequired", 428),
    ("TooManyRequests", 429),
    ("RequestHeaderFieldsTooLarge", 431),
    ("UnavailableForLegalReasons", 451),
    ("InternalServerError", 500),
    ("NotImplemented", 501),
    ("BadGateway", 502),
    ("ServiceUnavailable", 503),
    ("GatewayTimeout", 504),
    ("HttpVersionNotSupported", 505),
    ("VariantAlsoNegotiates", 506),
    ("InsufficientStorage", 507),
    ("LoopDetected", 508),
    ("NotExtended", 510),
    ("NetworkAuthenticationRequired", 511),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(
            default,
            rename = "HttpStatusCode",
            deserialize_with = "http_status_code"
        )]
        status: Option<u16>,
        #[serde(default, rename = "After")]
        after: Option<u8>,
    }

    fn read(json: &str) -> Option<u16> {
        let body = format!(r#"{{ "HttpStatusCode": {json}, "After": 1 }}"#);
        let body: Body = serde_json::from_str(&body).unwrap();
        assert_eq!(body.after, Some(1));
        body.status
    }

    #[test]
    fn every_writing_of_a_status() {
        for json in [
            "203",
            r#""203""#,
            r#"" 203 ""#,
            "203.0",
            r#""NonAuthoritativeInformation""#,
        ] {
            assert_eq!(read(json), Some(203), "{json}");
        }
        assert_eq!(read(r#""ok""#), Some(200));
        assert_eq!(read(r#""IMUsed""#), Some(226));
        for json in [
            "null",
            "99",
            "0",
            "-200",
            "200.5",
            "65736",
            r#""""#,
            r#""Fine""#,
            "[]",
            "{}",
            "true",
            "1e999",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
        assert_eq!(serde_json::from_str::<Body>("{}").unwrap().status, None);
    }

    #[test]
    fn names_are_listed_once() {
        let mut names: Vec<_> = NAMES
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_absent(text in ".*") {
            let status = read(&serde_json::to_string(&text).unwrap());
            prop_assert!(status.is_none_or(|status| (100..=999).contains(&status)));
        }

        #[test]
        fn any_number_is_read_or_absent(number in any::<f64>(), status in 100u16..=999) {
            if let Some(read) = read(&serde_json::to_string(&number).unwrap()) {
                prop_assert_eq!(f64::from(read), number);
            }
            prop_assert_eq!(read(&status.to_string()), Some(status));
        }
    }
}
