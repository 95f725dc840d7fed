//! The trusted root certificates: the platform's, the bundled ones, or only those given.

#[cfg(all(
    feature = "platform-roots",
    unix,
    not(target_os = "android"),
    not(target_vendor = "apple")
))]
mod environment;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;

use crate::identity::{
    IdentityError, IdentityErrorKind as Kind, IdentityPart as Part, certificates_in, items, read,
};

/// The root certificates that are trusted to verify servers.
///
/// The default is [`Roots::platform`] if the feature `platform-roots` is on, else `Roots::bundled`.
#[derive(Clone)]
pub struct Roots(Source);

#[derive(Clone)]
enum Source {
    #[cfg(feature = "platform-roots")]
    Platform,
    #[cfg(feature = "webpki-roots")]
    Bundled,
    /// No feature provides any.
    #[cfg(not(any(feature = "platform-roots", feature = "webpki-roots")))]
    None,
    Exactly(Arc<RootCertStore>),
}

impl Roots {
    /// Trusts only these certificates *instead of* the platform's, like curl's `--cacert`.
    ///
    /// Accepts PEM with any number of certificates, or one in DER.
    ///
    /// # Errors
    /// It contains no certificate, or one that cannot be used as a root.
    pub fn pem(bytes: &[u8]) -> Result<Self, IdentityError> {
        let mut store = RootCertStore::empty();
        for der in certificates_in(&items(bytes, Part::Roots)?, Part::Roots)? {
            store.add(der).map_err(|_| {
                let message =
                    "it contains a certificate that is damaged or cannot be used as a root";
                IdentityError::new(Kind::Damaged, Part::Roots, message)
            })?;
        }
        Ok(Self(Source::Exactly(Arc::new(store))))
    }

    /// Reads the file, blocking, and trusts the certificates in it; see [`Roots::pem`].
    ///
    /// # Errors
    /// As [`Roots::pem`], and if the file cannot be read.
    pub fn pem_file(path: impl AsRef<Path>) -> Result<Self, IdentityError> {
        Self::pem(&read(path.as_ref(), Part::Roots)?)
    }

    /// Trusts the root certificates of the operating system, loaded when the first transport is
    /// built and shared by all. On Linux `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.
    #[cfg(feature = "platform-roots")]
    #[must_use]
    pub fn platform() -> Self {
        Self(Source::Platform)
    }

    /// Trusts Mozilla's root certificates, which are compiled in.
    #[cfg(feature = "webpki-roots")]
    #[must_use]
    pub fn bundled() -> Self {
        Self(Source::Bundled)
    }

    pub(super) fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, IdentityError> {
        match &self.0 {
            #[cfg(feature = "platform-roots")]
            Source::Platform => platform_verifier(provider),
            #[cfg(feature = "webpki-roots")]
            Source::Bundled => {
                let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
                webpki(Arc::new(roots.collect()), provider)
            }
            #[cfg(not(any(feature = "platform-roots", feature = "webpki-roots")))]
            Source::None => Err(no_roots(
                "enable the feature `platform-roots` or `webpki-roots`, or pass your own roots",
            )),
            Source::Exactly(store) => webpki(Arc::clone(store), provider),
        }
    }
}

impl Default for Roots {
    fn default() -> Self {
        #[cfg(feature = "platform-roots")]
        return Self::platform();
        #[cfg(all(feature = "webpki-roots", not(feature = "platform-roots")))]
        return Self::bundled();
        #[cfg(not(any(feature = "platform-roots", feature = "webpki-roots")))]
        return Self(Source::None);
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            #[cfg(feature = "platform-roots")]
            Source::Platform => f.write_str("Roots(platform)"),
            #[cfg(feature = "webpki-roots")]
            Source::Bundled => f.write_str("Roots(bundled)"),
            #[cfg(not(any(feature = "platform-roots", feature = "webpki-roots")))]
            Source::None => f.write_str("Roots(none)"),
            Source::Exactly(store) => write!(f, "Roots({} given)", store.len()),
        }
    }
}

fn webpki(
    store: Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, IdentityError> {
    let builder = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(provider));
    // Without revocation lists, an empty store is all that can be wrong.
    let verifier = builder.build().map_err(|_| no_roots(NOT_INSTALLED))?;
    Ok(verifier)
}

#[cfg(feature = "platform-roots")]
fn platform_verifier(
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, IdentityError> {
    use std::sync::{Mutex, PoisonError};

    type Loaded = (Arc<CryptoProvider>, Arc<dyn ServerCertVerifier>);
    // Kept with the provider it was made for, since an application may install another one later.
    static SHARED: Mutex<Option<Loaded>> = Mutex::new(None);

    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((made_for, verifier)) = &*shared
        && Arc::ptr_eq(made_for, provider)
    {
        return Ok(Arc::clone(verifier));
    }
    let verifier = load_platform(provider)?;
    *shared = Some((Arc::clone(provider), Arc::clone(&verifier)));
    Ok(verifier)
}

#[cfg(feature = "platform-roots")]
fn load_platform(
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, IdentityError> {
    #[cfg(all(unix, not(target_os = "android"), not(target_vendor = "apple")))]
    if let Some(store) = environment::store()? {
        return webpki(Arc::new(store), provider);
    }
    let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(provider));
    Ok(Arc::new(verifier.map_err(|_| no_roots(NOT_INSTALLED))?))
}

const NOT_INSTALLED: &str = "install the CA certificates of this system, or pass your own roots";

/// The error when no roots were found; `why` is the reason or the fix.
fn no_roots(why: &str) -> IdentityError {
    let message = format!("none were found, so no server can be trusted: {why}");
    IdentityError::new(Kind::NoRoots, Part::Roots, message)
}
