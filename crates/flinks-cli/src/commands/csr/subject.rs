//! The subject of a certificate request: from options, or the one of a certificate, byte for byte.

use super::der::{
    Element, Elements, OBJECT_IDENTIFIER, PRINTABLE_STRING, SEQUENCE, SET, UTF8_STRING, element,
};
use crate::arguments::Csr;
use crate::output::error::CliError;

/// A kind of name: its option, its object identifier, its label for `OpenSSL`, and the upper bound
/// of its length (RFC 5280). Authorities refuse longer names.
struct Kind {
    flag: &'static str,
    oid: &'static [u8],
    label: &'static str,
    max_chars: usize,
}

const fn kind(flag: &'static str, last: &'static [u8; 3], label: &'static str, max: usize) -> Kind {
    Kind {
        flag,
        oid: last,
        label,
        max_chars: max,
    }
}

/// In the order of a new subject.
const KINDS: [Kind; 6] = [
    kind("--country", b"\x55\x04\x06", "C", 2),
    kind("--state", b"\x55\x04\x08", "ST", 128),
    kind("--locality", b"\x55\x04\x07", "L", 128),
    kind("--organization", b"\x55\x04\x0a", "O", 64),
    kind("--organizational-unit", b"\x55\x04\x0b", "OU", 64),
    kind("--common-name", b"\x55\x04\x03", "CN", 64),
];

/// A subject, as its relative distinguished names in DER.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Subject(Vec<Vec<u8>>);

impl Subject {
    /// Takes the content of a Name apart.
    pub(super) fn of_name(name: &[u8]) -> Self {
        Self(Elements(name).map(|part| part.whole.to_vec()).collect())
    }

    /// Sets the parts that options give. A part that the subject has is replaced in its place.
    ///
    /// # Errors
    /// A name is not valid, or the part to be replaced is joined with another.
    pub(super) fn with_options(mut self, arguments: &Csr) -> Result<Self, CliError> {
        let country = arguments
            .country
            .as_ref()
            .map(|code| code.to_ascii_uppercase());
        let values = [
            country.as_ref(),
            arguments.state.as_ref(),
            arguments.locality.as_ref(),
            arguments.organization.as_ref(),
            arguments.organizational_unit.as_ref(),
            arguments.common_name.as_ref(),
        ];
        for (kind, value) in KINDS.iter().zip(values) {
            if let Some(value) = value {
                self.set(kind, value)?;
            }
        }
        Ok(self)
    }

    fn set(&mut self, kind: &Kind, value: &str) -> Result<(), CliError> {
        let tag = if kind.label == "C" {
            if value.len() != 2 || !value.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(CliError::settings(
                    "--country takes a two-letter code, such as CA or US",
                ));
            }
            PRINTABLE_STRING
        } else {
            let length = value.chars().count();
            let max = kind.max_chars;
            if value.trim().is_empty() || length > max || value.chars().any(char::is_control) {
                return Err(CliError::settings(format!(
                    "{} takes 1 to {max} characters without control characters",
                    kind.flag
                )));
            }
            UTF8_STRING
        };
        let oid = element(OBJECT_IDENTIFIER, &[kind.oid]);
        let attribute = element(SEQUENCE, &[&oid, &element(tag, &[value.as_bytes()])]);
        let part = element(SET, &[&attribute]);
        let is_kind = |part: &Vec<u8>| attributes(part).iter().any(|(oid, _)| *oid == kind.oid);
        if self
            .0
            .iter()
            .any(|part| is_kind(part) && attributes(part).len() > 1)
        {
            return Err(CliError::settings(format!(
                "{} cannot replace a part of the certificate's subject that is joined with another",
                kind.flag
            )));
        }
        let place = self.0.iter().position(is_kind).unwrap_or(self.0.len());
        self.0.retain(|part| !is_kind(part));
        self.0.insert(place.min(self.0.len()), part);
        Ok(())
    }

    /// Returns the Name.
    pub(super) fn to_der(&self) -> Vec<u8> {
        element(SEQUENCE, &[&self.0.concat()])
    }

    /// Returns the common name, if there is one.
    pub(super) fn common_name(&self) -> Option<String> {
        let attributes = self.0.iter().flat_map(|part| attributes(part));
        let mut names = attributes.filter(|(oid, _)| *oid == b"\x55\x04\x03");
        names.next().map(|(_, value)| text(value))
    }

    /// Returns the subject as `openssl req -subj` takes it.
    pub(super) fn to_openssl(&self) -> String {
        let escaped = |text: String| {
            let escape = |char| match char {
                '/' | '+' | '\\' => vec!['\\', char],
                other => vec![other],
            };
            text.chars().flat_map(escape).collect::<String>()
        };
        let part = |part: &Vec<u8>| {
            let attributes = attributes(part);
            let attributes = attributes.iter().map(|(oid, value)| {
                let known = KINDS.iter().find(|kind| kind.oid == *oid);
                let label = known.map_or_else(|| dotted(oid), |kind| kind.label.to_owned());
                format!("{label}={}", escaped(text(*value)))
            });
            format!("/{}", attributes.collect::<Vec<_>>().join("+"))
        };
        self.0.iter().map(part).collect()
    }
}

/// The object identifiers and values of a relative distinguished name.
fn attributes(part: &[u8]) -> Vec<(&[u8], Element<'_>)> {
    let Some(set) = Elements(part).enter(SET) else {
        return Vec::new();
    };
    set.filter_map(|attribute| {
        let mut fields = Elements(attribute.content);
        Some((fields.expect(OBJECT_IDENTIFIER)?, fields.next()?))
    })
    .collect()
}

/// The text of a string of any type.
fn text(value: Element<'_>) -> String {
    const BMP_STRING: u8 = 0x1e;
    if value.tag == BMP_STRING {
        let (pairs, _) = value.content.as_chunks::<2>();
        let units: Vec<_> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
        return String::from_utf16_lossy(&units);
    }
    String::from_utf8_lossy(value.content).into_owned()
}

/// An object identifier as numbers.
fn dotted(oid: &[u8]) -> String {
    let mut numbers = Vec::new();
    let mut number = 0_u64;
    for byte in oid {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first.to_string());
                number -= first * 40;
            }
            numbers.push(number.to_string());
            number = 0;
        }
    }
    numbers.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(country: &str, organization: &str) -> Csr {
        Csr {
            country: Some(country.to_owned()),
            organization: Some(organization.to_owned()),
            common_name: Some("lender.example".to_owned()),
            ..Csr::default()
        }
    }

    fn new(arguments: &Csr) -> Result<Subject, CliError> {
        Subject::default().with_options(arguments)
    }

    #[test]
    fn names_that_no_authority_takes_are_refused() {
        assert!(new(&arguments("ca", "Zoë's Loans")).is_ok());
        for country in ["", "C", "CAN", "1A", "é"] {
            assert!(new(&arguments(country, "Loans")).is_err(), "{country}");
        }
        for organization in ["", "  ", "a\nb", &"x".repeat(65)] {
            assert!(
                new(&arguments("CA", organization)).is_err(),
                "{organization}"
            );
        }
    }

    #[test]
    fn options_replace_parts_in_their_place_and_keep_the_others() {
        // emailAddress, an organization in an old string type, and two organizational units.
        let oid = |last: u8| element(OBJECT_IDENTIFIER, &[&[0x55, 0x04, last]]);
        let part = |oid: &[u8], tag, value: &[u8]| {
            let value = element(tag, &[value]);
            element(SET, &[&element(SEQUENCE, &[oid, &value])])
        };
        let email = element(
            OBJECT_IDENTIFIER,
            &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"],
        );
        let parts = [
            part(&email, 0x16, b"a@b.c"),
            part(&oid(0x0a), 0x1e, b"\0O\0l\0d"),
            part(&oid(0x0b), PRINTABLE_STRING, b"one"),
            part(&oid(0x0b), PRINTABLE_STRING, b"two/+"),
            part(&oid(0x03), UTF8_STRING, b"name"),
        ];
        let subject = Subject::of_name(&parts.concat());
        assert_eq!(subject.to_der(), element(SEQUENCE, &[&parts.concat()]));
        let old = r"/1.2.840.113549.1.9.1=a@b.c/O=Old/OU=one/OU=two\/\+/CN=name";
        assert_eq!(subject.to_openssl(), old);
        let options = Csr {
            organizational_unit: Some("new".to_owned()),
            country: Some("CA".to_owned()),
            ..Csr::default()
        };
        let changed = subject.with_options(&options).ok().expect("valid");
        let new = "/1.2.840.113549.1.9.1=a@b.c/O=Old/OU=new/CN=name/C=CA";
        assert_eq!(changed.to_openssl(), new);
        assert_eq!(changed.0[1], parts[1], "its string type is kept");
        assert_eq!(changed.common_name().as_deref(), Some("name"));

        // The content of a set without its two bytes of tag and length is an attribute.
        let joined = element(SET, &[&parts[1][2..], &parts[2][2..]]);
        assert!(Subject::of_name(&joined).with_options(&options).is_err());
    }
}
