//! Forms that editors, secret stores and other programs give to certificates and keys.

use super::*;
use crate::Roots;

/// What becomes of a PEM text on its way through variables and settings files.
fn mangled(pem: &str) -> Vec<(&'static str, Vec<u8>)> {
    let joined = |separator: &str| pem.trim_end().replace('\n', separator).into_bytes();
    let base64 = STANDARD.encode(pem);
    let mut lines = String::new();
    for line in base64.as_bytes().chunks(76) {
        lines.push_str(std::str::from_utf8(line).unwrap());
        lines.push_str("\r\n");
    }
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    vec![
        (r"\n", joined(r"\n")),
        (r"\r\n", joined(r"\r\n")),
        (r"\\n", joined(r"\\n")),
        (
            "JSON",
            format!("{:?}", pem.replace('/', "\u{1}"))
                .replace("\\u{1}", "\\/")
                .into_bytes(),
        ),
        ("CR only", joined("\r")),
        ("spaces", joined(" ")),
        ("tabs", joined("\t")),
        ("no line ends", joined("")),
        ("no white space", pem.replace(['\n', ' '], "").into_bytes()),
        (
            "YAML block",
            format!("key: |\n    {}", pem.replace('\n', "\n    ")).into_bytes(),
        ),
        (
            "percent-encoded",
            pem.replace(' ', "%20")
                .replace('\n', "%0A")
                .replace('+', "%2B")
                .into_bytes(),
        ),
        (
            "percent-encoded, as a form",
            pem.replace('+', "%2B")
                .replace(' ', "+")
                .replace('\n', "%0A")
                .into_bytes(),
        ),
        ("%0A", joined("%0A")),
        ("&#10;", joined("&#10;")),
        ("quoted", joined("\n> ")),
        ("more dashes", pem.replace("-----", "------").into_bytes()),
        (
            "data: URI",
            format!("data:application/x-pem-file;base64,{base64}").into_bytes(),
        ),
        (
            "Kubernetes secret",
            format!("kind: Secret\ndata:\n  tls.any: {base64}\ntype: Opaque\n").into_bytes(),
        ),
        (
            "list in JSON",
            format!("{:?}", pem.lines().collect::<Vec<_>>()).into_bytes(),
        ),
        ("quotes", format!("'{pem}'").into_bytes()),
        ("blank lines", joined("\n\n")),
        ("trailing blanks", joined(" \r\n")),
        (
            "UTF-16 without a mark",
            pem.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        (
            "UTF-16 with a line end added",
            [utf16(pem, true), b"\n".to_vec()].concat(),
        ),
        ("Latin-1 around", [b"caf\xe9\n", pem.as_bytes()].concat()),
        ("base64", base64.clone().into_bytes()),
        ("base64 in lines", lines.into_bytes()),
        ("base64 twice", STANDARD.encode(&base64).into_bytes()),
        ("base64, UTF-16", utf16(&base64, true)),
        ("the body alone", body.clone().into_bytes()),
        (
            "the body alone, in base64",
            STANDARD.encode(&body).into_bytes(),
        ),
    ]
}

#[test]
fn what_a_store_did_to_pem_does_not_matter() {
    let made = made();
    for ((form, certificate), (_, key)) in mangled(&made.certificate)
        .into_iter()
        .zip(mangled(&made.key))
    {
        for (certificate, key) in [
            (&*certificate, made.key.as_bytes()),
            (made.certificate.as_bytes(), &*key),
        ] {
            let identity = ClientIdentity::from_pem(certificate, key)
                .unwrap_or_else(|error| panic!("{form}: {error}"));
            assert_eq!(order(&identity), [&*made.certificate_der], "{form}");
        }
    }
    for (form, root) in mangled(&made.root) {
        let roots = Roots::pem(&root).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(format!("{roots:?}"), "Roots(1 given)", "{form}");
    }
}

#[test]
fn other_labels_of_certificates_are_taken() {
    let made = made();
    let labelled = |label: &str, der: &[u8]| {
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            STANDARD.encode(der)
        )
    };
    // After a TRUSTED CERTIFICATE stands what it is trusted for.
    let trusted = [&*made.certificate_der, b"\x30\x0c\x0c\x0aclient.pem"].concat();
    for pem in [
        labelled("X509 CERTIFICATE", &made.certificate_der),
        labelled("TRUSTED CERTIFICATE", &trusted),
    ] {
        let identity = ClientIdentity::from_pem(pem.as_bytes(), made.key.as_bytes()).unwrap();
        assert_eq!(order(&identity), [&*made.certificate_der]);
        let both = pem + &made.root;
        let roots = Roots::pem(both.as_bytes()).unwrap();
        assert_eq!(format!("{roots:?}"), "Roots(2 given)");
    }
}

/// OpenSSL's additions: trust { serverAuth }, { emailProtection }, and reject { serverAuth },
/// { emailProtection }.
#[test]
fn a_root_that_is_not_to_be_trusted_for_servers_is_not() {
    const SERVERS: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
    const MAIL: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04";

    let made = made();
    let root = pem::sections(made.root.as_bytes())
        .next()
        .unwrap()
        .decode()
        .unwrap();
    let trust = |uses| ber::encode(der::SEQUENCE, uses).to_vec();
    let reject = |uses| ber::encode(der::CONTEXT_0, uses).to_vec();
    for (lists, trusted) in [
        (vec![], true),
        (trust(SERVERS), true),
        (trust(MAIL), false),
        (trust(&[MAIL, SERVERS].concat()), true),
        (reject(SERVERS), false),
        (reject(MAIL), true),
        ([trust(SERVERS), reject(MAIL)].concat(), true),
        ([trust(SERVERS), reject(SERVERS)].concat(), false),
    ] {
        let der = [root.as_slice(), &ber::encode(der::SEQUENCE, &lists)].concat();
        let pem = format!(
            "-----BEGIN TRUSTED CERTIFICATE-----\n{}\n-----END TRUSTED CERTIFICATE-----\n",
            STANDARD.encode(der)
        );
        let roots = Roots::pem(pem.as_bytes());
        assert_eq!(roots.is_ok(), trusted, "{lists:x?}");
        let both = Roots::pem((pem + &made.intermediate).as_bytes()).unwrap();
        assert_eq!(
            format!("{both:?}"),
            format!("Roots({} given)", 1 + u8::from(trusted))
        );
    }
}

#[test]
fn certificates_are_taken_out_of_pkcs7() {
    let key = openssl::P256_PKCS8.as_bytes();
    let pem = openssl::PKCS7.as_bytes();
    let der = pem::sections(pem).next().unwrap().decode().unwrap();
    for bundle in [pem, &der, &indefinite(&der)] {
        let identity = ClientIdentity::from_pem(bundle, key).unwrap();
        assert_eq!(order(&identity), order_of(&[openssl::P256_VERSION_1]));
    }
}

/// The same element in BER: nothing constructed says its length, down to the certificates, which
/// are signed as they are.
pub(super) fn indefinite(der: &[u8]) -> Vec<u8> {
    let mut reader = der::Reader(der);
    let mut ber = Vec::new();
    while let Some(element) = reader.next() {
        if element.tag & 0x20 == 0 || Facts::of(element.whole).is_some() {
            ber.extend_from_slice(element.whole);
        } else {
            ber.extend_from_slice(&[element.tag, 0x80]);
            ber.extend_from_slice(&indefinite(element.content));
            ber.extend_from_slice(&[0, 0]);
        }
    }
    ber
}

#[test]
fn of_several_keys_the_one_that_fits_is_taken() {
    let made = made();
    let (other, short) = (openssl::RSA_PKCS8, openssl::RSA_1024);
    for keys in [
        [other, &made.key].concat(),
        [short, other, &made.key].concat(),
        [openssl::ENCRYPTED_PKCS8, &made.key, other].concat(),
        [&*made.certificate, other, &made.key].concat(),
    ] {
        ClientIdentity::from_pem(made.certificate.as_bytes(), keys.as_bytes()).unwrap();
    }
    let wrong = [short, other].concat();
    let error =
        ClientIdentity::from_pem(made.certificate.as_bytes(), wrong.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), Kind::KeyMismatch);
}

#[test]
fn der_may_have_a_line_end_behind_it() {
    let made = made();
    let certificate = [&*made.certificate_der, b"\r\n"].concat();
    let key = [&*made.key_der, b"\n"].concat();
    ClientIdentity::from_pem(&certificate, &key).unwrap();
}

#[test]
fn a_section_that_is_cut_short_is_no_part_of_the_next() {
    let made = made();
    let (cut, _) = made.certificate.split_at(made.certificate.len() - 40);
    let text = format!("{cut}\n{}", made.certificate);
    let error = ClientIdentity::from_pem(text.as_bytes(), made.key.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn altered_files_never_panic(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let pkcs7 = pem::sections(openssl::PKCS7.as_bytes()).next().unwrap().decode().unwrap();
        let mut files: Vec<Vec<u8>> = [openssl::P256_VERSION_1, openssl::P256_PKCS8]
            .into_iter()
            .flat_map(mangled)
            .map(|(_, file)| file)
            .collect();
        files.extend([pkcs7.to_vec(), indefinite(&pkcs7)]);
        let mut file = which.get(&files).clone();
        for (place, value) in changes {
            let place = place.index(file.len());
            file[place] = value;
        }
        let cut = cut.index(file.len());
        for bytes in [&*file, &file[..cut]] {
            let _items = items(bytes, IdentityPart::Certificate);
        }
    }
}
