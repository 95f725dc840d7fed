//! The client certificate and private key for mutual TLS, which the upload host requires.

mod ber;
mod certificate_file;
mod date;
mod der;
mod elliptic;
mod error;
mod material;
mod name;
mod pem;
#[cfg(feature = "pfx")]
mod pfx;
mod selection;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use flinks_types::Secret;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use zeroize::Zeroizing;

pub use error::{IdentityError, IdentityErrorKind, IdentityPart};

pub(crate) use material::{Item, items, read};
pub(crate) use name::{CertificateFields, is_issued_by};
pub(crate) use selection::certificates_in;

pub(crate) use date::format as shown_date;

use der::Facts;
#[cfg(feature = "pfx")]
use pfx::open_all;
use selection::UNSUPPORTED_KEY;

use crate::crypto::{CryptoProvider, provider};

/// A client certificate, with its chain, and the private key it was issued for.
///
/// Loading checks everything that can be checked offline: that each file has the right contents,
/// and that the key matches the certificate. The validity dates are checked when a transport is
/// built, or with [`ClientIdentity::check`].
///
/// Accepts PEM, DER and, with the feature `pfx`, PKCS#12; certificates also as PKCS#7. PEM may have
/// a byte order mark, text around its sections, and any line endings or none. BER is accepted in
/// place of DER, and base64 of any of these. Keys may be PKCS#8, PKCS#1 or SEC1, and RSA (2048 to
/// 4096 bits), P-256, P-384 or Ed25519. Use the certificate that Flinks returned and the key that
/// its request was created with (Upload guide, "Credentials You Will Receive from Flinks").
///
/// Clones share one copy of the key. `Debug` shows only the dates and the length of the chain.
///
/// ```
/// use flinks_transport::{ClientIdentity, IdentityErrorKind};
///
/// # let key = rcgen::KeyPair::generate().unwrap();
/// # let parameters = rcgen::CertificateParams::new(vec!["client.test".to_owned()]).unwrap();
/// # let certificate_pem = parameters.self_signed(&key).unwrap().pem();
/// # let request_pem = parameters.serialize_request(&key).unwrap().pem().unwrap();
/// # let key_pem = key.serialize_pem();
/// let identity = ClientIdentity::from_pem(certificate_pem.as_bytes(), key_pem.as_bytes())?;
/// identity.check()?;
///
/// // The first mistake in the guide's table of errors is found before anything is sent.
/// let error = ClientIdentity::from_pem(request_pem.as_bytes(), key_pem.as_bytes()).unwrap_err();
/// assert_eq!(error.kind(), IdentityErrorKind::RequestGiven);
/// # Ok::<(), flinks_transport::IdentityError>(())
/// ```
#[derive(Clone)]
pub struct ClientIdentity(Arc<Inner>);

struct Inner {
    certified: Arc<CertifiedKey>,
    /// Loaded again if a transport chooses another crypto provider.
    key: Zeroizing<PrivateKeyDer<'static>>,
    not_before: SystemTime,
    not_after: SystemTime,
}

impl ClientIdentity {
    /// Reads a certificate, with its chain if there is one, and its private key from two files. If
    /// one file contains both, give its path twice.
    ///
    /// Blocks while it reads the files.
    ///
    /// # Errors
    /// As [`ClientIdentity::from_pem`], and when a file cannot be read.
    pub fn from_pem_files(
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, IdentityError> {
        let certificate = read(certificate.as_ref(), IdentityPart::Certificate)?;
        let key = read(key.as_ref(), IdentityPart::Key)?;
        Self::from_pem(&certificate, &key)
    }

    /// Reads a certificate, with its chain if there is one, and its private key, which is in the same
    /// file if `key` is `None`. Files may also be PKCS#12, and the key may be encrypted with
    /// `password`; a password that is not needed is ignored.
    ///
    /// If both files contain a key, the one in `key` is used. Blocks while it reads the files and
    /// derives keys from the password.
    ///
    /// # Errors
    /// As [`ClientIdentity::from_pem`], when a file cannot be read, and
    /// [`IdentityErrorKind::WrongPassword`]. Without the feature `pfx` nothing is decrypted.
    pub fn from_files(
        certificate: impl AsRef<Path>,
        key: Option<&Path>,
        password: Option<&Secret>,
    ) -> Result<Self, IdentityError> {
        let load = |path: &Path, part| open_all(items(&read(path, part)?, part)?, password, part);
        let certificate = load(certificate.as_ref(), IdentityPart::Certificate)?;
        match key {
            None => Self::from_items(&certificate, None),
            Some(key) => Self::from_items(&certificate, Some(&load(key, IdentityPart::Key)?)),
        }
    }

    /// Parses a certificate, with its chain if there is one, and its private key. If one slice
    /// contains both, give it twice.
    ///
    /// Keeps the order of a chain, unless the certificate that matches the key is not first: it is
    /// then moved there, followed by its issuers. Of several keys, the first that matches one of
    /// the certificates is used.
    ///
    /// # Errors
    /// Each mistake has its own [`IdentityErrorKind`], such as a request (CSR) or a key instead of
    /// the certificate, a key that does not match it, and an encrypted key.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let certificate = items(certificate, IdentityPart::Certificate)?;
        Self::from_items(&certificate, Some(&items(key, IdentityPart::Key)?))
    }

    /// Reads a PKCS#12 file (`.pfx`, `.p12`), such as one created by `openssl pkcs12 -export`.
    ///
    /// Blocks while it reads the file. For a file without a password, pass an empty one.
    ///
    /// # Errors
    /// As [`ClientIdentity::from_pfx`], and when the file cannot be read.
    #[cfg(feature = "pfx")]
    pub fn from_pfx_file(path: impl AsRef<Path>, password: &Secret) -> Result<Self, IdentityError> {
        let bytes = read(path.as_ref(), IdentityPart::Certificate)?;
        Self::from_pfx(&bytes, password)
    }

    /// Parses the bytes of a PKCS#12 file; see [`ClientIdentity::from_pfx_file`].
    ///
    /// # Errors
    /// [`IdentityErrorKind::WrongPassword`]; [`IdentityErrorKind::Unrecognized`] if it is not a
    /// PKCS#12 file or its encryption is not supported; otherwise as [`ClientIdentity::from_pem`].
    #[cfg(feature = "pfx")]
    pub fn from_pfx(bytes: &[u8], password: &Secret) -> Result<Self, IdentityError> {
        let part = IdentityPart::Certificate;
        let items = items(bytes, part)?;
        if !items.iter().any(|item| matches!(item, Item::Pfx(_))) {
            let message = "this is not a PKCS#12 file (.pfx, .p12); for PEM or DER, give the \
                           certificate and the key without converting them";
            return Err(IdentityError::new(
                IdentityErrorKind::Unrecognized,
                part,
                message,
            ));
        }
        let items = open_all(items, Some(password), part)?;
        Self::from_items(&items, None)
    }

    /// Returns the number of certificates that are sent: the client's own, and the issuers given with it.
    #[must_use]
    pub fn chain_length(&self) -> usize {
        self.0.certified.cert.len()
    }

    /// Returns the start of the certificate's validity.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.0.not_before
    }

    /// Returns the end of the certificate's validity.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.0.not_after
    }

    /// Returns how long the certificate is still valid, according to this machine's clock: zero once it
    /// has expired. Its issuers are not looked at.
    ///
    /// For monitoring: request a new certificate from Flinks weeks before.
    ///
    /// ```
    /// # use flinks_transport::ClientIdentity;
    /// # let key = rcgen::KeyPair::generate().unwrap();
    /// # let parameters = rcgen::CertificateParams::new(vec!["client.test".to_owned()]).unwrap();
    /// # let certificate_pem = parameters.self_signed(&key).unwrap().pem();
    /// # let key_pem = key.serialize_pem();
    /// let identity = ClientIdentity::from_pem(certificate_pem.as_bytes(), key_pem.as_bytes())?;
    /// let days_left = identity.expires_in().as_secs() / 86_400;
    /// assert!(days_left >= 30, "renew the client certificate");
    /// # Ok::<(), flinks_transport::IdentityError>(())
    /// ```
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        let left = self.0.not_after.duration_since(now());
        left.unwrap_or_default()
    }

    /// Checks that the certificate is valid now, according to this machine's clock.
    ///
    /// # Errors
    /// As [`ClientIdentity::check_at`].
    pub fn check(&self) -> Result<(), IdentityError> {
        self.check_at(now())
    }

    /// Checks that the certificate is valid at `now`.
    ///
    /// # Errors
    /// [`IdentityErrorKind::Expired`] or [`IdentityErrorKind::NotYetValid`], with the date.
    pub fn check_at(&self, now: SystemTime) -> Result<(), IdentityError> {
        let (kind, message) = if now > self.0.not_after {
            let date = date::format(self.0.not_after);
            let message = format!("expired on {date}; ask Flinks for a new certificate");
            (IdentityErrorKind::Expired, message)
        } else if now < self.0.not_before {
            let date = date::format(self.0.not_before);
            let message = format!("is not valid before {date}; check this machine's clock");
            (IdentityErrorKind::NotYetValid, message)
        } else {
            return Ok(());
        };
        Err(IdentityError::new(kind, IdentityPart::Certificate, message))
    }

    /// Returns the chain and its key, loaded by the crypto provider of the transport.
    pub(crate) fn certified(
        &self,
        crypto: Option<CryptoProvider>,
    ) -> Result<Arc<CertifiedKey>, IdentityError> {
        let Some(crypto) = crypto else {
            return Ok(Arc::clone(&self.0.certified));
        };
        let key = crypto.load().key_provider;
        let key = key.load_private_key(self.0.key.clone_key());
        let key = key.map_err(|_| unsupported_key())?;
        let chain = self.0.certified.cert.clone();
        Ok(Arc::new(CertifiedKey::new(chain, key)))
    }

    /// Takes the key from `certificates` if `keys` is `None`.
    fn from_items(certificates: &[Item], keys: Option<&[Item]>) -> Result<Self, IdentityError> {
        let chain = certificates_in(certificates, IdentityPart::Certificate)?;
        let keys = match keys {
            Some(keys) => selection::private_keys(keys),
            None => selection::private_keys_beside(certificates),
        };
        Self::assemble(chain, &keys?)
    }

    fn assemble(
        chain: Vec<CertificateDer<'static>>,
        keys: &[&PrivateKeyDer<'static>],
    ) -> Result<Self, IdentityError> {
        let provider = provider(None)?;
        let facts: Vec<_> = chain.iter().map(|der| Facts::of(der)).collect();
        // Some keys do not expose their public half; those are not compared.
        let leaf_of = |key: &Arc<dyn SigningKey>| {
            key.public_key().map_or(Some(0), |public_key| {
                let owns = |facts: &Option<Facts<'_>>| {
                    facts.is_some_and(|facts| facts.public_key == public_key.as_ref())
                };
                facts.iter().position(owns)
            })
        };
        // rustls wipes the copy it takes. Its error says no more than ours.
        let load = |der: &PrivateKeyDer<'_>| {
            let key = provider.key_provider.load_private_key(der.clone_key());
            Some((key.ok()?, Zeroizing::new(der.clone_key())))
        };
        let complete = |key: &PrivateKeyDer<'_>| {
            let public_keys = facts.iter().flatten().map(|facts| facts.public_key);
            let mut completed = public_keys.filter_map(|of| elliptic::completed(key, of));
            completed.find_map(|key| load(&key))
        };
        let usable: Vec<_> = keys
            .iter()
            .filter_map(|key| load(key).or_else(|| complete(key)))
            .collect();
        if usable.is_empty() {
            return Err(unsupported_key());
        }
        let fitting = usable
            .into_iter()
            .find_map(|(key, der)| leaf_of(&key).map(|leaf| (key, der, leaf)));
        let Some((key, der, leaf)) = fitting else {
            return Err(IdentityError::new(
                IdentityErrorKind::KeyMismatch,
                IdentityPart::Key,
                "does not belong to the certificate: use the private key you created the CSR with",
            ));
        };
        let Some(Some(Facts {
            not_before,
            not_after,
            ..
        })) = facts.get(leaf).copied()
        else {
            return Err(IdentityError::new(
                IdentityErrorKind::Damaged,
                IdentityPart::Certificate,
                "is truncated or was altered; copy the file again",
            ));
        };
        let chain = leaf_first(chain, leaf);
        let certified = Arc::new(CertifiedKey::new(chain, key));
        Ok(Self(Arc::new(Inner {
            certified,
            key: der,
            not_before,
            not_after,
        })))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the only place that reads the date"
)]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

fn unsupported_key() -> IdentityError {
    IdentityError::new(
        IdentityErrorKind::UnsupportedKey,
        IdentityPart::Key,
        UNSUPPORTED_KEY,
    )
}

/// Without the feature `pfx` nothing is decrypted.
#[cfg(not(feature = "pfx"))]
fn open_all(
    items: Vec<Item>,
    _: Option<&Secret>,
    _: IdentityPart,
) -> Result<Vec<Item>, IdentityError> {
    Ok(items)
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity")
            .field("certificates", &self.0.certified.cert.len())
            .field("not_before", &date::format(self.0.not_before))
            .field("not_after", &date::format(self.0.not_after))
            .finish_non_exhaustive()
    }
}

/// Reorders a chain to begin with the key's certificate, each certificate followed by its issuer.
/// Unrelated certificates stay at the end.
fn leaf_first(
    mut chain: Vec<CertificateDer<'static>>,
    leaf: usize,
) -> Vec<CertificateDer<'static>> {
    if leaf == 0 {
        return chain;
    }
    let mut ordered = Vec::with_capacity(chain.len());
    let mut next = Some(leaf);
    while let Some(position) = next {
        let current = chain.remove(position);
        next = Facts::of(&current).and_then(|facts| {
            chain.iter().position(|der| {
                Facts::of(der).is_some_and(|candidate| candidate.subject == facts.issuer)
            })
        });
        ordered.push(current);
    }
    ordered.append(&mut chain);
    ordered
}
