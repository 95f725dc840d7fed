//! Opens PKCS#12 files.

use flinks_types::Secret;
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12Error;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::der::Shape;
use super::error::{IdentityError, IdentityErrorKind as Kind, Subject};

type Opened = (
    Vec<CertificateDer<'static>>,
    Zeroizing<PrivateKeyDer<'static>>,
);

/// The certificates, in the order of the file, and the first private key.
pub(super) fn open(bytes: &[u8], password: &Secret) -> Result<Opened, IdentityError> {
    let error = |kind, message| IdentityError::new(kind, Subject::Pfx, message);
    if bytes.is_empty() {
        return Err(error(
            Kind::Empty,
            "is empty; check the path, and copy the file again",
        ));
    }
    if Shape::of(bytes) != Shape::Pfx {
        return Err(error(
            Kind::Unrecognized,
            "is no PKCS#12 file (.pfx, .p12), or is cut short; a certificate and key in PEM or DER are \
             given as such",
        ));
    }
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.expose()).map_err(|cause| {
        let (kind, message) = reason(&cause);
        error(kind, message)
    })?;
    let key = archive.keys.first().ok_or_else(|| {
        error(
            Kind::NoKey,
            "there is no private key in it: export it again, with the key",
        )
    })?;
    let chain: Vec<_> = archive
        .certs
        .iter()
        .map(|bag| CertificateDer::from(bag.cert.as_der().to_vec()))
        .collect();
    if chain.is_empty() {
        return Err(error(
            Kind::NoCertificate,
            "there is no certificate in it: export it again, with the certificate",
        ));
    }
    let key = PrivatePkcs8KeyDer::from(key.key.as_der().to_vec());
    Ok((chain, Zeroizing::new(key.into())))
}

fn reason(cause: &Pkcs12Error) -> (Kind, &'static str) {
    match cause {
        // Without a checksum a wrong password shows as a content that makes no sense.
        Pkcs12Error::MacError(_) | Pkcs12Error::UnpadError | Pkcs12Error::Pkcs5Error(_) => {
            (Kind::WrongPassword, "the password does not open it")
        }
        Pkcs12Error::UnsupportedContentType
        | Pkcs12Error::UnsupportedCertificateType
        | Pkcs12Error::UnsupportedEncryptionScheme
        | Pkcs12Error::UnsupportedMacAlgorithm
        | Pkcs12Error::InvalidVersion
        | Pkcs12Error::InvalidParameters => (
            Kind::Unrecognized,
            "is protected in a way that is not supported: export it again with AES-256, or convert \
             it with `openssl pkcs12 -in client.pfx -nodes -out client.pem`",
        ),
        Pkcs12Error::IoError(_)
        | Pkcs12Error::DerError(_)
        | Pkcs12Error::X509Error(_)
        | Pkcs12Error::InvalidLength
        | Pkcs12Error::InvalidData
        | Pkcs12Error::InvalidPrivateKey => (
            Kind::Damaged,
            "is cut short or altered; copy the file again",
        ),
    }
}
