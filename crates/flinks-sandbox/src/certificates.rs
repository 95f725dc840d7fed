//! Throw-away certificates: an authority, and what it issues to servers and clients.
//!
//! Each [`Sandbox`](crate::Sandbox) has an [`Authority`] of its own. Tests that run their own TLS
//! server can make one too:
//!
//! ```
//! use flinks_sandbox::certificates::{Authority, Validity};
//!
//! let authority = Authority::new("Test CA")?;
//! let server = authority.issue_server(&["localhost", "127.0.0.1"], Validity::Valid)?;
//! let first = authority.issue_client("first client", Validity::Valid)?;
//! let second = authority.issue_client("second client", Validity::Valid)?;
//! let expired = authority.issue_client("old client", Validity::Expired)?;
//! // A certificate that a server which trusts `authority` refuses:
//! let stranger = Authority::new("Another CA")?.issue_client("stranger", Validity::Valid)?;
//!
//! assert!(authority.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
//! assert!(server.key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
//! assert_ne!(first.serial, second.serial);
//! # drop((expired, stranger));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::fmt;
use std::io;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};

/// When a certificate is valid. The dates are fixed, so that no clock is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Validity {
    /// From 2020 to 2099.
    #[default]
    Valid,
    /// Until the start of 2020.
    Expired,
    /// From 2098.
    NotYetValid,
}

/// A certificate and its private key, both as PEM.
///
/// The key is PKCS#8, curve P-256. It protects nothing: it is made for one test run.
#[derive(Clone)]
#[non_exhaustive]
pub struct IssuedCertificate {
    /// The certificate.
    pub cert_pem: String,
    /// The private key.
    pub key_pem: String,
    /// The serial number of the certificate in lower-case hex, as in
    /// [`LogLine::client_serial`](crate::LogLine::client_serial).
    pub serial: String,
}

impl fmt::Debug for IssuedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedCertificate")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

/// A certificate authority with a new key.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    ca_pem: String,
}

impl Authority {
    /// Makes an authority with its self-signed root certificate.
    ///
    /// # Errors
    ///
    /// Fails if the operating system provides no random bytes for the key.
    pub fn new(common_name: &str) -> io::Result<Self> {
        let mut params = params(common_name, &[], Validity::Valid)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        let ca_pem = issuer.pem();
        Ok(Self { issuer, ca_pem })
    }

    /// Returns the root certificate, which the other side has to trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Issues a client certificate with a key of its own.
    ///
    /// # Errors
    ///
    /// Fails if the name is not valid in a certificate, or no key can be generated.
    pub fn issue_client(
        &self,
        common_name: &str,
        validity: Validity,
    ) -> io::Result<IssuedCertificate> {
        let params = params(common_name, &[], validity)?;
        self.issue(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// Issues a server certificate for these DNS names and IP addresses.
    ///
    /// # Errors
    ///
    /// Fails if a name is not valid in a certificate, or no key can be generated.
    pub fn issue_server(
        &self,
        names: &[&str],
        validity: Validity,
    ) -> io::Result<IssuedCertificate> {
        let common_name = names.first().copied().unwrap_or_default();
        let params = params(common_name, names, validity)?;
        self.issue(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
    ) -> io::Result<IssuedCertificate> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let serial = params.serial_number.as_ref().map(SerialNumber::as_ref);
        let serial = hex(serial.unwrap_or_default());
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&key, &self.issuer);
        Ok(IssuedCertificate {
            cert_pem: certificate.map_err(io::Error::other)?.pem(),
            key_pem: key.serialize_pem(),
            serial,
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

fn params(common_name: &str, names: &[&str], validity: Validity) -> io::Result<CertificateParams> {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    // Positive, and without leading zeros: the first bit is clear, the second is set.
    let serial = fastrand::u128(..) & (u128::MAX >> 1) | (1 << 126);
    params.serial_number = Some(SerialNumber::from_slice(&serial.to_be_bytes()));
    let (from, to) = match validity {
        Validity::Valid => (2020, 2099),
        Validity::Expired => (2019, 2020),
        Validity::NotYetValid => (2098, 2099),
    };
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    Ok(params)
}

/// Writes bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_holds_no_key() {
        let authority = Authority::new("Test CA").unwrap();
        let client = authority.issue_client("one", Validity::Valid).unwrap();
        assert!(!format!("{authority:?}{client:?}").contains("PRIVATE"));
    }
}
