//! Throw-away certificates: one authority, the server's, the client's, as PEM files in one folder.

use std::fs::write;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::Result;

pub fn create(folder: &Path) -> Result {
    let mut params = CertificateParams::new(Vec::new())?;
    // Without names of their own, some clients take each for the issuer of the others.
    params
        .distinguished_name
        .push(DnType::CommonName, "bench authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    write(folder.join("ca.pem"), authority.pem())?;
    for (name, host) in [("server", "127.0.0.1"), ("client", "client.test")] {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, host);
        let certificate = params.signed_by(&key, &authority)?;
        write(folder.join(format!("{name}.pem")), certificate.pem())?;
        write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    }
    Ok(())
}
