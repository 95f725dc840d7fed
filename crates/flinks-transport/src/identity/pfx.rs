//! Decrypts PKCS#12 files and encrypted PKCS#8 keys.

use flinks_types::Secret;
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12Error;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::ber::{self, encode};
use super::der::{CONTEXT_0, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE};
use super::error::{IdentityError, IdentityErrorKind as Kind, IdentityPart as Part};
use super::material::{EncryptedKey, Item};

/// Replaces each PKCS#12 file with its contents, and each encrypted key with the key, if there is a
/// password.
pub(super) fn open_all(
    items: Vec<Item>,
    password: Option<&Secret>,
    part: Part,
) -> Result<Vec<Item>, IdentityError> {
    let password = password.filter(|password| !password.is_empty());
    let mut opened = Vec::with_capacity(items.len());
    for item in items {
        match (item, password) {
            (Item::Pfx(bytes), _) => {
                let archive = open(&bytes, password)
                    .map_err(|fault| fault.of_pfx(part, password.is_some()))?;
                opened.append(&mut contents(archive));
            }
            (Item::EncryptedKey(EncryptedKey::Pkcs8(der)), Some(password)) => {
                let archive = open_key(&der, password).map_err(|fault| fault.of_key())?;
                opened.append(&mut contents(archive));
            }
            (item, _) => opened.push(item),
        }
    }
    Ok(opened)
}

fn contents(archive: Pkcs12Archive) -> Vec<Item> {
    let certificates = archive.certs.iter().map(|bag| {
        let der = bag.cert.as_der().to_vec();
        Item::Certificate(CertificateDer::from(der))
    });
    let keys = archive.keys.iter().map(|bag| {
        let der = PrivatePkcs8KeyDer::from(bag.key.as_der().to_vec());
        Item::Key(Zeroizing::new(PrivateKeyDer::from(der)))
    });
    certificates.chain(keys).collect()
}

/// Opens a PKCS#12 file, in BER or DER.
///
/// The checksum covers the inner structure in its original encoding. A file in BER is therefore
/// opened twice: unchanged, to verify the checksum, and then in DER without the checksum.
fn open(bytes: &[u8], password: Option<&Secret>) -> Result<Pkcs12Archive, Fault> {
    let password = password.map_or("", Secret::expose);
    let der = ber::to_der(bytes).ok_or(Fault::Damaged)?;
    let (inner, has_checksum) = inner(&der).ok_or(Fault::Damaged)?;
    let inner_der = inner_to_der(inner).ok_or(Fault::Damaged)?;
    let fault = |error: &Pkcs12Error| Fault::of(error, has_checksum).unless_unknown(&der, password);
    match Pkcs12Archive::from_pkcs12(&der, password) {
        Ok(archive) => Ok(archive),
        Err(Pkcs12Error::DerError(_)) if inner != inner_der.as_slice() => {
            Pkcs12Archive::from_pkcs12(&without_checksum(&inner_der), password)
                .map_err(|error| fault(&error))
        }
        Err(error) => Err(fault(&error)),
    }
}

/// Decrypts an EncryptedPrivateKeyInfo by wrapping it in a PKCS#12 file.
fn open_key(der: &[u8], password: &Secret) -> Result<Pkcs12Archive, Fault> {
    let der = ber::to_der(der).ok_or(Fault::Damaged)?;
    let bag = sequence(&[
        &encode(OBJECT_IDENTIFIER, SHROUDED_KEY_BAG),
        &encode(CONTEXT_0, &der),
    ]);
    let safe = data(&sequence(&[&bag]));
    let pfx = without_checksum(&sequence(&[&safe]));
    let password = password.expose();
    Pkcs12Archive::from_pkcs12(&pfx, password)
        .map_err(|error| Fault::of(&error, false).unless_unknown(&der, password))
}

/// 1.2.840.113549.1.12.10.1.2
const SHROUDED_KEY_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02";
/// 1.2.840.113549.1.7.1
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

/// PFX ::= SEQUENCE { version, authSafe, macData OPTIONAL }: what authSafe holds, in DER or BER, and
/// whether there is a checksum.
fn inner(pfx: &[u8]) -> Option<(&[u8], bool)> {
    let mut pfx = Reader(pfx).enter(SEQUENCE)?;
    pfx.next()?;
    let content = content(pfx.expect(SEQUENCE)?.whole)?;
    Some((content, pfx.next().is_some()))
}

/// What a ContentInfo of type data holds.
fn content(info: &[u8]) -> Option<&[u8]> {
    let mut info = Reader(info).enter(SEQUENCE)?;
    info.expect(OBJECT_IDENTIFIER)
        .filter(|id| id.content == DATA)?;
    let octets = info.enter(CONTEXT_0)?.expect(OCTET_STRING)?;
    Some(octets.content)
}

/// AuthenticatedSafe ::= SEQUENCE OF ContentInfo, and the SafeContents in those that are not
/// encrypted.
fn inner_to_der(inner: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let der = ber::to_der(inner)?;
    let mut safes = Reader(&der).enter(SEQUENCE)?;
    let mut converted = Zeroizing::new(Vec::with_capacity(der.len()));
    while let Some(safe) = safes.next() {
        match content(safe.whole) {
            Some(bags) => converted.extend_from_slice(&data(&ber::to_der(bags)?)),
            None => converted.extend_from_slice(safe.whole),
        }
    }
    Some(encode(SEQUENCE, &converted))
}

fn without_checksum(inner: &[u8]) -> Zeroizing<Vec<u8>> {
    const VERSION_3: &[u8] = b"\x02\x01\x03";
    sequence(&[VERSION_3, &data(inner)])
}

/// A ContentInfo of type data.
fn data(content: &[u8]) -> Zeroizing<Vec<u8>> {
    let content = encode(CONTEXT_0, &encode(OCTET_STRING, content));
    sequence(&[&encode(OBJECT_IDENTIFIER, DATA), &content])
}

fn sequence(elements: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    encode(SEQUENCE, &Zeroizing::new(elements.concat()))
}

/// Why decryption failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    Damaged,
    Unsupported,
    WrongPassword,
}

impl Fault {
    /// If the checksum is right, so is the password. Without a checksum, a wrong password yields
    /// invalid contents.
    fn of(error: &Pkcs12Error, has_checksum: bool) -> Self {
        match error {
            Pkcs12Error::MacError(_) => Self::WrongPassword,
            Pkcs12Error::UnsupportedContentType
            | Pkcs12Error::UnsupportedCertificateType
            | Pkcs12Error::UnsupportedEncryptionScheme
            | Pkcs12Error::UnsupportedMacAlgorithm
            | Pkcs12Error::InvalidVersion
            | Pkcs12Error::InvalidParameters => Self::Unsupported,
            Pkcs12Error::Pkcs5Error(reason) if !is_failed_decryption(reason) => Self::Unsupported,
            Pkcs12Error::DerError(reason) if is_unknown_algorithm(&reason.to_string()) => {
                Self::Unsupported
            }
            Pkcs12Error::Pkcs5Error(_)
            | Pkcs12Error::UnpadError
            | Pkcs12Error::DerError(_)
            | Pkcs12Error::X509Error(_)
            | Pkcs12Error::InvalidPrivateKey
                if !has_checksum =>
            {
                Self::WrongPassword
            }
            Pkcs12Error::Pkcs5Error(_)
            | Pkcs12Error::UnpadError
            | Pkcs12Error::DerError(_)
            | Pkcs12Error::X509Error(_)
            | Pkcs12Error::InvalidPrivateKey
            | Pkcs12Error::IoError(_)
            | Pkcs12Error::InvalidLength
            | Pkcs12Error::InvalidData => Self::Damaged,
        }
    }

    /// The PKCS#12 parser reports what it does not support as damage: RC2 under PBES2, and
    /// passwords with characters that need two UTF-16 units.
    fn unless_unknown(self, der: &[u8], password: &str) -> Self {
        const RC2_CBC: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x03\x02";

        let has_rc2 = || der.windows(RC2_CBC.len()).any(|window| window == RC2_CBC);
        let is_unknown = has_rc2() || password.chars().any(|character| character > '\u{ffff}');
        match self {
            Self::Damaged if is_unknown => Self::Unsupported,
            // Without a checksum.
            Self::WrongPassword if has_rc2() => Self::Unsupported,
            fault @ (Self::Damaged | Self::WrongPassword | Self::Unsupported) => fault,
        }
    }

    fn of_pfx(self, part: Part, password_given: bool) -> IdentityError {
        let (kind, message) = match self {
            Self::Damaged => (
                Kind::Damaged,
                "the PKCS#12 file is truncated or was altered; copy it again",
            ),
            Self::Unsupported => (
                Kind::Unrecognized,
                "the encryption of the PKCS#12 file is not supported: convert it with \
                 `openssl pkcs12 -legacy -in client.pfx -nodes -out client.pem` (omit -legacy \
                 before OpenSSL 3) and use the result, which only this program may read, for both \
                 certificate and key",
            ),
            Self::WrongPassword if password_given => (
                Kind::WrongPassword,
                "the password is wrong for the PKCS#12 file, or the file was altered",
            ),
            Self::WrongPassword => (
                Kind::WrongPassword,
                "the PKCS#12 file requires a password, and none was given",
            ),
        };
        IdentityError::new(kind, part, message)
    }

    fn of_key(self) -> IdentityError {
        let (kind, message) = match self {
            Self::Damaged => (
                Kind::Damaged,
                "the private key is truncated or was altered; copy the file again",
            ),
            Self::Unsupported => (
                Kind::EncryptedKey,
                "the encryption of the private key is not supported: convert it with \
                 `openssl pkcs8 -provider legacy -provider default -topk8 -in client.key \
                 -out client-aes.key` (omit the providers before OpenSSL 3; add -inform der if \
                 the file is binary)",
            ),
            Self::WrongPassword => (
                Kind::WrongPassword,
                "the password is wrong for the private key, or the file was altered",
            ),
        };
        IdentityError::new(kind, Part::Key, message)
    }
}

/// The other crate's error exposes only its text.
fn is_unknown_algorithm(reason: &str) -> bool {
    reason.contains("unsupported OID")
}

/// As for [`is_unknown_algorithm`].
fn is_failed_decryption(reason: &str) -> bool {
    reason.contains("decryption failed")
}
