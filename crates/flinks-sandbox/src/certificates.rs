//! The throw-away authority: one for servers and clients, and one that nobody trusts.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A client certificate to be [issued](crate::Sandbox::issue_client).
///
/// ```
/// use flinks_sandbox::ClientCertificate;
///
/// let valid = ClientCertificate::new("second client");
/// let refused = ClientCertificate::new("stranger").from_another_authority();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientCertificate {
    common_name: String,
    stranger: bool,
    validity: Validity,
}

#[derive(Clone, Copy, Debug)]
enum Validity {
    Now,
    Expired,
    NotYet,
}

impl ClientCertificate {
    /// A valid certificate of the sandbox's own authority.
    pub fn new(common_name: impl Into<String>) -> Self {
        Self {
            common_name: common_name.into(),
            stranger: false,
            validity: Validity::Now,
        }
    }

    /// Issues it from an authority that the sandbox does not trust: the handshake fails.
    pub fn from_another_authority(mut self) -> Self {
        self.stranger = true;
        self
    }

    /// Lets it have expired in 2020: the handshake fails.
    pub fn expired(mut self) -> Self {
        self.validity = Validity::Expired;
        self
    }

    /// Lets it become valid in 2098 only: the handshake fails.
    pub fn not_yet_valid(mut self) -> Self {
        self.validity = Validity::NotYet;
        self
    }
}

/// A certificate and its private key, both PEM.
///
/// The key is PKCS#8 on curve P-256. It guards nothing: its authority is made anew with
/// every sandbox and trusted by that sandbox alone.
#[derive(Clone)]
#[non_exhaustive]
pub struct Identity {
    /// The certificate.
    pub cert_pem: String,
    /// The private key.
    pub key_pem: String,
    /// The certificate's serial number in lower-case hex, as the log names it.
    pub serial: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Identity")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

/// What a TLS server presents.
pub(crate) struct ServerIdentity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// A certificate authority with a fresh key.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new(common_name: &str) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.serial_number = Some(serial());
        set_validity(&mut params, Validity::Now);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
            der,
        })
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// A server's certificate for loopback: `localhost`, `127.0.0.1` and `::1`.
    pub(crate) fn server(&self) -> Result<ServerIdentity, rcgen::Error> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "flinks sandbox");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (certificate, key) = self.sign(params, Validity::Now)?;
        Ok(ServerIdentity {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        })
    }

    fn client(&self, request: &ClientCertificate) -> Result<Identity, rcgen::Error> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, request.common_name.as_str());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let number = serial();
        let serial = hex(number.as_ref());
        params.serial_number = Some(number);
        let (certificate, key) = self.sign(params, request.validity)?;
        Ok(Identity {
            cert_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            serial,
        })
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        validity: Validity,
    ) -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params.serial_number.get_or_insert_with(serial);
        set_validity(&mut params, validity);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate, key))
    }
}

/// The authority that the upload host trusts, and another for strangers.
pub(crate) struct Authorities {
    pub(crate) own: Authority,
    other: Authority,
}

impl Authorities {
    pub(crate) fn new() -> Result<Self, rcgen::Error> {
        Ok(Self {
            own: Authority::new("flinks sandbox authority")?,
            other: Authority::new("another authority")?,
        })
    }

    pub(crate) fn issue(&self, request: &ClientCertificate) -> Result<Identity, rcgen::Error> {
        if request.stranger {
            self.other.client(request)
        } else {
            self.own.client(request)
        }
    }
}

/// Fixed dates: no clock is read, and no test breaks at midnight.
fn set_validity(params: &mut CertificateParams, validity: Validity) {
    let (from, to) = match validity {
        Validity::Now => (2020, 2099),
        Validity::Expired => (2019, 2020),
        Validity::NotYet => (2098, 2099),
    };
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
}

/// Sixteen random bytes whose first bit is clear and second is set: positive, with no leading zeros.
fn serial() -> SerialNumber {
    let bytes = (fastrand::u128(..) & (u128::MAX >> 1) | (1 << 126)).to_be_bytes();
    SerialNumber::from_slice(&bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The serial number of a certificate in lower-case hex; `None` if it is no certificate.
pub(crate) fn serial_of(certificate: &CertificateDer<'_>) -> Option<String> {
    // Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serialNumber INTEGER, … } }
    let (_, body, _) = element(certificate)?;
    let (_, fields, _) = element(body)?;
    let (tag, value) = match element(fields)? {
        (0xa0, _version, rest) => element(rest).map(|(tag, value, _)| (tag, value))?,
        (tag, value, _) => (tag, value),
    };
    (tag == 0x02).then(|| hex(value))
}

/// The first DER element: its tag, its contents, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, short], rest) = der.split_first_chunk()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (
                bytes
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte)),
                rest,
            )
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn the_serial_read_back_is_the_serial_issued() {
        let authorities = Authorities::new().unwrap();
        let first = authorities.issue(&ClientCertificate::new("one")).unwrap();
        let second = authorities.issue(&ClientCertificate::new("two")).unwrap();
        for identity in [&first, &second] {
            let certificate = CertificateDer::from_pem_slice(identity.cert_pem.as_bytes()).unwrap();
            assert_eq!(serial_of(&certificate).as_ref(), Some(&identity.serial));
            assert_eq!(identity.serial.len(), 32);
            assert!(identity.key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
        }
        assert_ne!(first.serial, second.serial);
    }

    #[test]
    fn debug_holds_no_key() {
        let identity = Authorities::new()
            .unwrap()
            .issue(&ClientCertificate::new("one"))
            .unwrap();
        assert!(!format!("{identity:?}").contains("PRIVATE"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            drop(serial_of(&CertificateDer::from(bytes)));
        }
    }
}
