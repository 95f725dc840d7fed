//! The upload host in memory: keeps sessions as the guide describes them, and fails as it is told.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flinks_auth::ClientCredentials;
use flinks_transport::{Body, BoxError, Error, ErrorKind, Transport, TransportBuilder};
use flinks_upload::{Document, UploadClient};
use http::header::AUTHORIZATION;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower_service::Service;

/// What happens to one request for a file or for *complete*.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// As documented.
    Good,
    /// No connection.
    Refused,
    /// The connection breaks before the body was read.
    CutBefore,
    /// The service acts, and its answer is lost.
    CutAfter,
    /// A gateway answers without the service having acted.
    Gateway(u16),
    /// A gateway answers 503 without the service having acted, and asks for a pause in seconds.
    GatewayBusy(u64),
    /// A gateway answers after the service has acted.
    GatewayAfter(u16),
    /// The service acts and answers with another AggregationId.
    Split,
    /// The service acts and answers without an AggregationId.
    Nameless,
    /// The service acts and answers what is not JSON.
    Garbled,
    /// The token is refused.
    Stale,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) completions: usize,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) sessions: Vec<Session>,
    pub(crate) tokens: usize,
    pub(crate) uploads: usize,
    pub(crate) completes: usize,
    pub(crate) fates: VecDeque<Fate>,
    /// How long the token endpoint takes.
    pub(crate) token_delay: Duration,
    /// A token that is no longer accepted.
    pub(crate) revoked: Option<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Host(pub(crate) Arc<Mutex<State>>);

impl Host {
    pub(crate) fn new(fates: impl IntoIterator<Item = Fate>) -> Self {
        let host = Self::default();
        host.state(|state| state.fates.extend(fates));
        host
    }

    pub(crate) fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    pub(crate) fn completed(&self) -> Vec<Session> {
        self.state(|s| {
            s.sessions
                .iter()
                .filter(|s| s.completions > 0)
                .cloned()
                .collect()
        })
    }

    pub(crate) fn client(&self) -> UploadClient {
        self.client_of("client-id")
    }

    pub(crate) fn client_of(&self, id: &str) -> UploadClient {
        let transport = self.builder().build().unwrap();
        UploadClient::new(transport, ClientCredentials::new(id, "canary-secret")).unwrap()
    }

    pub(crate) fn builder(&self) -> TransportBuilder {
        Transport::builder().service(self.clone())
    }

    fn act(&self, path: &str, body: &Value, fate: Fate) -> Value {
        let good = json!({ "HttpStatusCode": 200 });
        self.state(|state| {
            let asked = body["AggregationId"].as_str();
            if path.ends_with("/complete") {
                state.completes += 1;
                let session = state
                    .sessions
                    .iter_mut()
                    .find(|s| Some(s.id.as_str()) == asked);
                let session = session.expect("only a known session is completed");
                session.completions += 1;
                let login = json!({ "Id": format!("login-{}", session.id) });
                return json!({ "HttpStatusCode": 200, "AggregationId": asked, "Login": login });
            }
            state.uploads += 1;
            let file = body["Files"][0].clone();
            assert_eq!(
                body["Files"].as_array().unwrap().len(),
                1,
                "one file a request"
            );
            let content = STANDARD.decode(file["Content"].as_str().unwrap()).unwrap();
            let file = (file["FileName"].as_str().unwrap().to_owned(), content);
            let id = asked.map_or_else(
                || format!("session-{}", state.sessions.len()),
                str::to_owned,
            );
            match state.sessions.iter_mut().find(|s| s.id == id) {
                Some(session) => {
                    assert_eq!(session.completions, 0, "nothing is added after complete");
                    session.files.push(file);
                }
                None => {
                    let session = Session {
                        id: id.clone(),
                        files: vec![file],
                        completions: 0,
                    };
                    state.sessions.push(session);
                }
            }
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "the others answer as documented"
            )]
            match fate {
                // A first answer that names a wrong id cannot be told from a right one.
                Fate::Split if asked.is_some() => {
                    json!({ "AggregationId": format!("stray-{}", state.uploads) })
                }
                Fate::Nameless => good,
                _ => json!({ "HttpStatusCode": 200, "AggregationId": id }),
            }
        })
    }
}

pub(crate) fn answer(status: u16, body: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .body(Body::from(body))
        .unwrap()
}

impl Service<Request<Body>> for Host {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let host = self.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            if path.ends_with("/token") {
                let (token, delay) = host.state(|state| {
                    state.tokens += 1;
                    (format!("token-{}", state.tokens), state.token_delay)
                });
                tokio::time::sleep(delay).await;
                let body =
                    json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300 });
                return Ok(answer(200, body.to_string()));
            }
            let bearer = request.headers()[AUTHORIZATION].to_str()?;
            if host.state(|state| Some(bearer) == state.revoked.as_deref()) {
                return Ok(answer(401, String::new()));
            }
            let fate = host
                .state(|state| state.fates.pop_front())
                .unwrap_or(Fate::Good);
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "the others let the request in"
            )]
            match fate {
                Fate::Refused => return Err(Error::local(ErrorKind::Connect, "refused").into()),
                Fate::CutBefore => return Err("cut".into()),
                Fate::Gateway(status) => return Ok(answer(status, "<html>".to_owned())),
                Fate::GatewayBusy(seconds) => {
                    host.state(|state| state.uploads += 1);
                    let mut busy = answer(503, String::new());
                    busy.headers_mut().insert("retry-after", seconds.into());
                    return Ok(busy);
                }
                Fate::Stale => return Ok(answer(401, String::new())),
                _ => {}
            }
            let body = request.into_body().collect().await?.to_bytes();
            let body = host.act(&path, &serde_json::from_slice(&body)?, fate);
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "the others answer as documented"
            )]
            match fate {
                Fate::CutAfter => Err("cut".into()),
                Fate::GatewayAfter(status) => Ok(answer(status, "<html>".to_owned())),
                Fate::Garbled => Ok(answer(200, "<html>".to_owned())),
                _ => Ok(answer(200, body.to_string())),
            }
        })
    }
}

/// `count` documents, each with contents of its own.
pub(crate) fn documents(count: usize) -> Vec<Document> {
    (0..count)
        .map(|n| {
            let contents = format!("%PDF-1.7 document {n}");
            Document::from_bytes(format!("{n}.pdf"), contents).unwrap()
        })
        .collect()
}

/// What a session should hold: each document exactly once.
pub(crate) fn expected(count: usize) -> Vec<(String, Vec<u8>)> {
    (0..count)
        .map(|n| {
            (
                format!("{n}.pdf"),
                format!("%PDF-1.7 document {n}").into_bytes(),
            )
        })
        .collect()
}
