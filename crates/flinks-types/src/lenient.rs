//! Reads JSON values of any type as text or a whole number, and recognizes placeholders.

use std::borrow::Cow;

/// The text that .NET prints for a GUID that was never set.
const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// Whether the text means a missing value: the zero GUID, or a date of year 1.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    text == ZERO_GUID || text.starts_with("0001-01-01")
}

/// The text of a string, or of a number or boolean as written; `None` for anything else.
pub(crate) fn text_of(json: &str) -> Option<Cow<'_, str>> {
    match json.bytes().next()? {
        b'"' if json.as_bytes().contains(&b'\\') => serde_json::from_str(json).ok().map(Cow::Owned),
        b'"' => json.get(1..json.len() - 1).map(Cow::Borrowed),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

/// Text, also of bytes that are not UTF-8. Several times faster than `from_utf8_lossy` for UTF-8.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// A whole number, which may have decimals that are all zero.
pub(crate) fn whole(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|byte| byte == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_in_any_writing() {
        let numbers = [
            ("1", 1),
            (" 2 ", 2),
            ("3.0", 3),
            ("4.000", 4),
            ("4294967295", u32::MAX),
        ];
        for (text, number) in numbers {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for text in ["", "-1", "1.5", "4294967296", "1e3", "one", ".0"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn placeholders_of_the_service() {
        for text in [
            ZERO_GUID,
            "0001-01-01",
            "0001-01-01T00:00:00",
            "0001-01-01T00:00:00Z",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "",
            "00000000-0000-0000-0000-000000000001",
            "2001-01-01T00:00:00",
            "0001",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
