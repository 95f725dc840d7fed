//! Certificates and keys: PEM, DER and PKCS#12. An input is a certificate, and after a line `=` its key.

use flinks_transport::ClientIdentity;
use flinks_types::Secret;
use rcgen::{CertificateParams, KeyPair};

use crate::shown;

const SEPARATOR: &[u8] = b"\n=\n";
const PASSWORD: &str = "opensesame";

pub fn run(input: &[u8]) {
    let at = input
        .windows(SEPARATOR.len())
        .position(|part| part == SEPARATOR);
    let (certificate, key) = match at {
        Some(at) => (&input[..at], &input[at + SEPARATOR.len()..]),
        None => (input, input),
    };
    for identity in [
        ClientIdentity::from_pem(certificate, key),
        ClientIdentity::from_pfx(certificate, &Secret::new(PASSWORD)),
    ] {
        match identity {
            Ok(identity) => {
                assert!(identity.not_before() <= identity.not_after() || identity.check().is_err());
            }
            Err(error) => {
                let shown = shown(&error);
                assert!(!shown.contains(PASSWORD), "the password is shown: {shown}");
                // Longer than any name: it would be a part of the key.
                let line = key
                    .split(|byte| *byte == b'\n')
                    .find(|line| line.len() == 64);
                let line = line.and_then(|line| str::from_utf8(line).ok());
                assert!(
                    line.is_none_or(|line| !shown.contains(line)),
                    "the key is shown: {shown}"
                );
            }
        }
    }
}

/// The keys and PKCS#12 files of the unit tests, and a certificate with its key.
pub fn seeds() -> Vec<Vec<u8>> {
    let tests = include_str!("../../crates/flinks-transport/src/identity/tests/openssl.rs");
    let texts = tests
        .split("\"\\\n")
        .skip(1)
        .filter_map(|text| text.split("\";").next());
    let mut seeds = Vec::new();
    for text in texts {
        if let Ok(key) = KeyPair::from_pem(text)
            && let Ok(params) = CertificateParams::new(vec!["client.test".to_owned()])
            && let Ok(certificate) = params.self_signed(&key)
        {
            let key = text.as_bytes();
            seeds.push([certificate.pem().as_bytes(), SEPARATOR, key].concat());
            seeds.push([certificate.der(), SEPARATOR, key].concat());
        }
        seeds.push(text.as_bytes().to_vec());
    }
    seeds
}
