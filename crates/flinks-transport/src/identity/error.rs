//! The error for an identity or root certificates that cannot be used, with the fix in its message.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

/// An error in a client identity, in root certificates, or in the TLS configuration made from them.
///
/// `Display` names the affected part, the problem and the fix. Neither `Display` nor `Debug` shows
/// file contents, or a path, because the text of a key may have been passed as a path. Use
/// [`part`](Self::part) to decide which path to report.
pub struct IdentityError(Box<Inner>);

struct Inner {
    kind: IdentityErrorKind,
    part: IdentityPart,
    message: Cow<'static, str>,
    source: Option<io::Error>,
}

/// The part that an [`IdentityError`] is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum IdentityPart {
    /// The client certificate, or the file that contains it and its key.
    Certificate,
    /// The private key.
    Key,
    /// The root certificates.
    Roots,
    /// The TLS configuration.
    Tls,
}

/// The kind of an [`IdentityError`].
///
/// Finds the mistakes for which the Upload guide's table of errors lists 403 or a failed handshake,
/// before anything is sent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum IdentityErrorKind {
    /// The key file contains a certificate. *What to do:* swap the two files, or give the key that
    /// was created with the certificate request.
    CertificateGiven,
    /// The text of a key or certificate was given instead of a file path. *What to do:* write it to
    /// a file that only this program can read, and give its path.
    ContentGiven,
    /// A certificate or key is truncated or was altered. *What to do:* copy the file again.
    Damaged,
    /// The file is empty. *What to do:* check the path, and copy the file again.
    Empty,
    /// The private key is encrypted, and the password is missing or the encryption is not
    /// supported. *What to do:* give the password, or convert the key with the `openssl` command in
    /// the message.
    EncryptedKey,
    /// The certificate has expired. *What to do:* ask Flinks for a new one.
    Expired,
    /// The certificate file contains a private key. *What to do:* swap the two files, or give the
    /// certificate that Flinks returned.
    KeyGiven,
    /// The private key does not match the certificate. *What to do:* use the private key that
    /// the CSR was created with.
    KeyMismatch,
    /// The file contains no certificate.
    NoCertificate,
    /// No crypto provider is compiled in. *What to do:* enable the feature `ring` or `aws-lc-rs`,
    /// or install a default provider of rustls.
    NoCryptoProvider,
    /// The file contains no private key.
    NoKey,
    /// No root certificates were found, so no server can be trusted. *What to do:* install the
    /// platform's CA certificates, correct `SSL_CERT_FILE` or `SSL_CERT_DIR`, pass your own roots,
    /// or enable the feature `webpki-roots`.
    NoRoots,
    /// The certificate is not valid yet. *What to do:* check this machine's clock.
    NotYetValid,
    /// A PKCS#12 file (`.pfx`, `.p12`) was given instead of PEM or DER. *What to do:* use
    /// [`ClientIdentity::from_files`](crate::ClientIdentity::from_files) with the feature `pfx`, or
    /// convert it.
    PfxGiven,
    /// A PKCS#7 bundle (`.p7b`), which contains only certificates, was given instead of a private
    /// key.
    Pkcs7Given,
    /// The crypto provider does not support the requested TLS configuration.
    Provider,
    /// A public key was given instead of a certificate or a private key.
    PublicKeyGiven,
    /// A certificate request (CSR) was given instead of a certificate or a private key. *What to
    /// do:* give the signed certificate that Flinks returned.
    RequestGiven,
    /// The file is too large to be a certificate or key file.
    TooLarge,
    /// The file is neither PEM nor DER (nor PKCS#12, where that is required).
    Unrecognized,
    /// The file cannot be read. *What to do:* check the path and its permissions.
    Unreadable,
    /// The crypto provider does not support the private key's type or size. *What to do:*
    /// use RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519.
    UnsupportedKey,
    /// The password does not decrypt the PKCS#12 file or the private key.
    WrongPassword,
}

impl IdentityError {
    pub(crate) fn new(
        kind: IdentityErrorKind,
        part: IdentityPart,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let message = message.into();
        Self(Box::new(Inner {
            kind,
            part,
            message,
            source: None,
        }))
    }

    pub(super) fn content_given(part: IdentityPart) -> Self {
        let what = match part {
            IdentityPart::Key => "a private key",
            IdentityPart::Certificate | IdentityPart::Roots | IdentityPart::Tls => {
                "a certificate or key"
            }
        };
        let message = format!("contains the text of {what}; expected the path of a file");
        Self::new(IdentityErrorKind::ContentGiven, part, message)
    }

    pub(crate) fn unreadable(part: IdentityPart, path: &Path, error: io::Error) -> Self {
        let reason = unreadable(path, &error);
        let message = format!("the file cannot be read: {reason}");
        let mut built = Self::new(IdentityErrorKind::Unreadable, part, message);
        built.0.source = Some(error);
        built
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> IdentityErrorKind {
        self.0.kind
    }

    /// Returns the part that the error is about.
    #[must_use]
    pub fn part(&self) -> IdentityPart {
        self.0.part
    }

    /// Returns the problem and the fix: `Display` without the name of the part.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

/// Describes why a file cannot be read, without showing its path.
fn unreadable(path: &Path, error: &io::Error) -> Cow<'static, str> {
    let path = path.as_os_str().as_encoded_bytes();
    let is_quoted = path.len() > 1 && matches!(path, [b'"', .., b'"'] | [b'\'', .., b'\'']);
    if is_quoted {
        return "the path is wrapped in quotes, which are treated as part of it; remove them"
            .into();
    }
    if error.kind() == io::ErrorKind::NotFound && path.trim_ascii().len() < path.len() {
        return "no such file; the path starts or ends with whitespace".into();
    }
    let known = [
        (io::ErrorKind::NotFound, "no such file; check the path"),
        (
            io::ErrorKind::PermissionDenied,
            "permission denied; check the file's permissions",
        ),
        (
            io::ErrorKind::IsADirectory,
            "it is a folder; give the path of a file",
        ),
        (io::ErrorKind::InvalidFilename, "this is not a valid path"),
        (io::ErrorKind::InvalidInput, "this is not a valid path"),
    ];
    match known.into_iter().find(|(kind, _)| *kind == error.kind()) {
        Some((_, words)) => words.into(),
        None => format!("{}; check the path", error.kind()).into(),
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.part.name(), self.0.message)
    }
}

/// As `Display`, because `?` in `main` prints this.
impl fmt::Debug for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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

impl IdentityPart {
    const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "client certificate",
            Self::Key => "private key",
            Self::Roots => "root certificates",
            Self::Tls => "TLS",
        }
    }
}
