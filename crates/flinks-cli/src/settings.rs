//! The settings: from options, then the environment, then a TOML file. Options cannot hold secrets.

mod file;
mod identity;
mod no_proxy;
pub(crate) mod path_value;
mod proxy;
mod source;
mod spelling;
pub(crate) mod table;
pub(crate) mod template;
mod unknown_variables;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use flinks_auth::{ApiSecret, ClientCredentials, LegacyKeys};
use flinks_transport::{Endpoint, Error, ErrorKind};
use flinks_types::{CustomerId, Secret};
use flinks_upload::{Paths, UploadClient};

use crate::arguments::Flags;
use crate::settings::proxy::ProxySettings;
use crate::state::files;

pub use proxy::ProxyChoice;
pub use source::Given;

pub(crate) use file::{Place, is_profile_name};
pub(crate) use identity::{certificate_in, without_roots};
pub(crate) use source::Source;
pub(crate) use unknown_variables::warnings as unknown_variables;

/// The settings that the clients are built from. Its `Debug` shows no value.
#[derive(Default)]
#[non_exhaustive]
pub struct Settings {
    /// Base URL of the upload host.
    pub upload_url: Option<Given<String>>,
    /// `api-v1`, `root`, or three paths separated by commas.
    pub upload_paths: Option<Given<String>>,
    /// The client certificate.
    pub certificate: Option<Material>,
    /// The private key, unless the certificate's file holds it.
    pub key: Option<Material>,
    /// The password of a PKCS#12 file or an encrypted key.
    pub certificate_password: Option<Given<Secret>>,
    /// The root certificates to trust instead of the platform's.
    pub roots: Option<Material>,
    /// OAuth client id.
    pub client_id: Option<Given<String>>,
    /// OAuth client secret.
    pub client_secret: Option<Given<Secret>>,
    /// OAuth scope.
    pub scope: Option<Given<String>>,
    /// Base URL of the results host.
    pub api_url: Option<Given<String>>,
    /// Instance name of the results host, in place of its URL.
    pub instance: Option<Given<String>>,
    /// The customer id in the paths of the results host.
    pub customer_id: Option<Given<String>>,
    /// Bearer token of the fraud analysis.
    pub api_secret: Option<Given<Secret>>,
    /// Secret key of `/GenerateAuthorizeToken`.
    pub auth_key: Option<Given<Secret>>,
    /// `x-api-key` of the data calls.
    pub x_api_key: Option<Given<Secret>>,
    pub(crate) proxy: ProxySettings,
    pub(crate) allow_http: bool,
    /// Settings that are accepted but look wrong.
    pub(crate) warnings: Vec<String>,
}

/// A certificate or a key: a file, or bytes in memory.
#[non_exhaustive]
pub enum Material {
    /// The path of a file.
    File(Given<PathBuf>),
    /// PEM in memory.
    Memory(Vec<u8>),
}

impl Material {
    /// Returns the path, if this is a file.
    #[must_use]
    pub fn file(&self) -> Option<&Given<PathBuf>> {
        match self {
            Self::File(path) => Some(path),
            Self::Memory(_) => None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material").finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads the settings from the environment and the settings file; none is required here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the settings file cannot be read or has an unknown key, or two settings
    /// contradict each other. No message quotes a value: it may be secret.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<OsString> + 'static,
    ) -> Result<Self, Error> {
        Self::read(&Source::new(variable, None, None)?, &Flags::default())
    }

    /// Reads the settings from the flags and the source; none is required here.
    ///
    /// # Errors
    /// As [`from_environment`](Self::from_environment).
    pub(crate) fn read(source: &Source, flags: &Flags) -> Result<Self, Error> {
        let file = |path: Option<Given<PathBuf>>| path.map(Material::File);
        let [api_url, instance] = source.either(&table::API_URL, &table::INSTANCE, flags)?;
        let mut settings = Self {
            upload_url: source.text(&table::UPLOAD_URL, flags)?,
            upload_paths: source.text(&table::UPLOAD_PATHS, flags)?,
            certificate: file(source.path(&table::CERT, flags)?),
            key: file(source.path(&table::KEY, flags)?),
            certificate_password: source.secret(&table::CERT_PASSWORD)?,
            roots: file(source.path(&table::CA, flags)?),
            client_id: source.text(&table::CLIENT_ID, flags)?,
            client_secret: source.secret(&table::CLIENT_SECRET)?,
            scope: source.text(&table::SCOPE, flags)?,
            api_url,
            instance,
            customer_id: source.text(&table::CUSTOMER_ID, flags)?,
            api_secret: source.secret(&table::API_SECRET)?,
            auth_key: source.secret(&table::AUTH_KEY)?,
            x_api_key: source.secret(&table::X_API_KEY)?,
            proxy: ProxySettings::read(source, flags)?,
            allow_http: flags.allow_http,
            warnings: source.warnings(),
        };
        settings.check_secrets()?;
        settings.check_base_urls();
        Ok(settings)
    }

    /// Warns of a base URL with a path that is added to it: the guide prints whole URLs.
    fn check_base_urls(&mut self) {
        let urls = [
            (&self.upload_url, &["/api/v1", "/token", "/upload"][..]),
            (&self.api_url, &["/v3"]),
        ];
        for (given, parts) in urls {
            let Some(given) = given else { continue };
            let path = given.value.splitn(4, '/').nth(3).unwrap_or_default();
            let path = format!("/{}/", path.trim_end_matches('/'));
            if let Some(part) = parts.iter().find(|part| path.contains(&format!("{part}/"))) {
                self.warnings.push(format!(
                    "{} is a base URL, and {part} is added to it: set it to the host alone",
                    given.name()
                ));
            }
        }
    }

    /// Returns a warning about a private key that every user of this machine can read. Its group may: containers give
    /// keys to a program's group.
    pub(crate) fn key_file_warning(&self) -> Option<String> {
        let key = self.key.as_ref().and_then(Material::file)?;
        files::allows(&key.value, 0o007).then(|| {
            format!(
                "{}: other users of this machine can read the private key: chmod 600 that file",
                key.name()
            )
        })
    }

    /// Finds text that was pasted with a secret. "Bearer " is dropped from the API secret, because no
    /// secret begins with it. An `Authorization` header in place of another secret is an error.
    fn check_secrets(&mut self) -> Result<(), Error> {
        if let Some(given) = &mut self.api_secret
            && let Some(secret) = without_scheme(given.value.expose(), "bearer")
        {
            let secret = Secret::new(secret);
            self.warnings.push(format!(
                "{} begins with \"Bearer \", which is ignored: it is not part of the secret",
                given.name()
            ));
            given.value = secret;
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
                return Err(given.invalid(
                    "this is an Authorization header: give the secret itself, without \"Bearer\" \
                     or \"Basic\"",
                ));
            }
            if path_value::is_quoted(text) {
                self.warnings.push(format!(
                    "{} is in quotes, which are sent as part of the secret",
                    given.name()
                ));
            }
        }
        Ok(())
    }

    /// Returns the variables that an upload requires and that are not set.
    #[must_use]
    pub fn missing_for_upload(&self) -> Vec<&'static str> {
        missing(&[
            ("FLINKS_CERT", self.certificate.is_some()),
            ("FLINKS_CLIENT_ID", self.client_id.is_some()),
            ("FLINKS_CLIENT_SECRET", self.client_secret.is_some()),
        ])
    }

    /// Returns the variables that the fraud analysis requires and that are not set.
    #[must_use]
    pub fn missing_for_results(&self) -> Vec<&'static str> {
        let mut missing = self.missing_for_legacy();
        if self.api_secret.is_none() {
            missing.push("FLINKS_API_SECRET");
        }
        missing
    }

    /// Returns the variables that the legacy API requires and that are not set; its keys are optional.
    #[must_use]
    pub fn missing_for_legacy(&self) -> Vec<&'static str> {
        let host = self.api_url.is_some() || self.instance.is_some();
        missing(&[
            ("FLINKS_INSTANCE (or FLINKS_API_URL)", host),
            ("FLINKS_CUSTOMER_ID", self.customer_id.is_some()),
        ])
    }

    /// Returns the upload host.
    ///
    /// # Errors
    /// The base URL is not valid.
    pub fn upload_endpoint(&self) -> Result<Endpoint, Error> {
        match &self.upload_url {
            Some(url) => self.endpoint(url),
            None => Ok(Endpoint::from_static_host(UploadClient::DEFAULT_HOST)),
        }
    }

    /// Returns the paths of the upload host.
    ///
    /// # Errors
    /// The setting is neither a preset nor three paths.
    pub fn paths(&self) -> Result<Paths, Error> {
        let Some(given) = &self.upload_paths else {
            return Ok(Paths::default());
        };
        let paths = given.value.parse();
        paths.map_err(|error: Error| given.invalid(error))
    }

    /// Returns the results host.
    ///
    /// # Errors
    /// Neither its URL nor its instance is set, or the value is not valid.
    pub fn results_endpoint(&self) -> Result<Endpoint, Error> {
        match (&self.api_url, &self.instance) {
            (Some(url), _) => self.endpoint(url),
            (None, Some(instance)) => {
                Endpoint::instance(&instance.value).map_err(|error| instance.invalid(error))
            }
            (None, None) => Err(not_set(&["FLINKS_INSTANCE"])),
        }
    }

    /// Returns how a host is reached: through which proxy, or directly, and which setting says so.
    #[must_use]
    pub fn proxy_for(&self, endpoint: &Endpoint) -> ProxyChoice {
        self.proxy.choice(endpoint)
    }

    /// Returns the customer id.
    ///
    /// # Errors
    /// It is not set or not valid.
    pub fn customer_id(&self) -> Result<CustomerId, Error> {
        let given = self
            .customer_id
            .as_ref()
            .ok_or_else(|| not_set(&["FLINKS_CUSTOMER_ID"]))?;
        CustomerId::new(&given.value).map_err(|error| given.invalid(error))
    }

    /// Returns the API secret.
    ///
    /// # Errors
    /// It is not set.
    pub fn api_secret(&self) -> Result<ApiSecret, Error> {
        let secret = self.api_secret.as_ref();
        secret
            .map(|given| ApiSecret::new(given.value.clone()))
            .ok_or_else(|| not_set(&["FLINKS_API_SECRET"]))
    }

    /// Returns the keys of the legacy API that are set.
    #[must_use]
    pub fn legacy_keys(&self) -> LegacyKeys {
        let mut keys = LegacyKeys::new();
        if let Some(key) = &self.auth_key {
            keys = keys.auth_key(key.value.clone());
        }
        if let Some(key) = &self.x_api_key {
            keys = keys.x_api_key(key.value.clone());
        }
        keys
    }

    /// Returns the OAuth client.
    ///
    /// # Errors
    /// Its id or its secret is not set.
    pub fn client_credentials(&self) -> Result<ClientCredentials, Error> {
        let (Some(id), Some(secret)) = (&self.client_id, &self.client_secret) else {
            return Err(not_set(&self.missing_for_upload()));
        };
        let credentials = ClientCredentials::new(&id.value, secret.value.clone());
        Ok(match &self.scope {
            Some(scope) => credentials.scope(&scope.value),
            None => credentials,
        })
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
                "; --allow-http accepts plain http to this machine"
            } else {
                ""
            };
            given.invalid(format!("{error}{hint}"))
        })
    }
}

/// Returns the part after the scheme of an `Authorization` header, with or without the header's name.
fn without_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let after = |text: &'t str, word: &str| {
        let (head, tail) = text.trim_start().split_at_checked(word.len())?;
        head.eq_ignore_ascii_case(word).then_some(tail)
    };
    let text = after(text, "authorization:").unwrap_or(text);
    let rest = after(text, scheme)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let secret = rest.trim();
    (rest.starts_with([' ', '\t']) && !secret.is_empty()).then_some(secret)
}

/// Returns the error for settings that a command requires.
pub(crate) fn not_set(names: &[&str]) -> Error {
    let list = names.join(", ");
    config(format!(
        "not set: {list}; set them in the environment or in the settings file (flinks help settings), \
         or add --sandbox to run without settings"
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

    fn settings(environment: &[(&str, &str)], flags: &Flags) -> Result<Settings, Error> {
        let environment: HashMap<_, _> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.into()))
            .collect();
        let source = Source::new(move |name| environment.get(name).cloned(), None, None)?;
        Settings::read(&source, flags)
    }

    #[test]
    fn the_nearer_name_of_the_results_host_counts() {
        let environment = [("FLINKS_API_URL", "https://example.com")];
        let host = |environment: &[(&str, &str)], flags: &Flags| {
            let settings = settings(environment, flags)?;
            settings.results_endpoint().map(|host| host.to_string())
        };
        let flags = Flags::default().with(&table::INSTANCE, "toolbox");
        let nearer = host(&environment, &flags).expect("the option counts");
        assert_eq!(nearer, "https://toolbox-api.private.fin.ag");
        let both = [environment[0], ("FLINKS_INSTANCE", "toolbox")];
        let error = host(&both, &Flags::default()).expect_err("both are set");
        assert!(error.to_string().contains("FLINKS_INSTANCE"), "{error}");
        host(&both, &flags).expect("the option counts");
    }

    #[test]
    fn defaults_are_those_of_the_guide() {
        let settings = settings(&[], &Flags::default()).expect("nothing is required");
        assert_eq!(
            settings.upload_endpoint().expect("set").to_string(),
            "https://upload-mtls.flinksapp.com"
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
    fn a_base_url_with_a_path_of_the_api_is_a_warning() {
        let warnings = |name, url| {
            let read = settings(&[(name, url)], &Flags::default());
            read.expect("valid").warnings.concat()
        };
        let (upload, api) = ("FLINKS_UPLOAD_URL", "FLINKS_API_URL");
        assert!(warnings(upload, "https://a.test/api/v1/").contains("/api/v1 is added"));
        assert!(warnings(upload, "https://a.test/api/v1/upload").starts_with(upload));
        assert!(warnings(upload, "https://a.test/upload/complete").contains("/upload is added"));
        for whole in ["/v3", "/v3/", "/v3/{customerId}/BankingServices/Authorize"] {
            let url = format!("https://toolbox-api.private.fin.ag{whole}");
            let read = settings(&[(api, &url)], &Flags::default()).expect("valid");
            assert!(read.warnings.concat().contains("/v3 is added"), "{whole}");
        }
        for good in [
            "https://upload.test",
            "https://a.test/uploads/gateway/",
            "x/y/z/v3",
        ] {
            assert_eq!(warnings(upload, good), "", "{good}");
        }
    }

    #[test]
    fn an_instance_names_its_host() {
        let settings = settings(&[("FLINKS_INSTANCE", "toolbox")], &Flags::default());
        let endpoint = settings.expect("valid").results_endpoint().expect("valid");
        assert_eq!(endpoint.authority(), "toolbox-api.private.fin.ag");
    }

    #[test]
    fn plain_http_requires_an_option_and_loopback() {
        let read = |url: &str, allow_http| {
            let mut flags = Flags::default();
            flags.allow_http = allow_http;
            settings(&[("FLINKS_UPLOAD_URL", url)], &flags)
                .expect("read")
                .upload_endpoint()
        };
        let error = read("http://127.0.0.1:1", false).expect_err("no option");
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
            let settings = settings(&[setting], &Flags::default()).expect("read");
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
    fn an_identity_error_names_its_setting() {
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
        for (environment, expected) in rows {
            let settings = settings(&environment, &Flags::default()).expect("read");
            let text = settings
                .identity()
                .expect_err("no identity")
                .report()
                .to_string();
            assert!(
                text.starts_with(expected) && !text.contains("CANARY"),
                "{text}"
            );
        }
        let flags = Flags::default().with(&table::CA, path);
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
    fn text_pasted_with_a_secret_is_dropped_or_reported() {
        let read = |name: &str, value: &str| settings(&[(name, value)], &Flags::default());
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
            let error = read(name, value).expect_err(name);
            let text = error.to_string();
            assert!(text.starts_with(name) && !text.contains("abc"), "{text}");
        }
        let warnings = read("FLINKS_CLIENT_SECRET", "'abc'")
            .expect("read")
            .warnings;
        assert!(warnings.concat().contains("quotes"), "{warnings:?}");
    }
}
