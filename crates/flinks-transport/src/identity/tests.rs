//! Loading identities: what is taken, and what each mistake is called.

mod commands;
mod forms;
mod mistakes;
mod openssl;
#[cfg(feature = "pfx")]
mod pfx;

use std::error::Error as _;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::IdentityErrorKind as Kind;
use super::*;

/// A word that messages must not repeat; the invalid files contain it.
const CANARY: &str = "CANARY5f1c";

struct Made {
    certificate: String,
    certificate_der: Vec<u8>,
    key: String,
    key_der: Vec<u8>,
    request: String,
    request_der: Vec<u8>,
    public_key: String,
    chain: String,
    root: String,
    intermediate: String,
}

fn name(text: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new(vec![format!("{text}.test")]).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, text);
    parameters
}

fn authority(text: &str) -> CertificateParams {
    let mut parameters = name(text);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

fn made() -> Made {
    let root =
        CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().unwrap()).unwrap();
    let intermediate = CertifiedIssuer::signed_by(
        authority("intermediate"),
        KeyPair::generate().unwrap(),
        &root,
    )
    .unwrap();
    let key = KeyPair::generate().unwrap();
    let parameters = name("client");
    let certificate = parameters.signed_by(&key, &intermediate).unwrap();
    let request = parameters.serialize_request(&key).unwrap();
    Made {
        certificate: certificate.pem(),
        certificate_der: certificate.der().to_vec(),
        key: key.serialize_pem(),
        key_der: key.serialize_der(),
        request: request.pem().unwrap(),
        request_der: request.der().to_vec(),
        public_key: key.public_key_pem(),
        chain: certificate.pem() + &intermediate.pem(),
        root: root.pem(),
        intermediate: intermediate.pem(),
    }
}

/// A self-signed certificate for a key that openssl made.
fn certificate_for(key: &str) -> String {
    name("client")
        .self_signed(&KeyPair::from_pem(key).unwrap())
        .unwrap()
        .pem()
}

fn utf16(text: &str, little: bool) -> Vec<u8> {
    let mark = std::iter::once(0xfeff);
    mark.chain(text.encode_utf16())
        .flat_map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

fn length(identity: &ClientIdentity) -> usize {
    identity.certified(None).unwrap().cert.len()
}

#[test]
fn every_usual_form_is_taken() {
    let made = made();
    let key = made.key.as_bytes();
    let both = format!("{}{}", made.certificate, made.key);
    let key_first = format!("{}{}", made.key, made.certificate);
    let with_text = format!(
        "Certificate:\n    Data:\n        Version: 3 (0x2)\n    Issuer: CN=x\n{}\nend\n",
        made.certificate
    );
    let in_bag = format!(
        "Bag Attributes\n    localKeyID: 01\nKey Attributes: <none>\n{}",
        made.key
    );
    let beside_request = format!("{}{}", made.request, made.certificate);
    let windows = made.certificate.replace('\n', "\r\n");
    let windows_key = made.key.replace('\n', "\r\n");
    let marked = format!("\u{feff}{}", made.certificate);
    let marked_key = format!("\u{feff}{}", made.key);
    let (wide, wide_key) = (utf16(&made.certificate, true), utf16(&made.key, true));
    let wide_big = utf16(&made.certificate, false);
    let pem = made.certificate.as_bytes();
    let cases: &[(&str, &[u8], &[u8])] = &[
        ("PEM", pem, key),
        ("CRLF", windows.as_bytes(), key),
        ("CRLF key", pem, windows_key.as_bytes()),
        ("BOM", marked.as_bytes(), key),
        ("BOM key", pem, marked_key.as_bytes()),
        ("no last line end", pem.trim_ascii(), key.trim_ascii()),
        ("UTF-16 LE", &wide, &wide_key),
        ("UTF-16 BE", &wide_big, key),
        ("openssl -text", with_text.as_bytes(), in_bag.as_bytes()),
        ("DER certificate", &made.certificate_der, key),
        ("DER key", pem, &made.key_der),
        ("DER both", &made.certificate_der, &made.key_der),
        ("one file", both.as_bytes(), both.as_bytes()),
        (
            "one file, key first",
            key_first.as_bytes(),
            key_first.as_bytes(),
        ),
        ("request beside it", beside_request.as_bytes(), key),
    ];
    for (case, certificate, key) in cases {
        let identity = ClientIdentity::from_pem(certificate, key);
        let identity = identity.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(length(&identity), 1, "{case}");
        assert_eq!(
            identity.certified(None).unwrap().cert[0].as_ref(),
            made.certificate_der,
            "{case}"
        );
    }
}

#[test]
fn every_usual_kind_of_key_is_taken() {
    for (case, certificate, key) in [
        (
            "RSA, PKCS#8",
            certificate_for(openssl::RSA_PKCS8),
            openssl::RSA_PKCS8,
        ),
        (
            "RSA, PKCS#1",
            certificate_for(openssl::RSA_PKCS8),
            openssl::RSA_PKCS1,
        ),
        (
            "P-256, PKCS#8",
            certificate_for(openssl::P256_PKCS8),
            openssl::P256_PKCS8,
        ),
        (
            "P-256, SEC1",
            certificate_for(openssl::P256_PKCS8),
            openssl::P256_SEC1_WITH_PARAMETERS,
        ),
        (
            "P-256, SEC1, no public half",
            certificate_for(openssl::P256_PKCS8),
            openssl::P256_SEC1_NO_PUBLIC,
        ),
        (
            "P-256, PKCS#8, no public half",
            certificate_for(openssl::P256_PKCS8),
            openssl::P256_PKCS8_NO_PUBLIC,
        ),
        (
            "P-384",
            certificate_for(openssl::P384_PKCS8),
            openssl::P384_PKCS8,
        ),
        (
            "Ed25519",
            certificate_for(openssl::ED25519_PKCS8),
            openssl::ED25519_PKCS8,
        ),
        (
            "version 1",
            openssl::P256_VERSION_1.to_owned(),
            openssl::P256_PKCS8,
        ),
    ] {
        ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes())
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        let der = pem::sections(key.as_bytes())
            .last()
            .unwrap()
            .decode()
            .unwrap();
        ClientIdentity::from_pem(certificate.as_bytes(), &der)
            .unwrap_or_else(|error| panic!("{case}, DER: {error}"));
    }
}

#[test]
fn a_chain_keeps_its_order() {
    let made = made();
    let chain = made.chain.clone() + &made.root;
    let identity = ClientIdentity::from_pem(chain.as_bytes(), made.key.as_bytes()).unwrap();
    assert_eq!(
        order(&identity),
        order_of(&[&made.certificate, &made.intermediate, &made.root])
    );

    let unusual = [&*made.certificate, &made.root, &made.intermediate].concat();
    let identity = ClientIdentity::from_pem(unusual.as_bytes(), made.key.as_bytes()).unwrap();
    assert_eq!(
        order(&identity),
        order_of(&[&made.certificate, &made.root, &made.intermediate])
    );
}

#[test]
fn a_chain_that_begins_elsewhere_is_put_in_order() {
    let made = made();
    let stray = certificate_for(openssl::P384_PKCS8);
    for shuffled in [
        [&*made.root, &made.intermediate, &made.certificate, &stray],
        [&*made.intermediate, &stray, &made.root, &made.certificate],
        [&*stray, &made.certificate, &made.root, &made.intermediate],
    ] {
        let identity =
            ClientIdentity::from_pem(shuffled.concat().as_bytes(), made.key.as_bytes()).unwrap();
        let expected = [&*made.certificate, &made.intermediate, &made.root, &stray];
        assert_eq!(order(&identity), order_of(&expected));
    }
}

fn order(identity: &ClientIdentity) -> Vec<Vec<u8>> {
    identity
        .certified(None)
        .unwrap()
        .cert
        .iter()
        .map(|der| der.to_vec())
        .collect()
}

fn order_of(pems: &[&str]) -> Vec<Vec<u8>> {
    let decode = |pem: &&str| {
        pem::sections(pem.as_bytes())
            .next()
            .unwrap()
            .decode()
            .unwrap()
            .to_vec()
    };
    pems.iter().map(decode).collect()
}

#[test]
fn dates_are_read_and_checked() {
    let key = KeyPair::generate().unwrap();
    let mut parameters = name("client");
    parameters.not_before = rcgen::date_time_ymd(2030, 1, 2);
    parameters.not_after = rcgen::date_time_ymd(2050, 3, 4);
    let pem = parameters.self_signed(&key).unwrap().pem();
    let identity =
        ClientIdentity::from_pem(pem.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    assert_eq!(
        identity.not_before(),
        UNIX_EPOCH + Duration::from_secs(1_893_542_400)
    );
    assert_eq!(
        identity.not_after(),
        UNIX_EPOCH + Duration::from_secs(2_529_964_800)
    );

    let second = Duration::from_secs(1);
    identity.check_at(identity.not_before()).unwrap();
    identity.check_at(identity.not_after()).unwrap();
    let early = identity
        .check_at(identity.not_before() - second)
        .unwrap_err();
    assert_eq!(early.kind(), Kind::NotYetValid);
    assert!(
        early
            .to_string()
            .contains("not valid before 2030-01-02 00:00:00 UTC"),
        "{early}"
    );
    let late = identity
        .check_at(identity.not_after() + second)
        .unwrap_err();
    assert_eq!(late.kind(), Kind::Expired);
    assert!(
        late.to_string()
            .contains("expired on 2050-03-04 00:00:00 UTC"),
        "{late}"
    );
}

#[test]
fn debug_shows_dates_and_length_only() {
    let made = made();
    let identity = ClientIdentity::from_pem(made.chain.as_bytes(), made.key.as_bytes()).unwrap();
    let shown = format!("{identity:?}");
    assert_eq!(
        shown,
        "ClientIdentity { certificates: 2, not_before: \"1975-01-01 00:00:00 UTC\", \
         not_after: \"4096-01-01 00:00:00 UTC\", .. }"
    );
}

#[test]
fn errors_name_the_part_and_never_what_was_given() {
    let made = made();
    let folder = tempfile::Builder::new().prefix(CANARY).tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let certificate = write("client.pem", made.certificate.as_bytes());
    let key = write("client.key", made.key.as_bytes());
    let request = write("client.csr", made.request.as_bytes());
    let other = write("other.key", openssl::RSA_PKCS8.as_bytes());
    let huge = write("huge.pem", &vec![b'x'; (4 << 20) + 1]);
    let missing = folder.path().join("missing.pem");
    let quoted = PathBuf::from(format!("\"{}\"", certificate.display()));
    let base64 = STANDARD.encode(&made.key);
    let [text, one_line, base64, der] = [
        &made.key,
        &made.key.replace('\n', "\\n"),
        &base64,
        &STANDARD.encode(made.certificate_der.repeat(2)),
    ]
    .map(PathBuf::from);

    ClientIdentity::from_pem_files(&certificate, &key)
        .unwrap()
        .check()
        .unwrap();
    let (first, second) = (IdentityPart::Certificate, IdentityPart::Key);
    for (certificate, key, part, kind, says) in [
        (&request, &key, first, Kind::RequestGiven, "CSR"),
        (&certificate, &other, second, Kind::KeyMismatch, "belong"),
        (&certificate, &request, second, Kind::RequestGiven, "CSR"),
        (&huge, &key, first, Kind::TooLarge, "4 MiB"),
        (&missing, &key, first, Kind::Unreadable, "no such file"),
        (
            &certificate,
            &missing,
            second,
            Kind::Unreadable,
            "no such file",
        ),
        (&quoted, &key, first, Kind::Unreadable, "quotes"),
        (
            &folder.path().to_owned(),
            &key,
            first,
            Kind::Unreadable,
            "folder",
        ),
        (&text, &key, first, Kind::ContentGiven, "path of a file"),
        (
            &certificate,
            &text,
            second,
            Kind::ContentGiven,
            "text of a private key",
        ),
        (
            &certificate,
            &one_line,
            second,
            Kind::ContentGiven,
            "path of a file",
        ),
        (
            &certificate,
            &base64,
            second,
            Kind::ContentGiven,
            "path of a file",
        ),
        (
            &certificate,
            &der,
            second,
            Kind::ContentGiven,
            "path of a file",
        ),
    ] {
        for error in [
            ClientIdentity::from_pem_files(certificate, key).unwrap_err(),
            ClientIdentity::from_files(certificate, Some(key), None).unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.part()), (kind, part), "{error}");
            let mut text = format!("{error} {error:?}");
            let error = crate::Error::from(error);
            text += &format!("{error} {error:?} {}", error.report());
            assert!(text.contains(says), "{text}");
            text.make_ascii_lowercase();
            assert!(!text.contains(&CANARY.to_lowercase()), "{text}");
            assert!(
                !text.contains("-----begin private") && !text.contains("mii"),
                "{text}"
            );
        }
    }
    let error = ClientIdentity::from_pem_files(&missing, &key).unwrap_err();
    assert!(error.source().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_files_never_panic(position in 0usize..2000, byte: u8, from in 0usize..2000, der: bool) {
        let made = made();
        let (mut certificate, mut key) = if der {
            (made.certificate_der, made.key_der)
        } else {
            (made.certificate.into_bytes(), made.key.into_bytes())
        };
        for file in [&mut certificate, &mut key] {
            let length = file.len();
            file[position % length] = byte;
            if from < length / 4 {
                file.drain(from..from + 3);
            }
        }
        let mut text = String::new();
        match ClientIdentity::from_pem(&certificate, &key) {
            Ok(identity) => write!(text, "{identity:?}").unwrap(),
            Err(error) => write!(text, "{error} {error:?}").unwrap(),
        }
        prop_assert!(!text.is_empty());
    }
}
