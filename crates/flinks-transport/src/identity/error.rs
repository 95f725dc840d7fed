//! Why an identity or the root certificates cannot be used, and what to do about it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

/// Why a client identity, root certificates or the TLS configuration made from them cannot be used.
///
/// `Display` says which part it is about, what is wrong with it, and what to do. Neither it nor
/// `Debug` ever shows a path, since the text of a key may have been given for one, or what a file
/// holds. [`part`](Self::part) tells which of the paths to name.
pub struct IdentityError(Box<Inner>);

struct Inner {
    kind: IdentityErrorKind,
    part: IdentityPart,
    message: Cow<'static, str>,
    source: Option<io::Error>,
}

/// What an [`IdentityError`] is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum IdentityPart {
    /// The client certificate, or the file that holds it and its key.
    Certificate,
    /// The private key.
    Key,
    /// The root certificates.
    Roots,
    /// The TLS configuration.
    Tls,
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
    /// The text of a key or certificate was given where the path of a file belongs. *What to do:*
    /// write it to a file that only this program may read, and give its path.
    ContentGiven,
    /// A certificate or key is cut short or altered. *What to do:* copy the file again.
    Damaged,
    /// The file is empty. *What to do:* check the path, and copy the file again.
    Empty,
    /// The private key is protected by a password that was not given, or in a way that is not
    /// supported. *What to do:* give the password, or convert the key with the `openssl` line in the
    /// message.
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
    /// platform's CA certificates, correct `SSL_CERT_FILE` or `SSL_CERT_DIR`, give roots of your own,
    /// or use those of the feature `webpki-roots`.
    NoRoots,
    /// The certificate is not valid yet. *What to do:* check the clock of this machine.
    NotYetValid,
    /// A PKCS#12 file (`.pfx`, `.p12`) stands where PEM or DER belongs. *What to do:* use
    /// [`ClientIdentity::from_files`](crate::ClientIdentity::from_files) with the feature `pfx`, or
    /// convert it.
    PfxGiven,
    /// A PKCS#7 bundle (`.p7b`), which holds certificates only, stands where a private key belongs.
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
    /// The password does not open the PKCS#12 file or the private key.
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
        let message = format!("holds the text of {what} itself; it takes the path of a file");
        Self::new(IdentityErrorKind::ContentGiven, part, message)
    }

    pub(crate) fn unreadable(part: IdentityPart, path: &Path, error: io::Error) -> Self {
        let reason = unreadable(path, &error);
        let message = format!("the file cannot be read: {reason}");
        let mut built = Self::new(IdentityErrorKind::Unreadable, part, message);
        built.0.source = Some(error);
        built
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> IdentityErrorKind {
        self.0.kind
    }

    /// What it is about.
    #[must_use]
    pub fn part(&self) -> IdentityPart {
        self.0.part
    }

    /// What is wrong and what to do: `Display` without the name of the part.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

/// Why a file cannot be read, in words that do not show its path.
fn unreadable(path: &Path, error: &io::Error) -> Cow<'static, str> {
    let path = path.as_os_str().as_encoded_bytes();
    let is_quoted = path.len() > 1 && matches!(path, [b'"', .., b'"'] | [b'\'', .., b'\'']);
    if is_quoted {
        return "there are quotes around the path, which count as a part of it: leave them out"
            .into();
    }
    if error.kind() == io::ErrorKind::NotFound && path.trim_ascii().len() < path.len() {
        return "no such file; there are blanks around the path".into();
    }
    let known = [
        (io::ErrorKind::NotFound, "no such file; check the path"),
        (
            io::ErrorKind::PermissionDenied,
            "permission denied; check who may read it",
        ),
        (
            io::ErrorKind::IsADirectory,
            "it is a folder; give the path of a file",
        ),
        (io::ErrorKind::InvalidFilename, "this is no path; check it"),
        (io::ErrorKind::InvalidInput, "this is no path; check it"),
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

impl fmt::Debug for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityError")
            .field("kind", &self.0.kind)
            .field("part", &self.0.part)
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
