//! A scripted leaf: answers each request by its turn, and remembers what it saw.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use flinks_auth::LegacyKeys;
use flinks_legacy::{Authorize, ChallengeRound, LegacyClient};
use flinks_transport::{Body, BoxError, Endpoint, Transport, TransportBuilder};
use flinks_types::{Credentials, CustomerId};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use tower_service::Service;

pub(crate) const REQUEST_ID: &str = "9022abc2-8a2e-4b06-a06e-c3e5449c4d10";

#[derive(Clone, Debug, Default)]
pub(crate) struct Leaf {
    script: Arc<Mutex<VecDeque<(u16, String)>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Leaf {
    /// Status and body, one for each request. Status 0 never answers.
    pub(crate) fn new<T: Into<String>>(script: impl IntoIterator<Item = (u16, T)>) -> Self {
        let script = script
            .into_iter()
            .map(|(status, body)| (status, body.into()));
        Self {
            script: Arc::new(Mutex::new(script.collect())),
            ..Self::default()
        }
    }

    pub(crate) fn builder(&self) -> TransportBuilder {
        Transport::builder().service(self.clone())
    }

    pub(crate) fn client(&self) -> LegacyClient {
        client(self.builder(), LegacyKeys::new())
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

impl Service<Request<Body>> for Leaf {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let leaf = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            leaf.seen.lock().unwrap().push(Seen {
                path: parts.uri.path().to_owned(),
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            });
            let next = leaf.script.lock().unwrap().pop_front();
            let (status, text) = next.expect("one request too many");
            if status == 0 {
                let never: Result<_, Infallible> = std::future::pending().await;
                return Ok(never?);
            }
            Ok(Response::builder()
                .status(status)
                .body(Body::from(text))
                .unwrap())
        })
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

/// A 203 with these challenges, given as JSON.
pub(crate) fn asks(challenges: &str) -> (u16, String) {
    let body = format!(
        r#"{{"HttpStatusCode":203,"SecurityChallenges":{challenges},"RequestId":"{REQUEST_ID}"}}"#
    );
    (203, body)
}

pub(crate) fn opens() -> (u16, String) {
    let body = format!(
        r#"{{"Links":[{{"rel":"AccountsDetail","href":"/GetAccountsDetail","example":null}}],
        "HttpStatusCode":200,"Login":{{"Username":"Greatday","IsScheduledRefresh":false,
        "LastRefresh":"2020-04-15T22:46:03.1690585","Type":"Personal",
        "Id":"b0debb48-f9f1-46c6-80a4-08d7dd88d478"}},
        "Institution":"FlinksCapital","RequestId":"{REQUEST_ID}"}}"#
    );
    (200, body)
}

/// The round that these challenges make.
pub(crate) async fn round(challenges: &str) -> (Leaf, LegacyClient, ChallengeRound) {
    let leaf = Leaf::new([asks(challenges), opens()]);
    let client = leaf.client();
    let Authorize::Challenged(round) = client.authorize(credentials()).await.unwrap() else {
        panic!("these are challenges")
    };
    (leaf, client, round)
}
