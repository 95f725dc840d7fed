//! Why an identity or the root certificates cannot be used, and what to do about it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a client identity, root certificates or the TLS configuration made from them cannot be used.
///
/// `Display` names the file, when there is one, what is wrong with it, and what to do. Neither it
/// nor `Debug` ever shows what a file holds.
pub struct IdentityError(Box<Inner>);

struct Inner {
    kind: IdentityErrorKind,
    subject: Subject,
    path: Option<PathBuf>,
    message: Cow<'static, str>,
    source: Option<io::Error>,
}

/// What is wrong with an identity or with root certificates.
///
/// The mistakes that the Upload guide's table of errors answers with 403 or a failed handshake are
/// found here before anything is sent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum IdentityErrorKind {
    /// A certificate stands where the private key belongs. *What to do:* swap the two, or give the
    /// key that was made together with the request.
    CertificateGiven,
    /// A certificate or key is cut short or altered. *What to do:* copy the file again.
    Damaged,
    /// The file is empty. *What to do:* check the path, and copy the file again.
    Empty,
    /// The private key is protected by a password. *What to do:* write a copy without one, with the
    /// `openssl` line in the message.
    EncryptedKey,
    /// The certificate has expired. *What to do:* ask Flinks for a new one.
    Expired,
    /// A private key stands where a certificate belongs. *What to do:* swap the two, or give the
    /// certificate that Flinks returned.
    KeyGiven,
    /// The private key does not belong to the certificate. *What to do:* give the key that the
    /// request for this certificate was made with.
    KeyMismatch,
    /// There is no certificate in the file.
    NoCertificate,
    /// No crypto provider is compiled in. *What to do:* enable the feature `ring` or `aws-lc-rs`,
    /// or install a default provider of rustls.
    NoCryptoProvider,
    /// There is no private key in the file.
    NoKey,
    /// No root certificate was found, so no server could be trusted. *What to do:* install the
    /// platform's CA certificates, check `SSL_CERT_FILE`, enable the feature `webpki-roots`, or
    /// give roots of your own.
    NoRoots,
    /// The certificate is not valid yet. *What to do:* check the clock of this machine.
    NotYetValid,
    /// A PKCS#12 file (`.pfx`, `.p12`) stands where PEM or DER belongs. *What to do:* use
    /// `ClientIdentity::from_pfx` (feature `pfx`), or convert it.
    PfxGiven,
    /// A PKCS#7 bundle (`.p7b`) stands where PEM or DER belongs. *What to do:* convert it with the
    /// `openssl` line in the message.
    Pkcs7Given,
    /// The crypto provider cannot make a TLS configuration.
    Provider,
    /// A public key stands where a certificate or a private key belongs.
    PublicKeyGiven,
    /// A certificate request (CSR) stands where a certificate or a private key belongs. *What to
    /// do:* give the signed certificate that Flinks returned.
    RequestGiven,
    /// The file is far too large for what it should hold.
    TooLarge,
    /// The file is neither PEM nor DER (nor, where one is asked for, PKCS#12).
    Unrecognized,
    /// The file cannot be read. *What to do:* check the path and its permissions.
    Unreadable,
    /// The private key has a type or size that the crypto provider does not take. *What to do:*
    /// use RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519.
    UnsupportedKey,
    /// The password does not open the PKCS#12 file.
    WrongPassword,
}

impl IdentityError {
    pub(crate) fn new(
        kind: IdentityErrorKind,
        subject: Subject,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let message = message.into();
        Self(Box::new(Inner {
            kind,
            subject,
            path: None,
            message,
            source: None,
        }))
    }

    pub(crate) fn unreadable(subject: Subject, error: io::Error) -> Self {
        let message = format!(
            "cannot be read: {}; check the path and its permissions",
            error.kind()
        );
        let mut built = Self::new(IdentityErrorKind::Unreadable, subject, message);
        built.0.source = Some(error);
        built
    }

    /// The same error, about the file at `path`.
    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_owned());
        self
    }

    /// The same error, about that one of an identity's two files which it concerns.
    pub(super) fn in_files(self, certificate: &Path, key: &Path) -> Self {
        match self.0.subject {
            Subject::Certificate => self.at(certificate),
            Subject::Key => self.at(key),
            #[cfg(feature = "pfx")]
            Subject::Pfx => self,
            Subject::Roots | Subject::Tls => self,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> IdentityErrorKind {
        self.0.kind
    }

    /// The file it is about, when it was given as a path.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.subject.name())?;
        if let Some(path) = &self.0.path {
            write!(f, " {}", path.display())?;
        }
        write!(f, ": {}", self.0.message)
    }
}

impl fmt::Debug for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityError")
            .field("kind", &self.0.kind)
            .field("path", &self.0.path)
            .field("message", &self.0.message)
            .finish()
    }
}

impl StdError for IdentityError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(source) => Some(source),
            None => None,
        }
    }
}

/// What an error is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Subject {
    Certificate,
    Key,
    #[cfg(feature = "pfx")]
    Pfx,
    Roots,
    Tls,
}

impl Subject {
    const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "client certificate",
            Self::Key => "private key",
            #[cfg(feature = "pfx")]
            Self::Pfx => "PKCS#12 identity",
            Self::Roots => "root certificates",
            Self::Tls => "TLS",
        }
    }
}
