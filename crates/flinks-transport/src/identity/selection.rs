//! Picks the certificates or the key out of what a file holds, or says what stands there instead.

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::error::{IdentityError, IdentityErrorKind as Kind, Subject};
use super::material::Item;

/// The certificates among `items`, in their order.
pub(crate) fn certificates(
    items: Vec<Item>,
    subject: Subject,
) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let of_roots = subject == Subject::Roots;
    let wanted = if of_roots {
        "a certificate to trust: give the file of the authority's certificates"
    } else {
        "the certificate Flinks returned: give the signed .pem or .crt file"
    };
    let not = |what: &str| format!("this is {what}, not {wanted}");
    let mut chain = Vec::new();
    let mut instead = None;
    for item in items {
        let (kind, message) = match item {
            Item::Certificate(der) => {
                chain.push(der);
                continue;
            }
            Item::DamagedCertificate => {
                let message = "a certificate in it is cut short or altered; copy the file again";
                return Err(IdentityError::new(Kind::Damaged, subject, message));
            }
            Item::Request => (Kind::RequestGiven, not("a certificate request (CSR)")),
            Item::Key(_) | Item::EncryptedKey | Item::UnsupportedKey | Item::DamagedKey => {
                let swapped = if of_roots {
                    ""
                } else {
                    " (are the two files swapped?)"
                };
                (Kind::KeyGiven, not("a private key") + swapped)
            }
            Item::PublicKey => (Kind::PublicKeyGiven, not("a public key")),
            Item::Pfx if of_roots => (Kind::PfxGiven, not("a PKCS#12 file (.pfx, .p12)")),
            Item::Pfx => (Kind::PfxGiven, PFX_GIVEN.to_owned()),
            Item::Pkcs7 => (
                Kind::Pkcs7Given,
                "this is a PKCS#7 bundle: convert it with `openssl pkcs7 -in bundle.p7b \
                 -print_certs -out certificates.pem` (add `-inform der` if it is binary)"
                    .to_owned(),
            ),
            Item::Other => continue,
        };
        instead.get_or_insert((kind, message));
    }
    if !chain.is_empty() {
        return Ok(chain);
    }
    let (kind, message) = instead.unwrap_or_else(|| {
        let message = "there is no certificate in it: give a .pem or .crt file";
        (Kind::NoCertificate, message.to_owned())
    });
    Err(IdentityError::new(kind, subject, message))
}

/// The first private key among `items`.
pub(super) fn private_key(
    items: Vec<Item>,
) -> Result<Zeroizing<PrivateKeyDer<'static>>, IdentityError> {
    let mut instead: Option<(u8, IdentityError)> = None;
    for item in items {
        // A key that cannot be used says more than whatever lies beside it.
        let (rank, kind, message) = match item {
            Item::Key(key) => return Ok(key),
            Item::EncryptedKey => (
                0,
                Kind::EncryptedKey,
                "the private key is protected by a password; write a copy without one with \
                 `openssl pkcs8 -topk8 -nocrypt -in client.key -out client-plain.key`, readable \
                 by this program only",
            ),
            Item::DamagedKey => (
                0,
                Kind::Damaged,
                "the private key is cut short or altered; copy the file again",
            ),
            Item::UnsupportedKey => (0, Kind::UnsupportedKey, UNSUPPORTED_KEY),
            Item::Certificate(_) | Item::DamagedCertificate => (
                1,
                Kind::CertificateGiven,
                "this is a certificate, not a private key: give the key that the certificate \
                 request was made with (are the two files swapped?)",
            ),
            Item::Request => (
                1,
                Kind::RequestGiven,
                "this is a certificate request (CSR), not a private key: give the key that it was \
                 made with",
            ),
            Item::PublicKey => (
                1,
                Kind::PublicKeyGiven,
                "this is a public key, not a private key: give the key that the certificate \
                 request was made with",
            ),
            Item::Pfx => (1, Kind::PfxGiven, PFX_GIVEN),
            Item::Pkcs7 => (
                1,
                Kind::Pkcs7Given,
                "this is a PKCS#7 bundle, which holds certificates only: give the private key",
            ),
            Item::Other => continue,
        };
        if instead.as_ref().is_none_or(|(least, _)| rank < *least) {
            instead = Some((rank, IdentityError::new(kind, Subject::Key, message)));
        }
    }
    Err(instead.map_or_else(
        || {
            let message = "there is no private key in it: give the key that the certificate \
                           request was made with";
            IdentityError::new(Kind::NoKey, Subject::Key, message)
        },
        |(_, error)| error,
    ))
}

pub(super) const UNSUPPORTED_KEY: &str = "the private key is of a type or size that is not \
     supported (or is damaged): use RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519, in PKCS#8, \
     PKCS#1 or SEC1 form";

const PFX_GIVEN: &str = if cfg!(feature = "pfx") {
    "this is a PKCS#12 file (.pfx, .p12): open it as one, with its password"
} else {
    "this is a PKCS#12 file (.pfx, .p12), which this build cannot open: enable the feature `pfx`, \
     or convert it with `openssl pkcs12 -in client.pfx -nodes -out client.pem`"
};
