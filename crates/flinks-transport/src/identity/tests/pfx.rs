//! PKCS#12 files, good and bad.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

#[test]
fn every_usual_form_is_taken() {
    for (case, file, password) in [
        ("modern", openssl::PFX, "opensesame"),
        ("legacy", openssl::PFX_LEGACY, "opensesame"),
        ("empty password", openssl::PFX_EMPTY_PASSWORD, ""),
        ("no checksum", openssl::PFX_NO_MAC, "opensesame"),
    ] {
        let identity = ClientIdentity::from_pfx(&bytes(file), &Secret::new(password));
        let identity = identity.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(
            order(&identity),
            order_of(&[openssl::P256_VERSION_1]),
            "{case}"
        );
    }
}

#[test]
fn every_mistake_has_its_name() {
    let pem = openssl::P256_PKCS8.as_bytes();
    let whole = bytes(openssl::PFX);
    for (case, file, password, kind) in [
        ("wrong password", &*whole, "CANARY5f1c", Kind::WrongPassword),
        ("no password", &whole, "", Kind::WrongPassword),
        (
            "legacy",
            &bytes(openssl::PFX_LEGACY),
            "CANARY5f1c",
            Kind::WrongPassword,
        ),
        (
            "no checksum",
            &bytes(openssl::PFX_NO_MAC),
            "CANARY5f1c",
            Kind::WrongPassword,
        ),
        ("PEM", pem, "opensesame", Kind::Unrecognized),
        ("garbage", b"CANARY5f1c", "opensesame", Kind::Unrecognized),
        ("empty", b"", "opensesame", Kind::Empty),
        (
            "cut",
            &whole[..whole.len() - 9],
            "opensesame",
            Kind::Unrecognized,
        ),
        (
            "no key",
            &bytes(openssl::PFX_NO_KEY),
            "opensesame",
            Kind::NoKey,
        ),
    ] {
        let error = ClientIdentity::from_pfx(file, &Secret::new(password)).expect_err(case);
        assert_eq!(error.kind(), kind, "{case}: {error}");
        let text = format!("{error} {error:?}");
        assert!(
            !text.contains("CANARY") && !text.contains("opensesame"),
            "{case}: {text}"
        );
    }
}

#[test]
fn a_file_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes(openssl::PFX)).unwrap();
    ClientIdentity::from_pfx_file(file.path(), &Secret::new("opensesame")).unwrap();
    let error = ClientIdentity::from_pfx_file(file.path(), &Secret::new("x")).unwrap_err();
    assert_eq!(error.part(), IdentityPart::Certificate);
}
