//! Whom a call is made for: the runner's own made-up credentials, or those of an environment.

use flinks_auth::{ApiSecret, ClientCredentials, LegacyKeys};
use flinks_transport::{CustomerEndpoint, Endpoint, Error, ErrorKind};
use flinks_types::{CustomerId, Secret};
use flinks_upload::Paths;

use crate::standard;

/// Everything that opens the service, and where it is to be found on its hosts.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) scope: Option<String>,
    pub(crate) paths: Paths,
    pub(crate) customer_id: String,
    pub(crate) api_secret: Secret,
    pub(crate) auth_key: Option<Secret>,
    pub(crate) x_api_key: Option<Secret>,
}

impl Keys {
    /// The runner's own.
    pub(crate) fn standard() -> Self {
        Self {
            client_id: standard::CLIENT_ID.to_owned(),
            client_secret: Secret::new(standard::CLIENT_SECRET),
            scope: None,
            paths: Paths::default(),
            customer_id: standard::CUSTOMER_ID.to_owned(),
            api_secret: Secret::new(standard::API_SECRET),
            auth_key: Some(Secret::new(standard::AUTH_KEY)),
            x_api_key: Some(Secret::new(standard::X_API_KEY)),
        }
    }

    /// The OAuth client of the upload host.
    pub(crate) fn client(&self) -> ClientCredentials {
        let client = ClientCredentials::new(&self.client_id, self.client_secret.clone());
        match &self.scope {
            Some(scope) => client.scope(scope),
            None => client,
        }
    }

    /// The customer in the paths of the results host.
    pub(crate) fn customer(&self) -> Result<CustomerId, Error> {
        CustomerId::new(&self.customer_id)
            .map_err(|error| Error::new(ErrorKind::Input, error.to_string()))
    }

    /// The customer at a host.
    pub(crate) fn customer_endpoint(&self, endpoint: &Endpoint) -> Result<CustomerEndpoint, Error> {
        Ok(CustomerEndpoint::new(endpoint.clone(), self.customer()?))
    }

    /// The keys of the legacy host, as far as there are any.
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

    /// What of them must appear nowhere, each with the name that a failure calls it.
    pub(crate) fn secrets(&self) -> Vec<(&'static str, &str)> {
        let keys = [
            ("the client secret", Some(&self.client_secret)),
            ("the API secret", Some(&self.api_secret)),
            ("the authorize secret key", self.auth_key.as_ref()),
            ("the x-api-key", self.x_api_key.as_ref()),
        ];
        let set = keys.into_iter();
        set.filter_map(|(name, key)| Some((name, key?.expose())))
            .collect()
    }
}
