//! The credentials of a run: the made-up ones of `standard.json`, or those of the environment.

use std::fs;

use flinks_auth::{ApiSecret, ClientCredentials, LegacyKeys};
use flinks_cli::settings::{Given, Material, Settings};
use flinks_transport::{CustomerEndpoint, Endpoint, Error, ErrorKind};
use flinks_types::{CustomerId, Secret};
use flinks_upload::Paths;

use crate::standard::Standard;

/// What a call needs to be let in, and the paths of the upload host.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) scope: Option<String>,
    pub(crate) paths: Paths,
    pub(crate) customer_id: CustomerId,
    pub(crate) api_secret: Secret,
    pub(crate) auth_key: Option<Secret>,
    pub(crate) x_api_key: Option<Secret>,
    /// Other texts that must appear nowhere, each with the name that a failure calls it.
    secrets: Vec<(&'static str, Secret)>,
}

impl Keys {
    /// Returns the made-up credentials.
    pub(crate) fn standard() -> Self {
        let standard = Standard::get();
        Self {
            client_id: standard.client_id.clone(),
            client_secret: Secret::new(&standard.client_secret),
            scope: None,
            paths: Paths::default(),
            customer_id: standard.customer_id.clone(),
            api_secret: Secret::new(&standard.api_secret),
            auth_key: Some(Secret::new(&standard.auth_key)),
            x_api_key: Some(Secret::new(&standard.x_api_key)),
            secrets: vec![
                ("the access token", Secret::new(&standard.access_token)),
                (
                    "the authorize token",
                    Secret::new(&standard.authorize_token),
                ),
            ],
        }
    }

    /// Returns the credentials of the environment. The tokens are between the host and the client.
    pub(crate) fn of(settings: &Settings) -> Result<Self, Error> {
        let mut missing = settings.missing_for_upload();
        missing.extend(settings.missing_for_results());
        let missing = || {
            let names = missing.join(", ");
            Error::new(ErrorKind::Config, format!("not set: {names}"))
        };
        let text = |given: &Option<Given<String>>| given.as_ref().map(|given| given.value.clone());
        let secret =
            |given: &Option<Given<Secret>>| given.as_ref().map(|given| given.value.clone());
        Ok(Self {
            client_id: text(&settings.client_id).ok_or_else(missing)?,
            client_secret: secret(&settings.client_secret).ok_or_else(missing)?,
            scope: text(&settings.scope),
            paths: settings.paths()?,
            customer_id: settings.customer_id().map_err(|_| missing())?,
            api_secret: secret(&settings.api_secret).ok_or_else(missing)?,
            auth_key: secret(&settings.auth_key),
            x_api_key: secret(&settings.x_api_key),
            secrets: private_key(settings),
        })
    }

    /// Returns the OAuth client of the upload host.
    pub(crate) fn client(&self) -> ClientCredentials {
        let client = ClientCredentials::new(&self.client_id, self.client_secret.clone());
        match &self.scope {
            Some(scope) => client.scope(scope),
            None => client,
        }
    }

    /// Returns the customer's endpoint at a host.
    pub(crate) fn customer_at(&self, endpoint: Endpoint) -> CustomerEndpoint {
        CustomerEndpoint::new(endpoint, self.customer_id.clone())
    }

    /// Returns the keys of the legacy host that are set.
    pub(crate) fn legacy(&self) -> LegacyKeys {
        let mut keys = LegacyKeys::new().api_secret(ApiSecret::new(self.api_secret.clone()));
        if let Some(key) = &self.auth_key {
            keys = keys.auth_key(key.clone());
        }
        if let Some(key) = &self.x_api_key {
            keys = keys.x_api_key(key.clone());
        }
        keys
    }

    /// Returns what must appear nowhere, each with the name that a failure calls it.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let keys = [
            ("the client secret", Some(&self.client_secret)),
            ("the API secret", Some(&self.api_secret)),
            ("the authorize secret key", self.auth_key.as_ref()),
            ("the x-api-key", self.x_api_key.as_ref()),
        ];
        let set = keys
            .into_iter()
            .filter_map(|(name, key)| Some((name, key?)));
        let more = self.secrets.iter().map(|(name, secret)| (*name, secret));
        set.chain(more)
            .map(|(name, secret)| (name, secret.expose()))
    }
}

/// The lines of the private key, if it is PEM.
fn private_key(settings: &Settings) -> Vec<(&'static str, Secret)> {
    let file = settings.key.as_ref().or(settings.certificate.as_ref());
    let bytes = file.and_then(Material::file);
    let bytes = bytes.and_then(|path| fs::read(&path.value).ok());
    let text = Secret::new(String::from_utf8_lossy(&bytes.unwrap_or_default()));
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.expose().lines() {
        if line.starts_with("-----") {
            inside = line.contains("BEGIN") && line.contains("PRIVATE KEY");
        } else if inside {
            lines.push(("the private key", Secret::new(line)));
        }
    }
    lines
}
