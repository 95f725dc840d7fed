//! Reads a file of certificates and keys in any format, and classifies its contents.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flinks_types::text;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use zeroize::Zeroizing;

use super::ber;
use super::der::{self, Shape};
use super::error::{IdentityError, IdentityErrorKind as Kind, IdentityPart as Part};
use super::pem::{self, Section};

/// The maximum file size; the largest bundles of root certificates are about 250 KB.
const LARGEST_FILE: u64 = 4 << 20;

/// One item in a file.
pub(crate) enum Item {
    Certificate(CertificateDer<'static>),
    DamagedCertificate(Damage),
    DamagedKey(Damage),
    /// A certificate that is marked as not trusted for servers.
    DistrustedCertificate(CertificateDer<'static>),
    EncryptedKey(EncryptedKey),
    Key(Zeroizing<PrivateKeyDer<'static>>),
    Other,
    #[cfg_attr(
        not(feature = "pfx"),
        expect(dead_code, reason = "read by what opens it")
    )]
    Pfx(Zeroizing<Vec<u8>>),
    Pkcs7,
    PublicKey,
    Request,
    UnsupportedKey(UnsupportedKey),
}

/// Why a section cannot be decoded.
#[derive(Clone, Copy)]
pub(crate) enum Damage {
    CutOrAltered,
    /// Its contents are not base64.
    Garbled,
}

impl Damage {
    fn of(section: &Section<'_>) -> Self {
        if section.is_garbled() {
            Self::Garbled
        } else {
            Self::CutOrAltered
        }
    }
}

/// An encrypted private key.
pub(crate) enum EncryptedKey {
    /// `Proc-Type: 4,ENCRYPTED`, with a weak derivation of the key from the password.
    Old {
        /// OpenSSL 3 opens it only with its legacy provider.
        legacy: bool,
    },
    /// An EncryptedPrivateKeyInfo in DER.
    #[cfg_attr(
        not(feature = "pfx"),
        expect(dead_code, reason = "read by what opens it")
    )]
    Pkcs8(Zeroizing<Vec<u8>>),
}

/// A private key in an unsupported format.
pub(crate) enum UnsupportedKey {
    OpenSsh,
    Other,
}

/// Reads the file at `path`. The bytes are wiped when dropped, because they may contain a key.
pub(crate) fn read(path: &Path, part: Part) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    if is_content(&path.to_string_lossy()) {
        return Err(IdentityError::content_given(part));
    }
    let unreadable = |error: io::Error| IdentityError::unreadable(part, path, error);
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len().min(LARGEST_FILE);
    // The reserved capacity avoids reallocation, which would leave copies of a key in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1));
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        let message = "the file is larger than 4 MiB, so it cannot be the right one";
        return Err(IdentityError::new(Kind::TooLarge, part, message));
    }
    Ok(bytes)
}

/// Whether `path` is in fact the contents of a file, as text or in base64, which then starts like
/// `-----BEGIN` or, for DER, like a long SEQUENCE.
fn is_content(path: &str) -> bool {
    let is_base64 = || path.starts_with("LS0tLS1CRUdJT") || path.starts_with("MII");
    path.contains(['\n', '\r']) || path.contains("-----BEGIN") || path.len() > 100 && is_base64()
}

/// Returns all items in `bytes`, in order: PEM, DER or BER, with or without base64.
pub(crate) fn items(bytes: &[u8], part: Part) -> Result<Vec<Item>, IdentityError> {
    let error = |kind, message| Err(IdentityError::new(kind, part, message));
    let text = converted(bytes);
    let text = text.as_ref().map_or(bytes, |text| text.as_slice());
    if text.trim_ascii().is_empty() {
        return error(Kind::Empty, "the file is empty; copy it again");
    }
    // Secret stores return base64, and what was stored may itself be base64.
    if let Some(items) = find(bytes, 2) {
        return Ok(items);
    }
    error(
        Kind::Unrecognized,
        foreign(text).unwrap_or(
            "the file is neither PEM (a text with a -----BEGIN … line) nor DER nor PKCS#12, or it \
             is truncated; check that it is the right file and was copied completely",
        ),
    )
}

/// Returns the items in `bytes`, decoding at most `layers` layers of base64. `None` if the result
/// is neither PEM nor DER.
fn find(bytes: &[u8], layers: u8) -> Option<Vec<Item>> {
    let text = converted(bytes);
    let text = text.as_ref().map_or(bytes, |text| text.as_slice());
    // The form in which servers forward certificates in headers.
    let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
    let is_form = has(b"-----BEGIN+");
    if is_form || has(b"-----BEGIN%20") {
        let spaced = text.iter().map(|byte| {
            if is_form && *byte == b'+' {
                b' '
            } else {
                *byte
            }
        });
        let spaced = Zeroizing::new(spaced.collect::<Vec<u8>>());
        let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
        decoded.extend(percent_encoding::percent_decode(&spaced));
        return find(&decoded, layers.checked_sub(1)?);
    }
    let items: Vec<Item> = pem::sections(text)
        .flat_map(|section| of_section(&section))
        .collect();
    if !items.is_empty() {
        return Some(items);
    }
    if bytes.starts_with(&[der::SEQUENCE]) {
        let items = of_der(bytes);
        // The tag is the character "0", which many texts begin with.
        if !is_other(&items) || der::first_element(bytes).is_some() && !bytes.is_ascii() {
            return Some(items);
        }
    }
    let layers = layers.checked_sub(1)?;
    if let Some(items) = pem::base64(text).and_then(|decoded| find(&decoded, layers)) {
        return Some(items);
    }
    let runs = pem::runs(text).filter_map(|run| find(&pem::base64(run)?, layers));
    let items: Vec<Item> = runs.flatten().collect();
    (!items.is_empty()).then_some(items)
}

/// Converts `bytes` to UTF-8 text without a byte order mark, if that differs. Any encoding is
/// accepted, because PEM is ASCII.
fn converted(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = text::read(bytes)?;
    let differs = text.len() != bytes.len();
    differs.then(|| Zeroizing::new(text.into_owned().into_bytes()))
}

/// Recognizes formats that are not supported, and describes how to convert them.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    // JKS and JCEKS.
    if bytes.starts_with(b"\xfe\xed\xfe\xed") || bytes.starts_with(b"\xce\xce\xce\xce") {
        return Some(
            "the file is a Java keystore (JKS), which is not supported: convert it to PKCS#12 with \
             `keytool -importkeystore -srckeystore client.jks -destkeystore client.p12 \
             -deststoretype PKCS12`",
        );
    }
    if bytes.starts_with(b"PuTTY-User-Key-File-") {
        return Some(
            "the file is a PuTTY key, which is not supported: convert it with \
             `puttygen client.ppk -O private-openssh -o client.key`",
        );
    }
    let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    if has(b"<RSAKeyValue>") || has(b"\"kty\"") {
        return Some(
            "the file is a key in XML or JSON (JWK), which is not supported: export the key as PEM \
             (PKCS#8)",
        );
    }
    if has(b"BEGIN ") && (has(b"CERTIFICATE") || has(b"PRIVATE KEY")) {
        return Some(
            "the dashes in its -----BEGIN … ----- and -----END … ----- lines are missing or \
             altered: there must be five, without spaces, before and after the words",
        );
    }
    bytes
        .trim_ascii_start()
        .starts_with(b"<")
        .then_some("the file is an HTML or XML page, not a certificate or key: download it again")
}

fn of_section(section: &Section<'_>) -> Vec<Item> {
    // Some stores remove spaces together with line endings.
    let label: Vec<u8> = section
        .label
        .iter()
        .copied()
        .filter(|byte| *byte != b' ')
        .collect();
    match &*label {
        b"CERTIFICATE" | b"X509CERTIFICATE" => {
            decoded(section, Item::DamagedCertificate(Damage::of(section)))
        }
        b"TRUSTEDCERTIFICATE" => {
            let items = decoded(section, Item::DamagedCertificate(Damage::of(section)));
            items
                .into_iter()
                .map(|item| distrusted(item, section))
                .collect()
        }
        b"PKCS7" | b"PKCS#7SIGNEDDATA" | b"CMS" | b"PKCS12" => decoded(section, Item::Other),
        b"CERTIFICATEREQUEST" | b"NEWCERTIFICATEREQUEST" => vec![Item::Request],
        b"PUBLICKEY" | b"RSAPUBLICKEY" => vec![Item::PublicKey],
        b"ENCRYPTEDPRIVATEKEY" => decoded(section, Item::DamagedKey(Damage::of(section))),
        b"PRIVATEKEY" | b"RSAPRIVATEKEY" | b"ECPRIVATEKEY" if !section.is_encrypted() => {
            decoded(section, Item::DamagedKey(Damage::of(section)))
        }
        b"OPENSSHPRIVATEKEY" => vec![Item::UnsupportedKey(UnsupportedKey::OpenSsh)],
        label if label.ends_with(b"PRIVATEKEY") => vec![if section.is_encrypted() {
            Item::EncryptedKey(EncryptedKey::Old {
                legacy: section.is_legacy(),
            })
        } else {
            Item::UnsupportedKey(UnsupportedKey::Other)
        }],
        _ => vec![Item::Other],
    }
}

/// A TRUSTED CERTIFICATE is followed by OpenSSL's trust settings, which may in fact distrust it.
fn distrusted(item: Item, section: &Section<'_>) -> Item {
    let Item::Certificate(certificate) = item else {
        return item;
    };
    let der = section.decode().unwrap_or_default();
    let addition = der.get(certificate.len()..).unwrap_or_default();
    if der::is_trusted_for_servers(addition) {
        Item::Certificate(certificate)
    } else {
        Item::DistrustedCertificate(certificate)
    }
}

/// Classifies a section by its content, because labels are sometimes wrong.
fn decoded(section: &Section<'_>, damaged: Item) -> Vec<Item> {
    match section.decode().map(|der| of_der(&der)) {
        Some(items) if !is_other(&items) => items,
        _ => vec![damaged],
    }
}

fn is_other(items: &[Item]) -> bool {
    matches!(items, [Item::Other])
}

/// Classifies the first element. Others may follow it: OpenSSL writes the trust settings after a
/// TRUSTED CERTIFICATE.
fn of_der(bytes: &[u8]) -> Vec<Item> {
    if let Some(der) = der::first_element(bytes) {
        let items = of_element(der);
        if !is_other(&items) {
            return items;
        }
    }
    ber::to_der(bytes).map_or_else(|| vec![Item::Other], |der| of_element(&der))
}

fn of_element(der: &[u8]) -> Vec<Item> {
    let key = |key: PrivateKeyDer<'static>| Item::Key(Zeroizing::new(key));
    let copy = || Zeroizing::new(der.to_vec());
    vec![match Shape::of(der) {
        Shape::Certificate => Item::Certificate(CertificateDer::from(der.to_vec())),
        Shape::EncryptedKey => Item::EncryptedKey(EncryptedKey::Pkcs8(copy())),
        Shape::Pfx => Item::Pfx(copy()),
        Shape::Pkcs1 => key(PrivatePkcs1KeyDer::from(der.to_vec()).into()),
        Shape::Pkcs7 => return of_pkcs7(der),
        Shape::Pkcs8 => key(PrivatePkcs8KeyDer::from(der.to_vec()).into()),
        Shape::PublicKey => Item::PublicKey,
        Shape::Request => Item::Request,
        Shape::Sec1 => key(PrivateSec1KeyDer::from(der.to_vec()).into()),
        Shape::Unknown => Item::Other,
    }]
}

/// Returns the certificates of a bundle. The bundle itself comes first, for the error if a key was
/// expected.
fn of_pkcs7(bytes: &[u8]) -> Vec<Item> {
    let mut items = vec![Item::Pkcs7];
    if let Some(der) = ber::to_der(bytes)
        && let Some(certificates) = der::certificates_of_pkcs7(&der)
    {
        let certificates = certificates
            .into_iter()
            .filter(|der| Shape::of(der) == Shape::Certificate)
            .map(|der| Item::Certificate(CertificateDer::from(der.to_vec())));
        items.extend(certificates);
    }
    items
}
