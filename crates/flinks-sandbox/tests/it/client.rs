//! A client with no more than a test needs: one connection, kept, over rustls.

use std::{io, net::SocketAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use flinks_sandbox::certificates::IssuedCertificate;
use flinks_sandbox::{Fault, LogLine, Sandbox};
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const GOOD_FORM: &str = "grant_type=client_credentials&scope=ocr.write";

/// Starts a sandbox with faults, and gives each line of its log as it is written.
pub(crate) async fn start(faults: &[&str]) -> (Sandbox, mpsc::UnboundedReceiver<LogLine>) {
    let (lines, log) = mpsc::unbounded_channel();
    let config = Sandbox::builder()
        .faults(faults.iter().map(|fault| fault.parse::<Fault>().unwrap()))
        .on_request(move |line| drop(lines.send(line.clone())));
    (config.start().await.unwrap(), log)
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap().to_owned()
    }
}

/// One kept connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Answer> {
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }
}

/// How to connect.
pub(crate) struct Client {
    address: SocketAddr,
    tls: TlsConnector,
    pub(crate) basic: String,
}

impl Client {
    /// To the upload host, with the sandbox's own client certificate.
    pub(crate) fn upload(sandbox: &Sandbox) -> Self {
        let pair = (sandbox.client_cert_pem(), sandbox.client_key_pem());
        Self::new(
            sandbox,
            sandbox.upload_url(),
            Some(pair),
            rustls::ALL_VERSIONS,
        )
    }

    pub(crate) fn upload_as(sandbox: &Sandbox, identity: &IssuedCertificate) -> Self {
        let pair = (identity.cert_pem.as_str(), identity.key_pem.as_str());
        Self::new(
            sandbox,
            sandbox.upload_url(),
            Some(pair),
            rustls::ALL_VERSIONS,
        )
    }

    /// To the results host, without any certificate.
    pub(crate) fn results(sandbox: &Sandbox) -> Self {
        Self::new(sandbox, sandbox.results_url(), None, rustls::ALL_VERSIONS)
    }

    pub(crate) fn new(
        sandbox: &Sandbox,
        url: &str,
        identity: Option<(&str, &str)>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(sandbox.ca_pem().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                let key = any_supported_type(&key).unwrap();
                // The two are not compared, so that a test can send what is not its own.
                let pair = SingleCertAndKey::from(CertifiedKey::new(chain, key));
                builder.with_client_cert_resolver(Arc::new(pair))
            }
        };
        let pair = format!("{}:{}", sandbox.client_id(), sandbox.client_secret());
        Self {
            address: url.strip_prefix("https://").unwrap().parse().unwrap(),
            tls: Arc::new(config).into(),
            basic: format!("Basic {}", BASE64_STANDARD.encode(pair)),
        }
    }

    pub(crate) async fn tcp(&self) -> io::Result<TcpStream> {
        TcpStream::connect(self.address).await
    }

    pub(crate) async fn stream(&self) -> io::Result<TlsStream<TcpStream>> {
        let tcp = self.tcp().await?;
        let name = ServerName::try_from("localhost").unwrap();
        self.tls.connect(name, tcp).await
    }

    pub(crate) async fn connect(&self) -> io::Result<Connection> {
        let io = TokioIo::new(self.stream().await?);
        let (sender, driver) = http1::handshake(io).await.map_err(io::Error::other)?;
        tokio::spawn(driver);
        Ok(Connection { sender })
    }

    /// Sends one request on a connection of its own.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        self.connect().await.unwrap().send(request).await.unwrap()
    }

    /// Sends bytes and reads to the end, whichever that is.
    pub(crate) async fn raw(&self, request: &[u8]) -> (Vec<u8>, io::Result<()>) {
        let mut answer = Vec::new();
        let result = async {
            let mut stream = self.stream().await?;
            stream.write_all(request).await?;
            stream.read_to_end(&mut answer).await
        };
        let result = result.await.map(drop);
        (answer, result)
    }

    /// Sends bytes and the end of the stream. Dropping it at once could reset the connection
    /// instead, and the server would never see the bytes.
    pub(crate) async fn send_and_hang_up(&self, request: &[u8]) -> TlsStream<TcpStream> {
        let mut stream = self.stream().await.unwrap();
        stream.write_all(request).await.unwrap();
        stream.shutdown().await.unwrap();
        stream
    }

    pub(crate) async fn token(&self) -> String {
        let answer = self
            .send(post("/api/v1/token", &self.basic, FORM, GOOD_FORM))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        format!("Bearer {}", answer.text("access_token"))
    }
}

pub(crate) fn post(
    path: &str,
    authorization: &str,
    content_type: &str,
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    Request::post(path)
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONTENT_TYPE, content_type)
        .body(Full::new(body.into()))
        .unwrap()
}

/// The least that is a whole PDF for the sandbox.
pub(crate) const PDF: &str = "%PDF-1.7\nstartxref\n0\n%%EOF\n";

/// The first or a further file of a session.
pub(crate) fn file(token: &str, aggregation_id: Option<&str>) -> Request<Full<Bytes>> {
    document(token, aggregation_id, "a.pdf", PDF.as_bytes())
}

/// An upload of these bytes.
pub(crate) fn document(
    token: &str,
    aggregation_id: Option<&str>,
    name: &str,
    content: &[u8],
) -> Request<Full<Bytes>> {
    let content = BASE64_STANDARD.encode(content);
    let mut body = json!({"Files": [{"FileName": name, "Content": content}], "Tag": "tag"});
    if let Some(id) = aggregation_id {
        body["AggregationId"] = json!(id);
    }
    post(
        "/api/v1/upload",
        token,
        "application/json",
        body.to_string(),
    )
}

pub(crate) fn complete(token: &str, aggregation_id: &str) -> Request<Full<Bytes>> {
    let body = json!({"AggregationId": aggregation_id}).to_string();
    post("/api/v1/upload/complete", token, "application/json", body)
}

pub(crate) fn fraud(secret: &str, customer_id: &str, login_id: &str) -> Request<Full<Bytes>> {
    Request::get(format!("/v3/{customer_id}/upload/fraudanalysis/{login_id}"))
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {secret}"))
        .body(Full::default())
        .unwrap()
}
