//! Finds the sections of a PEM text by their labels, so that a wrong file can be named for what it is.

use rustls::pki_types::pem::{PemObject, SectionKind};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// One section, from its BEGIN line to its END line.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) label: &'a [u8],
    text: &'a [u8],
}

impl Section<'_> {
    /// The old form of an encrypted key says so in a header: `Proc-Type: 4,ENCRYPTED`.
    pub(super) fn is_encrypted(&self) -> bool {
        find(self.text, b"ENCRYPTED").is_some()
    }

    /// The bytes inside; `None` when the section is cut short or is not base64.
    pub(super) fn decode(&self) -> Option<Vec<u8>> {
        <(SectionKind, Vec<u8>)>::from_pem_slice(self.text)
            .ok()
            .map(|(_, der)| der)
    }
}

/// The sections in their order; what stands before, between and after them is skipped.
/// A section whose END line is missing reaches to the end of the text.
pub(super) fn sections(mut text: &[u8]) -> impl Iterator<Item = Section<'_>> {
    std::iter::from_fn(move || {
        let (_, from_begin) = text.split_at_checked(find(text, BEGIN)?)?;
        let (_, after_begin) = from_begin.split_at_checked(BEGIN.len())?;
        let label = after_begin.get(..find(after_begin, DASHES)?)?;
        let length = end_of_section(from_begin, label).unwrap_or(from_begin.len());
        let (section, rest) = from_begin.split_at_checked(length)?;
        text = rest;
        Some(Section {
            label,
            text: section,
        })
    })
}

fn end_of_section(text: &[u8], label: &[u8]) -> Option<usize> {
    let end = [END, label, DASHES].concat();
    find(text, &end).map(|start| start + end.len())
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
        let text = b"\xef\xbb\xbf-----BEGIN A-----\nAA==\n-----END A-----\nhello\n  -----BEGIN B C-----\r\n";
        let labels: Vec<_> = sections(text).map(|section| section.label).collect();
        assert_eq!(labels, [&b"A"[..], b"B C"]);
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
