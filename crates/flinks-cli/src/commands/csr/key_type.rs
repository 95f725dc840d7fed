//! The types of private keys, and what makes them.

use std::path::Path;

use clap::ValueEnum;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};

use super::der::{BIT_STRING, Elements, INTEGER, NULL, OBJECT_IDENTIFIER, SEQUENCE, element};
use super::request::Request;

const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x2b\x81\x04\x00\x22";

/// `--key`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum KeyType {
    /// Elliptic curve P-256
    #[default]
    #[value(name = "ec", alias = "p256")]
    P256,
    /// Elliptic curve P-384
    P384,
    /// RSA, 2048 bits
    #[value(name = "rsa", alias = "rsa2048")]
    Rsa2048,
    /// RSA, 3072 bits
    Rsa3072,
    /// RSA, 4096 bits
    Rsa4096,
}

impl KeyType {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::Rsa2048 => "RSA 2048",
            Self::Rsa3072 => "RSA 3072",
            Self::Rsa4096 => "RSA 4096",
        }
    }

    /// The type of a certificate's key: the content of its SubjectPublicKeyInfo. RSA keys of another
    /// size get the next one that can be made. `None` for all other keys.
    pub(super) fn of_public_key(key: &[u8]) -> Option<Self> {
        let mut key = Elements(key);
        let mut algorithm = key.enter(SEQUENCE)?;
        match algorithm.expect(OBJECT_IDENTIFIER)? {
            EC => match algorithm.expect(OBJECT_IDENTIFIER)? {
                P256 => Some(Self::P256),
                P384 => Some(Self::P384),
                _ => None,
            },
            RSA => {
                let (_, key) = key.expect(BIT_STRING)?.split_first()?;
                let modulus = Elements(key).enter(SEQUENCE)?.expect(INTEGER)?;
                let bytes = modulus.iter().skip_while(|byte| **byte == 0).count();
                Some(match bytes {
                    0..=256 => Self::Rsa2048,
                    257..=384 => Self::Rsa3072,
                    _ => Self::Rsa4096,
                })
            }
            _ => None,
        }
    }

    /// Makes a private key; `None` if this build makes no keys of this type.
    pub(super) fn generate(self) -> Option<Result<KeyPair, rcgen::Error>> {
        match self {
            Self::P256 => Some(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)),
            Self::P384 => Some(KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)),
            Self::Rsa2048 => generate_rsa(2048),
            Self::Rsa3072 => generate_rsa(3072),
            Self::Rsa4096 => generate_rsa(4096),
        }
    }

    /// The AlgorithmIdentifier of the signatures of such a key.
    pub(super) fn signature_algorithm(self) -> Vec<u8> {
        let (oid, parameters): (&[u8], _) = match self {
            Self::P256 => (b"\x2a\x86\x48\xce\x3d\x04\x03\x02", Vec::new()),
            Self::P384 => (b"\x2a\x86\x48\xce\x3d\x04\x03\x03", Vec::new()),
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => {
                (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", element(NULL, &[]))
            }
        };
        element(
            SEQUENCE,
            &[&element(OBJECT_IDENTIFIER, &[oid]), &parameters],
        )
    }

    /// Returns a shell command that makes the key and the request with OpenSSL, for a build that
    /// cannot.
    pub(super) fn openssl_command(self, request: &Request, out: &Path) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let path = |name| quoted(&out.join(name).to_string_lossy());
        let bits = match self {
            Self::Rsa3072 => 3072,
            Self::Rsa4096 => 4096,
            Self::P256 | Self::P384 | Self::Rsa2048 => 2048,
        };
        let names = request.names_for_openssl();
        let names = names.map(|names| format!(" -addext {}", quoted(&names)));
        format!(
            "(umask 077; mkdir -p {} && openssl req -new -utf8 -newkey rsa:{bits} -nodes -keyout {} \
             -out {} -subj {}{})",
            quoted(&out.to_string_lossy()),
            path("client.key"),
            path("client.csr"),
            quoted(&request.subject.to_openssl()),
            names.unwrap_or_default(),
        )
    }
}

#[cfg(feature = "aws-lc-rs")]
fn generate_rsa(bits: u32) -> Option<Result<KeyPair, rcgen::Error>> {
    let size = match bits {
        3072 => rcgen::RsaKeySize::_3072,
        4096 => rcgen::RsaKeySize::_4096,
        _ => rcgen::RsaKeySize::_2048,
    };
    Some(KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size))
}

#[cfg(not(feature = "aws-lc-rs"))]
fn generate_rsa(_: u32) -> Option<Result<KeyPair, rcgen::Error>> {
    None
}
