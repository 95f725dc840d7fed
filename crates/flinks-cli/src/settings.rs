//! The settings, from flags, then the environment, then a TOML file; secrets only from the last two.

mod source;

use std::path::{Path, PathBuf};

use flinks_auth::{ApiSecret, ClientCredentials, LegacyKeys};
use flinks_transport::{ClientIdentity, Endpoint, Error, ErrorKind, IdentityErrorKind, Roots};
use flinks_types::{CustomerId, Secret};
use flinks_upload::Paths;

use crate::arguments::Connection;

pub(crate) use source::Source;

/// Upload guide, "Base URL".
const UPLOAD_URL: &str = "https://upload-mtls.flinksapp.com";

/// Everything that the clients are built from; each part may be missing until it is needed.
///
/// It has no `Debug`: it holds secrets.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) upload_url: Option<String>,
    pub(crate) upload_paths: Option<String>,
    pub(crate) certificate: Option<Material>,
    pub(crate) key: Option<Material>,
    #[cfg(feature = "pfx")]
    pub(crate) certificate_password: Option<Secret>,
    pub(crate) roots: Option<Material>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) scope: Option<String>,
    pub(crate) api_url: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) customer_id: Option<String>,
    pub(crate) api_secret: Option<Secret>,
    pub(crate) auth_key: Option<Secret>,
    pub(crate) x_api_key: Option<Secret>,
    pub(crate) allow_http: bool,
}

/// A certificate or a key: a file of the user's, or what the embedded sandbox made.
pub(crate) enum Material {
    File(PathBuf),
    Memory(Vec<u8>),
}

impl Material {
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Memory(_) => None,
        }
    }
}

impl Settings {
    /// Reads the settings; none is required here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the file cannot be read or holds what it should not, or two settings
    /// contradict each other. No message holds a value that may be secret.
    pub(crate) fn read(source: &Source, flags: &Connection) -> Result<Self, Error> {
        let file = |path: Option<PathBuf>| path.map(Material::File);
        let settings = Self {
            upload_url: source.text("upload_url", flags.upload_url.as_ref())?,
            upload_paths: source.text("upload_paths", flags.upload_paths.as_ref())?,
            certificate: file(source.path("cert", flags.cert.as_ref())?),
            key: file(source.path("key", flags.key.as_ref())?),
            #[cfg(feature = "pfx")]
            certificate_password: source.secret("cert_password")?,
            roots: file(source.path("ca", flags.ca.as_ref())?),
            client_id: source.text("client_id", flags.client_id.as_ref())?,
            client_secret: source.secret("client_secret")?,
            scope: source.text("scope", flags.scope.as_ref())?,
            api_url: source.text("api_url", flags.api_url.as_ref())?,
            instance: source.text("instance", flags.instance.as_ref())?,
            customer_id: source.text("customer_id", flags.customer_id.as_ref())?,
            api_secret: source.secret("api_secret")?,
            auth_key: source.secret("auth_key")?,
            x_api_key: source.secret("x_api_key")?,
            allow_http: flags.allow_http,
        };
        if settings.api_url.is_some() && settings.instance.is_some() {
            // Whichever of the two won, the API secret might go to a host that was not meant.
            return Err(config(
                "FLINKS_API_URL and FLINKS_INSTANCE are both set: they name the same host, so set \
                 only one of them",
            ));
        }
        Ok(settings)
    }

    /// The settings that an upload needs and that are not set.
    pub(crate) fn missing_for_upload(&self) -> Vec<&'static str> {
        missing(&[
            ("FLINKS_CERT", self.certificate.is_some()),
            ("FLINKS_CLIENT_ID", self.client_id.is_some()),
            ("FLINKS_CLIENT_SECRET", self.client_secret.is_some()),
        ])
    }

    /// The settings that the fraud analysis needs and that are not set.
    pub(crate) fn missing_for_results(&self) -> Vec<&'static str> {
        let mut missing = self.missing_for_legacy();
        if self.api_secret.is_none() {
            missing.push("FLINKS_API_SECRET");
        }
        missing
    }

    /// The settings that the legacy API needs and that are not set; its keys are optional.
    pub(crate) fn missing_for_legacy(&self) -> Vec<&'static str> {
        let host = self.api_url.is_some() || self.instance.is_some();
        missing(&[
            ("FLINKS_INSTANCE (or FLINKS_API_URL)", host),
            ("FLINKS_CUSTOMER_ID", self.customer_id.is_some()),
        ])
    }

    pub(crate) fn upload_endpoint(&self) -> Result<Endpoint, Error> {
        let url = self.upload_url.as_deref().unwrap_or(UPLOAD_URL);
        self.endpoint("FLINKS_UPLOAD_URL", url)
    }

    pub(crate) fn paths(&self) -> Result<Paths, Error> {
        let text = self.upload_paths.as_deref();
        text.map_or_else(|| Ok(Paths::default()), str::parse)
            .map_err(|error| config(format!("FLINKS_UPLOAD_PATHS: {error}")))
    }

    pub(crate) fn results_endpoint(&self) -> Result<Endpoint, Error> {
        match (&self.api_url, &self.instance) {
            (Some(url), _) => self.endpoint("FLINKS_API_URL", url),
            (None, Some(instance)) => Endpoint::instance(instance)
                .map_err(|error| config(format!("FLINKS_INSTANCE: {error}"))),
            (None, None) => Err(not_set(&["FLINKS_INSTANCE"])),
        }
    }

    pub(crate) fn customer_id(&self) -> Result<CustomerId, Error> {
        let text = self
            .customer_id
            .as_ref()
            .ok_or_else(|| not_set(&["FLINKS_CUSTOMER_ID"]))?;
        CustomerId::new(text).map_err(|error| config(format!("FLINKS_CUSTOMER_ID: {error}")))
    }

    pub(crate) fn api_secret(&self) -> Result<ApiSecret, Error> {
        let secret = self.api_secret.clone();
        secret
            .map(ApiSecret::new)
            .ok_or_else(|| not_set(&["FLINKS_API_SECRET"]))
    }

    /// The keys of the legacy API, as far as they are set.
    pub(crate) fn legacy_keys(&self) -> LegacyKeys {
        let mut keys = LegacyKeys::new();
        if let Some(key) = &self.auth_key {
            keys = keys.auth_key(key.clone());
        }
        if let Some(key) = &self.x_api_key {
            keys = keys.x_api_key(key.clone());
        }
        keys
    }

    pub(crate) fn credentials(&self) -> Result<ClientCredentials, Error> {
        let (Some(id), Some(secret)) = (&self.client_id, &self.client_secret) else {
            return Err(not_set(&self.missing_for_upload()));
        };
        let credentials = ClientCredentials::new(id, secret.clone());
        Ok(match &self.scope {
            Some(scope) => credentials.scope(scope),
            None => credentials,
        })
    }

    pub(crate) fn identity(&self) -> Result<ClientIdentity, Error> {
        let Some(certificate) = &self.certificate else {
            return Err(not_set(&["FLINKS_CERT"]));
        };
        match (certificate, self.key.as_ref().unwrap_or(certificate)) {
            (Material::File(certificate), Material::File(key)) => {
                self.identity_in(certificate, key)
            }
            (Material::Memory(certificate), Material::Memory(key)) => {
                Ok(ClientIdentity::from_pem(certificate, key)?)
            }
            (Material::File(_), Material::Memory(_)) | (Material::Memory(_), Material::File(_)) => {
                Err(config(
                    "the certificate and its key come from the same place",
                ))
            }
        }
    }

    fn identity_in(&self, certificate: &Path, key: &Path) -> Result<ClientIdentity, Error> {
        match ClientIdentity::from_pem_files(certificate, key) {
            #[cfg(feature = "pfx")]
            Err(error)
                if error.kind() == IdentityErrorKind::PfxGiven
                    && error.path() == Some(certificate) =>
            {
                let password = self.certificate_password.clone().unwrap_or_default();
                ClientIdentity::from_pfx_file(certificate, &password).map_err(|error| {
                    let wrong = error.kind() == IdentityErrorKind::WrongPassword;
                    let hint = if wrong { " (FLINKS_CERT_PASSWORD)" } else { "" };
                    config(format!("{error}{hint}")).with_source(error)
                })
            }
            Err(error)
                if self.key.is_none()
                    && matches!(
                        error.kind(),
                        IdentityErrorKind::NoKey | IdentityErrorKind::CertificateGiven
                    ) =>
            {
                let path = certificate.display();
                Err(config(format!(
                    "{path} holds no private key: set FLINKS_KEY to the file that does"
                )))
            }
            outcome => Ok(outcome?),
        }
    }

    pub(crate) fn roots(&self) -> Result<Roots, Error> {
        match &self.roots {
            None => Ok(Roots::default()),
            Some(Material::File(path)) => Ok(Roots::pem_file(path)?),
            Some(Material::Memory(pem)) => Ok(Roots::pem(pem)?),
        }
    }

    fn endpoint(&self, name: &str, url: &str) -> Result<Endpoint, Error> {
        let endpoint = if self.allow_http {
            Endpoint::loopback(url)
        } else {
            Endpoint::new(url)
        };
        endpoint.map_err(|error| {
            let plain = url.starts_with("http://") && !self.allow_http;
            let hint = if plain {
                "; --allow-http takes plain http to this machine"
            } else {
                ""
            };
            config(format!("{name}: {error}{hint}"))
        })
    }
}

/// What to say of settings that a command needs.
pub(crate) fn not_set(names: &[&str]) -> Error {
    let list = names.join(", ");
    config(format!(
        "not set: {list}; set them in the environment or in the file given by --config, or add \
         --sandbox for a run that needs none"
    ))
}

fn missing(settings: &[(&'static str, bool)]) -> Vec<&'static str> {
    settings
        .iter()
        .filter(|(_, set)| !set)
        .map(|(name, _)| *name)
        .collect()
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::local(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn settings(environment: &[(&str, &str)], flags: &Connection) -> Result<Settings, Error> {
        let environment: HashMap<_, _> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.into()))
            .collect();
        let source = Source::new(move |name| environment.get(name).cloned(), None)?;
        Settings::read(&source, flags)
    }

    #[test]
    fn both_names_of_the_results_host_are_an_error_wherever_they_come_from() {
        let flags = Connection {
            instance: Some("toolbox".to_owned()),
            ..Connection::default()
        };
        let environment = [("FLINKS_API_URL", "https://example.com")];
        let error = settings(&environment, &flags).err().expect("both are set");
        assert!(error.to_string().contains("FLINKS_INSTANCE"), "{error}");
        let both = [environment[0], ("FLINKS_INSTANCE", "toolbox")];
        settings(&both, &Connection::default())
            .err()
            .expect("both are set");
    }

    #[test]
    fn defaults_are_those_of_the_guide() {
        let settings = settings(&[], &Connection::default()).expect("nothing is required");
        assert_eq!(
            settings.upload_endpoint().expect("set").to_string(),
            UPLOAD_URL
        );
        assert_eq!(settings.paths().expect("set"), Paths::api_v1());
        assert_eq!(
            settings.missing_for_upload(),
            ["FLINKS_CERT", "FLINKS_CLIENT_ID", "FLINKS_CLIENT_SECRET"]
        );
        assert_eq!(
            settings.missing_for_results(),
            [
                "FLINKS_INSTANCE (or FLINKS_API_URL)",
                "FLINKS_CUSTOMER_ID",
                "FLINKS_API_SECRET"
            ]
        );
    }

    #[test]
    fn an_instance_names_its_host() {
        let settings = settings(&[("FLINKS_INSTANCE", "toolbox")], &Connection::default());
        let endpoint = settings.expect("valid").results_endpoint().expect("valid");
        assert_eq!(endpoint.authority(), "toolbox-api.private.fin.ag");
    }

    #[test]
    fn plain_http_needs_leave_and_loopback() {
        let read = |url: &str, allow_http| {
            let flags = Connection {
                allow_http,
                ..Connection::default()
            };
            settings(&[("FLINKS_UPLOAD_URL", url)], &flags)
                .expect("read")
                .upload_endpoint()
        };
        let error = read("http://127.0.0.1:1", false).expect_err("no leave");
        assert!(error.to_string().contains("--allow-http"), "{error}");
        read("http://127.0.0.1:1", true).expect("loopback");
        read("http://example.com", true).expect_err("another host");
    }

    #[test]
    fn errors_name_the_setting() {
        let bad = [
            ("FLINKS_UPLOAD_URL", "example.com"),
            ("FLINKS_UPLOAD_PATHS", "v2"),
            ("FLINKS_INSTANCE", "evil.example/"),
        ];
        for setting in bad {
            let settings = settings(&[setting], &Connection::default()).expect("read");
            let errors = [
                settings.upload_endpoint().err(),
                settings.paths().err(),
                settings.results_endpoint().err(),
            ];
            let named = |error: &Error| error.to_string().starts_with(setting.0);
            assert!(errors.iter().flatten().any(named), "{setting:?}");
        }
    }
}
