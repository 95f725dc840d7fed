//! A certificate with its key and its authority as a PKCS#12 file.

use std::io;

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::IssuedCertificate;

impl IssuedCertificate {
    /// Encrypts the certificate, its key and the root certificate `ca_pem`: AES-256 and
    /// HMAC-SHA-256, which OpenSSL 3, Java 17 and .NET read.
    pub(crate) fn to_pfx(&self, ca_pem: &str, password: &str) -> io::Result<Vec<u8>> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(self.key_pem.as_bytes());
        let key = key.map_err(io::Error::other)?;
        let key = PrivateKey::from_der(key.secret_pkcs8_der()).map_err(io::Error::other)?;
        let mut chain = Vec::new();
        for pem in [self.cert_pem.as_str(), ca_pem] {
            let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(io::Error::other)?;
            chain.push(Certificate::from_der(&der).map_err(io::Error::other)?);
        }
        let chain = PrivateKeyChain::new(self.serial.as_bytes(), key, chain);
        let mut store = KeyStore::new();
        store.add_entry("client", KeyStoreEntry::PrivateKeyChain(chain));
        store.writer(password).write().map_err(io::Error::other)
    }
}
