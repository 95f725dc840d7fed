//! The webhooks that the sandbox sends: what they hold, their signature, and their retries.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use flinks_sandbox::certificates::{Authority, Validity};
use flinks_sandbox::{ApiOperation, CACHED_LOGIN_ID, LogLine, Sandbox, SandboxBuilder};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::client::{Client, PDF, complete, document};
use crate::legacy::Legacy;

type Received = mpsc::UnboundedReceiver<(HeaderMap, Bytes)>;

/// Takes webhooks and hands them over. Alerts are answered with these statuses and then with 200.
struct Receiver {
    listener: TcpListener,
    statuses: Vec<u16>,
}

impl Receiver {
    async fn bind(statuses: &[u16]) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let statuses = statuses.iter().rev().copied().collect();
        (Self { listener, statuses }, address.to_string())
    }

    fn serve(mut self, tls: Option<TlsAcceptor>) -> Received {
        let (sender, received) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (tcp, _) = self.listener.accept().await.unwrap();
                match &tls {
                    None => self.answer(tcp, &sender).await,
                    Some(tls) => {
                        if let Ok(tls) = tls.accept(tcp).await {
                            self.answer(tls, &sender).await;
                        }
                    }
                }
            }
        });
        received
    }

    async fn answer(
        &mut self,
        io: impl AsyncRead + AsyncWrite + Unpin,
        sender: &mpsc::UnboundedSender<(HeaderMap, Bytes)>,
    ) {
        let statuses = &Mutex::new(&mut self.statuses);
        let service = service_fn(move |request: Request<Incoming>| async move {
            assert_eq!(request.uri().to_string(), "/flinks?key=1");
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let status = is_alert(&body).then(|| statuses.lock().unwrap().pop());
            let status = status.flatten().unwrap_or(200);
            drop(sender.send((head.headers, body)));
            let answer = Response::builder().status(status);
            Ok::<_, Infallible>(answer.body(Full::<Bytes>::default()).unwrap())
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(io), service);
        drop(connection.await);
    }
}

fn is_alert(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap();
    body["ResponseType"] == "UploadFraudAlert"
}

fn is_signed(headers: &HeaderMap, body: &[u8], secret: &str) -> bool {
    let code = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let code = code.chain_update(body).finalize().into_bytes();
    headers["flinks-authenticity-key"] == BASE64_STANDARD.encode(code)
}

/// Uploads a document and completes it; returns the LoginId.
async fn upload(sandbox: &Sandbox, content: &str) -> String {
    let client = Client::upload(sandbox);
    let token = client.token().await;
    let first = client
        .send(document(&token, None, "a.pdf", content.as_bytes()))
        .await;
    let done = client
        .send(complete(&token, &first.text("AggregationId")))
        .await;
    done.json()["Login"]["Id"].as_str().unwrap().to_owned()
}

fn flagged() -> String {
    format!("{PDF}%flinks-sandbox signal=DATE_EDITS page=1 count=1\n%%EOF\n")
}

/// A sandbox whose processing takes no time, with the lines that it logs of webhooks.
async fn start(builder: SandboxBuilder, url: &str) -> (Sandbox, mpsc::UnboundedReceiver<LogLine>) {
    let (lines, log) = mpsc::unbounded_channel();
    let builder = builder
        .processing(Duration::ZERO)
        .webhook(url)
        .webhook_retry(Duration::ZERO)
        .on_request(move |line| {
            if line.operation == ApiOperation::Webhook {
                drop(lines.send(line.clone()));
            }
        });
    (builder.start().await.unwrap(), log)
}

#[tokio::test]
async fn an_upload_is_announced_until_the_answer_is_200() {
    let (receiver, address) = Receiver::bind(&[500, 204]).await;
    let url = format!("http://user:password@{address}/flinks?key=1");
    let (sandbox, mut log) = start(Sandbox::builder(), &url).await;
    let mut received = receiver.serve(None);
    let login_id = upload(&sandbox, &flagged()).await;
    let (mut bodies, mut lines) = (vec![], vec![]);
    for _ in 0..4 {
        let (headers, body) = received.recv().await.unwrap();
        assert!(is_signed(&headers, &body, sandbox.webhook_secret()));
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["host"], address.as_str());
        bodies.push(body);
        lines.push(log.recv().await.unwrap());
    }
    let (alerts, accounts): (Vec<_>, Vec<_>) = bodies.into_iter().partition(|body| is_alert(body));
    assert!(alerts.windows(2).all(|two| two[0] == two[1]), "{alerts:?}");
    let alert: Value = serde_json::from_slice(&alerts[0]).unwrap();
    assert_eq!(alert["Login"]["LoginId"], login_id.as_str());
    assert_eq!(alert["Tag"], "tag");
    let accounts: Value = serde_json::from_slice(&accounts[0]).unwrap();
    assert_eq!(accounts["ResponseType"], "GetAccountsDetail");
    assert_eq!(accounts["Login"]["Id"], login_id.as_str());
    assert_eq!(accounts["Tag"], "tag");
    assert!(!accounts["Accounts"].as_array().unwrap().is_empty());

    let attempts = lines.into_iter().filter_map(|line| {
        assert_eq!(
            (line.path.as_str(), line.login_id),
            ("/flinks", Some(login_id.clone()))
        );
        let is_alert = line.response_type.as_deref() == Some("UploadFraudAlert");
        assert!(!is_alert || line.bytes == alerts[0].len() as u64);
        is_alert.then_some((line.status, line.acted, line.reason))
    });
    let failed = |attempt| Some(format!("attempt {attempt} of 10: the answer has to be 200"));
    assert_eq!(
        attempts.collect::<Vec<_>>(),
        [
            (Some(500), false, failed(1)),
            (Some(204), false, failed(2)),
            (Some(200), true, None),
        ]
    );
}

#[tokio::test]
async fn data_that_were_pending_are_sent_over_tls() {
    let (receiver, address) = Receiver::bind(&[]).await;
    let url = format!("https://{address}/flinks?key=1");
    let (sandbox, mut log) = start(
        Sandbox::builder().data_pending(Duration::from_millis(20)),
        &url,
    )
    .await;
    // A stranger's certificate is refused, and the webhook is sent again.
    let stranger = Authority::new("Another CA").unwrap();
    let issue = |authority: &Authority| {
        let issued = authority
            .issue_server(&["127.0.0.1"], Validity::Valid)
            .unwrap();
        let chain = vec![CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let config = builder.with_no_client_auth().with_single_cert(chain, key);
        TlsAcceptor::from(Arc::new(config.unwrap()))
    };
    let refusing = tokio::spawn({
        let tls = issue(&stranger);
        async move {
            let (tcp, _) = receiver.listener.accept().await.unwrap();
            assert!(tls.accept(tcp).await.is_err());
            receiver
        }
    });

    let connection = Client::results(&sandbox).connect().await.unwrap();
    let mut legacy = Legacy::over(connection, &sandbox);
    let id = legacy.open("greatday_nomfa").await;
    let pending = legacy
        .post("GetAccountsDetail", &json!({"RequestId": id}))
        .await;
    assert_eq!(pending.status, 202);
    let mut received = refusing
        .await
        .unwrap()
        .serve(Some(issue(sandbox.authority())));
    let (headers, body) = received.recv().await.unwrap();
    assert!(is_signed(&headers, &body, sandbox.webhook_secret()));

    let polled = legacy.get(&format!("GetAccountsDetailAsync/{id}")).await;
    let polled = String::from_utf8(polled.body.to_vec()).unwrap();
    let with_type = polled.replacen('{', r#"{"ResponseType":"GetAccountsDetail","#, 1);
    assert_eq!(body, with_type);
    let reason = log.recv().await.unwrap().reason.unwrap();
    assert!(
        reason.starts_with("attempt 1 of 10: ") && reason.contains("certificate"),
        "{reason}"
    );
    let delivered = loop {
        let line = log.recv().await.unwrap();
        if line.acted {
            break line;
        }
    };
    assert_eq!(delivered.login_id.as_deref(), Some(CACHED_LOGIN_ID));
}

#[tokio::test]
async fn ten_attempts_are_the_end_and_a_clean_upload_is_no_alert() {
    let (receiver, address) = Receiver::bind(&[]).await;
    drop(receiver);
    let url = format!("http://{address}/");
    let (sandbox, mut log) = start(Sandbox::builder(), &url).await;
    let login_id = upload(&sandbox, PDF).await;
    let alerted = upload(&sandbox, &flagged()).await;
    for attempt in 1..=10 {
        let line = loop {
            let line = log.recv().await.unwrap();
            if line.response_type.as_deref() == Some("UploadFraudAlert") {
                break line;
            }
        };
        let reason = line.reason.unwrap();
        assert!(
            reason.starts_with(&format!("attempt {attempt} of 10: ")),
            "{reason}"
        );
        assert_eq!(line.status, None);
        assert_eq!(line.login_id.as_ref(), Some(&alerted));
    }
    sandbox.shutdown().await;
    while let Some(line) = log.recv().await {
        let is_alert = line.response_type.as_deref() == Some("UploadFraudAlert");
        assert!(!is_alert, "{line:?} for {login_id}");
    }
    let refused = Sandbox::builder().webhook("ftp://localhost").start().await;
    assert!(refused.unwrap_err().to_string().contains("webhooks"));
}

#[tokio::test]
async fn a_receiver_of_http_1_0_closes_after_its_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (sandbox, mut log) = start(Sandbox::builder(), &url).await;
    upload(&sandbox, PDF).await;
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        connection.read_buf(&mut request).await.unwrap();
    }
    let answer = b"HTTP/1.0 200 OK\r\n\r\n";
    connection.write_all(answer).await.unwrap();
    drop(connection);
    let line = log.recv().await.unwrap();
    assert_eq!((line.status, line.reason), (Some(200), None));
}

#[tokio::test]
async fn a_reset_forgets_what_waits_for_its_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (sandbox, _log) = start(Sandbox::builder(), &url).await;
    upload(&sandbox, &flagged()).await;
    let (mut connection, _) = listener.accept().await.unwrap();
    assert!(connection.read(&mut [0]).await.unwrap() > 0);
    sandbox.reset();
    let mut rest = Vec::new();
    let closed = connection.read_to_end(&mut rest);
    // Less than the 30 s after which an attempt fails.
    timeout(Duration::from_secs(20), closed)
        .await
        .unwrap()
        .unwrap();
    assert!(sandbox.log().is_empty());
}

#[tokio::test]
async fn the_secret_is_among_the_settings_of_a_sandbox_with_webhooks() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Sandbox::builder().dir(folder.path());
    let env = || std::fs::read_to_string(folder.path().join("env")).unwrap();
    let without = builder().start().await.unwrap();
    assert!(!env().contains("FLINKS_WEBHOOK_SECRET"));
    drop(without);
    let builder = builder().webhook("http://localhost:1/");
    let sandbox = builder.start().await.unwrap();
    assert!(env().contains(&format!(
        "FLINKS_WEBHOOK_SECRET=\"{}\"",
        sandbox.webhook_secret()
    )));
    for special in ['+', '/', '=', ' '] {
        assert!(sandbox.webhook_secret().contains(special));
    }
}
