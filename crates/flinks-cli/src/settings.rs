//! The settings, from flags, then the environment, then a TOML file; secrets only from the last two.

pub(crate) mod path_value;
mod source;
mod unknown_variables;

use std::path::PathBuf;

use flinks_auth::{ApiSecret, ClientCredentials, LegacyKeys};
use flinks_transport::{
    ClientIdentity, Endpoint, Error, ErrorKind, IdentityError, IdentityErrorKind, IdentityPart,
    Roots,
};
use flinks_types::{CustomerId, Secret};
use flinks_upload::Paths;

use crate::arguments::Connection;
use crate::output::io_error;

pub(crate) use source::{Given, Source};
pub(crate) use unknown_variables::warnings as unknown_variables;

/// Upload guide, "Base URL".
const UPLOAD_URL: &str = "https://upload-mtls.flinksapp.com";

/// Everything that the clients are built from; each part may be missing until it is needed.
///
/// It has no `Debug`: it holds secrets.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) upload_url: Option<Given<String>>,
    pub(crate) upload_paths: Option<Given<String>>,
    pub(crate) certificate: Option<Material>,
    pub(crate) key: Option<Material>,
    #[cfg(feature = "pfx")]
    pub(crate) certificate_password: Option<Given<Secret>>,
    pub(crate) roots: Option<Material>,
    pub(crate) client_id: Option<Given<String>>,
    pub(crate) client_secret: Option<Given<Secret>>,
    pub(crate) scope: Option<Given<String>>,
    pub(crate) api_url: Option<Given<String>>,
    pub(crate) instance: Option<Given<String>>,
    pub(crate) customer_id: Option<Given<String>>,
    pub(crate) api_secret: Option<Given<Secret>>,
    pub(crate) auth_key: Option<Given<Secret>>,
    pub(crate) x_api_key: Option<Given<Secret>>,
    pub(crate) allow_http: bool,
    /// What is doubtful about them.
    pub(crate) warnings: Vec<String>,
}

/// A certificate or a key: a file of the user's, or what the embedded sandbox made.
pub(crate) enum Material {
    File(Given<PathBuf>),
    Memory(Vec<u8>),
}

impl Material {
    pub(crate) fn file(&self) -> Option<&Given<PathBuf>> {
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
    /// contradict each other. No message holds a value: it may be secret.
    pub(crate) fn read(source: &Source, flags: &Connection) -> Result<Self, Error> {
        let file = |path: Option<Given<PathBuf>>| path.map(Material::File);
        let mut settings = Self {
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
            warnings: Vec::new(),
        };
        if let (Some(url), Some(instance)) = (&settings.api_url, &settings.instance) {
            // Whichever of the two won, the API secret might go to a host that was not meant.
            return Err(config(format!(
                "{} and {} are both set: they name the same host, so set only one of them",
                url.name(),
                instance.name()
            )));
        }
        settings.look_at_secrets()?;
        Ok(settings)
    }

    /// Finds what was pasted together with a secret. "Bearer " is dropped from the API secret,
    /// which no secret begins with; a header in place of another secret cannot be taken apart.
    fn look_at_secrets(&mut self) -> Result<(), Error> {
        if let Some(given) = &mut self.api_secret
            && let Some(bare) = without_scheme(given.value.expose(), "bearer")
        {
            let bare = Secret::new(bare);
            self.warnings.push(format!(
                "{} begins with \"Bearer \", which is left out: it is no part of the secret",
                given.name()
            ));
            given.value = bare;
        }
        let secrets = [
            &self.api_secret,
            &self.client_secret,
            &self.auth_key,
            &self.x_api_key,
        ];
        for given in secrets.into_iter().flatten() {
            let text = given.value.expose();
            if ["bearer", "basic"]
                .iter()
                .any(|scheme| without_scheme(text, scheme).is_some())
            {
                return Err(given.refused(
                    "this is an Authorization header: give the secret itself, without \"Bearer\" \
                     or \"Basic\"",
                ));
            }
            if path_value::is_quoted(text) {
                self.warnings.push(format!(
                    "{} is in quotes, which are sent as part of it",
                    given.name()
                ));
            }
        }
        Ok(())
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
        match &self.upload_url {
            Some(url) => self.endpoint(url),
            None => Endpoint::new(UPLOAD_URL),
        }
    }

    pub(crate) fn paths(&self) -> Result<Paths, Error> {
        let Some(given) = &self.upload_paths else {
            return Ok(Paths::default());
        };
        let paths = given.value.parse();
        paths.map_err(|error: Error| given.refused(error))
    }

    pub(crate) fn results_endpoint(&self) -> Result<Endpoint, Error> {
        match (&self.api_url, &self.instance) {
            (Some(url), _) => self.endpoint(url),
            (None, Some(instance)) => {
                Endpoint::instance(&instance.value).map_err(|error| instance.refused(error))
            }
            (None, None) => Err(not_set(&["FLINKS_INSTANCE"])),
        }
    }

    pub(crate) fn customer_id(&self) -> Result<CustomerId, Error> {
        let given = self
            .customer_id
            .as_ref()
            .ok_or_else(|| not_set(&["FLINKS_CUSTOMER_ID"]))?;
        CustomerId::new(&given.value).map_err(|error| given.refused(error))
    }

    pub(crate) fn api_secret(&self) -> Result<ApiSecret, Error> {
        let secret = self.api_secret.as_ref();
        secret
            .map(|given| ApiSecret::new(given.value.clone()))
            .ok_or_else(|| not_set(&["FLINKS_API_SECRET"]))
    }

    /// The keys of the legacy API, as far as they are set.
    pub(crate) fn legacy_keys(&self) -> LegacyKeys {
        let mut keys = LegacyKeys::new();
        if let Some(key) = &self.auth_key {
            keys = keys.auth_key(key.value.clone());
        }
        if let Some(key) = &self.x_api_key {
            keys = keys.x_api_key(key.value.clone());
        }
        keys
    }

    pub(crate) fn credentials(&self) -> Result<ClientCredentials, Error> {
        let (Some(id), Some(secret)) = (&self.client_id, &self.client_secret) else {
            return Err(not_set(&self.missing_for_upload()));
        };
        let credentials = ClientCredentials::new(&id.value, secret.value.clone());
        Ok(match &self.scope {
            Some(scope) => credentials.scope(&scope.value),
            None => credentials,
        })
    }

    pub(crate) fn identity(&self) -> Result<ClientIdentity, Error> {
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
                    "the certificate and its key come from the same place",
                ));
            }
        };
        self.identity_in(certificate, key)
    }

    fn identity_in(
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
            return Err(certificate.refused(
                "there is no private key in this file: set FLINKS_KEY to the file that holds it",
            ));
        }
        let given = match key {
            Some(key) if error.part() == IdentityPart::Key => key,
            _ => certificate,
        };
        let unusable = unusable(given, &error);
        Err(match password {
            Some(password) if kind == IdentityErrorKind::WrongPassword => {
                config(format!("{unusable} ({})", password.name()))
            }
            None if matches!(
                kind,
                IdentityErrorKind::WrongPassword | IdentityErrorKind::EncryptedKey
            ) =>
            {
                config(format!("{unusable} (FLINKS_CERT_PASSWORD is not set)"))
            }
            _ => unusable,
        })
    }

    pub(crate) fn roots(&self) -> Result<Roots, Error> {
        match &self.roots {
            None => Ok(Roots::default()),
            Some(Material::File(path)) => {
                Roots::pem_file(&path.value).map_err(|error| unusable(path, &error))
            }
            Some(Material::Memory(pem)) => Ok(Roots::pem(pem)?),
        }
    }

    fn endpoint(&self, given: &Given<String>) -> Result<Endpoint, Error> {
        let url = &given.value;
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
            given.refused(format!("{error}{hint}"))
        })
    }
}

/// What to do when no root certificates are found, in this program's own terms.
pub(crate) fn without_roots(error: Error) -> Error {
    let source = std::error::Error::source(&error);
    let identity = source.and_then(|source| source.downcast_ref::<IdentityError>());
    match identity.filter(|error| error.kind() == IdentityErrorKind::NoRoots) {
        Some(why) => config(format!(
            "root certificates: {}; or set FLINKS_CA or --ca to a PEM file of the roots to trust",
            why.message()
        )),
        None => error,
    }
}

/// Why the file that a setting names cannot be used, in the library's words.
fn unusable(given: &Given<PathBuf>, error: &IdentityError) -> Error {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    if let Some(cause) = cause {
        return given.refused(io_error::reason(cause));
    }
    given.refused(error.message())
}

/// What follows the scheme of an `Authorization` header, with or without the header's own name.
fn without_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let after = |text: &'t str, word: &str| {
        let (head, tail) = text.trim_start().split_at_checked(word.len())?;
        head.eq_ignore_ascii_case(word).then_some(tail)
    };
    let text = after(text, "authorization:").unwrap_or(text);
    let rest = after(text, scheme)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let bare = rest.trim();
    (rest.starts_with([' ', '\t']) && !bare.is_empty()).then_some(bare)
}

/// The scheme, host and port of a base URL; a path behind them may be anything.
pub(crate) fn shown(endpoint: &Endpoint) -> String {
    let text = endpoint.to_string();
    let (scheme, _) = text.split_once("://").unwrap_or_default();
    format!("{scheme}://{}", endpoint.authority())
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
    Error::new(ErrorKind::Config, message)
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
        assert!(error.to_string().contains("--instance"), "{error}");
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
            ("FLINKS_UPLOAD_URL", "CANARY.example"),
            ("FLINKS_UPLOAD_PATHS", "CANARY"),
            ("FLINKS_INSTANCE", "CANARY/"),
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
            for error in errors.iter().flatten() {
                assert!(!error.report().to_string().contains("CANARY"), "{error}");
            }
        }
    }

    #[test]
    fn an_identity_is_refused_by_the_name_of_its_setting() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("CANARY");
        std::fs::write(&path, "no PEM").expect("written");
        let path = path.to_str().expect("UTF-8");
        let rows = [
            (
                [("FLINKS_CERT", path), ("FLINKS_KEY", path)],
                "FLINKS_CERT: the file is neither PEM",
            ),
            (
                [("FLINKS_CERT", "/CANARY"), ("FLINKS_KEY", path)],
                "FLINKS_CERT: no such file",
            ),
        ];
        for (environment, told) in rows {
            let settings = settings(&environment, &Connection::default()).expect("read");
            let text = settings
                .identity()
                .expect_err("no identity")
                .report()
                .to_string();
            assert!(text.starts_with(told) && !text.contains("CANARY"), "{text}");
        }
        let flags = Connection {
            ca: Some(path.into()),
            ..Connection::default()
        };
        let error = settings(&[], &flags)
            .expect("read")
            .roots()
            .expect_err("no roots");
        let text = error.report().to_string();
        assert!(
            text.starts_with("--ca: ") && !text.contains("CANARY"),
            "{text}"
        );
    }

    #[test]
    fn what_was_pasted_with_a_secret_is_dropped_or_named() {
        let read = |name: &str, value: &str| settings(&[(name, value)], &Connection::default());
        for value in [
            "Bearer abc",
            "bearer  abc",
            "BEARER\tabc",
            "Authorization: Bearer abc",
        ] {
            let settings = read("FLINKS_API_SECRET", value).expect(value);
            let secret = settings.api_secret.expect("set");
            assert_eq!(secret.value.expose(), "abc", "{value}");
            let [warning] = settings.warnings.as_slice() else {
                panic!("{:?}", settings.warnings);
            };
            assert!(
                warning.contains("FLINKS_API_SECRET") && !warning.contains("abc"),
                "{warning}"
            );
        }
        for value in ["Bearer", "bearerabc", "abc Bearer", "Bearer "] {
            let settings = read("FLINKS_API_SECRET", value).expect(value);
            assert_eq!(settings.api_secret.expect("set").value.expose(), value);
        }
        let rows = [
            ("FLINKS_CLIENT_SECRET", "Basic abc="),
            ("FLINKS_X_API_KEY", "Bearer abc="),
            ("FLINKS_API_SECRET", "Basic abc="),
        ];
        for (name, value) in rows {
            let error = read(name, value).err().expect(name);
            let text = error.to_string();
            assert!(text.starts_with(name) && !text.contains("abc"), "{text}");
        }
        let warnings = read("FLINKS_CLIENT_SECRET", "'abc'")
            .expect("read")
            .warnings;
        assert!(warnings.concat().contains("quotes"), "{warnings:?}");
    }
}
