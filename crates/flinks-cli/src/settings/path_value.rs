//! What stands where the path of a file belongs: a value that cannot be a path, or one in quotes.

use std::ffi::OsStr;
use std::path::Path;

/// Why this cannot be meant as a path: it is the text of a file. Continues a message that names
/// what the value was given by.
pub(crate) fn mistake(value: &OsStr) -> Option<&'static str> {
    let text = value.to_string_lossy();
    if text.contains("-----BEGIN") {
        return Some(if text.contains("PRIVATE KEY") {
            "holds the key itself: it takes the path of a file"
        } else if text.contains("CERTIFICATE") {
            "holds the certificate itself: it takes the path of a file"
        } else {
            "holds the text of a file: it takes the path of a file"
        });
    }
    if text.contains(['\n', '\r']) {
        return Some("holds several lines of text: it takes the path of a file");
    }
    if Path::new(value).exists() {
        return None;
    }
    if text.contains("://") {
        return Some("holds a URL: it takes the path of a file");
    }
    is_coded(&text).then_some("holds what looks like a key or token: it takes the path of a file")
}

/// Whether this looks like base64 without its marks and not like a path. Nothing lies there.
fn is_coded(text: &str) -> bool {
    let coded = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    if text.len() < 40 || !text.bytes().all(coded) {
        return false;
    }
    // A name in a folder that is there is meant as a name, however it looks.
    let folder = Path::new(text).parent();
    if folder.is_some_and(|folder| !folder.as_os_str().is_empty() && folder.exists()) {
        return false;
    }
    let mixed = |word: &str| {
        word.len() >= 32
            && word.bytes().any(|byte| byte.is_ascii_uppercase())
            && word.bytes().any(|byte| byte.is_ascii_lowercase())
            && word.bytes().any(|byte| byte.is_ascii_digit())
    };
    text.contains('+') || text.ends_with('=') || text.split(['/', '-', '_']).any(mixed)
}

/// Whether quotes stand around the value. `docker run --env-file` and others keep them.
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
        for (value, told) in rows {
            let why = mistake(OsStr::new(value));
            assert_eq!(why.is_some(), told.is_some(), "{value}");
            assert!(why.unwrap_or_default().contains(told.unwrap_or_default()));
        }
    }

    #[test]
    fn quotes_are_around_the_whole_value() {
        for quoted in ["\"/p/a.pem\"", "'x'", "\"\""] {
            assert!(is_quoted(quoted), "{quoted}");
        }
        for bare in ["", "\"", "'", "a\"b\"", "\"a'", "a"] {
            assert!(!is_quoted(bare), "{bare}");
        }
    }
}
