//! Webhooks: signed, sent when the processing time is over, and again until the receiver answers 200.

use std::error::Error;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsConnector;

use crate::answer::Answer;
use crate::certificates::Authority;
use crate::fraud;
use crate::ids::uuid;
use crate::legacy;
use crate::lock::lock;
use crate::log::{Entry, LogLine};
use crate::operation::{ApiOperation, Host};
use crate::server::provider;
use crate::state::State;

/// docs.flinks.com, Webhooks: "at most 10 attempts, 30 minutes apart".
const ATTEMPTS: u32 = 10;
/// Longer than any receiver should take, which only has to take note.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// The types of the webhooks. That of a fraud alert is a guess, because its form is not published.
const FRAUD_ALERT: &str = "UploadFraudAlert";
pub(crate) const ACCOUNTS_DETAIL: &str = "GetAccountsDetail";

/// Whose data are ready.
#[derive(Debug)]
pub(crate) enum Subject {
    /// A completed upload, by its LoginId.
    Upload(String),
    /// A GetAccountsDetail that was answered with 202, by its RequestId.
    Data(String),
}

/// What waits to be sent; nothing does without a receiver.
#[derive(Debug, Default)]
pub(crate) struct Queue(Option<UnboundedSender<Order>>);

#[derive(Debug)]
enum Order {
    Send(Subject, Instant),
    Forget,
}

impl Queue {
    /// Sends the webhooks of a subject after this time.
    pub(crate) fn send_after(&self, delay: Duration, subject: Subject) {
        self.order(Order::Send(subject, Instant::now() + delay));
    }

    /// Forgets what waits to be sent, also again.
    pub(crate) fn forget(&self) {
        self.order(Order::Forget);
    }

    fn order(&self, order: Order) {
        if let Some(queue) = &self.0 {
            // Fails only while the sandbox stops.
            drop(queue.send(order));
        }
    }
}

/// Sends webhooks to one URL.
pub(crate) struct Sender {
    queue: UnboundedReceiver<Order>,
    receiver: Receiver,
}

/// Where webhooks are sent.
#[derive(Clone)]
struct Receiver {
    url: Uri,
    host: String,
    port: u16,
    /// For https.
    tls: Option<TlsConnector>,
    retry: Duration,
}

/// Prepares sending to this URL.
pub(crate) fn sender(
    url: &str,
    retry: Duration,
    authority: &Authority,
) -> io::Result<(Queue, Sender)> {
    let invalid = || {
        let message = "the URL for webhooks has to be http:// or https:// with a host";
        io::Error::new(io::ErrorKind::InvalidInput, message)
    };
    let url: Uri = url.parse().map_err(|_| invalid())?;
    let (tls, port) = match url.scheme_str() {
        Some("http") => (None, 80),
        Some("https") => (Some(tls(authority).map_err(io::Error::other)?), 443),
        _ => return Err(invalid()),
    };
    let host = url.host().ok_or_else(invalid)?;
    let receiver = Receiver {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port_u16().unwrap_or(port),
        tls,
        retry,
        url,
    };
    let (queue, due) = mpsc::unbounded_channel();
    let sender = Sender {
        queue: due,
        receiver,
    };
    Ok((Queue(Some(queue)), sender))
}

/// Trusts the sandbox's authority, and the public ones, as Flinks does.
fn tls(authority: &Authority) -> Result<TlsConnector, Box<dyn Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(
        authority.ca_pem().as_bytes(),
    )?)?;
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Sender {
    /// Sends until dropped.
    pub(crate) async fn run(mut self, state: Arc<State>) {
        let mut subjects = JoinSet::new();
        loop {
            tokio::select! {
                Some(order) = self.queue.recv() => match order {
                    Order::Forget => subjects.abort_all(),
                    Order::Send(subject, due) => {
                        let (receiver, state) = (self.receiver.clone(), Arc::clone(&state));
                        subjects.spawn(async move {
                            sleep_until(due).await;
                            let [alert, accounts] = webhooks(&state, &subject);
                            tokio::join!(
                                receiver.deliver(&state, alert),
                                receiver.deliver(&state, accounts)
                            );
                        });
                    }
                },
                Some(_) = subjects.join_next() => {}
            }
        }
    }
}

struct Webhook {
    response_type: &'static str,
    login_id: Option<String>,
    body: Bytes,
}

/// The alert and the accounts of a subject as it is now; neither if it is gone.
fn webhooks(state: &State, subject: &Subject) -> [Option<Webhook>; 2] {
    let (login_id, alert, accounts) = match subject {
        Subject::Upload(login_id) => {
            let tag = lock(&state.sessions)
                .with_login(login_id)
                .and_then(|record| record.session.tag.clone());
            let accounts = legacy::accounts_of_login(state, login_id, tag);
            (
                Some(login_id.clone()),
                fraud_alert(state, login_id),
                accounts,
            )
        }
        Subject::Data(request_id) => {
            let (login_id, accounts) = legacy::accounts_of_request(state, request_id).unzip();
            (login_id.flatten(), None, accounts)
        }
    };
    [(FRAUD_ALERT, alert), (ACCOUNTS_DETAIL, accounts)].map(|(response_type, body)| {
        let login_id = login_id.clone();
        body.map(|body| Webhook {
            response_type,
            login_id,
            body,
        })
    })
}

/// An alert if the analysis has a signal. It names the LoginId and no more: the form is a guess, and
/// an alert is a reason to read the analysis.
fn fraud_alert(state: &State, login_id: &str) -> Option<Bytes> {
    let (documents, tag) = fraud::documents(state, login_id)?;
    let body = json!({
        "ResponseType": FRAUD_ALERT,
        "Login": {"LoginId": login_id, "RequestId": uuid()},
        "Tag": tag,
    });
    let alert = || Answer::with_status_code(StatusCode::OK, body).body;
    fraud::is_flagged(&documents).then(alert)
}

impl Receiver {
    /// Sends a webhook until it is answered with 200, and logs each attempt.
    async fn deliver(&self, state: &State, webhook: Option<Webhook>) {
        let Some(webhook) = webhook else { return };
        let signature = signature(&state.config.credentials.webhook_secret, &webhook.body);
        for attempt in 1..=ATTEMPTS {
            let path = self.url.path();
            let mut line = LogLine::new(Host::Results, "POST", path, ApiOperation::Webhook);
            line.bytes = webhook.body.len() as u64;
            line.login_id.clone_from(&webhook.login_id);
            line.response_type = Some(webhook.response_type.to_owned());
            let sending = timeout(ATTEMPT_TIMEOUT, self.send(&webhook.body, &signature)).await;
            let status = match sending {
                Ok(Ok(status)) => Some(status),
                Ok(Err(error)) => {
                    line.reason = Some(error.to_string());
                    None
                }
                Err(_) => {
                    line.reason = Some("the receiver did not answer in 30 s".to_owned());
                    None
                }
            };
            let is_delivered = status == Some(StatusCode::OK);
            if !is_delivered {
                let reason = line.reason.take();
                let reason = reason.unwrap_or_else(|| "the answer has to be 200".to_owned());
                line.reason = Some(format!("attempt {attempt} of {ATTEMPTS}: {reason}"));
            }
            line.acted = is_delivered;
            Entry::new(&state.log, line).finish(status.map(|status| status.as_u16()));
            if is_delivered {
                return;
            }
            if attempt < ATTEMPTS {
                sleep(self.retry).await;
            }
        }
    }

    async fn send(
        &self,
        body: &Bytes,
        signature: &HeaderValue,
    ) -> Result<StatusCode, Box<dyn Error + Send + Sync>> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        let authority = self
            .url
            .authority()
            .map_or("", |authority| authority.as_str());
        // A user and password in the URL are not part of the host.
        let host = authority.rsplit('@').next().unwrap_or_default();
        let request = Request::post(path)
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/json")
            .header("flinks-authenticity-key", signature)
            .body(Full::new(body.clone()))?;
        match &self.tls {
            None => exchange(tcp, request).await,
            Some(tls) => {
                let name = ServerName::try_from(self.host.clone())?;
                exchange(tls.connect(name, tcp).await?, request).await
            }
        }
    }
}

/// Sends one request on a connection, which is then closed.
async fn exchange(
    io: impl AsyncRead + AsyncWrite + Unpin + Send,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, Box<dyn Error + Send + Sync>> {
    let (mut requests, connection) = http1::handshake(TokioIo::new(io)).await?;
    let mut answer = pin!(requests.send_request(request));
    let answer = tokio::select! {
        answer = &mut answer => answer?,
        // A receiver of HTTP/1.0 answers and closes.
        ended = connection => match answer.await {
            Ok(answer) => answer,
            Err(lost) => return Err(ended.err().unwrap_or(lost).into()),
        },
    };
    Ok(answer.status())
}

/// Base64 of HMAC-SHA256 over the body (docs.flinks.com, HMAC).
fn signature(secret: &str, body: &[u8]) -> HeaderValue {
    let code = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|code| {
        let code = code.chain_update(body).finalize().into_bytes();
        BASE64_STANDARD.encode(code)
    });
    // Neither can fail: keys have any length, and base64 is text.
    let text = code.unwrap_or_default();
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_documents_say() {
        // RFC 4231, case 2.
        let signature = signature("Jefe", b"what do ya want for nothing?");
        assert_eq!(signature, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    }

    #[test]
    fn only_http_urls_are_receivers() {
        let authority = Authority::new("Test CA").unwrap();
        for url in [
            "",
            "/path",
            "ftp://localhost/",
            "localhost:8080",
            "mailto:a@b",
        ] {
            let error = sender(url, Duration::ZERO, &authority).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{url}");
        }
        let (_, sender) = sender("http://[::1]:81/a?b", Duration::ZERO, &authority).unwrap();
        let receiver = sender.receiver;
        assert_eq!((receiver.host.as_str(), receiver.port), ("::1", 81));
        assert!(receiver.tls.is_none());
    }
}
