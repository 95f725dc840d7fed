//! Whole flows against the stateful sandbox: what counts is what the service holds in the end.

use std::time::Duration;

use flinks_auth::{ApiSecret, ClientCredentials};
use flinks_fraud::{FraudClient, Verdict};
use flinks_sandbox::{Config, Operation, Sandbox, Session};
use flinks_transport::{ClientIdentity, Delivery, Endpoint, ErrorKind, Roots, Step, Transport};
use flinks_types::{CustomerId, LoginId};
use flinks_upload::{Completed, Document, OnUnknown, Paths, UploadClient, UploadError};

async fn sandbox(faults: &[&str]) -> Sandbox {
    let mut config = Config::default();
    config.processing = Duration::ZERO;
    config.faults = faults
        .iter()
        .map(|fault| fault.parse().expect(fault))
        .collect();
    Sandbox::start(config).await.expect("a sandbox")
}

fn uploads_with(sandbox: &Sandbox, secret: &str) -> UploadClient {
    let (certificate, key) = (sandbox.client_cert_pem(), sandbox.client_key_pem());
    let identity = ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes());
    let transport = Transport::builder()
        .identity(identity.expect("an identity"))
        .roots(Roots::pem(sandbox.ca_pem().as_bytes()).expect("a root"))
        .build()
        .expect("a transport");
    let credentials = ClientCredentials::new(sandbox.client_id(), secret.to_owned());
    let endpoint = Endpoint::new(sandbox.upload_url()).expect("a URL");
    UploadClient::at(transport, credentials, endpoint, Paths::default()).expect("a client")
}

fn uploads(sandbox: &Sandbox) -> UploadClient {
    uploads_with(sandbox, sandbox.client_secret())
}

fn fraud_with(sandbox: &Sandbox, secret: &str) -> FraudClient {
    let transport = Transport::builder()
        .roots(Roots::pem(sandbox.ca_pem().as_bytes()).expect("a root"))
        .build()
        .expect("a transport");
    let endpoint = Endpoint::new(sandbox.results_url()).expect("a URL");
    let customer = CustomerId::new(sandbox.customer_id()).expect("an id");
    FraudClient::new(
        transport,
        endpoint,
        customer,
        &ApiSecret::new(secret.to_owned()),
    )
    .expect("a client")
}

const NAMES: [&str; 3] = ["january.pdf", "february.pdf", "march.pdf"];

fn documents() -> Vec<Document> {
    let document = |name: &str| Document::from_bytes(name, format!("%PDF-1.7 {name}").into_bytes());
    NAMES
        .iter()
        .map(|name| document(name).expect("a document"))
        .collect()
}

async fn upload(sandbox: &Sandbox, policy: OnUnknown) -> Result<Completed, UploadError> {
    uploads(sandbox)
        .session()
        .on_unknown(policy)
        .upload(documents())
        .await
}

/// The one completed session, which must hold each file exactly once, in order.
fn completed(sandbox: &Sandbox, done: &Completed) -> Session {
    let sessions = sandbox.sessions();
    let completed: Vec<_> = sessions
        .iter()
        .filter(|session| session.completed)
        .collect();
    let [session] = completed.as_slice() else {
        panic!("one completed session: {sessions:?}")
    };
    let names: Vec<_> = session
        .files
        .iter()
        .map(|file| file.file_name.as_str())
        .collect();
    assert_eq!(names, NAMES);
    assert_eq!(session.aggregation_id, done.aggregation_id.as_str());
    assert_eq!(session.login_id.as_deref(), Some(done.login_id.as_str()));
    (*session).clone()
}

fn abandoned(done: &Completed) -> Vec<&str> {
    done.abandoned.iter().map(|id| id.as_str()).collect()
}

#[tokio::test]
async fn the_whole_way_from_files_to_a_verdict() {
    let sandbox = sandbox(&[]).await;
    let session = uploads(&sandbox).session().tag("T-1").client_name("Zoë");
    let done = session.upload(documents()).await.expect("uploaded");
    let stored = completed(&sandbox, &done);
    assert_eq!(
        (stored.tag.as_deref(), stored.client_name.as_deref()),
        (Some("T-1"), Some("Zoë"))
    );
    assert_eq!(sandbox.requests(Operation::Token), 1);

    let fraud = fraud_with(&sandbox, sandbox.api_secret());
    let analysis = fraud
        .wait(&done.login_id)
        .files(3)
        .interval(Duration::from_millis(20))
        .await;
    assert_eq!(analysis.expect("an analysis").verdict(), Verdict::Clean);
}

#[tokio::test]
async fn each_credential_opens_its_own_host_only() {
    let sandbox = sandbox(&[]).await;
    let error = uploads_with(&sandbox, sandbox.api_secret())
        .session()
        .upload(documents())
        .await
        .expect_err("the API secret is no client secret");
    assert_eq!(
        (error.error().kind(), error.error().step()),
        (ErrorKind::Api, Step::Token)
    );
    assert_eq!(
        error.error().status().map(|status| status.as_u16()),
        Some(401)
    );
    assert!(sandbox.sessions().is_empty());

    let login = LoginId::new(flinks_sandbox::CLEAN_LOGIN_ID).expect("an id");
    let error = fraud_with(&sandbox, sandbox.client_secret())
        .analysis(&login)
        .await
        .expect_err("the client secret is no API secret");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
    assert_eq!(
        sandbox.requests(Operation::Fraud),
        1,
        "a static secret is not tried again"
    );
}

#[tokio::test]
async fn a_second_complete_is_refused_and_changes_nothing() {
    let sandbox = sandbox(&[]).await;
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    let before = completed(&sandbox, &done);
    let error = uploads(&sandbox)
        .complete(done.aggregation_id.clone())
        .await
        .expect_err("completed already");
    assert_eq!(error.delivery(), Delivery::Rejected);
    assert_eq!(completed(&sandbox, &done), before);
    assert_eq!(sandbox.requests(Operation::Complete), 2);
}

#[tokio::test]
async fn a_token_that_lives_one_second_is_renewed_between_files() {
    let mut config = Config::default();
    config.token_ttl = Duration::from_secs(1);
    config.faults = vec!["upload@1=delay-after:1100".parse().expect("a fault")];
    let sandbox = Sandbox::start(config).await.expect("a sandbox");
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    completed(&sandbox, &done);
    assert_eq!(sandbox.sessions().len(), 1);
    assert_eq!(
        sandbox.requests(Operation::Upload),
        3,
        "no upload met an expired token"
    );
    assert!(sandbox.requests(Operation::Token) >= 2);
}

#[tokio::test]
async fn a_401_costs_one_token_and_duplicates_nothing() {
    let sandbox = sandbox(&["upload@2=unauthorized"]).await;
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    completed(&sandbox, &done);
    assert_eq!(sandbox.sessions().len(), 1);
    assert_eq!(sandbox.requests(Operation::Token), 2);
    assert_eq!(sandbox.requests(Operation::Upload), 4);
}

#[tokio::test]
async fn a_lost_answer_to_the_second_file_abandons_the_session() {
    let sandbox = sandbox(&["upload@2=reset-after"]).await;
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    completed(&sandbox, &done);
    let sessions = sandbox.sessions();
    let [first, _] = sessions.as_slice() else {
        panic!("two sessions: {sessions:?}")
    };
    assert!(!first.completed, "an abandoned session is never completed");
    assert_eq!(
        first.files.len(),
        2,
        "the file whose answer was lost had arrived"
    );
    assert_eq!(
        (abandoned(&done), done.abandoned_unnamed),
        (vec![first.aggregation_id.as_str()], 0)
    );
}

#[tokio::test]
async fn a_lost_answer_to_the_first_file_leaves_a_session_without_a_name() {
    let sandbox = sandbox(&["upload@1=torn"]).await;
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    completed(&sandbox, &done);
    assert_eq!(sandbox.sessions().len(), 2);
    assert_eq!((abandoned(&done), done.abandoned_unnamed), (vec![], 1));
}

#[tokio::test]
async fn a_503_abandons_the_session_whether_or_not_the_file_arrived() {
    for fault in [
        "upload@2=status:503,retry-after=0",
        "upload@2=status-after:503",
    ] {
        let sandbox = sandbox(&[fault]).await;
        let done = upload(&sandbox, OnUnknown::Restart).await.expect(fault);
        completed(&sandbox, &done);
        assert_eq!(done.abandoned.len(), 1, "{fault}");
        assert_eq!(sandbox.requests(Operation::Upload), 5, "{fault}");
    }
}

#[tokio::test]
async fn a_torn_answer_to_complete_is_unknown_and_never_repeated() {
    let sandbox = sandbox(&["complete=torn"]).await;
    let error = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect_err("nobody knows");
    assert_eq!(error.error().delivery(), Delivery::Unknown);
    assert_eq!(error.error().operation(), Some("upload.complete"));
    let sessions = sandbox.sessions();
    let [session] = sessions.as_slice() else {
        panic!("one session: {sessions:?}")
    };
    assert!(session.completed, "the sandbox had acted");
    assert_eq!(
        error.aggregation_id().map(|id| id.as_str()),
        Some(session.aggregation_id.as_str())
    );
    assert_eq!(sandbox.requests(Operation::Complete), 1);
    assert!(
        error.abandoned().is_empty(),
        "a session that may be completed is not abandoned"
    );
}

#[tokio::test]
async fn told_to_stop_it_completes_nothing() {
    let sandbox = sandbox(&["upload@3=close-after"]).await;
    let error = upload(&sandbox, OnUnknown::Stop)
        .await
        .expect_err("nobody knows");
    assert_eq!(
        (error.file(), error.error().delivery()),
        (Some("march.pdf"), Delivery::Unknown)
    );
    assert!(sandbox.sessions().iter().all(|session| !session.completed));
    assert_eq!(sandbox.requests(Operation::Complete), 0);
}

#[tokio::test]
async fn told_to_resend_the_file_may_be_there_twice() {
    let sandbox = sandbox(&["upload@2=reset-after"]).await;
    let done = upload(&sandbox, OnUnknown::Resend).await.expect("uploaded");
    let sessions = sandbox.sessions();
    let [session] = sessions.as_slice() else {
        panic!("one session: {sessions:?}")
    };
    let names: Vec<_> = session
        .files
        .iter()
        .map(|file| file.file_name.as_str())
        .collect();
    assert_eq!(
        names,
        ["january.pdf", "february.pdf", "february.pdf", "march.pdf"]
    );
    assert!(session.completed && done.abandoned.is_empty());
}

#[tokio::test]
async fn restarts_that_are_used_up_leave_nothing_completed() {
    let sandbox = sandbox(&["upload=reset-after"]).await;
    let error = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect_err("nobody knows");
    assert_eq!(error.error().delivery(), Delivery::Unknown);
    assert_eq!(
        sandbox.sessions().len(),
        3,
        "the first try and two restarts"
    );
    assert!(sandbox.sessions().iter().all(|session| !session.completed));
    assert_eq!(sandbox.requests(Operation::Complete), 0);
}

#[tokio::test]
async fn a_certificate_that_the_host_does_not_trust_opens_nothing() {
    let (ours, theirs) = (sandbox(&[]).await, sandbox(&[]).await);
    let (certificate, key) = (theirs.client_cert_pem(), theirs.client_key_pem());
    let identity = ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes());
    let transport = Transport::builder()
        .identity(identity.expect("an identity"))
        .roots(Roots::pem(ours.ca_pem().as_bytes()).expect("a root"))
        .build()
        .expect("a transport");
    let credentials = ClientCredentials::new(ours.client_id(), ours.client_secret().to_owned());
    let endpoint = Endpoint::new(ours.upload_url()).expect("a URL");
    let client = UploadClient::at(transport, credentials, endpoint, Paths::default());
    let session = client.expect("a client").session();
    let error = session.upload(documents()).await.expect_err("not trusted");
    assert_eq!(error.error().kind(), ErrorKind::ClientCertificate);
    assert_eq!(error.error().delivery(), Delivery::NotSent);
    assert_eq!(ours.requests(Operation::Token), 0);
}
