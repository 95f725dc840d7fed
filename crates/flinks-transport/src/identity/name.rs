//! The fields of a certificate as they are shown, and its issuers.

use std::time::SystemTime;

use rustls::pki_types::CertificateDer;

use super::der::{Facts, OBJECT_IDENTIFIER, Reader, SEQUENCE, SET};

/// The longest name that is shown, in characters.
const MAX_CHARS: usize = 200;

/// The fields of a certificate, as text.
pub(crate) struct CertificateFields {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
    pub(crate) self_signed: bool,
}

impl CertificateFields {
    /// Returns `None` if this is not a certificate.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let facts = Facts::of(der)?;
        Some(Self {
            subject: shown(facts.subject),
            issuer: shown(facts.issuer),
            not_before: facts.not_before,
            not_after: facts.not_after,
            self_signed: facts.subject == facts.issuer,
        })
    }
}

/// Whether one of the names, each in DER, is an issuer in the chain.
pub(crate) fn is_issued_by(chain: &[CertificateDer<'_>], names: &[&[u8]]) -> bool {
    let issuers = chain.iter().filter_map(|der| Some(Facts::of(der)?.issuer));
    issuers.into_iter().any(|issuer| {
        let mut names = names
            .iter()
            .filter_map(|name| Reader(name).expect(SEQUENCE));
        names.any(|name| name.content == issuer)
    })
}

/// Formats the content of a Name as `CN=…, O=…`, the most specific part first. Other attributes
/// are left out.
fn shown(name: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut sets = Reader(name);
    while let Some(mut set) = sets.enter(SET) {
        if let Some(part) = set.enter(SEQUENCE).and_then(attribute) {
            parts.push(part);
        }
    }
    // CN, then O, OU, C, as a reader looks for them.
    parts.sort_by_key(|(rank, ..)| *rank);
    let parts = parts
        .into_iter()
        .map(|(_, label, text)| format!("{label}={text}"));
    let shown = parts.collect::<Vec<_>>().join(", ");
    let plain = |c: char| {
        if matches!(c, ' '..='~') || c.is_alphanumeric() {
            c
        } else {
            '?'
        }
    };
    shown.chars().take(MAX_CHARS).map(plain).collect()
}

fn attribute(mut attribute: Reader<'_>) -> Option<(u8, &'static str, String)> {
    // 2.5.4.n
    let [0x55, 0x04, number] = attribute.expect(OBJECT_IDENTIFIER)?.content else {
        return None;
    };
    let (rank, label) = match number {
        3 => (0, "CN"),
        10 => (1, "O"),
        11 => (2, "OU"),
        6 => (3, "C"),
        _ => return None,
    };
    let value = attribute.next()?;
    const BMP_STRING: u8 = 0x1e;
    let text = if value.tag == BMP_STRING {
        let units = value.content.chunks_exact(2);
        let units = units.filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)));
        String::from_utf16_lossy(&units.collect::<Vec<_>>())
    } else {
        String::from_utf8_lossy(value.content).into_owned()
    };
    Some((rank, label, text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn issued(common_name: &str, organization: &str) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let name = &mut params.distinguished_name;
        name.push(DnType::OrganizationName, organization);
        name.push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    #[test]
    fn names_are_shown_without_what_controls_a_terminal() {
        let der = issued("up.test\u{1b}[31m", "Éxample, Inc");
        let fields = CertificateFields::of(&der).unwrap();
        assert_eq!(fields.subject, "CN=up.test?[31m, O=Éxample, Inc");
        assert!(fields.self_signed);
        let der = issued(&"x".repeat(300), "");
        assert_eq!(CertificateFields::of(&der).unwrap().issuer.len(), MAX_CHARS);
    }

    #[test]
    fn an_issuer_is_found_among_the_names_of_authorities() {
        let der = issued("CA", "Example");
        let name = |content: &[u8]| [&[SEQUENCE, content.len() as u8], content].concat();
        let own = name(Facts::of(&der).unwrap().issuer);
        let other = name(Facts::of(&issued("Other", "CA")).unwrap().issuer);
        let chain = [der.clone()];
        assert!(is_issued_by(&chain, &[&other, &own]));
        assert!(!is_issued_by(&chain, &[&other, b"\x30\x99"]));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let shown = shown(&bytes);
            prop_assert!(!shown.contains(char::is_control));
            is_issued_by(&[CertificateDer::from(bytes.clone())], &[&bytes]);
        }
    }
}
