//! Detects a value that is not meant as a path, such as the text of a key, and a value in quotes.

use std::ffi::OsStr;
use std::path::Path;

/// Returns why a value is not meant as a path, in words that follow the name of its option or variable.
pub(crate) fn mistake(value: &OsStr) -> Option<&'static str> {
    let text = value.to_string_lossy();
    if text.contains("-----BEGIN") {
        return Some(if text.contains("PRIVATE KEY") {
            "holds the key itself: give the path of a file"
        } else if text.contains("CERTIFICATE") {
            "holds the certificate itself: give the path of a file"
        } else {
            "contains the text of a file: give the path instead"
        });
    }
    if text.contains(['\n', '\r']) {
        return Some("holds several lines of text: give the path of a file");
    }
    if Path::new(value).exists() {
        return None;
    }
    if text.contains("://") {
        return Some("contains a URL: give the path of a file");
    }
    is_base64(&text).then_some("holds what looks like a key or token: give the path of a file")
}

/// Whether a value that is not an existing path looks like base64.
fn is_base64(text: &str) -> bool {
    let is_base64_char = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    if text.len() < 40 || !text.bytes().all(is_base64_char) {
        return false;
    }
    // A name in an existing folder is a file name, whatever it looks like.
    let folder = Path::new(text).parent();
    if folder.is_some_and(|folder| !folder.as_os_str().is_empty() && folder.exists()) {
        return false;
    }
    let is_mixed = |word: &str| {
        word.len() >= 32
            && word.bytes().any(|byte| byte.is_ascii_uppercase())
            && word.bytes().any(|byte| byte.is_ascii_lowercase())
            && word.bytes().any(|byte| byte.is_ascii_digit())
    };
    text.contains('+') || text.ends_with('=') || text.split(['/', '-', '_']).any(is_mixed)
}

/// Whether a value is in quotes, which `docker run --env-file` and others keep.
pub(crate) fn is_quoted(text: &str) -> bool {
    let inner = |quote| {
        text.strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    inner('"').or_else(|| inner('\'')).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_file_mistake() {
        let rows = [
            ("-----BEGIN PRIVATE KEY-----\\nMIIE", Some("key itself")),
            ("-----BEGIN CERTIFICATE-----", Some("certificate itself")),
            ("-----BEGIN PGP MESSAGE-----", Some("text of a file")),
            ("a\nb", Some("several lines")),
            ("a\rb", Some("several lines")),
            ("https://user:word@host.example/?token=word", Some("URL")),
            (
                "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA",
                Some("key or token"),
            ),
            (
                "MIIEvQIB/DANBgkqhkiG9w0BAQEFAASC/KcwggSjAgEA==",
                Some("key or token"),
            ),
            ("/tmp/MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj", None),
            ("statements-3F2504E0-4F89-41D3-9A0C-0305E82C3301", None),
            ("/home/me/Statements-2026/Lender-One/Session-0001", None),
            ("/etc/flinks/client.pem", None),
            ("", None),
        ];
        for (value, expected) in rows {
            let why = mistake(OsStr::new(value));
            assert_eq!(why.is_some(), expected.is_some(), "{value}");
            assert!(
                why.unwrap_or_default()
                    .contains(expected.unwrap_or_default())
            );
        }
    }

    #[test]
    fn quotes_are_around_the_whole_value() {
        for quoted in ["\"/p/a.pem\"", "'x'", "\"\""] {
            assert!(is_quoted(quoted), "{quoted}");
        }
        for unquoted in ["", "\"", "'", "a\"b\"", "\"a'", "a"] {
            assert!(!is_quoted(unquoted), "{unquoted}");
        }
    }
}
