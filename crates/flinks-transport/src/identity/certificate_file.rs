//! Reads a client certificate without its private key.

use std::path::Path;

use flinks_types::Secret;

use super::der::Facts;
use super::{
    ClientIdentity, IdentityError, IdentityPart, Item, certificates_in, items, open_all, read,
};

impl ClientIdentity {
    /// Reads a client certificate without its private key and returns it in DER, for example to request
    /// its renewal.
    ///
    /// Accepts the same files as [`ClientIdentity::from_files`]. Of a chain, returns the certificate
    /// that issued no other. Blocks while it reads the file.
    ///
    /// # Errors
    /// The file cannot be read or contains no certificate; [`WrongPassword`].
    ///
    /// [`WrongPassword`]: crate::IdentityErrorKind::WrongPassword
    pub fn certificate_in_file(
        path: impl AsRef<Path>,
        password: Option<&Secret>,
    ) -> Result<Vec<u8>, IdentityError> {
        let part = IdentityPart::Certificate;
        let mut items = items(&read(path.as_ref(), part)?, part)?;
        let has_certificate = items
            .iter()
            .any(|item| matches!(item, Item::Certificate(_)));
        // A key beside the certificate is not needed.
        items.retain(|item| !has_certificate || !matches!(item, Item::EncryptedKey(_)));
        let chain = certificates_in(&open_all(items, password, part)?, part)?;
        let issuers: Vec<_> = chain
            .iter()
            .filter_map(|der| Facts::of(der))
            .filter(|facts| facts.issuer != facts.subject)
            .map(|facts| facts.issuer)
            .collect();
        let is_issuer = |der: &[u8]| Facts::of(der).is_some_and(|it| issuers.contains(&it.subject));
        let leaf = chain
            .iter()
            .find(|der| !is_issuer(der))
            .or_else(|| chain.first());
        Ok(leaf.map(|der| der.to_vec()).unwrap_or_default())
    }
}
