//! From an upload to its verdict: waiting, failures on the way, and what is never called clean.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use flinks_conformance::fixtures;
use flinks_fraud::{Reason, Verdict};
use flinks_legacy::{StatementContent, Statements};
use flinks_sandbox::{ApiOperation, FAILED_LOGIN_ID, FLAGGED_LOGIN_ID, PENDING_LOGIN_ID};
use flinks_transport::{Delivery, ErrorKind, RetryConfig};
use flinks_types::{DocumentStatus, FlinksCode, NumberOfStatements, SignalType};
use flinks_upload::Document;

use super::bank::{self, SOON};
use super::{
    code, completed, completed_once, config, crc32, documents, fraud, fraud_over, login_id,
    sandbox, started, trusting, uploads,
};

/// A document of the fixtures under another name, which must not matter.
pub(super) fn statement(file: &str, name: &str) -> Document {
    let content = std::fs::read(fixtures().join("documents").join(file)).expect(file);
    Document::from_bytes(name, content).expect("a document")
}

#[tokio::test]
async fn the_whole_way_from_files_to_a_verdict() {
    let sandbox = sandbox(&[]).await;
    let session = uploads(&sandbox).session().tag("T-1").client_name("Zoë");
    let done = session.upload(documents()).await.expect("uploaded");
    let stored = completed_once(&sandbox, &done);
    assert_eq!(
        (stored.tag.as_deref(), stored.client_name.as_deref()),
        (Some("T-1"), Some("Zoë"))
    );
    assert_eq!(sandbox.requests(ApiOperation::Token), 1);

    let wait = fraud(&sandbox).wait(&done.login_id).expected_documents(3);
    let analysis = wait.interval(SOON).await.expect("an analysis");
    assert_eq!(analysis.verdict(), Verdict::Clean);
    assert_eq!(analysis.raw().tag.as_deref(), Some("T-1"));
}

#[tokio::test]
async fn a_tampered_statement_among_honest_ones_is_flagged_whatever_its_name() {
    let sandbox = sandbox(&[]).await;
    let client = uploads(&sandbox);
    let honest = statement("statement-january.pdf", "edited-fraud.pdf");
    let tampered = statement("statement-january-edited.pdf", "clean.pdf");
    let flagged = client.session().upload([honest.clone(), tampered]);
    let flagged = flagged.await.expect("uploaded");
    let clean = client.session().upload([honest]).await.expect("uploaded");

    let fraud = fraud(&sandbox);
    let (flagged, clean) = tokio::join!(
        fraud
            .wait(&flagged.login_id)
            .expected_documents(2)
            .interval(SOON),
        fraud
            .wait(&clean.login_id)
            .expected_documents(1)
            .interval(SOON),
    );
    let Verdict::Flagged(flags) = flagged.expect("an analysis").verdict() else {
        panic!("it was tampered with")
    };
    assert!(flags.iter().all(|flag| flag.document == 1));
    let types: Vec<_> = flags
        .into_iter()
        .filter_map(|flag| flag.signal.signal_type)
        .collect();
    assert_eq!(
        types,
        [
            SignalType::EditingSoftwareDetected,
            SignalType::UnreconciledBalances
        ]
    );
    assert_eq!(clean.expect("an analysis").verdict(), Verdict::Clean);
}

#[tokio::test]
async fn an_analysis_is_waited_for_through_every_stage() {
    let sandbox = started(config(&[]).processing(Duration::from_millis(600))).await;
    let done = uploads(&sandbox).session().upload(documents()).await;
    let done = done.expect("uploaded");
    let stages = Arc::new(Mutex::new(Vec::new()));
    let reported = Arc::clone(&stages);
    let wait = fraud(&sandbox).wait(&done.login_id).expected_documents(3);
    let analysis = wait.interval(SOON).on_poll(move |analysis| {
        let stage = analysis
            .documents()
            .first()
            .and_then(|one| one.status.clone());
        let stage = stage.map(|status| status.as_str().to_owned());
        assert_ne!(
            (analysis.verdict(), stage.as_deref() == Some("COMPLETED")),
            (Verdict::Clean, false),
            "nothing is clean before its time"
        );
        reported
            .lock()
            .expect("a lock")
            .push(stage.unwrap_or_default());
    });
    assert_eq!(analysis.await.expect("final").verdict(), Verdict::Clean);
    let mut stages = stages.lock().expect("a lock").clone();
    assert_eq!(stages.len(), sandbox.requests(ApiOperation::Fraud));
    stages.dedup();
    assert_eq!(stages, ["", "PENDING", "PROCESSING", "COMPLETED"]);
}

#[tokio::test]
async fn what_is_not_finished_at_the_deadline_is_undetermined() {
    let sandbox = sandbox(&[]).await;
    let wait = fraud(&sandbox)
        .wait(&login_id(PENDING_LOGIN_ID))
        .expected_documents(1);
    let analysis = wait.interval(SOON).timeout(SOON * 25).await;
    let analysis = analysis.expect("the last one that was read");
    let reason = Reason::Pending { document: 0 };
    assert_eq!(analysis.verdict(), Verdict::Undetermined(reason));
    assert!(sandbox.requests(ApiOperation::Fraud) > 1);
}

#[tokio::test]
async fn fewer_documents_than_files_are_never_clean() {
    let sandbox = sandbox(&[]).await;
    let done = uploads(&sandbox).session().upload(documents()).await;
    let done = done.expect("uploaded");
    let fraud = fraud(&sandbox);
    let wait = fraud
        .wait(&done.login_id)
        .expected_documents(4)
        .interval(SOON);
    let analysis = wait.timeout(SOON * 25).await.expect("an analysis");
    let reason = Reason::FewerDocuments {
        documents: 3,
        files: 4,
    };
    assert_eq!(analysis.verdict(), Verdict::Undetermined(reason));
    let wait = fraud.wait(&done.login_id).expected_documents(3).await;
    assert_eq!(wait.expect("an analysis").verdict(), Verdict::Clean);
}

#[tokio::test]
async fn what_has_failed_or_is_flagged_for_good_is_asked_for_once() {
    let sandbox = sandbox(&[]).await;
    let fraud = fraud(&sandbox);
    let failed = fraud.wait(&login_id(FAILED_LOGIN_ID)).await;
    let reason = Reason::Failed {
        document: 0,
        status: DocumentStatus::from("UNABLE_TO_PROCESS"),
    };
    assert_eq!(
        failed.expect("an analysis").verdict(),
        Verdict::Undetermined(reason)
    );
    let flagged = fraud.wait(&login_id(FLAGGED_LOGIN_ID)).await;
    let Verdict::Flagged(flags) = flagged.expect("an analysis").verdict() else {
        panic!("the guide's own signal")
    };
    assert_eq!(flags[0].signal.count, Some(2));
    assert_eq!(sandbox.requests(ApiOperation::Fraud), 2);
}

#[tokio::test]
async fn an_unknown_login_ends_the_wait_at_once() {
    let sandbox = sandbox(&[]).await;
    let unknown = login_id("00000000-0000-4000-8000-00000000abcd");
    let error = fraud(&sandbox).wait(&unknown).await.expect_err("unknown");
    assert_eq!(code(&error), Some(FlinksCode::InvalidLogin));
    assert_eq!(error.delivery(), Delivery::Rejected);
    assert_eq!(sandbox.requests(ApiOperation::Fraud), 1);
}

#[tokio::test]
async fn a_session_that_is_not_completed_has_no_analysis_to_wait_for() {
    let sandbox = sandbox(&[]).await;
    let mut session = uploads(&sandbox).session();
    let id = session.add(documents().remove(0)).await.expect("sent");
    let mistaken = login_id(id.as_str());
    let fraud = fraud(&sandbox);
    let error = fraud.wait(&mistaken).await.expect_err("no LoginId");
    assert_eq!(code(&error), Some(FlinksCode::InvalidLogin));
    let done = session.complete().await.expect("completed");
    completed(&sandbox, &done);
    let analysis = fraud.wait(&done.login_id).expected_documents(1).await;
    assert_eq!(analysis.expect("an analysis").verdict(), Verdict::Clean);
}

#[tokio::test]
async fn a_wait_survives_whatever_passes_one_poll_each() {
    let sandbox = sandbox(&[
        "fraud@1=reset-before",
        "fraud@2=reset-after",
        "fraud@3=torn",
        "fraud@4=close-after",
        "fraud@5=status:503,retry-after=0",
        "fraud@6=html:502",
        "fraud@7=status:429,retry-after=0",
    ])
    .await;
    let done = uploads(&sandbox).session().upload(documents()).await;
    let done = done.expect("uploaded");
    let transport = trusting(&sandbox).retry(RetryConfig::none());
    let fraud = fraud_over(&sandbox, transport, sandbox.api_secret());
    let analysis = fraud
        .wait(&done.login_id)
        .expected_documents(3)
        .interval(SOON)
        .await;
    assert_eq!(analysis.expect("an analysis").verdict(), Verdict::Clean);
    assert_eq!(sandbox.requests(ApiOperation::Fraud), 8);
}

#[tokio::test]
async fn a_poll_that_hangs_is_made_again_within_its_call() {
    let sandbox = sandbox(&["fraud@1=stall"]).await;
    let call = fraud(&sandbox).analysis(&login_id(FLAGGED_LOGIN_ID));
    let analysis = call.attempt_timeout(Duration::from_millis(400)).await;
    assert!(matches!(
        analysis.expect("the second attempt").verdict(),
        Verdict::Flagged(_)
    ));
    assert_eq!(sandbox.requests(ApiOperation::Fraud), 2);
}

#[tokio::test]
async fn a_refused_secret_ends_the_wait_and_is_not_tried_again() {
    let sandbox = sandbox(&["fraud@2=unauthorized"]).await;
    let fraud = fraud(&sandbox);
    let wait = fraud.wait(&login_id(PENDING_LOGIN_ID)).interval(SOON);
    let error = wait.await.expect_err("refused in the middle");
    assert_eq!(
        (error.kind(), code(&error)),
        (ErrorKind::Api, Some(FlinksCode::AccessDenied))
    );
    assert_eq!(sandbox.requests(ApiOperation::Fraud), 2);
}

#[tokio::test]
async fn a_banks_own_statements_arrive_whole_and_are_clean_when_they_are_uploaded() {
    let sandbox = bank::sandbox(&[]).await;
    let client = bank::client(&sandbox);
    let session = bank::open(&client, "greatday_nomfa").await;
    let quarter = Statements::new().with_number(NumberOfStatements::Months3);
    let statements = client.statements(&session).options(quarter);
    let statements = statements.interval(SOON).await.expect("statements");
    let mut documents = Vec::new();
    let mut sums = Vec::new();
    for account in statements.accounts.as_deref().expect("a list") {
        assert_eq!(account.statements.len(), 3);
        for statement in &account.statements {
            let content = statement.to_bytes().expect("base64");
            assert!(content.starts_with(b"%PDF-") && content.ends_with(b"%%EOF\n"));
            sums.push(crc32(&content));
            let name = format!("statement-{}.pdf", documents.len());
            documents.push(Document::from_bytes(name, content).expect("a document"));
        }
    }
    let files = documents.len();
    let done = uploads(&sandbox).session().upload(documents).await;
    let done = done.expect("uploaded");
    let stored = completed(&sandbox, &done).files;
    let stored: Vec<_> = stored.iter().map(|file| file.crc32).collect();
    assert_eq!(stored, sums);
    sums.sort_unstable();
    sums.dedup();
    assert_eq!(sums.len(), 9, "nine different statements");
    let analysis = fraud(&sandbox)
        .wait(&done.login_id)
        .expected_documents(files)
        .await;
    assert_eq!(analysis.expect("an analysis").verdict(), Verdict::Clean);
}

#[tokio::test]
async fn a_host_that_asks_for_an_hour_is_asked_once_more_before_the_deadline() {
    let sandbox = sandbox(&["fraud@1=status:429,retry-after=3600"]).await;
    let done = uploads(&sandbox).session().upload(documents()).await;
    let done = done.expect("uploaded");
    let wait = fraud(&sandbox).wait(&done.login_id).expected_documents(3);
    let analysis = wait.interval(SOON).timeout(SOON * 25).await;
    assert_eq!(analysis.expect("just in time").verdict(), Verdict::Clean);
    assert_eq!(sandbox.requests(ApiOperation::Fraud), 2);
}
