//! Reads a file of certificates and keys, PEM or DER, and names each thing in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use zeroize::Zeroizing;

use super::der::{self, Shape};
use super::error::{IdentityError, IdentityErrorKind, Subject};
use super::pem::{self, Section};

/// The largest bundles of root certificates are a quarter of a megabyte.
const LARGEST_FILE: u64 = 4 << 20;

/// One thing that a file holds.
pub(crate) enum Item {
    Certificate(CertificateDer<'static>),
    DamagedCertificate,
    DamagedKey,
    EncryptedKey,
    Key(Zeroizing<PrivateKeyDer<'static>>),
    Other,
    Pfx,
    Pkcs7,
    PublicKey,
    Request,
    UnsupportedKey,
}

/// The bytes of a file, wiped when they are dropped, since they may hold a key.
pub(crate) fn read(path: &Path, subject: Subject) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    let unreadable = |error: io::Error| IdentityError::unreadable(subject, error).at(path);
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len().min(LARGEST_FILE);
    // With the room reserved the bytes are not moved while they are read, and leave no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1));
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        let message = "is larger than 4 MiB, so it cannot be what it should be; check the path";
        return Err(IdentityError::new(IdentityErrorKind::TooLarge, subject, message).at(path));
    }
    Ok(bytes)
}

/// Everything in `bytes`, in its order.
pub(crate) fn items(bytes: &[u8], subject: Subject) -> Result<Vec<Item>, IdentityError> {
    let text = utf8(bytes);
    let bytes = text.as_ref().map_or(bytes, |text| text.as_slice());
    let blank = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if blank.trim_ascii().is_empty() {
        let message = "is empty; check the path, and copy the file again";
        return Err(IdentityError::new(
            IdentityErrorKind::Empty,
            subject,
            message,
        ));
    }
    let items: Vec<Item> = pem::sections(bytes)
        .map(|section| of_section(&section))
        .collect();
    if !items.is_empty() {
        return Ok(items);
    }
    match der::first_element(bytes) {
        Some(element) if bytes.starts_with(&[der::SEQUENCE]) => Ok(vec![of_der(element)]),
        _ => Err(IdentityError::new(
            IdentityErrorKind::Unrecognized,
            subject,
            "is neither PEM (a text with a -----BEGIN … line) nor DER; check that it is the right \
             file, copied whole and not converted",
        )),
    }
}

/// Windows shells write redirected output as UTF-16.
fn utf8(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    let join = match [first, second] {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return None,
    };
    let (pairs, _) = rest.as_chunks::<2>();
    let mut text = Zeroizing::new(Vec::with_capacity(pairs.len()));
    // PEM is ASCII, and whatever else surrounds it is skipped.
    text.extend(
        pairs
            .iter()
            .map(|pair| u8::try_from(join(*pair)).unwrap_or(b'?')),
    );
    Some(text)
}

fn of_section(section: &Section<'_>) -> Item {
    match section.label {
        b"CERTIFICATE" => decoded(section, Item::DamagedCertificate),
        b"PRIVATE KEY" | b"RSA PRIVATE KEY" | b"EC PRIVATE KEY" if !section.is_encrypted() => {
            decoded(section, Item::DamagedKey)
        }
        b"ENCRYPTED PRIVATE KEY" => Item::EncryptedKey,
        b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => Item::Request,
        b"PUBLIC KEY" | b"RSA PUBLIC KEY" => Item::PublicKey,
        b"PKCS7" | b"CMS" => Item::Pkcs7,
        label if label.ends_with(b"PRIVATE KEY") => {
            if section.is_encrypted() {
                Item::EncryptedKey
            } else {
                Item::UnsupportedKey
            }
        }
        _ => Item::Other,
    }
}

/// A section is what its content is, since labels are sometimes wrong.
fn decoded(section: &Section<'_>, damaged: Item) -> Item {
    let Some(der) = section.decode().map(Zeroizing::new) else {
        return damaged;
    };
    let item = of_der(der::first_element(&der).unwrap_or_default());
    if matches!(item, Item::Other) {
        damaged
    } else {
        item
    }
}

fn of_der(der: &[u8]) -> Item {
    let key = |key: PrivateKeyDer<'static>| Item::Key(Zeroizing::new(key));
    match Shape::of(der) {
        Shape::Certificate => Item::Certificate(CertificateDer::from(der.to_vec())),
        Shape::EncryptedKey => Item::EncryptedKey,
        Shape::Pfx => Item::Pfx,
        Shape::Pkcs1 => key(PrivatePkcs1KeyDer::from(der.to_vec()).into()),
        Shape::Pkcs7 => Item::Pkcs7,
        Shape::Pkcs8 => key(PrivatePkcs8KeyDer::from(der.to_vec()).into()),
        Shape::PublicKey => Item::PublicKey,
        Shape::Request => Item::Request,
        Shape::Sec1 => key(PrivateSec1KeyDer::from(der.to_vec()).into()),
        Shape::Unknown => Item::Other,
    }
}
