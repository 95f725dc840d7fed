//! Tokens, certificates and secrets: which are accepted, and what a rejection causes.

use std::time::Duration;

use flinks_auth::ClientCredentials;
use flinks_fraud::AnalysisRequest;
use flinks_sandbox::certificates::{Authority, Validity};
use flinks_sandbox::{ApiOperation, OnUntrusted, Sandbox};
use flinks_transport::{CustomerEndpoint, Delivery, Endpoint, ErrorKind, Step, TlsVersion};
use flinks_types::CustomerId;
use flinks_upload::{OnUnknown, Paths, UploadClient};

use super::{
    completed, completed_once, config, document, documents, file_names, fraud_over, identity,
    login_id, nothing_completed, only, presenting, sandbox, started, status, trusting, upload,
    uploads, uploads_over,
};

#[tokio::test]
async fn each_secret_opens_its_own_host_only() {
    let sandbox = sandbox(&[]).await;
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.api_secret());
    let endpoint = Endpoint::new(sandbox.upload_url()).expect("a URL");
    let transport = presenting(&sandbox).build().expect("a transport");
    let client = UploadClient::with_endpoint(transport, endpoint, Paths::default(), credentials);
    let session = client.expect("a client").session();
    let error = session.upload(documents()).await;
    let error = error.expect_err("the API secret is no client secret");
    assert_eq!(
        (error.error().kind(), error.error().step()),
        (ErrorKind::Api, Step::Token)
    );
    assert_eq!(status(error.error()), Some(401));
    assert!(sandbox.sessions().is_empty());

    let fraud = fraud_over(&sandbox, trusting(&sandbox), sandbox.client_secret());
    let login = login_id(flinks_sandbox::CLEAN_LOGIN_ID);
    let error = fraud.analysis(&login).await;
    let error = error.expect_err("the client secret is no API secret");
    assert_eq!(status(&error), Some(401));
    assert_eq!(
        sandbox.requests(ApiOperation::Fraud),
        1,
        "a static secret is not tried again"
    );
}

#[tokio::test]
async fn the_access_token_is_not_taken_to_the_results_host() {
    let sandbox = sandbox(&[]).await;
    let client = uploads(&sandbox);
    let done = client.session().upload(documents()).await;
    let done = done.expect("uploaded");
    let endpoint = Endpoint::new(sandbox.results_url()).expect("a URL");
    let customer_id = CustomerId::new(sandbox.customer_id()).expect("an id");
    let customer = CustomerEndpoint::new(endpoint, customer_id);
    let request = AnalysisRequest::new(customer, done.login_id.clone());
    let error = client.transport().call(request).await;
    let error = error.expect_err("another host");
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(sandbox.requests(ApiOperation::Fraud), 0);
    completed_once(&sandbox, &done);
}

#[tokio::test]
async fn a_token_that_lives_one_second_is_renewed_between_files() {
    let sandbox =
        started(config(&["upload@1=delay-after:1100"]).token_ttl(Duration::from_secs(1))).await;
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    completed_once(&sandbox, &done);
    assert_eq!(sandbox.sessions().len(), 1);
    assert_eq!(
        sandbox.requests(ApiOperation::Upload),
        3,
        "no upload met an expired token"
    );
    assert!(sandbox.requests(ApiOperation::Token) >= 2);
}

#[tokio::test]
async fn a_401_costs_one_token_and_duplicates_nothing() {
    let sandbox = sandbox(&["upload@2=unauthorized"]).await;
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    completed_once(&sandbox, &done);
    assert_eq!(sandbox.sessions().len(), 1);
    assert_eq!(sandbox.requests(ApiOperation::Token), 2);
    assert_eq!(sandbox.requests(ApiOperation::Upload), 4);
}

#[tokio::test]
async fn four_files_that_meet_one_refused_token_fetch_one_more() {
    // The delay keeps all four under way until the first of them is refused.
    let refused = ["upload@2-5=delay:400", "upload@2-5=unauthorized"];
    let sandbox = sandbox(&refused).await;
    let names = ["1.pdf", "2.pdf", "3.pdf", "4.pdf", "5.pdf"];
    let session = uploads(&sandbox).session().concurrency(4);
    let done = session.upload(names.map(document)).await.expect("uploaded");
    assert_eq!(completed(&sandbox, &done).files.len(), 5);
    assert_eq!(sandbox.requests(ApiOperation::Token), 2);
    assert_eq!(sandbox.requests(ApiOperation::Upload), 9);
}

#[tokio::test]
async fn a_file_whose_second_token_is_refused_too_ends_the_upload_and_can_be_sent_later() {
    let sandbox = sandbox(&["upload@2-3=unauthorized"]).await;
    let client = uploads(&sandbox);
    let error = client.session().upload(documents()).await;
    let error = error.expect_err("refused twice");
    assert_eq!(
        (error.file(), error.error().delivery()),
        (Some("february.pdf"), Delivery::Rejected)
    );
    assert_eq!(sandbox.requests(ApiOperation::Token), 2);
    assert_eq!(sandbox.requests(ApiOperation::Upload), 3);
    nothing_completed(&sandbox);

    let id = error.aggregation_id().expect("an id").clone();
    for name in ["february.pdf", "march.pdf"] {
        let file = client.upload_file(document(name), Some(id.clone()));
        file.await.expect("a new token");
    }
    client.complete(id).await.expect("completed");
    let session = only(&sandbox);
    assert!(session.completed);
    assert_eq!(file_names(&session), super::NAMES);
}

#[tokio::test]
async fn a_token_endpoint_that_comes_back_is_noticed_by_nobody() {
    let sandbox = sandbox(&["token@1=reset-after", "token@2=html:503"]).await;
    let done = upload(&sandbox, OnUnknown::Stop).await.expect("uploaded");
    completed_once(&sandbox, &done);
    assert_eq!(sandbox.requests(ApiOperation::Token), 3);
    assert_eq!(sandbox.requests(ApiOperation::Upload), 3);
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_sends_no_file_and_is_asked_again_by_the_next_upload() {
    let sandbox = sandbox(&["token@1-3=status:503,retry-after=0"]).await;
    let client = uploads(&sandbox);
    let error = client.session().upload(documents()).await;
    let error = error.expect_err("no token");
    assert_eq!(
        (error.error().step(), error.error().delivery()),
        (Step::Token, Delivery::NotSent)
    );
    assert_eq!(sandbox.requests(ApiOperation::Token), 3);
    assert_eq!(sandbox.requests(ApiOperation::Upload), 0);

    let done = client.session().upload(documents()).await;
    completed_once(&sandbox, &done.expect("it is back"));
    assert_eq!(sandbox.requests(ApiOperation::Token), 4);
}

#[tokio::test]
async fn a_refused_token_that_cannot_be_replaced_ends_the_upload_at_that_file() {
    let sandbox = sandbox(&["upload@2=unauthorized", "token@2=unauthorized"]).await;
    let error = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect_err("no second token");
    assert_eq!(error.error().step(), Step::Token);
    assert_eq!(error.file(), Some("february.pdf"));
    assert!(!error.error().delivery().may_have_acted());
    nothing_completed(&sandbox);
    assert_eq!(file_names(&only(&sandbox)), ["january.pdf"]);
    assert_eq!(sandbox.requests(ApiOperation::Token), 2);
}

/// What an upload without a certificate that the host accepts ends in.
async fn is_not_let_in(sandbox: &Sandbox, client: UploadClient, what: &str) {
    let error = client.session().upload(documents()).await.expect_err(what);
    assert_eq!(error.error().kind(), ErrorKind::ClientCertificate, "{what}");
    assert_eq!(error.error().delivery(), Delivery::NotSent, "{what}");
    assert_eq!(sandbox.requests(ApiOperation::Token), 0, "{what}");
}

#[tokio::test]
async fn without_a_certificate_of_the_hosts_authority_nothing_is_opened() {
    let sandbox = started(config(&[]).on_untrusted(OnUntrusted::Alert)).await;
    let other = Authority::new("Another CA").expect("a CA");
    let stranger = other.issue_client("stranger", Validity::Valid);
    let stranger = stranger.expect("a certificate");
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let without = trusting(&sandbox).tls_version(version);
        let other = trusting(&sandbox)
            .tls_version(version)
            .identity(identity(&stranger.cert_pem, &stranger.key_pem));
        for (what, transport) in [("none", without), ("another authority's", other)] {
            let client = uploads_over(&sandbox, transport, Paths::default());
            is_not_let_in(&sandbox, client, what).await;
        }
    }
    let done = upload(&sandbox, OnUnknown::Stop).await;
    completed_once(&sandbox, &done.expect("the right certificate"));
}

#[tokio::test]
async fn two_certificates_have_two_tokens() {
    let sandbox = sandbox(&[]).await;
    let authority = sandbox.authority();
    let second = authority.issue_client("second client", Validity::Valid);
    let second = second.expect("a certificate");
    let transport = trusting(&sandbox).identity(identity(&second.cert_pem, &second.key_pem));
    let clients = [
        uploads(&sandbox),
        uploads_over(&sandbox, transport, Paths::default()),
    ];
    for client in &clients {
        let done = client.session().upload([document("a.pdf")]).await;
        done.expect("uploaded");
    }
    let tokens: Vec<_> = sandbox
        .log()
        .into_iter()
        .filter(|line| line.operation == ApiOperation::Token)
        .map(|line| line.client_serial.expect("a certificate"))
        .collect();
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[1], second.serial);
    assert_ne!(tokens[0], tokens[1]);
    // The sandbox refuses a token on a certificate other than the one that requested it.
    assert!(sandbox.log().iter().all(|line| line.status == Some(200)));
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_told_nothing() {
    let (ours, theirs) = (sandbox(&[]).await, sandbox(&[]).await);
    let transport =
        trusting(&theirs).identity(identity(ours.client_cert_pem(), ours.client_key_pem()));
    let client = uploads_over(&ours, transport, Paths::default());
    let error = client.session().upload(documents()).await;
    let error = error.expect_err("another authority");
    assert_eq!(error.error().kind(), ErrorKind::ServerCertificate);
    assert_eq!(error.error().delivery(), Delivery::NotSent);
    assert!(ours.log().is_empty());
}

#[tokio::test]
async fn a_token_whose_lifetime_rounds_to_nothing_is_used_once() {
    let sandbox = started(config(&[]).token_ttl(Duration::from_millis(900))).await;
    let done = upload(&sandbox, OnUnknown::Stop).await.expect("uploaded");
    completed_once(&sandbox, &done);
    assert_eq!(sandbox.requests(ApiOperation::Token), 4, "one a call");
    assert!(sandbox.log().iter().all(|line| line.status == Some(200)));
}
