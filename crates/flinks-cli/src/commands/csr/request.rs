//! The certificate request itself (PKCS#10, RFC 2986), and what a renewal takes from the certificate.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};

use super::der::{
    BIT_STRING, CONTEXT_0, CONTEXT_3, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE,
    SET, element,
};
use super::key_type::KeyType;
use super::subject::Subject;

const SUBJECT_ALT_NAME: &[u8] = b"\x55\x1d\x11";
const EXTENSION_REQUEST: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e";

/// What a request asks for.
#[derive(Default)]
pub(super) struct Request {
    pub(super) subject: Subject,
    /// The extension with the subject's alternative names, in DER.
    pub(super) alternative_names: Option<Vec<u8>>,
}

impl Request {
    /// Takes the names of a certificate, and the type of its key if such a key can be made.
    pub(super) fn renewal(certificate: &[u8]) -> Option<(Self, Option<KeyType>)> {
        let mut body = Elements(certificate).enter(SEQUENCE)?.enter(SEQUENCE)?;
        if body.next()?.tag == CONTEXT_0 {
            body.expect(INTEGER)?;
        }
        for _algorithm_issuer_validity in 0..3 {
            body.expect(SEQUENCE)?;
        }
        let subject = Subject::of_name(body.expect(SEQUENCE)?);
        let key_type = KeyType::of_public_key(body.expect(SEQUENCE)?);
        let extensions = body.find(|field| field.tag == CONTEXT_3);
        let mut extensions = extensions
            .and_then(|field| Elements(field.content).enter(SEQUENCE))
            .into_iter()
            .flatten();
        let is_names =
            |content| Elements(content).expect(OBJECT_IDENTIFIER) == Some(SUBJECT_ALT_NAME);
        let names = extensions.find(|extension| is_names(extension.content));
        let request = Self {
            subject,
            alternative_names: names.map(|extension| extension.whole.to_vec()),
        };
        Some((request, key_type))
    }

    /// Returns the signed request as PEM.
    pub(super) fn sign(&self, key: &KeyPair, key_type: KeyType) -> Result<String, rcgen::Error> {
        let attributes = match &self.alternative_names {
            None => Vec::new(),
            Some(names) => {
                let oid = element(OBJECT_IDENTIFIER, &[EXTENSION_REQUEST]);
                let extensions = element(SET, &[&element(SEQUENCE, &[names])]);
                element(SEQUENCE, &[&oid, &extensions])
            }
        };
        let info = element(
            SEQUENCE,
            &[
                &element(INTEGER, &[&[0]]),
                &self.subject.to_der(),
                &key.subject_public_key_info(),
                &element(CONTEXT_0, &[&attributes]),
            ],
        );
        let signature = element(BIT_STRING, &[&[0], &key.sign(&info)?]);
        let request = element(
            SEQUENCE,
            &[&info, &key_type.signature_algorithm(), &signature],
        );
        let encoded = BASE64_STANDARD.encode(request);
        let mut pem = "-----BEGIN CERTIFICATE REQUEST-----\n".to_owned();
        for line in encoded.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE REQUEST-----\n");
        Ok(pem)
    }

    /// Returns the alternative names as `openssl req -addext` takes them, as far as they are host
    /// names, email addresses, URLs or IP addresses.
    pub(super) fn names_for_openssl(&self) -> Option<String> {
        let extension = self.alternative_names.as_ref()?;
        let fields = Elements(extension).enter(SEQUENCE)?;
        let value = fields.into_iter().find(|field| field.tag == OCTET_STRING)?;
        let names = Elements(value.content).enter(SEQUENCE)?;
        let names: Vec<_> = names
            .filter_map(|name| {
                let label = match name.tag {
                    0x81 => "email",
                    0x82 => "DNS",
                    0x86 => "URI",
                    0x87 => return Some(format!("IP:{}", address(name.content)?)),
                    _ => return None,
                };
                let text = std::str::from_utf8(name.content).ok()?;
                (!text.contains(',')).then(|| format!("{label}:{text}"))
            })
            .collect();
        (!names.is_empty()).then(|| format!("subjectAltName={}", names.join(",")))
    }
}

fn address(bytes: &[u8]) -> Option<std::net::IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(Into::into);
    let v6 = || <[u8; 16]>::try_from(bytes).map(Into::into);
    v4.or_else(|_| v6()).ok()
}
