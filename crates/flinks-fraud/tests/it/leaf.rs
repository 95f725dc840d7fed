//! A client over a scripted service.

use std::ops::Deref;

use flinks_auth::ApiSecret;
use flinks_fraud::FraudClient;
use flinks_transport::testing::{Reply, ScriptedService};
use flinks_transport::{Endpoint, RetryConfig, TransportBuilder};
use flinks_types::{CustomerId, LoginId};

use crate::log;

pub(crate) const SECRET: &str = "canary-secret-4711";
pub(crate) const LOGIN: &str = "aabf32b7-2f4e-4248-8895-b47b7ebc5a3c";

/// An answer with a body of JSON.
pub(crate) fn answer(status: u16, body: impl Into<String>) -> Reply {
    Reply::json(status, body)
}

#[derive(Clone, Debug)]
pub(crate) struct Leaf(ScriptedService);

impl Leaf {
    /// The last reply is repeated.
    pub(crate) fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        log::begin();
        Self(ScriptedService::new(script).repeat_last())
    }

    /// A client whose every poll is one request.
    pub(crate) fn client(&self) -> FraudClient {
        self.client_over(|builder| builder.retry(RetryConfig::none()))
    }

    pub(crate) fn client_over(
        &self,
        change: impl FnOnce(TransportBuilder) -> TransportBuilder,
    ) -> FraudClient {
        FraudClient::new(
            change(self.0.builder()).build().unwrap(),
            Endpoint::instance("toolbox").unwrap(),
            CustomerId::new("43387ca6").unwrap(),
            ApiSecret::new(SECRET),
        )
        .unwrap()
    }
}

impl Deref for Leaf {
    type Target = ScriptedService;

    fn deref(&self) -> &ScriptedService {
        &self.0
    }
}

pub(crate) fn login_id() -> LoginId {
    LoginId::new(LOGIN).unwrap()
}
