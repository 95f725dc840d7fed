//! The signature of a webhook: base64 of HMAC-SHA256 over the raw body.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flinks_types::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

/// The documented header of the signature. Source: docs.flinks.com, HMAC.
pub const FLINKS_AUTHENTICITY_KEY: HeaderName = HeaderName::from_static("flinks-authenticity-key");
/// The header of the signature in the sample code of a newer page. Source: docs.flinks.com, HMAC
/// Validation.
pub const X_FLINKS_SIGNATURE: HeaderName = HeaderName::from_static("x-flinks-signature");

/// The header of Flinks Pay, whose signatures are `sha256=` and hexadecimal digits.
const OF_PAY: HeaderName = HeaderName::from_static("x-webhook-signature");
const PREFIX_OF_PAY: &[u8] = b"sha256=";
const SIGNATURE_LEN: usize = 32;

/// Verifies signatures over the raw bytes of a body.
///
/// Flinks gives the secret for an instance when it turns the signature on. `Debug` shows neither
/// secrets nor signatures.
///
/// ```
/// use flinks_webhook::{FLINKS_AUTHENTICITY_KEY, Secret, Verifier, sign};
/// use http::HeaderMap;
///
/// let verifier = Verifier::new(Secret::new("the secret that Flinks sent"))?;
/// let mut headers = HeaderMap::new();
/// let body = br#"{"ResponseType":"KYC"}"#;
/// headers.insert(FLINKS_AUTHENTICITY_KEY, sign(&Secret::new("the secret that Flinks sent"), body));
/// verifier.verify(&headers, body)?;
/// assert!(verifier.verify(&headers, br#"{ "ResponseType": "KYC" }"#).is_err());
/// # Ok::<(), flinks_webhook::SignatureError>(())
/// ```
#[derive(Clone)]
pub struct Verifier {
    secrets: Vec<Secret>,
    headers: Vec<HeaderName>,
}

impl Verifier {
    /// Verifies with this secret, in the headers [`FLINKS_AUTHENTICITY_KEY`] and
    /// [`X_FLINKS_SIGNATURE`].
    ///
    /// # Errors
    /// [`SignatureErrorKind::EmptySecret`]: anyone could sign with it.
    pub fn new(secret: Secret) -> Result<Self, SignatureError> {
        let verifier = Self {
            secrets: Vec::new(),
            headers: vec![FLINKS_AUTHENTICITY_KEY, X_FLINKS_SIGNATURE],
        };
        verifier.with_secret(secret)
    }

    /// Adds a secret whose signatures are accepted too, for the time in which a secret is replaced.
    ///
    /// # Errors
    /// [`SignatureErrorKind::EmptySecret`].
    pub fn with_secret(mut self, secret: Secret) -> Result<Self, SignatureError> {
        if secret.is_empty() {
            return Err(SignatureErrorKind::EmptySecret.into());
        }
        self.secrets.push(secret);
        Ok(self)
    }

    /// Sets the headers that may have a signature, in place of the two documented ones. Without any,
    /// every webhook is refused.
    #[must_use]
    pub fn with_headers(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        self.headers = headers.into_iter().collect();
        self
    }

    /// Verifies the signature of `body`, which must be the bytes as they were received: JSON that was
    /// read and written again has another signature.
    ///
    /// If a request has several signatures, in both headers or in one header twice, each of them must
    /// be right. Every comparison takes constant time.
    ///
    /// # Errors
    /// See [`SignatureErrorKind`].
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureError> {
        self.signatures(headers)?.verify(body)
    }

    /// Reads the signatures, without the body: a request that has none need not be received.
    pub(crate) fn signatures(&self, headers: &HeaderMap) -> Result<Signatures<'_>, SignatureError> {
        let values = self.headers.iter().flat_map(|name| headers.get_all(name));
        let signatures: Vec<_> = values.map(decode).collect::<Result<_, _>>()?;
        if signatures.is_empty() {
            return Err(if headers.contains_key(OF_PAY) {
                SignatureErrorKind::PayScheme.into()
            } else {
                SignatureErrorKind::Missing.into()
            });
        }
        Ok(Signatures {
            secrets: &self.secrets,
            signatures,
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("secrets", &self.secrets.len())
            .field("headers", &self.headers)
            .finish()
    }
}

/// The signatures of a request, before they are verified.
pub(crate) struct Signatures<'v> {
    secrets: &'v [Secret],
    signatures: Vec<[u8; SIGNATURE_LEN]>,
}

impl Signatures<'_> {
    pub(crate) fn verify(&self, body: &[u8]) -> Result<(), SignatureError> {
        let codes: Vec<_> = self
            .secrets
            .iter()
            .map(|secret| code(secret, body))
            .collect();
        let is_right = |signature: &[u8; SIGNATURE_LEN]| {
            let mut codes = codes.iter().cloned();
            codes.any(|code| code.verify_slice(signature).is_ok())
        };
        if self.signatures.iter().all(is_right) {
            Ok(())
        } else {
            Err(SignatureErrorKind::Mismatch.into())
        }
    }
}

fn decode(value: &HeaderValue) -> Result<[u8; SIGNATURE_LEN], SignatureErrorKind> {
    if value.as_bytes().starts_with(PREFIX_OF_PAY) {
        return Err(SignatureErrorKind::PayScheme);
    }
    let decoded = BASE64_STANDARD.decode(value.as_bytes());
    let signature = decoded.map_err(|_| SignatureErrorKind::Malformed)?;
    signature
        .try_into()
        .map_err(|_| SignatureErrorKind::Malformed)
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn code(secret: &Secret, body: &[u8]) -> Hmac<Sha256> {
    let code = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes());
    code.expect("a key of any length").chain_update(body)
}

/// Signs a body as Flinks does, for tests of what receives webhooks.
///
/// Send the value in the header [`FLINKS_AUTHENTICITY_KEY`].
#[must_use]
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "every base64 text can be the value of a header"
)]
pub fn sign(secret: &Secret, body: &[u8]) -> HeaderValue {
    let signature = BASE64_STANDARD.encode(code(secret, body).finalize().into_bytes());
    HeaderValue::try_from(signature).expect("base64")
}

/// Why a signature was not accepted. It holds nothing of the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SignatureError {
    kind: SignatureErrorKind,
}

/// The reasons of a [`SignatureError`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SignatureErrorKind {
    /// The secret of the verifier is empty.
    EmptySecret,
    /// The request has no signature in the headers of the verifier. Flinks signs only if the
    /// signature was turned on for the instance.
    Missing,
    /// The signature has the form of Flinks Pay (`X-Webhook-Signature: sha256=` and hexadecimal
    /// digits), whose webhooks are not for this receiver.
    PayScheme,
    /// The signature is not 32 bytes in standard base64 with padding; hexadecimal digits are not.
    Malformed,
    /// The signature belongs to another body or another secret.
    Mismatch,
}

impl SignatureErrorKind {
    /// The kind in snake case, for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmptySecret => "empty_secret",
            Self::Missing => "missing",
            Self::PayScheme => "pay_scheme",
            Self::Malformed => "malformed",
            Self::Mismatch => "mismatch",
        }
    }
}

impl SignatureError {
    /// Returns the reason.
    #[must_use]
    pub fn kind(&self) -> SignatureErrorKind {
        self.kind
    }
}

impl From<SignatureErrorKind> for SignatureError {
    fn from(kind: SignatureErrorKind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            SignatureErrorKind::EmptySecret => "the webhook secret is empty",
            SignatureErrorKind::Missing => "the webhook has no signature header",
            SignatureErrorKind::PayScheme => {
                "the webhook is signed as Flinks Pay signs (`sha256=` and hexadecimal digits)"
            }
            SignatureErrorKind::Malformed => "the signature is not 32 bytes in base64",
            SignatureErrorKind::Mismatch => "the signature does not belong to this body and secret",
        })
    }
}

impl std::error::Error for SignatureError {}
