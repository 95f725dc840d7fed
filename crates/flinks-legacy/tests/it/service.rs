//! Scripted services in place of the legacy host, and clients over them.

use flinks_auth::LegacyKeys;
use flinks_legacy::{Authorize, ChallengeRound, LegacyClient, Session};
use flinks_transport::testing::{Reply, ScriptedService};
use flinks_transport::{Endpoint, RetryConfig, TransportBuilder};
use flinks_types::{Credentials, CustomerId, LoginId, RequestId};

pub(crate) const LOGIN_ID: &str = "b0debb48-f9f1-46c6-80a4-08d7dd88d478";
pub(crate) const REQUEST_ID: &str = "9022abc2-8a2e-4b06-a06e-c3e5449c4d10";

/// What a session is opened with, as the guide prints it.
pub(crate) const OPEN: &str = r#"{"Links":[{"rel":"AccountsDetail","href":"/GetAccountsDetail","example":null}],
    "HttpStatusCode":200,"Login":{"Username":"Greatday","IsScheduledRefresh":false,
    "LastRefresh":"2020-04-15T22:46:03.1690585","Type":"Personal",
    "Id":"b0debb48-f9f1-46c6-80a4-08d7dd88d478"},
    "Institution":"FlinksCapital","RequestId":"9022abc2-8a2e-4b06-a06e-c3e5449c4d10"}"#;

pub(crate) trait LegacyService {
    fn client(&self) -> LegacyClient;
    /// A client whose every call is one request.
    fn client_without_retries(&self) -> LegacyClient;
    /// The methods of all requests.
    fn methods(&self) -> Vec<String>;
    /// Method, path and query of each request.
    fn lines(&self) -> Vec<String>;
}

impl LegacyService for ScriptedService {
    fn client(&self) -> LegacyClient {
        client(self.builder(), LegacyKeys::new())
    }

    fn client_without_retries(&self) -> LegacyClient {
        client(self.builder().retry(RetryConfig::none()), LegacyKeys::new())
    }

    fn methods(&self) -> Vec<String> {
        let requests = self.requests();
        requests.iter().map(|r| r.method.to_string()).collect()
    }

    fn lines(&self) -> Vec<String> {
        let requests = self.requests();
        let lines = requests
            .iter()
            .map(|r| format!("{} {}", r.method, r.uri.path_and_query().unwrap()));
        lines.collect()
    }
}

pub(crate) fn client(builder: TransportBuilder, keys: LegacyKeys) -> LegacyClient {
    let endpoint = Endpoint::new("https://legacy.example").unwrap();
    let customer = CustomerId::new("43387ca6").unwrap();
    LegacyClient::new(builder.build().unwrap(), endpoint, customer, keys).unwrap()
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("FlinksCapital", "Greatday", "canary-password")
}

pub(crate) fn session() -> Session {
    Session::from_request_id(RequestId::new(REQUEST_ID).unwrap())
}

pub(crate) fn login_id() -> LoginId {
    LoginId::new(LOGIN_ID).unwrap()
}

/// A 203 with these challenges, given as JSON.
pub(crate) fn asks(challenges: &str) -> Reply {
    let body = format!(
        r#"{{"HttpStatusCode":203,"SecurityChallenges":{challenges},"RequestId":"{REQUEST_ID}"}}"#
    );
    Reply::json(203, body)
}

pub(crate) fn opens() -> Reply {
    Reply::json(200, OPEN)
}

pub(crate) fn pending() -> Reply {
    Reply::json(
        202,
        r#"{"HttpStatusCode":202,"FlinksCode":"OPERATION_PENDING","Message":"Your operation is still processing"}"#,
    )
}

pub(crate) fn ready() -> Reply {
    Reply::json(
        200,
        r#"{"HttpStatusCode":200,"Accounts":[{"Title":"One"}]}"#,
    )
}

/// The round that these challenges make.
pub(crate) async fn round(challenges: &str) -> (ScriptedService, LegacyClient, ChallengeRound) {
    let service = ScriptedService::new([asks(challenges), opens()]);
    let client = service.client();
    let Authorize::Challenged(round) = client.authorize(credentials()).await.unwrap() else {
        panic!("these are challenges")
    };
    (service, client, round)
}
