//! Whole flows against the stateful sandbox: what counts is what the service holds in the end.

mod access;
mod authorize;
mod bank;
mod data;
mod faults;
mod fraud;
mod ledger;
mod logins;
mod secrets;
mod upload;
mod webhook;

use std::time::Duration;

use flinks_auth::{ApiSecret, ClientCredentials};
use flinks_fraud::FraudClient;
use flinks_sandbox::{ApiOperation, LogLine, Sandbox, SandboxBuilder, SandboxSession};
use flinks_transport::{
    ClientIdentity, Endpoint, Error, RetryConfig, Roots, Transport, TransportBuilder,
};
use flinks_types::{CustomerId, FlinksCode, LoginId};
use flinks_upload::{Completed, Document, OnUnknown, Paths, UploadClient, UploadError};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A sandbox that analyses at once.
fn config(faults: &[&str]) -> SandboxBuilder {
    Sandbox::builder()
        .processing(Duration::ZERO)
        .faults(faults.iter().map(|fault| fault.parse().expect(fault)))
}

async fn started(config: SandboxBuilder) -> Sandbox {
    config.start().await.expect("a sandbox")
}

async fn sandbox(faults: &[&str]) -> Sandbox {
    started(config(faults)).await
}

/// A sandbox whose requests can be waited for.
async fn watched(config: SandboxBuilder) -> (Sandbox, UnboundedReceiver<LogLine>) {
    let (sender, seen) = unbounded_channel();
    // Fails only when the test has seen enough.
    let config = config.on_request(move |line| drop(sender.send(line.clone())));
    (started(config).await, seen)
}

/// Waits for a request that the sandbox leaves without an answer.
async fn stalled(seen: &mut UnboundedReceiver<LogLine>) {
    while let Some(line) = seen.recv().await {
        if line.fault.as_deref() == Some("stall") {
            return;
        }
    }
    panic!("no request was stalled")
}

/// Trusts the sandbox. The pauses between attempts are short: how long they are is asserted in
/// paused time, by the corpus.
fn trusting(sandbox: &Sandbox) -> TransportBuilder {
    Transport::builder()
        .roots(Roots::pem(sandbox.ca_pem().as_bytes()).expect("a root"))
        .retry(RetryConfig::new().backoff(Duration::from_millis(1), Duration::from_millis(20)))
}

fn identity(certificate: &str, key: &str) -> ClientIdentity {
    ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).expect("an identity")
}

/// Trusts the sandbox, and presents the certificate that it issued.
fn presenting(sandbox: &Sandbox) -> TransportBuilder {
    trusting(sandbox).identity(identity(
        sandbox.client_cert_pem(),
        sandbox.client_key_pem(),
    ))
}

fn uploads_over(sandbox: &Sandbox, transport: TransportBuilder, paths: Paths) -> UploadClient {
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret());
    let endpoint = Endpoint::new(sandbox.upload_url()).expect("a URL");
    let transport = transport.build().expect("a transport");
    UploadClient::with_endpoint(transport, endpoint, paths, credentials).expect("a client")
}

fn uploads(sandbox: &Sandbox) -> UploadClient {
    uploads_over(sandbox, presenting(sandbox), Paths::default())
}

fn fraud_over(sandbox: &Sandbox, transport: TransportBuilder, secret: &str) -> FraudClient {
    let endpoint = Endpoint::new(sandbox.results_url()).expect("a URL");
    let customer = CustomerId::new(sandbox.customer_id()).expect("an id");
    let transport = transport.build().expect("a transport");
    FraudClient::new(transport, endpoint, customer, ApiSecret::new(secret)).expect("a client")
}

fn fraud(sandbox: &Sandbox) -> FraudClient {
    fraud_over(sandbox, trusting(sandbox), sandbox.api_secret())
}

fn login_id(text: &str) -> LoginId {
    LoginId::new(text).expect("an id")
}

const NAMES: [&str; 3] = ["january.pdf", "february.pdf", "march.pdf"];

fn document(name: &str) -> Document {
    Document::from_bytes(name, format!("%PDF-1.7 {name}\nstartxref\n0\n%%EOF\n"))
        .expect("a document")
}

fn documents() -> Vec<Document> {
    NAMES.map(document).into()
}

async fn upload(sandbox: &Sandbox, policy: OnUnknown) -> Result<Completed, UploadError> {
    uploads(sandbox)
        .session()
        .on_unknown(policy)
        .upload(documents())
        .await
}

fn file_names(session: &SandboxSession) -> Vec<&str> {
    let files = session.files.iter();
    files.map(|file| file.file_name.as_str()).collect()
}

/// The one session that the sandbox was ever asked to open.
fn only(sandbox: &Sandbox) -> SandboxSession {
    match <[SandboxSession; 1]>::try_from(sandbox.sessions()) {
        Ok([session]) => session,
        Err(sessions) => panic!("one session: {sessions:?}"),
    }
}

/// The one completed session, which must be the one that the client knows.
fn completed(sandbox: &Sandbox, done: &Completed) -> SandboxSession {
    let sessions = sandbox.sessions();
    let mut completed = sessions.iter().filter(|session| session.completed);
    let (Some(session), None) = (completed.next(), completed.next()) else {
        panic!("one completed session: {sessions:?}")
    };
    assert_eq!(session.aggregation_id, done.aggregation_id.as_str());
    assert_eq!(session.login_id.as_deref(), Some(done.login_id.as_str()));
    session.clone()
}

/// As [`completed`], with each of the usual files in it exactly once, in order.
fn completed_once(sandbox: &Sandbox, done: &Completed) -> SandboxSession {
    let session = completed(sandbox, done);
    assert_eq!(file_names(&session), NAMES);
    session
}

/// No session was completed, and no request tried to.
fn nothing_completed(sandbox: &Sandbox) {
    assert!(sandbox.sessions().iter().all(|session| !session.completed));
    assert_eq!(sandbox.requests(ApiOperation::Complete), 0);
}

fn code(error: &Error) -> Option<FlinksCode> {
    error.api()?.flinks_code.clone()
}

fn status(error: &Error) -> Option<u16> {
    error.status().map(|status| status.as_u16())
}

/// CRC-32 (IEEE), which is what the sandbox keeps of a content.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
