//! The cryptography of TLS: the provider that a transport uses.

use std::sync::Arc;
#[cfg(any(feature = "aws-lc-rs", feature = "ring"))]
use std::sync::LazyLock;

use rustls::crypto::CryptoProvider as Provider;

use crate::identity::IdentityError;

/// The implementation of cryptography that TLS uses, for
/// [`TransportBuilder::crypto`](crate::TransportBuilder::crypto).
///
/// Without a choice it is the provider that the application installed for the process with
/// `rustls`, else ring if it is compiled in, else AWS-LC. No provider is ever installed here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CryptoProvider(Choice);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Choice {
    #[cfg(feature = "ring")]
    Ring,
    #[cfg(feature = "aws-lc-rs")]
    AwsLcRs,
}

impl CryptoProvider {
    /// The provider `ring`.
    #[cfg(feature = "ring")]
    #[must_use]
    pub const fn ring() -> Self {
        Self(Choice::Ring)
    }

    /// The provider `aws-lc-rs`.
    #[cfg(feature = "aws-lc-rs")]
    #[must_use]
    pub const fn aws_lc_rs() -> Self {
        Self(Choice::AwsLcRs)
    }

    pub(crate) fn load(self) -> Arc<Provider> {
        match self.0 {
            #[cfg(feature = "ring")]
            Choice::Ring => {
                use rustls::crypto::ring::default_provider;
                static RING: LazyLock<Arc<Provider>> =
                    LazyLock::new(|| Arc::new(default_provider()));
                Arc::clone(&RING)
            }
            #[cfg(feature = "aws-lc-rs")]
            Choice::AwsLcRs => {
                use rustls::crypto::aws_lc_rs::default_provider;
                static AWS_LC_RS: LazyLock<Arc<Provider>> =
                    LazyLock::new(|| Arc::new(default_provider()));
                Arc::clone(&AWS_LC_RS)
            }
        }
    }
}

/// The provider chosen, else the one that the application installed, else the one compiled in.
pub(crate) fn provider(choice: Option<CryptoProvider>) -> Result<Arc<Provider>, IdentityError> {
    match (choice, Provider::get_default()) {
        (Some(choice), _) => Ok(choice.load()),
        (None, Some(installed)) => Ok(Arc::clone(installed)),
        (None, None) => compiled_in(),
    }
}

#[cfg(feature = "ring")]
fn compiled_in() -> Result<Arc<Provider>, IdentityError> {
    Ok(CryptoProvider::ring().load())
}

#[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
fn compiled_in() -> Result<Arc<Provider>, IdentityError> {
    Ok(CryptoProvider::aws_lc_rs().load())
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
fn compiled_in() -> Result<Arc<Provider>, IdentityError> {
    use crate::identity::{IdentityErrorKind, IdentityPart};

    Err(IdentityError::new(
        IdentityErrorKind::NoCryptoProvider,
        IdentityPart::Tls,
        "no crypto provider is compiled in: enable the feature `ring` or `aws-lc-rs`, or install \
         a default provider of rustls in the application",
    ))
}

#[cfg(all(test, feature = "ring"))]
mod tests {
    use super::*;

    #[test]
    fn ring_is_the_default_whatever_else_is_compiled_in() {
        let ring = CryptoProvider::ring();
        assert!(Arc::ptr_eq(&provider(None).unwrap(), &ring.load()));
        assert!(Arc::ptr_eq(&provider(Some(ring)).unwrap(), &ring.load()));
        #[cfg(feature = "aws-lc-rs")]
        {
            let other = CryptoProvider::aws_lc_rs();
            let chosen = provider(Some(other)).unwrap();
            assert!(Arc::ptr_eq(&chosen, &other.load()));
            assert!(!Arc::ptr_eq(&chosen, &ring.load()));
        }
    }
}
