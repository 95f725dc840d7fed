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
        // The reader cannot form the key of such a password, right or wrong.
        ("emoji", &whole, "CANARY5f1c😀", Kind::Unrecognized),
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
fn base64_and_pem_of_a_file_are_taken() {
    let password = Secret::new("opensesame");
    for file in [
        openssl::PFX.to_owned(),
        STANDARD.encode(openssl::PFX),
        format!(
            "-----BEGIN PKCS12-----\n{}\n-----END PKCS12-----\n",
            openssl::PFX
        ),
    ] {
        ClientIdentity::from_pfx(file.as_bytes(), &password).unwrap();
    }
}

#[test]
fn ber_is_taken_and_its_checksum_verified() {
    let of_firefox = bytes(openssl::PFX_BER);
    let password = Secret::new("opensesame");
    let identity = ClientIdentity::from_pfx(&of_firefox, &password).unwrap();
    assert_eq!(length(&identity), 1);

    for (file, altered) in [
        (of_firefox.clone(), None),
        (forms::indefinite(&bytes(openssl::PFX)), None),
        // In the encrypted certificate: only the checksum detects it.
        (of_firefox.clone(), Some(900)),
    ] {
        let mut file = file;
        if let Some(position) = altered {
            file[position] ^= 1;
        } else {
            let error = ClientIdentity::from_pfx(&file, &Secret::new("CANARY5f1c")).unwrap_err();
            assert_eq!(error.kind(), Kind::WrongPassword, "{error}");
        }
        let outcome = ClientIdentity::from_pfx(&file, &password);
        assert_eq!(outcome.is_err(), altered.is_some());
    }
    let cut = &of_firefox[..of_firefox.len() / 2];
    assert_eq!(
        ClientIdentity::from_pfx(cut, &password).unwrap_err().kind(),
        Kind::Unrecognized
    );
}

#[test]
fn ber_without_a_checksum_is_taken() {
    let file = forms::indefinite(&bytes(openssl::PFX_NO_MAC));
    ClientIdentity::from_pfx(&file, &Secret::new("opensesame")).unwrap();
}

#[test]
fn an_encrypted_key_is_opened_with_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let text = openssl::ENCRYPTED_PKCS8;
    let der = pem::sections(text.as_bytes())
        .next()
        .unwrap()
        .decode()
        .unwrap();
    let certificate = write("client.pem", openssl::P256_VERSION_1.as_bytes());
    let both = write(
        "both.pem",
        [openssl::P256_VERSION_1, text].concat().as_bytes(),
    );
    let right = Secret::new("opensesame");
    let wrong = Secret::new("CANARY5f1c");
    let empty = Secret::default();
    for key in [write("client.key", text.as_bytes()), write("der.key", &der)] {
        ClientIdentity::from_files(&certificate, Some(&key), Some(&right)).unwrap();
        for (password, kind) in [
            (Some(&wrong), Kind::WrongPassword),
            (Some(&empty), Kind::EncryptedKey),
            (None, Kind::EncryptedKey),
        ] {
            let error = ClientIdentity::from_files(&certificate, Some(&key), password).unwrap_err();
            assert_eq!(
                (error.kind(), error.part()),
                (kind, IdentityPart::Key),
                "{error}"
            );
            assert!(!format!("{error}{error:?}").contains("CANARY"));
        }
    }
    ClientIdentity::from_files(&both, None, Some(&right)).unwrap();
    let old = write("old.key", openssl::ENCRYPTED_SEC1.as_bytes());
    let error = ClientIdentity::from_files(&certificate, Some(&old), Some(&right)).unwrap_err();
    assert_eq!(error.kind(), Kind::EncryptedKey);
    assert!(error.to_string().contains("old form"), "{error}");
}

#[test]
fn a_key_given_beside_a_pfx_counts() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let pfx = write("client.pfx", &bytes(openssl::PFX));
    let certificate = write("client.pem", openssl::P256_VERSION_1.as_bytes());
    let key = write("client.key", openssl::P256_PKCS8.as_bytes());
    let other = write("other.key", openssl::RSA_PKCS8.as_bytes());
    let password = Secret::new("opensesame");
    for (certificate, key) in [
        (&pfx, None),
        (&pfx, Some(&key)),
        (&pfx, Some(&pfx)),
        (&certificate, Some(&pfx)),
    ] {
        ClientIdentity::from_files(certificate, key.map(|key| key.as_path()), Some(&password))
            .unwrap();
    }
    let error = ClientIdentity::from_files(&pfx, Some(&other), Some(&password)).unwrap_err();
    assert_eq!(error.kind(), Kind::KeyMismatch);
    let error = ClientIdentity::from_files(&pfx, None, None).unwrap_err();
    assert_eq!(error.kind(), Kind::WrongPassword);
    assert!(error.to_string().contains("none was given"), "{error}");
}

#[test]
fn a_file_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes(openssl::PFX)).unwrap();
    ClientIdentity::from_pfx_file(file.path(), &Secret::new("opensesame")).unwrap();
    let error = ClientIdentity::from_pfx_file(file.path(), &Secret::new("x")).unwrap_err();
    assert_eq!(error.part(), IdentityPart::Certificate);
}

/// What older programs protect keys with; each was made of `P256_PKCS8` with `openssl pkcs8 -topk8`.
#[test]
fn keys_of_older_programs_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("client.pem");
    std::fs::write(&certificate, openssl::P256_VERSION_1).unwrap();
    let key = folder.path().join("client.key");
    for (case, base64) in openssl::ENCRYPTED_BY_OLDER_PROGRAMS {
        std::fs::write(&key, bytes(base64)).unwrap();
        ClientIdentity::from_files(&certificate, Some(&key), Some(&Secret::new("opensesame")))
            .unwrap_or_else(|error| panic!("{case}: {error}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn altered_files_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        indefinite: bool,
    ) {
        let mut file = bytes(openssl::PFX_NO_MAC);
        if indefinite {
            file = forms::indefinite(&file);
        }
        for (place, value) in changes {
            let place = place.index(file.len());
            file[place] = value;
        }
        let _outcome = ClientIdentity::from_pfx(&file, &Secret::new("opensesame"));
    }
}
