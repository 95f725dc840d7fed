//! Selects the certificates and keys in a file, or reports what it contains instead.

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::{IdentityError, IdentityErrorKind as Kind, IdentityPart as Part};
use super::material::{Damage, EncryptedKey, Item, UnsupportedKey};

/// Returns the certificates among `items`, in order.
pub(crate) fn certificates_in(
    items: &[Item],
    part: Part,
) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let of_roots = part == Part::Roots;
    let wanted = if of_roots {
        "a certificate to trust: give the file with the authority's certificates"
    } else {
        "the certificate Flinks returned: give the signed .pem or .crt file"
    };
    let not = |what: &str| format!("this is {what}, not {wanted}");
    let mut chain = Vec::new();
    let mut instead = None;
    for item in items {
        let (kind, message) = match item {
            Item::Certificate(der) => {
                chain.push(der.clone());
                continue;
            }
            Item::DistrustedCertificate(der) if !of_roots => {
                chain.push(der.clone());
                continue;
            }
            Item::DistrustedCertificate(_) => (
                Kind::NoCertificate,
                "it contains only certificates that are marked as not trusted for servers"
                    .to_owned(),
            ),
            Item::DamagedCertificate(damage) => {
                let message = match damage {
                    Damage::CutOrAltered => {
                        "it contains a certificate that is truncated or was altered; copy the file again"
                    }
                    Damage::Garbled => {
                        "it contains a certificate whose lines were changed: the text between the \
                         BEGIN and END lines is not base64, for example because of quotes, \
                         indents or escaped line breaks; give the original file"
                    }
                };
                return Err(IdentityError::new(Kind::Damaged, part, message));
            }
            Item::Request => (Kind::RequestGiven, not("a certificate request (CSR)")),
            Item::Key(_)
            | Item::EncryptedKey(_)
            | Item::UnsupportedKey(_)
            | Item::DamagedKey(_) => {
                let swapped = if of_roots {
                    ""
                } else {
                    " (are the two files swapped?)"
                };
                (Kind::KeyGiven, not("a private key") + swapped)
            }
            Item::PublicKey => (Kind::PublicKeyGiven, not("a public key")),
            Item::Pfx(_) if of_roots => (
                Kind::PfxGiven,
                "this is a PKCS#12 file (.pfx, .p12), not PEM or DER: convert it with \
                 `openssl pkcs12 -legacy -in ca.pfx -nokeys -out ca.pem` (omit -legacy before \
                 OpenSSL 3)"
                    .to_owned(),
            ),
            Item::Pfx(_) => (Kind::PfxGiven, PFX_GIVEN.to_owned()),
            Item::Pkcs7 | Item::Other => continue,
        };
        instead.get_or_insert((kind, message));
    }
    if !chain.is_empty() {
        return Ok(chain);
    }
    let (kind, message) = instead.unwrap_or_else(|| {
        let message = "it contains no certificate: give a .pem or .crt file";
        (Kind::NoCertificate, message.to_owned())
    });
    Err(IdentityError::new(kind, part, message))
}

/// Returns the private keys among `items`, in order; at least one.
pub(super) fn private_keys(items: &[Item]) -> Result<Vec<&PrivateKeyDer<'static>>, IdentityError> {
    keys(items, u8::MAX)
}

/// Returns the private keys in a file that also contains the certificate.
pub(super) fn private_keys_beside(
    items: &[Item],
) -> Result<Vec<&PrivateKeyDer<'static>>, IdentityError> {
    keys(items, 0)
}

/// Returns the keys, or an error for what the file contains instead, unless its rank is above
/// `highest`.
fn keys<'a>(
    items: &'a [Item],
    highest: u8,
) -> Result<Vec<&'a PrivateKeyDer<'static>>, IdentityError> {
    let key = |item: &'a Item| {
        if let Item::Key(key) = item {
            Some(&**key)
        } else {
            None
        }
    };
    let keys: Vec<_> = items.iter().filter_map(key).collect();
    if !keys.is_empty() {
        return Ok(keys);
    }
    let instead = items
        .iter()
        .filter_map(instead_of_key)
        .filter(|(rank, ..)| *rank <= highest)
        .min_by_key(|(rank, ..)| *rank);
    let (_, kind, message) = instead.unwrap_or((
        0,
        Kind::NoKey,
        "it contains no private key: give the key that the certificate request was created with",
    ));
    Err(IdentityError::new(kind, Part::Key, message))
}

/// Returns the message for an item that is not a usable key, and its rank: an unusable key (0) is
/// reported before anything else in the file.
fn instead_of_key(item: &Item) -> Option<(u8, Kind, &'static str)> {
    Some(match item {
        Item::EncryptedKey(EncryptedKey::Pkcs8(_)) => (0, Kind::EncryptedKey, ENCRYPTED_KEY),
        Item::EncryptedKey(EncryptedKey::Old { legacy: false }) => {
            (0, Kind::EncryptedKey, OLD_ENCRYPTED_KEY)
        }
        Item::EncryptedKey(EncryptedKey::Old { legacy: true }) => {
            (0, Kind::EncryptedKey, LEGACY_ENCRYPTED_KEY)
        }
        Item::DamagedKey(Damage::CutOrAltered) => (
            0,
            Kind::Damaged,
            "the private key is truncated or was altered; copy the file again",
        ),
        Item::DamagedKey(Damage::Garbled) => (
            0,
            Kind::Damaged,
            "the lines of the private key were changed: the text between the BEGIN and END lines is \
             not base64, for example because of quotes, indents or escaped line breaks; give the \
             original file",
        ),
        Item::UnsupportedKey(UnsupportedKey::OpenSsh) => (
            0,
            Kind::UnsupportedKey,
            "the private key is in OpenSSH format, which is not supported: convert a copy of it (RSA \
             or ECDSA) with `ssh-keygen -p -m PKCS8 -N '' -f client.key`, which overwrites the \
             file",
        ),
        Item::UnsupportedKey(UnsupportedKey::Other) => (0, Kind::UnsupportedKey, UNSUPPORTED_KEY),
        Item::Certificate(_) | Item::DistrustedCertificate(_) | Item::DamagedCertificate(_) => (
            2,
            Kind::CertificateGiven,
            "this is a certificate, not a private key: give the key that the certificate request \
             was created with (are the two files swapped?)",
        ),
        Item::Request => (
            1,
            Kind::RequestGiven,
            "this is a certificate request (CSR), not a private key: give the key that it was \
             created with",
        ),
        Item::PublicKey => (
            1,
            Kind::PublicKeyGiven,
            "this is a public key, not a private key: give the key that the certificate request \
             was created with",
        ),
        Item::Pfx(_) => (1, Kind::PfxGiven, PFX_GIVEN),
        Item::Pkcs7 => (
            1,
            Kind::Pkcs7Given,
            "this is a PKCS#7 bundle, which contains only certificates: give the private key",
        ),
        Item::Key(_) | Item::Other => return None,
    })
}

pub(super) const UNSUPPORTED_KEY: &str = "the private key has a type or size that is not \
     supported, or is damaged: use RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519, in PKCS#8, \
     PKCS#1 or SEC1 format";

const ENCRYPTED_KEY: &str = if cfg!(feature = "pfx") {
    "the private key is encrypted, and no password was given: give it, or write an unencrypted copy \
     with `openssl pkcs8 -topk8 -nocrypt -in client.key -out client-plain.key` (add -inform der if \
     the file is binary), readable by this program only"
} else {
    "the private key is encrypted, and this build cannot decrypt it: enable the feature `pfx`, or \
     write an unencrypted copy with `openssl pkcs8 -topk8 -nocrypt -in client.key \
     -out client-plain.key` (add -inform der if the file is binary), readable by this program only"
};

const OLD_ENCRYPTED_KEY: &str = if cfg!(feature = "pfx") {
    "the private key is encrypted in the old format (Proc-Type: 4,ENCRYPTED), which is not \
     supported: convert it with `openssl pkcs8 -topk8 -in client.key -out client-pkcs8.key`, and give \
     the new password"
} else {
    "the private key is encrypted: write an unencrypted copy with \
     `openssl pkcs8 -topk8 -nocrypt -in client.key -out client-plain.key`, readable by this program \
     only"
};

const LEGACY_ENCRYPTED_KEY: &str = if cfg!(feature = "pfx") {
    "the private key is encrypted in an old format and with an old cipher, which is not \
     supported: convert it with `openssl pkcs8 -provider legacy -provider default -topk8 \
     -in client.key -out client-pkcs8.key` (omit the providers before OpenSSL 3), and give the \
     new password"
} else {
    "the private key is encrypted: write an unencrypted copy with `openssl pkcs8 \
     -provider legacy -provider default -topk8 -nocrypt -in client.key -out client-plain.key` \
     (omit the providers before OpenSSL 3), readable by this program only"
};

const PFX_GIVEN: &str = if cfg!(feature = "pfx") {
    "this is a PKCS#12 file (.pfx, .p12): give it as the certificate, with its password"
} else {
    "this is a PKCS#12 file (.pfx, .p12), which this build cannot open: enable the feature `pfx`, \
     or convert it with `openssl pkcs12 -legacy -in client.pfx -nodes -out client.pem` (omit \
     -legacy before OpenSSL 3) and use the result, which only this program may read, for both \
     certificate and key"
};
