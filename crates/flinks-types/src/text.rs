//! Text at the edges of a program: reading files in any encoding, escaping before display.

use std::borrow::Cow;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads `bytes` as text: UTF-8, or UTF-16 in either byte order, which editors and shells on Windows
/// write. UTF-16 is recognized by its byte order mark, or without one if most characters are ASCII
/// or Latin-1.
///
/// Drops one byte order mark at the start. Returns `None` if the bytes are not text. Text converted
/// from UTF-16 is written once, into memory that is not moved: pass it to
/// [`Secret::new`](crate::Secret::new) to have it wiped, and wipe `bytes` as well.
///
/// ```
/// use flinks_types::{Secret, text};
///
/// assert_eq!(text::read(b"\xef\xbb\xbfsecret\n").as_deref(), Some("secret\n"));
/// assert_eq!(text::read(b"s\0e\0c\0r\0e\0t\0").as_deref(), Some("secret"));
/// assert_eq!(text::read(b"\xfe\xff\0s").map(Secret::new).unwrap().expose(), "s");
/// assert_eq!(text::read(b"\xff\xff"), None);
/// ```
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Cow<'_, str>> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => from_utf16(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xfe, 0xff, rest @ ..] => from_utf16(rest, u16::from_be_bytes).map(Cow::Owned),
        _ => {
            if let Some(order) = unmarked_utf16(bytes) {
                return from_utf16(bytes, order).map(Cow::Owned);
            }
            let text = std::str::from_utf8(bytes).ok()?;
            Some(Cow::Borrowed(
                text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text),
            ))
        }
    }
}

/// Escapes the characters of `text` that move a cursor, start a new line or hide other text.
///
/// The result is safe in a terminal and in a log line.
///
/// ```
/// use flinks_types::text::escaped;
///
/// assert_eq!(escaped("Zoë"), "Zoë");
/// assert_eq!(escaped("paid\nERROR \u{202e}x"), r"paid\nERROR \u{202e}x");
/// ```
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_invisible(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Whether a terminal acts on a character or shows nothing for it: control and format characters,
/// separators of lines, direction marks, fillers, joiners, variation selectors, tags.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{16fe4}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

type ByteOrder = fn([u8; 2]) -> u16;

/// Text in UTF-8 has no NUL; in UTF-16, every character up to U+00FF has one.
fn unmarked_utf16(bytes: &[u8]) -> Option<ByteOrder> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let most = |order: ByteOrder| {
        let narrow = |pair: &&[u8; 2]| (1..=0xff).contains(&order(**pair));
        pairs.iter().filter(narrow).count() * 2 > pairs.len()
    };
    let orders: [ByteOrder; 2] = [u16::from_le_bytes, u16::from_be_bytes];
    orders.into_iter().find(|order| most(*order))
}

fn from_utf16(bytes: &[u8], order: ByteOrder) -> Option<String> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    // A line end that was added by another program, or half of one that was cut off.
    if !matches!(odd, [] | [b'\0' | b'\r' | b'\n']) {
        return None;
    }
    let characters = || char::decode_utf16(pairs.iter().map(|pair| order(*pair)));
    let length = characters()
        .map(|character| character.map_or(0, char::len_utf8))
        .sum();
    let mut text = String::with_capacity(length);
    for character in characters() {
        match character {
            // UTF-32, or not text at all.
            Ok('\0') | Err(_) => return None,
            Ok(character) => text.push(character),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let bytes = |unit: u16| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_form_reads_as_the_same_text() {
        let text = "a:b é\r\n日";
        let marked = format!("\u{feff}{text}");
        for bytes in [
            text.into(),
            marked.clone().into_bytes(),
            utf16(&marked, true),
            utf16(&marked, false),
            utf16(text, true),
            utf16(text, false),
            [utf16(text, true), b"\n".to_vec()].concat(),
        ] {
            assert_eq!(read(&bytes).as_deref(), Some(text), "{bytes:x?}");
        }
    }

    #[test]
    fn only_one_mark_is_dropped() {
        assert_eq!(
            read("\u{feff}\u{feff}a".as_bytes()).as_deref(),
            Some("\u{feff}a")
        );
        let twice = utf16("\u{feff}\u{feff}a", true);
        assert_eq!(read(&twice).as_deref(), Some("\u{feff}a"));
        assert_eq!(read("a\u{feff}".as_bytes()).as_deref(), Some("a\u{feff}"));
    }

    #[test]
    fn what_holds_nothing_is_empty() {
        for bytes in [&b""[..], b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"] {
            assert_eq!(read(bytes).as_deref(), Some(""), "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_no_text() {
        for bytes in [
            &b"\xff"[..],
            b"caf\xe9",
            b"\xff\xfe\x00\xd8",             // half of a surrogate pair
            b"\xff\xfe\0\0a\0\0\0",          // UTF-32
            b"\xff\xfea\0b",                 // cut
            b"0\x82\x01\x0a\x02\x01\0\xff1", // DER
        ] {
            assert_eq!(read(bytes), None, "{bytes:x?}");
        }
    }

    #[test]
    fn a_stray_nul_does_not_make_it_utf16() {
        assert_eq!(read(b"secret\0").as_deref(), Some("secret\0"));
        assert_eq!(read(b"abc\0").as_deref(), Some("abc\0"));
    }

    #[test]
    fn converted_text_fits_the_memory_it_was_written_to() {
        let Some(Cow::Owned(text)) = read(&utf16("\u{feff}aé日😀", true)) else {
            panic!("converted");
        };
        assert_eq!(text.capacity(), text.len());
    }

    #[test]
    fn nothing_invisible_is_shown() {
        let text = "Zoë\n\u{1b}[31m\u{202e}x\u{2028}";
        assert_eq!(escaped(text), r"Zoë\n\u{1b}[31m\u{202e}x\u{2028}");
        let visible = "Zoë's café 日本 — naïve \u{a0}🙂";
        assert_eq!(escaped(visible), visible);
    }

    /// General categories Cc, Cf, Zl and Zp, and what else Unicode calls default ignorable, by
    /// examples of each.
    #[test]
    fn every_kind_of_invisible_character_is_known() {
        let examples = "\u{0}\u{7}\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{34f}\u{600}\u{61c}\u{115f}\
            \u{1160}\u{17b4}\u{180b}\u{180e}\u{180f}\u{200b}\u{200d}\u{200e}\u{202a}\u{202e}\u{2028}\
            \u{2029}\u{2060}\u{2800}\u{2066}\u{2069}\u{206f}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{fffb}\
            \u{16fe4}\u{1d159}\u{1d173}\u{e0001}\u{e0041}\u{e0100}\u{e0fff}";
        for c in examples.chars() {
            assert!(is_invisible(c), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn text_comes_back(text in "[^\0\u{feff}]\\PC*") {
            let marked = format!("\u{feff}{text}");
            for bytes in [
                marked.clone().into_bytes(),
                text.clone().into_bytes(),
                utf16(&marked, true),
                utf16(&marked, false),
            ] {
                prop_assert_eq!(read(&bytes), Some(Cow::from(&text)));
            }
        }

        #[test]
        fn ascii_needs_no_mark(text in "[\x01-\x7f]+", little: bool) {
            let bytes = utf16(&text, little);
            prop_assert_eq!(read(&bytes), Some(Cow::from(&text)));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _text = read(&bytes);
        }
    }
}
