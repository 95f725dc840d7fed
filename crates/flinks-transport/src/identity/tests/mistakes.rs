//! Each usual mistake with a certificate or a key has its own name.

use super::*;

/// Name, certificate, key, and what the error must say.
type Mistake<'a> = (&'a str, &'a [u8], &'a [u8], Kind, &'a str);

#[test]
fn every_mistake_has_its_name() {
    let made = made();
    let certificate = made.certificate.as_str();
    let key = made.key.as_str();
    let damaged = certificate.replacen("\nMII", "\n*II", 1);
    let (cut, _) = certificate.split_at(certificate.len() / 2);
    let (cut_key, _) = key.split_at(key.len() / 2);
    let altered_key = key.replacen("\nMI", "\nAI", 1);
    let parameters_only =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let garbage = format!("{CANARY} is not a certificate");
    let misnamed = made.request.replace("CERTIFICATE REQUEST", "CERTIFICATE");

    let garbled_key = key.replace('\n', "\n* ");
    let dashes = certificate.replace("-----", "----");

    let cases: &[Mistake<'_>] = &[
        (
            "garbled key",
            certificate.as_bytes(),
            garbled_key.as_bytes(),
            Kind::Damaged,
            "quotes, indents or escaped line breaks",
        ),
        (
            "other dashes",
            dashes.as_bytes(),
            key.as_bytes(),
            Kind::Unrecognized,
            "five",
        ),
        (
            "CSR",
            made.request.as_bytes(),
            key.as_bytes(),
            Kind::RequestGiven,
            "not the certificate Flinks returned",
        ),
        (
            "CSR, DER",
            &made.request_der,
            key.as_bytes(),
            Kind::RequestGiven,
            "certificate request (CSR)",
        ),
        (
            "CSR, misnamed",
            misnamed.as_bytes(),
            key.as_bytes(),
            Kind::RequestGiven,
            "certificate request (CSR)",
        ),
        (
            "key as certificate",
            key.as_bytes(),
            key.as_bytes(),
            Kind::KeyGiven,
            "private key, not the certificate Flinks returned",
        ),
        (
            "key as certificate, DER",
            &made.key_der,
            key.as_bytes(),
            Kind::KeyGiven,
            "swapped",
        ),
        (
            "encrypted key as certificate",
            openssl::ENCRYPTED_PKCS8.as_bytes(),
            key.as_bytes(),
            Kind::KeyGiven,
            "swapped",
        ),
        (
            "public key as certificate",
            made.public_key.as_bytes(),
            key.as_bytes(),
            Kind::PublicKeyGiven,
            "public key",
        ),
        (
            "PKCS#7 as key",
            certificate.as_bytes(),
            openssl::PKCS7.as_bytes(),
            Kind::Pkcs7Given,
            "only certificates",
        ),
        ("empty", b"", key.as_bytes(), Kind::Empty, "empty"),
        (
            "blank",
            b"\xef\xbb\xbf \r\n\n",
            key.as_bytes(),
            Kind::Empty,
            "empty",
        ),
        (
            "blank UTF-16",
            &utf16("\r\n", true),
            key.as_bytes(),
            Kind::Empty,
            "empty",
        ),
        (
            "garbage",
            garbage.as_bytes(),
            key.as_bytes(),
            Kind::Unrecognized,
            "neither PEM",
        ),
        (
            "PDF",
            b"%PDF-1.7\n",
            key.as_bytes(),
            Kind::Unrecognized,
            "right file",
        ),
        (
            "no certificate",
            parameters_only.as_bytes(),
            key.as_bytes(),
            Kind::NoCertificate,
            "no certificate",
        ),
        (
            "damaged",
            damaged.as_bytes(),
            key.as_bytes(),
            Kind::Damaged,
            "not base64",
        ),
        (
            "cut",
            cut.as_bytes(),
            key.as_bytes(),
            Kind::Damaged,
            "truncated",
        ),
        (
            "certificate as key",
            certificate.as_bytes(),
            certificate.as_bytes(),
            Kind::CertificateGiven,
            "certificate, not a private key",
        ),
        (
            "certificate as key, DER",
            certificate.as_bytes(),
            &made.certificate_der,
            Kind::CertificateGiven,
            "swapped",
        ),
        (
            "CSR as key",
            certificate.as_bytes(),
            made.request.as_bytes(),
            Kind::RequestGiven,
            "not a private key",
        ),
        (
            "public key as key",
            certificate.as_bytes(),
            openssl::P256_PUBLIC.as_bytes(),
            Kind::PublicKeyGiven,
            "not a private key",
        ),
        (
            "another key",
            certificate.as_bytes(),
            other_key.as_bytes(),
            Kind::KeyMismatch,
            "does not belong",
        ),
        (
            "another kind of key",
            certificate.as_bytes(),
            openssl::RSA_PKCS1.as_bytes(),
            Kind::KeyMismatch,
            "does not belong",
        ),
        (
            "JWK",
            certificate.as_bytes(),
            b"{\"kty\": \"EC\", \"d\": \"CANARY5f1c\"}",
            Kind::Unrecognized,
            "JWK",
        ),
        (
            "HTML",
            b"\n<!DOCTYPE html><p>CANARY5f1c",
            key.as_bytes(),
            Kind::Unrecognized,
            "HTML",
        ),
        (
            "JKS",
            b"\xfe\xed\xfe\xed\0\0\0\x02",
            key.as_bytes(),
            Kind::Unrecognized,
            "keytool -importkeystore",
        ),
        (
            "PuTTY",
            certificate.as_bytes(),
            b"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n",
            Kind::Unrecognized,
            "puttygen",
        ),
        (
            "encrypted key",
            certificate.as_bytes(),
            openssl::ENCRYPTED_PKCS8.as_bytes(),
            Kind::EncryptedKey,
            "openssl pkcs8 -topk8 -nocrypt",
        ),
        (
            "encrypted key, old form",
            certificate.as_bytes(),
            openssl::ENCRYPTED_SEC1.as_bytes(),
            Kind::EncryptedKey,
            "-out",
        ),
        (
            "RSA-1024",
            certificate.as_bytes(),
            openssl::RSA_1024.as_bytes(),
            Kind::UnsupportedKey,
            "2048",
        ),
        (
            "secp256k1",
            certificate.as_bytes(),
            openssl::SECP256K1.as_bytes(),
            Kind::UnsupportedKey,
            "P-256",
        ),
        (
            "OpenSSH",
            certificate.as_bytes(),
            openssl::OPENSSH.as_bytes(),
            Kind::UnsupportedKey,
            "ssh-keygen -p -m PKCS8",
        ),
        (
            "no key",
            certificate.as_bytes(),
            parameters_only.as_bytes(),
            Kind::NoKey,
            "no private key",
        ),
        (
            "cut key",
            certificate.as_bytes(),
            cut_key.as_bytes(),
            Kind::Damaged,
            "truncated",
        ),
        (
            "altered key",
            certificate.as_bytes(),
            altered_key.as_bytes(),
            Kind::Damaged,
            "altered",
        ),
        (
            "empty key",
            certificate.as_bytes(),
            b"\n",
            Kind::Empty,
            "empty",
        ),
        (
            "garbage key",
            certificate.as_bytes(),
            garbage.as_bytes(),
            Kind::Unrecognized,
            "neither PEM",
        ),
    ];
    for (case, certificate, key, kind, advice) in cases {
        let error = ClientIdentity::from_pem(certificate, key).expect_err(case);
        assert_eq!(error.kind(), *kind, "{case}: {error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(advice), "{case}: {text}");
        assert!(!text.contains(CANARY), "{case}: {text}");
        for line in String::from_utf8_lossy(key)
            .lines()
            .filter(|line| line.len() > 40)
        {
            assert!(!text.contains(line), "{case} shows the key");
        }
    }
}

#[test]
fn a_pfx_where_pem_belongs_is_named() {
    // PFX ::= SEQUENCE { version INTEGER (3), authSafe ContentInfo, … }
    let pfx = [0x30, 5, 2, 1, 3, 0x30, 0];
    let made = made();
    for error in [
        ClientIdentity::from_pem(&pfx, made.key.as_bytes()).unwrap_err(),
        ClientIdentity::from_pem(made.certificate.as_bytes(), &pfx).unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::PfxGiven);
        let hint = if cfg!(feature = "pfx") {
            "password"
        } else {
            "feature `pfx`"
        };
        assert!(error.to_string().contains(hint), "{error}");
    }
}
