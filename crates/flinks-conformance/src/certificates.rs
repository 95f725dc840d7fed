//! Throw-away certificates for level 3: two authorities, and what each side presents.

use std::sync::{Arc, OnceLock};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate and its key.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
    pub(crate) certificate: CertificateDer<'static>,
    key: Arc<KeyPair>,
}

impl Identity {
    pub(crate) fn key(&self) -> Result<PrivateKeyDer<'static>, &'static str> {
        PrivateKeyDer::try_from(self.key.serialize_der())
    }
}

/// Everything that level 3 presents and trusts; made once a process.
#[derive(Debug)]
pub(crate) struct Certificates {
    pub(crate) ca_pem: String,
    pub(crate) ca: CertificateDer<'static>,
    pub(crate) client: Identity,
    pub(crate) client_of_other_ca: Identity,
    pub(crate) client_expired: Identity,
    pub(crate) server: Identity,
    pub(crate) server_of_other_ca: Identity,
    pub(crate) server_of_other_host: Identity,
    pub(crate) server_expired: Identity,
}

/// The certificates of this process.
pub(crate) fn certificates() -> Result<&'static Certificates, String> {
    static MADE: OnceLock<Result<Certificates, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| make().map_err(|error| error.to_string()));
    made.as_ref().map_err(Clone::clone)
}

fn make() -> Result<Certificates, rcgen::Error> {
    let (ours, other) = (authority("Conformance CA")?, authority("Another CA")?);
    let client = |issuer, expired| {
        leaf(
            "conformance-client",
            ExtendedKeyUsagePurpose::ClientAuth,
            issuer,
            expired,
        )
    };
    let server =
        |host, issuer, expired| leaf(host, ExtendedKeyUsagePurpose::ServerAuth, issuer, expired);
    Ok(Certificates {
        ca_pem: ours.pem(),
        ca: ours.der().clone(),
        client: client(&ours, false)?,
        client_of_other_ca: client(&other, false)?,
        client_expired: client(&ours, true)?,
        server: server(HOST, &ours, false)?,
        server_of_other_ca: server(HOST, &other, false)?,
        server_of_other_host: server("elsewhere.test", &ours, false)?,
        server_expired: server(HOST, &ours, true)?,
    })
}

/// The name that the client connects to.
pub(crate) const HOST: &str = "localhost";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Result<Authority, rcgen::Error> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)
}

fn leaf(
    name: &str,
    usage: ExtendedKeyUsagePurpose,
    issuer: &Authority,
    expired: bool,
) -> Result<Identity, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new([name.to_owned()])?;
    parameters.extended_key_usages.push(usage);
    parameters.use_authority_key_identifier_extension = true;
    if expired {
        parameters.not_before = date_time_ymd(2019, 1, 1);
        parameters.not_after = date_time_ymd(2020, 1, 1);
    }
    let certificate = parameters.signed_by(&key, issuer)?;
    Ok(Identity {
        certificate_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
        certificate: certificate.der().clone(),
        key: Arc::new(key),
    })
}
