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

mod pfx;

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use webpki::EndEntityCert;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// When a certificate is valid. The dates are fixed, so that no clock is read, except for `Current`.
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
    /// From a day ago, for 800 days in all: Apple's TLS refuses server certificates that are valid
    /// for more than 825 days.
    Current,
}

/// A certificate and its private key, both as PEM.
///
/// The key is PKCS#8, curve P-256. It protects nothing: it is made for tests.
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

impl IssuedCertificate {
    /// Reads a certificate and its key; `None` if they do not belong together.
    pub(crate) fn from_pem(cert_pem: String, key_pem: String) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(cert_pem.as_bytes()).ok()?;
        let serial = belong_together(&cert_pem, &KeyPair::from_pem(&key_pem).ok()?)
            .then(|| serial(&der))
            .flatten()?;
        Some(Self {
            cert_pem,
            key_pem,
            serial,
        })
    }
}

impl fmt::Debug for IssuedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedCertificate")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    ca_pem: String,
}

impl Authority {
    /// Makes an authority with its self-signed root certificate.
    ///
    /// # Errors
    ///
    /// Fails if the operating system provides no random bytes for the key.
    pub fn new(common_name: &str) -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let params = ca_params(common_name)?;
        let ca_pem = params.self_signed(&key).map_err(io::Error::other)?.pem();
        let issuer = Issuer::new(params, key);
        Ok(Self { issuer, ca_pem })
    }

    /// Continues the authority that [`new`](Self::new) made with this name.
    pub(crate) fn from_pem(common_name: &str, ca_pem: String, key_pem: &str) -> io::Result<Self> {
        let key = KeyPair::from_pem(key_pem).map_err(io::Error::other)?;
        if !belong_together(&ca_pem, &key) {
            return Err(io::Error::other("the certificate is not of this key"));
        }
        let issuer = Issuer::new(ca_params(common_name)?, key);
        Ok(Self { issuer, ca_pem })
    }

    /// The authority's private key, as PKCS#8 PEM.
    pub(crate) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
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
    let years = |from, to| (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    (params.not_before, params.not_after) = match validity {
        Validity::Valid => years(2020, 2099),
        Validity::Expired => years(2019, 2020),
        Validity::NotYetValid => years(2098, 2099),
        Validity::Current => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let from = date_time_ymd(1970, 1, 1) + now.unwrap_or_default() - DAY;
            (from, from + 800 * DAY)
        }
    };
    Ok(params)
}

fn ca_params(common_name: &str) -> io::Result<CertificateParams> {
    let mut params = params(common_name, &[], Validity::Valid)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn belong_together(cert_pem: &str, key: &KeyPair) -> bool {
    let Ok(der) = CertificateDer::from_pem_slice(cert_pem.as_bytes()) else {
        return false;
    };
    EndEntityCert::try_from(&der).is_ok_and(|certificate| {
        certificate.subject_public_key_info().as_ref() == key.subject_public_key_info()
    })
}

/// Returns the serial number of a certificate in lower-case hex.
pub(crate) fn serial(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    Some(hex(certificate.serial()))
}

/// Writes bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_and_its_certificates_are_read_back() {
        let new = Authority::new("Test CA").unwrap();
        let client = new.issue_client("one", Validity::Valid).unwrap();
        let read = IssuedCertificate::from_pem(client.cert_pem.clone(), client.key_pem).unwrap();
        assert_eq!(read.serial, client.serial);

        let key = new.key_pem();
        let again = Authority::from_pem("Test CA", new.ca_pem, &key).unwrap();
        let second = again.issue_client("two", Validity::Valid).unwrap();
        Authority::from_pem("Test CA", client.cert_pem.clone(), &key).unwrap_err();
        assert!(IssuedCertificate::from_pem(client.cert_pem, second.key_pem).is_none());
    }

    #[test]
    fn debug_holds_no_key() {
        let authority = Authority::new("Test CA").unwrap();
        let client = authority.issue_client("one", Validity::Valid).unwrap();
        assert!(!format!("{authority:?}{client:?}").contains("PRIVATE"));
    }
}
