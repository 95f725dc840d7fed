//! Finds the sections of a PEM text by their labels, and decodes them even if their lines were altered.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN";
const END: &[u8] = b"END";
const DASHES: &[u8] = b"-----";
const LONGEST_LABEL: usize = 64;

/// One section, between its BEGIN and its END mark.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) label: &'a [u8],
    body: &'a [u8],
    is_whole: bool,
}

impl Section<'_> {
    /// Whether the section names a cipher that is in OpenSSL's legacy provider.
    pub(super) fn is_legacy(&self) -> bool {
        let names: [&[u8]; 6] = [b"DES-CBC", b"RC2-", b"BF-", b"CAST5-", b"SEED-", b"IDEA-"];
        names.iter().any(|name| find(self.body, name).is_some())
    }

    /// Whether the section has both marks, and contents that are not base64.
    pub(super) fn is_garbled(&self) -> bool {
        let is_base64 = |byte: &u8| {
            byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=".contains(byte)
        };
        self.is_whole && !self.body.iter().all(is_base64)
    }

    /// The old form of an encrypted key says so in a header: `Proc-Type: 4,ENCRYPTED`.
    pub(super) fn is_encrypted(&self) -> bool {
        find(self.body, b"ENCRYPTED").is_some()
    }

    /// Returns the decoded bytes; `None` if the section is truncated or is not base64.
    pub(super) fn decode(&self) -> Option<Zeroizing<Vec<u8>>> {
        if !self.is_whole {
            return None;
        }
        base64(self.body).or_else(|| base64(&without_headers(self.body)))
    }
}

/// Returns the sections in order; text before, between and after them is skipped.
///
/// A section ends at the next mark, so that a truncated one without an END mark does not affect the
/// others. The label of an END mark is ignored: some programs write a different one.
pub(super) fn sections(mut text: &[u8]) -> impl Iterator<Item = Section<'_>> {
    std::iter::from_fn(move || {
        loop {
            let (_, after) = split_after(text, BEGIN)?;
            text = after;
            let Some((label, body)) = split_after(after, DASHES) else {
                continue;
            };
            // Words that only look like a mark.
            if label.len() > LONGEST_LABEL || label.contains(&b'\n') {
                continue;
            }
            // Some marks have more dashes than they need.
            let body = without_dashes(body);
            let length = find(body, DASHES).unwrap_or(body.len());
            let (body, rest) = body.split_at_checked(length)?;
            text = rest;
            return Some(Section {
                label: label.trim_ascii(),
                body,
                is_whole: without_dashes(rest).starts_with(END),
            });
        }
    })
}

/// Decodes base64 of either alphabet, padded or not, ignoring whitespace, quotes around its lines,
/// and escaped line endings (`\n`, as in JSON and dotenv files).
///
/// Returns `None` if it is empty or not base64.
pub(super) fn base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);
    const FOR_URLS: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, CONFIG);

    let mut digits = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let (escaped, after) = match byte {
            b'\\' => backslash(after)?,
            b'%' => hexadecimal(after, 2)?,
            b'&' => entity(after)?,
            b'<' => (None, split_after(after, b">")?.1),
            // Quotes, and the prefixes of quoted or commented lines.
            b'"' | b'\'' | b',' | b'>' | b'|' | b'#' | b'`' => (None, after),
            // Spaces of web pages and word processors.
            _ if !byte.is_ascii() => (None, after),
            _ => (Some(byte), after),
        };
        rest = after;
        digits.extend(escaped.filter(|byte| !byte.is_ascii_whitespace()));
    }
    let engine = if digits.iter().any(|byte| matches!(byte, b'-' | b'_')) {
        FOR_URLS
    } else {
        PLAIN
    };
    // Decoded into memory that is not moved while it is written.
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len()));
    engine.decode_vec(&*digits, &mut bytes).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

/// Returns the lines that are not headers (`Name: value`), which some programs write at the start
/// of a section.
fn without_headers(body: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut kept = Zeroizing::new(Vec::with_capacity(body.len() + 1));
    for line in body.split(|byte| matches!(byte, b'\n' | b'\r')) {
        if !line.contains(&b':') {
            kept.extend_from_slice(line);
        }
    }
    kept
}

type Escaped<'a> = (Option<u8>, &'a [u8]);

/// As in JSON and in many languages: `\n`, `\/`, `\u002b`. An unknown escape is dropped.
fn backslash(after: &[u8]) -> Option<Escaped<'_>> {
    match after.split_first() {
        Some((b'n' | b'r' | b't', after)) => Some((None, after)),
        Some((b'u', after)) => hexadecimal(after, 4),
        _ => Some((None, after)),
    }
}

/// As in URLs, `%0A`, and after `\u`.
fn hexadecimal(after: &[u8], digits: usize) -> Option<Escaped<'_>> {
    let (code, after) = after.split_at_checked(digits)?;
    Some((Some(number(code, 16)?), after))
}

/// Decodes HTML and XML references such as `&#10;` and `&#xA;`; a named one becomes a space.
fn entity(after: &[u8]) -> Option<Escaped<'_>> {
    let (name, after) = after.split_at_checked(find(after, b";")?)?;
    let after = after.strip_prefix(b";")?;
    Some((
        match name {
            [b'#', b'x' | b'X', code @ ..] => Some(number(code, 16)?),
            [b'#', code @ ..] => Some(number(code, 10)?),
            b"nbsp" | b"NewLine" | b"Tab" => None,
            _ => return None,
        },
        after,
    ))
}

/// Returns the long runs of base64 in other text, as in a `data:` URI or a settings file.
pub(super) fn runs(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    const SHORTEST: usize = 60;
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_\\".contains(byte);
    text.split(move |byte| !is_digit(byte))
        .filter(|run| run.len() >= SHORTEST)
}

fn number(code: &[u8], radix: u32) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(code).ok()?, radix).ok()
}

fn without_dashes(text: &[u8]) -> &[u8] {
    let dashes = text.iter().take_while(|byte| **byte == b'-').count();
    text.get(dashes..).unwrap_or_default()
}

fn split_after<'a>(text: &'a [u8], pattern: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (before, rest) = text.split_at_checked(find(text, pattern)?)?;
    Some((before, rest.strip_prefix(pattern)?))
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    text.windows(pattern.len())
        .position(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sections_are_found_between_other_text() {
        let text = b"see -----BEGIN above\n\xef\xbb\xbf-----BEGIN A-----\nAA==\n-----END A-----\nhello\n  -----BEGIN B C-----\r\n";
        let labels: Vec<_> = sections(text).map(|section| section.label).collect();
        assert_eq!(labels, [&b"A"[..], b"B C"]);
    }

    #[test]
    fn a_section_that_is_cut_short_takes_no_other_with_it() {
        let text = b"-----BEGIN A-----\nAAAA\n-----BEGIN B-----\nAAAB\n-----END C-----\n-----BEGIN D-----\nAAAA";
        let decoded: Vec<_> = sections(text)
            .map(|section| (section.label, section.decode().map(|der| der.to_vec())))
            .collect();
        assert_eq!(
            decoded,
            [(&b"A"[..], None), (b"B", Some(vec![0, 0, 1])), (b"D", None)]
        );
    }

    #[test]
    fn lines_do_not_matter() {
        for body in [
            "\n+/++\n/w==\n",
            "\r\n+/++\r\n/w==\r\n",
            "\r+/++\r/w==\r",
            "+/++/w==",
            " +/++ /w== ",
            r"\n+/++\n/w==\n",
            r"\r\n+/++\r\n/w==\r\n",
            r"\\n+/++\\n/w==\\n",
            r"\n\u002B\/++\n\/w==\u000a",
            "\n    +/++\n    /w==\n    ",
            "\"+/++\\n\"\n\"/w==\\n\"",
            "\n+/++\n/w",
            "\",\n \"+/++\",\n \"/w==\",\n \"",
            "\n\u{a0}+/++\u{200b}\u{2028}/w==\n",
            "\n-_--\n_w==\n",
            "\nComment: \"a: b\"\n\n+/++\n/w==\n",
            "\n> +/++\n> /w==\n> ",
            "\n# +/++\n| /w==\n",
            "&#10;+/++&#xA;/w==&nbsp;",
            "<br>&#43;/&#x2B;+<br/>\n/w==<br />",
            "%0D%0A%2B/++%0A/w%3D%3D%0A",
            "-\n+/++\n/w==\n-",
        ] {
            let text = format!("-----BEGIN X-----{body}-----END X-----");
            let section = sections(text.as_bytes()).next().unwrap();
            let decoded = section.decode().map(|der| der.to_vec());
            assert_eq!(decoded, Some(vec![0xfb, 0xff, 0xbe, 0xff]), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(parts in proptest::collection::vec(
            prop_oneof![
                Just(b"-----BEGIN ".to_vec()),
                Just(b"-----END ".to_vec()),
                Just(b"CERTIFICATE".to_vec()),
                Just(b"-----".to_vec()),
                Just(b"\r\n".to_vec()),
                Just(b"\\u".to_vec()),
                Just(b"QUJD".to_vec()),
                proptest::collection::vec(any::<u8>(), 0..8),
            ],
            0..20,
        )) {
            for section in sections(&parts.concat()) {
                let _der = section.decode();
            }
        }
    }
}
