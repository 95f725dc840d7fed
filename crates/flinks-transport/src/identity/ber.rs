//! Converts BER, which some programs use for PKCS#12 and PKCS#7, to DER.

use zeroize::Zeroizing;

use super::der::{OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET};

/// Deeper than any certificate file, and shallow enough for the stack.
const DEEPEST: usize = 32;

/// Larger than any certificate bundle; the elements of a larger file could exhaust memory.
const LARGEST: usize = 1 << 20;

const CONSTRUCTED: u8 = 0x20;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// Converts the first element of `ber` to DER: makes lengths definite and minimal, and joins
/// strings that were written in pieces. DER is returned unchanged.
///
/// Returns `None` if it is truncated, too large, nested too deeply, or uses features that
/// certificate files never use.
pub(super) fn to_der(mut ber: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if ber.len() > LARGEST {
        return None;
    }
    element(&mut ber, 0, false)
}

/// One element: tag, shortest length, content.
pub(super) fn encode(tag: u8, content: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = content.len();
    let bytes = length.to_be_bytes();
    let mut encoded = Zeroizing::new(Vec::with_capacity(length + 2 + bytes.len()));
    encoded.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => encoded.push(short),
        _ => {
            let leading = bytes.iter().take_while(|byte| **byte == 0).count();
            let significant = bytes.get(leading..).unwrap_or_default();
            encoded.push(0x80 | u8::try_from(significant.len()).unwrap_or(0x7f));
            encoded.extend_from_slice(significant);
        }
    }
    encoded.extend_from_slice(content);
    encoded
}

/// Removes one element from `input`. `is_content` is set for the content of an
/// EncryptedContentInfo: an octet string whose tag is replaced by `[0]`, which hides that it is in
/// pieces.
fn element(input: &mut &[u8], depth: usize, is_content: bool) -> Option<Zeroizing<Vec<u8>>> {
    if depth > DEEPEST {
        return None;
    }
    let (&[tag, first], rest) = input.split_first_chunk()?;
    // Tags of several bytes, and what ends an indefinite length.
    if tag & 0x1f == 0x1f || tag == 0 {
        return None;
    }
    *input = rest;
    let is_constructed = tag & CONSTRUCTED != 0;
    if first == 0x80 {
        if !is_constructed {
            return None;
        }
        let (children, rest) = children(input, depth, true)?;
        *input = rest;
        return join(tag, &children, is_content);
    }
    let content = content(input, first)?;
    if !is_constructed {
        return Some(encode(tag, content));
    }
    let (children, _) = children(content, depth, false)?;
    join(tag, &children, is_content)
}

fn content<'a>(input: &mut &'a [u8], first: u8) -> Option<&'a [u8]> {
    let mut length = usize::from(first);
    if first > 0x80 {
        let (bytes, rest) = input.split_at_checked(usize::from(first & 0x7f))?;
        length = bytes.iter().try_fold(0_usize, |length, &byte| {
            length.checked_mul(0x100)?.checked_add(usize::from(byte))
        })?;
        *input = rest;
    }
    let (content, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(content)
}

type Children = Vec<Zeroizing<Vec<u8>>>;

/// The elements up to the end of `input`, or to the mark that ends an indefinite length.
fn children(mut input: &[u8], depth: usize, indefinite: bool) -> Option<(Children, &[u8])> {
    let mut children = Children::new();
    loop {
        if indefinite && let Some(rest) = input.strip_prefix(&END_OF_CONTENTS) {
            return Some((children, rest));
        }
        if !indefinite && input.is_empty() {
            return Some((children, input));
        }
        let is_content = is_encrypted_content(&children);
        children.push(element(&mut input, depth + 1, is_content)?);
    }
}

/// EncryptedContentInfo ::= SEQUENCE { contentType, contentEncryptionAlgorithm, \[0\] content }.
fn is_encrypted_content(before: &[Zeroizing<Vec<u8>>]) -> bool {
    let tags = before.iter().map(|element| element.first().copied());
    tags.eq([Some(OBJECT_IDENTIFIER), Some(SEQUENCE)])
}

/// A constructed element of its children, or the string whose pieces they are.
fn join(tag: u8, children: &Children, is_content: bool) -> Option<Zeroizing<Vec<u8>>> {
    let is_piece = |piece: &Zeroizing<Vec<u8>>| piece.first() == Some(&OCTET_STRING);
    let pieces_of = match tag {
        SEQUENCE | SET => None,
        // Of the strings of bits, each piece says how many bits its last byte lacks.
        0x23 => return None,
        _ if tag & 0xc0 == 0 => Some(tag & !CONSTRUCTED),
        0xa0 if is_content && children.iter().all(is_piece) => Some(0x80),
        _ => None,
    };
    let Some(string) = pieces_of else {
        let children: Vec<&[u8]> = children.iter().map(|child| child.as_slice()).collect();
        return Some(encode(tag, &Zeroizing::new(children.concat())));
    };
    let mut pieces = Vec::with_capacity(children.len());
    for child in children {
        let (&[_, first], mut rest) = child.split_first_chunk()?;
        pieces.push(content(&mut rest, first)?);
    }
    Some(encode(string, &Zeroizing::new(pieces.concat())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn der_of(ber: &[u8]) -> Option<Vec<u8>> {
        to_der(ber).map(|der| der.to_vec())
    }

    #[test]
    fn lengths_and_pieces_become_definite_and_whole() {
        for (ber, der) in [
            (
                &b"\x30\x80\x02\x01\x03\0\0trailing"[..],
                &b"\x30\x03\x02\x01\x03"[..],
            ),
            (b"\x30\x80\x30\x80\0\0\0\0", b"\x30\x02\x30\0"),
            (b"\x04\x81\x01A", b"\x04\x01A"),
            (
                b"\x24\x80\x04\x01A\x24\x06\x04\x01B\x04\x01C\0\0",
                b"\x04\x03ABC",
            ),
            (b"\x24\0", b"\x04\0"),
            // Octets in an explicit [0] stay in it; those of an encrypted content lose their tags.
            (
                b"\x30\x0a\x06\x01\x2a\xa0\x80\x04\x01A\0\0",
                b"\x30\x08\x06\x01\x2a\xa0\x03\x04\x01A",
            ),
            (
                b"\x30\x80\x06\x01\x2a\x30\0\xa0\x80\x04\x01A\x04\x01B\0\0\0\0",
                b"\x30\x09\x06\x01\x2a\x30\0\x80\x02AB",
            ),
        ] {
            assert_eq!(der_of(ber).as_deref(), Some(der), "{ber:x?}");
        }
    }

    #[test]
    fn what_is_cut_short_or_too_deep_is_refused() {
        for ber in [
            &b""[..],
            b"\x30",
            b"\x30\x80",
            b"\x30\x80\x02\x01\x03\0",
            b"\x04\x80A\0\0",
            b"\x30\x03\x02\x01",
            b"\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff\0",
            b"\x30\x89\x01\0\0\0\0\0\0\0\0\0",
            b"\x24\x80\x02\x01\x03", // no end
        ] {
            assert_eq!(der_of(ber), None, "{ber:x?}");
        }
        assert!(der_of(&b"\x30\x80".repeat(LARGEST / 2)).is_none());
        let nested = [b"\x30\x80".repeat(DEEPEST), b"\0\0".repeat(DEEPEST)].concat();
        assert!(der_of(&nested).is_some());
    }

    /// Elements in DER: a primitive one, or a constructed one of others.
    fn der() -> impl Strategy<Value = Vec<u8>> {
        let primitive = (
            prop_oneof![Just(0x02), Just(0x03), Just(0x04), Just(0x0c), Just(0x80)],
            proptest::collection::vec(any::<u8>(), 0..300),
        )
            .prop_map(|(tag, content)| encode(tag, &content).to_vec());
        primitive.prop_recursive(5, 40, 6, |inner| {
            (
                prop_oneof![Just(0x30), Just(0x31), Just(0xa0), Just(0xa3)],
                proptest::collection::vec(inner, 0..6),
            )
                .prop_map(|(tag, children)| encode(tag, &children.concat()).to_vec())
        })
    }

    proptest! {
        #[test]
        fn der_stays_the_same(der in der(), rest: Vec<u8>) {
            prop_assert_eq!(der_of(&[&*der, &rest].concat()), Some(der));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(
            prop_oneof![4 => any::<u8>(), 1 => Just(0x80), 1 => Just(0x30), 2 => Just(0)], 0..300,
        )) {
            let _der = to_der(&bytes);
        }
    }
}
