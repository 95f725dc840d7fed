//! Loads the client certificate, its key, and the trusted roots from the files of the settings.

use std::path::PathBuf;

use flinks_transport::{
    ClientIdentity, Error, IdentityError, IdentityErrorKind, IdentityPart, Roots,
};
use flinks_types::Secret;

use crate::output::io_error;
use crate::settings::{Given, Material, Settings, config, not_set};

impl Settings {
    /// Reads the client certificate and its private key.
    ///
    /// # Errors
    /// The certificate is not set, a file cannot be read, or the two cannot be used together.
    pub fn identity(&self) -> Result<ClientIdentity, Error> {
        let Some(certificate) = &self.certificate else {
            return Err(not_set(&["FLINKS_CERT"]));
        };
        let (certificate, key) = match (certificate, &self.key) {
            (Material::File(certificate), None) => (certificate, None),
            (Material::File(certificate), Some(Material::File(key))) => (certificate, Some(key)),
            (Material::Memory(certificate), Some(Material::Memory(key))) => {
                return Ok(ClientIdentity::from_pem(certificate, key)?);
            }
            (Material::Memory(_), _) | (_, Some(Material::Memory(_))) => {
                return Err(config(
                    "the certificate and its key must both be files or both be in memory",
                ));
            }
        };
        self.identity_from_files(certificate, key)
    }

    fn identity_from_files(
        &self,
        certificate: &Given<PathBuf>,
        key: Option<&Given<PathBuf>>,
    ) -> Result<ClientIdentity, Error> {
        let password = self.certificate_password.as_ref();
        let error = match ClientIdentity::from_files(
            &certificate.value,
            key.map(|key| key.value.as_path()),
            password.map(|password| &password.value),
        ) {
            Ok(identity) => return Ok(identity),
            Err(error) => error,
        };
        let kind = error.kind();
        if kind == IdentityErrorKind::NoKey && key.is_none() {
            return Err(certificate.invalid(
                "there is no private key in this file: set FLINKS_KEY to the file that contains it",
            ));
        }
        let given = match key {
            Some(key) if error.part() == IdentityPart::Key => key,
            _ => certificate,
        };
        Err(with_password(unusable(given, &error), kind, password))
    }

    /// Reads the root certificates to trust.
    ///
    /// # Errors
    /// The file cannot be read or contains no certificate.
    pub fn roots(&self) -> Result<Roots, Error> {
        match &self.roots {
            None => Ok(Roots::default()),
            Some(Material::File(path)) => {
                Roots::pem_file(&path.value).map_err(|error| unusable(path, &error))
            }
            Some(Material::Memory(pem)) => Ok(Roots::pem(pem)?),
        }
    }
}

/// Reads the client certificate in a file, without its key, in DER.
///
/// # Errors
/// The file cannot be read or contains no certificate.
pub(crate) fn certificate_in(
    given: &Given<PathBuf>,
    password: Option<&Given<Secret>>,
) -> Result<Vec<u8>, Error> {
    let secret = password.map(|password| &password.value);
    ClientIdentity::certificate_in_file(&given.value, secret)
        .map_err(|error| with_password(unusable(given, &error), error.kind(), password))
}

/// Adds the setting of the password to an error about it.
fn with_password(error: Error, kind: IdentityErrorKind, password: Option<&Given<Secret>>) -> Error {
    match password {
        Some(password) if kind == IdentityErrorKind::WrongPassword => {
            config(format!("{error} ({})", password.name()))
        }
        None if matches!(
            kind,
            IdentityErrorKind::WrongPassword | IdentityErrorKind::EncryptedKey
        ) =>
        {
            config(format!("{error} (FLINKS_CERT_PASSWORD is not set)"))
        }
        _ => error,
    }
}

/// Adds this program's own settings to the error that no root certificates were found.
pub(crate) fn without_roots(error: Error) -> Error {
    let source = std::error::Error::source(&error);
    let identity = source.and_then(|source| source.downcast_ref::<IdentityError>());
    match identity.filter(|error| error.kind() == IdentityErrorKind::NoRoots) {
        Some(no_roots) => config(format!(
            "root certificates: {}; or set FLINKS_CA or --ca to a PEM file of the roots to trust",
            no_roots.message()
        )),
        None => error,
    }
}

/// Returns the error of a setting's file, with the library's reason.
fn unusable(given: &Given<PathBuf>, error: &IdentityError) -> Error {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    if let Some(cause) = cause {
        return given.invalid(io_error::reason(cause));
    }
    given.invalid(error.message())
}
