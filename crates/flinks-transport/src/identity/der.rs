//! Minimal DER: classifies a file's contents and reads a certificate's validity and public key.

use std::time::SystemTime;

use super::date;

pub(super) const CONTEXT_0: u8 = 0xa0;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// What a DER structure is, by its shape alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    Certificate,
    EncryptedKey,
    Pfx,
    Pkcs1,
    Pkcs7,
    Pkcs8,
    PublicKey,
    Request,
    Sec1,
    Unknown,
}

impl Shape {
    pub(super) fn of(der: &[u8]) -> Self {
        if Facts::of(der).is_some() {
            return Self::Certificate;
        }
        let Some(mut outer) = Reader(der).enter(SEQUENCE) else {
            return Self::Unknown;
        };
        let (Some(first), second, third) = (outer.next(), outer.next(), outer.next()) else {
            return Self::Unknown;
        };
        let tag = |element: Option<Element<'_>>| element.map(|element| element.tag);
        match (first.tag, tag(second), tag(third)) {
            (SEQUENCE, Some(SEQUENCE), Some(BIT_STRING)) if is_request(first) => Self::Request,
            (SEQUENCE, Some(BIT_STRING), None) => Self::PublicKey,
            (SEQUENCE, Some(OCTET_STRING), None) => Self::EncryptedKey,
            (OBJECT_IDENTIFIER, Some(CONTEXT_0), None) => Self::Pkcs7,
            (INTEGER, Some(OCTET_STRING), _) => Self::Sec1,
            (INTEGER, Some(INTEGER), Some(INTEGER)) => Self::Pkcs1,
            (INTEGER, Some(SEQUENCE), Some(OCTET_STRING)) => Self::Pkcs8,
            (INTEGER, Some(SEQUENCE), _) if first.content == [3] => Self::Pfx,
            _ => Self::Unknown,
        }
    }
}

/// A request's body is version, subject, key and attributes; it has no dates.
fn is_request(body: Element<'_>) -> bool {
    let mut body = Reader(body.content);
    body.enter(INTEGER).is_some()
        && body.enter(SEQUENCE).is_some()
        && body
            .enter(SEQUENCE)
            .is_some_and(|mut key| key.enter(SEQUENCE).is_some())
        && body
            .next()
            .is_none_or(|attributes| attributes.tag == CONTEXT_0)
}

/// The fields that are read from a certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    /// The whole SubjectPublicKeyInfo, as a signing key reports its own.
    pub(super) public_key: &'a [u8],
}

impl<'a> Facts<'a> {
    /// Returns `None` if this is not a certificate. Accepts versions 1 and 3: `openssl x509 -req`
    /// without extensions creates version 1, and servers accept it.
    pub(super) fn of(der: &'a [u8]) -> Option<Self> {
        let mut body = Reader(der).enter(SEQUENCE)?.enter(SEQUENCE)?;
        let mut serial = body.next()?;
        if serial.tag == CONTEXT_0 {
            serial = body.next()?;
        }
        if serial.tag != INTEGER {
            return None;
        }
        body.enter(SEQUENCE)?;
        let issuer = body.expect(SEQUENCE)?.content;
        let mut validity = body.enter(SEQUENCE)?;
        let not_before = time(validity.next()?)?;
        let not_after = time(validity.next()?)?;
        let subject = body.expect(SEQUENCE)?.content;
        let public_key = body.expect(SEQUENCE)?.whole;
        Some(Self {
            not_before,
            not_after,
            issuer,
            subject,
            public_key,
        })
    }
}

/// Returns the first element, without the data after it.
pub(super) fn first_element(der: &[u8]) -> Option<&[u8]> {
    Reader(der).next().map(|element| element.whole)
}

/// Returns the certificates of a certificates-only PKCS#7 bundle: ContentInfo, SignedData, and in
/// it version, digests, content and then, in `[0]`, the certificates.
pub(super) fn certificates_of_pkcs7(der: &[u8]) -> Option<Vec<&[u8]>> {
    let mut info = Reader(der).enter(SEQUENCE)?;
    info.expect(OBJECT_IDENTIFIER)?;
    let mut signed = info.enter(CONTEXT_0)?.enter(SEQUENCE)?;
    signed.expect(INTEGER)?;
    signed.expect(SET)?;
    signed.expect(SEQUENCE)?;
    let mut certificates = signed.enter(CONTEXT_0)?;
    let mut found = Vec::new();
    while let Some(element) = certificates.next() {
        found.push(element.whole);
    }
    Some(found)
}

/// Whether the trust settings of a TRUSTED CERTIFICATE allow it for servers: the trusted uses, if
/// any, and in `[0]` the rejected ones.
pub(super) fn is_trusted_for_servers(addition: &[u8]) -> bool {
    // serverAuth and anyExtendedKeyUsage.
    const SERVERS: [&[u8]; 2] = [b"\x2b\x06\x01\x05\x05\x07\x03\x01", b"\x55\x1d\x25\x00"];

    let names_servers = |list: Element<'_>| {
        let mut uses = Reader(list.content);
        std::iter::from_fn(|| uses.next()).any(|usage| SERVERS.contains(&usage.content))
    };
    let mut lists = Reader(addition).enter(SEQUENCE).unwrap_or(Reader(&[]));
    std::iter::from_fn(|| lists.next()).all(|list| match list.tag {
        SEQUENCE => names_servers(list),
        CONTEXT_0 => !names_servers(list),
        _ => true,
    })
}

fn time(element: Element<'_>) -> Option<SystemTime> {
    let text = std::str::from_utf8(element.content).ok()?;
    match element.tag {
        UTC_TIME => date::parse_utc_time(text),
        GENERALIZED_TIME => date::parse_generalized_time(text),
        _ => None,
    }
}

#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// Walks elements of definite length; anything else ends the walk.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let all = self.0;
        let (&[tag, first], mut rest) = all.split_first_chunk()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            // Zero would be the indefinite length of BER.
            if !(1..=4).contains(&count) {
                return None;
            }
            let (bytes, after) = rest.split_at_checked(count)?;
            length = bytes
                .iter()
                .fold(0, |length, &byte| (length << 8) | usize::from(byte));
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length)?;
        let whole = all.get(..all.len() - after.len())?;
        self.0 = after;
        Some(Element {
            tag,
            content,
            whole,
        })
    }

    pub(super) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }

    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.expect(tag).map(|element| Reader(element.content))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _shape = Shape::of(&bytes);
            let _element = first_element(&bytes);
            let _certificates = certificates_of_pkcs7(&bytes);
            let _trusted = is_trusted_for_servers(&bytes);
        }

        #[test]
        fn a_damaged_certificate_never_panics(position in 0usize..400, value: u8, cut in 0usize..400) {
            let key = rcgen::KeyPair::generate().unwrap();
            let parameters = rcgen::CertificateParams::new(vec!["x.test".to_owned()]).unwrap();
            let mut der = parameters.self_signed(&key).unwrap().der().to_vec();
            let position = position % der.len();
            der[position] = value;
            let _facts = Facts::of(&der);
            der.truncate(cut);
            let _shape = Shape::of(&der);
        }
    }

    #[test]
    fn a_length_beyond_the_data_ends_the_walk() {
        assert!(first_element(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff, 0]).is_none());
        assert!(first_element(&[SEQUENCE, 0x80, 0, 0]).is_none());
        assert!(first_element(&[SEQUENCE, 0x85, 0, 0, 0, 0, 1, 0]).is_none());
        assert_eq!(
            first_element(&[SEQUENCE, 1, 9, 7]),
            Some(&[SEQUENCE, 1, 9][..])
        );
    }
}
