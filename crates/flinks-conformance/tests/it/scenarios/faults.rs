//! Uploads in which something breaks: a completed session holds each file once, or none is completed.

use std::time::Duration;

use flinks_sandbox::{ApiOperation, TlsVersions};
use flinks_transport::{Delivery, ErrorKind};
use flinks_upload::{Completed, Document, OnUnknown};
use tokio::time::Instant;

use super::{
    completed, completed_once, config, crc32, document, documents, file_names, nothing_completed,
    only, sandbox, stalled, started, status, upload, uploads, watched,
};

fn abandoned(done: &Completed) -> Vec<&str> {
    done.abandoned.iter().map(|id| id.as_str()).collect()
}

#[tokio::test]
async fn a_lost_answer_to_the_second_file_abandons_the_session() {
    let sandbox = sandbox(&["upload@2=reset-after"]).await;
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    completed_once(&sandbox, &done);
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
        (abandoned(&done), done.abandoned_unknown),
        (vec![first.aggregation_id.as_str()], 0)
    );
}

#[tokio::test]
async fn a_lost_answer_to_the_first_file_leaves_a_session_without_a_name() {
    let sandbox = sandbox(&["upload@1=close-after"]).await;
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    completed_once(&sandbox, &done);
    assert_eq!(sandbox.sessions().len(), 2);
    assert_eq!((abandoned(&done), done.abandoned_unknown), (vec![], 1));
}

#[tokio::test]
async fn a_503_abandons_the_session_whether_or_not_the_file_arrived() {
    for fault in [
        "upload@2=status:503,retry-after=0",
        "upload@2=status-after:503",
    ] {
        let sandbox = sandbox(&[fault]).await;
        let done = upload(&sandbox, OnUnknown::Restart).await.expect(fault);
        completed_once(&sandbox, &done);
        assert_eq!(done.abandoned.len(), 1, "{fault}");
        assert_eq!(sandbox.requests(ApiOperation::Upload), 5, "{fault}");
    }
}

#[tokio::test]
async fn a_lost_answer_among_parallel_files_abandons_them_all() {
    let sandbox = sandbox(&["upload@4=close-after"]).await;
    let names = ["1.pdf", "2.pdf", "3.pdf", "4.pdf", "5.pdf", "6.pdf"];
    let session = uploads(&sandbox).session().concurrency(3);
    let done = session.upload(names.map(document)).await.expect("uploaded");
    let stored = completed(&sandbox, &done);
    let mut arrived = file_names(&stored);
    arrived.sort_unstable();
    assert_eq!(arrived, names);
    assert_eq!(done.abandoned.len(), 1);
    assert_eq!(sandbox.sessions().len(), 2);
    assert_eq!(sandbox.requests(ApiOperation::Complete), 1);
}

#[tokio::test]
async fn a_429_is_waited_out_and_the_file_goes_into_the_same_session() {
    let sandbox = sandbox(&["upload@2=status:429,retry-after=1"]).await;
    let start = Instant::now();
    let done = upload(&sandbox, OnUnknown::Stop).await.expect("uploaded");
    assert!(
        start.elapsed() >= Duration::from_secs(1),
        "it asked for 1 s"
    );
    completed_once(&sandbox, &done);
    assert_eq!(only(&sandbox).aggregation_id, done.aggregation_id.as_str());
    assert_eq!(sandbox.requests(ApiOperation::Upload), 4);
}

#[tokio::test]
async fn a_429_that_asks_for_an_hour_ends_the_upload_and_leaves_it_to_be_gone_on_with() {
    let sandbox = sandbox(&["upload@3=status:429,retry-after=3600"]).await;
    let client = uploads(&sandbox);
    let session = client.session();
    let error = session.upload(documents()).await.expect_err("an hour");
    assert_eq!(error.error().delivery(), Delivery::Rejected);
    assert_eq!(
        error.error().retry_after(),
        Some(Duration::from_secs(3600)),
        "the caller decides when"
    );
    nothing_completed(&sandbox);
    assert!(error.abandoned().is_empty(), "nothing is unknown here");

    let id = error.aggregation_id().expect("an id").clone();
    let rest = client.upload_file(document("march.pdf"), Some(id.clone()));
    rest.await.expect("the hour is over");
    client.complete(id).await.expect("completed");
    assert_eq!(file_names(&only(&sandbox)), super::NAMES);
}

#[tokio::test]
async fn a_reset_in_the_middle_of_a_large_file_costs_no_session() {
    let sandbox = sandbox(&["upload@2=reset-before"]).await;
    let mut content = b"%PDF-1.7 ".to_vec();
    content.resize(12 << 20, b'x');
    let sum = crc32(&content);
    let large = Document::from_bytes("large.pdf", content).expect("a document");
    let session = uploads(&sandbox).session();
    let done = session.upload([document("small.pdf"), large]).await;
    let stored = completed(&sandbox, &done.expect("uploaded"));
    assert_eq!(file_names(&stored), ["small.pdf", "large.pdf"]);
    assert_eq!(stored.files[1].crc32, sum);
    assert_eq!(only(&sandbox), stored, "the broken request was incomplete");
    assert_eq!(sandbox.requests(ApiOperation::Upload), 3);
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing_completed_and_the_client_usable() {
    let (sandbox, mut seen) = watched(config(&["upload@2=stall"])).await;
    let client = uploads(&sandbox);
    tokio::select! {
        outcome = client.session().upload(documents()) => panic!("{outcome:?}"),
        () = stalled(&mut seen) => {}
    }
    nothing_completed(&sandbox);
    assert_eq!(file_names(&only(&sandbox)), ["january.pdf"]);

    let done = client.session().upload(documents()).await;
    completed_once(&sandbox, &done.expect("uploaded"));
    assert_eq!(sandbox.sessions().len(), 2);
    assert_eq!(
        sandbox.requests(ApiOperation::Token),
        1,
        "the token is kept"
    );
}

#[tokio::test]
async fn a_host_that_hangs_is_left_at_the_deadline_with_the_outcome_unknown() {
    let sandbox = sandbox(&["upload@1=stall"]).await;
    let call = uploads(&sandbox).upload_file(document("january.pdf"), None);
    let error = call.timeout(Duration::from_millis(600)).await;
    let error = error.expect_err("it hangs");
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Timeout, Delivery::Unknown)
    );
    assert_eq!(sandbox.requests(ApiOperation::Upload), 1, "it is sent once");
    assert!(sandbox.sessions().is_empty());
}

#[tokio::test]
async fn a_source_that_is_read_once_stops_where_others_start_over() {
    let sandbox = sandbox(&["upload@2=close-after"]).await;
    let content: &[u8] = b"%PDF-1.7 read once";
    let once = Document::from_reader("once.pdf", content.len() as u64, content);
    let files = [document("january.pdf"), once.expect("a document")];
    let session = uploads(&sandbox).session().on_unknown(OnUnknown::Restart);
    let error = session
        .upload(files)
        .await
        .expect_err("the outcome is unknown");
    assert_eq!(
        (error.file(), error.error().delivery()),
        (Some("once.pdf"), Delivery::Unknown)
    );
    nothing_completed(&sandbox);
    assert_eq!(file_names(&only(&sandbox)), ["january.pdf", "once.pdf"]);
    assert_eq!(sandbox.requests(ApiOperation::Upload), 2);
}

#[tokio::test]
async fn told_to_stop_it_completes_nothing() {
    let sandbox = sandbox(&["upload@3=close-after"]).await;
    let error = upload(&sandbox, OnUnknown::Stop)
        .await
        .expect_err("the outcome is unknown");
    assert_eq!(
        (error.file(), error.error().delivery()),
        (Some("march.pdf"), Delivery::Unknown)
    );
    nothing_completed(&sandbox);
}

#[tokio::test]
async fn told_to_resend_the_file_may_be_there_twice() {
    let sandbox = sandbox(&["upload@2=reset-after"]).await;
    let done = upload(&sandbox, OnUnknown::Resend).await.expect("uploaded");
    let session = only(&sandbox);
    assert_eq!(
        file_names(&session),
        ["january.pdf", "february.pdf", "february.pdf", "march.pdf"]
    );
    assert!(session.completed && done.abandoned.is_empty());
}

#[tokio::test]
async fn restarts_that_are_used_up_leave_nothing_completed() {
    let sandbox = sandbox(&["upload=reset-after"]).await;
    let error = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect_err("the outcome is unknown");
    assert_eq!(error.error().delivery(), Delivery::Unknown);
    assert_eq!(
        sandbox.sessions().len(),
        3,
        "the first try and two restarts"
    );
    nothing_completed(&sandbox);
}

#[tokio::test]
async fn a_gateways_refusal_ends_the_upload_without_a_restart() {
    let sandbox = sandbox(&["upload@2=html:403"]).await;
    let error = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect_err("refused");
    assert_eq!(
        (error.error().kind(), error.error().delivery()),
        (ErrorKind::Api, Delivery::Rejected)
    );
    assert_eq!(status(error.error()), Some(403));
    assert!(error.error().api().is_none(), "a page says nothing");
    nothing_completed(&sandbox);
    assert_eq!(file_names(&only(&sandbox)), ["january.pdf"]);
}

#[tokio::test]
async fn a_complete_that_was_refused_harmlessly_is_sent_again() {
    for (fault, tokens) in [
        ("complete@1=status:429,retry-after=0", 1),
        ("complete@1=unauthorized", 2),
    ] {
        let sandbox = sandbox(&[fault]).await;
        let done = upload(&sandbox, OnUnknown::Stop).await.expect(fault);
        completed_once(&sandbox, &done);
        assert_eq!(sandbox.requests(ApiOperation::Complete), 2, "{fault}");
        assert_eq!(sandbox.requests(ApiOperation::Token), tokens, "{fault}");
    }
}

#[tokio::test]
async fn a_complete_whose_answer_is_lost_is_unknown_and_never_repeated() {
    for (fault, acted) in [
        ("complete=torn", true),
        ("complete=reset-after", true),
        ("complete=status-after:500", true),
        ("complete=html:502", false),
    ] {
        let sandbox = sandbox(&[fault]).await;
        let error = upload(&sandbox, OnUnknown::Restart)
            .await
            .expect_err("the outcome is unknown");
        assert_eq!(error.error().delivery(), Delivery::Unknown, "{fault}");
        assert_eq!(error.error().operation(), Some("upload.complete"));
        let session = only(&sandbox);
        assert_eq!(session.completed, acted, "{fault}");
        assert_eq!(
            error.aggregation_id().map(|id| id.as_str()),
            Some(session.aggregation_id.as_str())
        );
        assert_eq!(sandbox.requests(ApiOperation::Complete), 1, "{fault}");
        assert!(
            error.abandoned().is_empty(),
            "a session that may be completed is not abandoned"
        );
    }
}

#[tokio::test]
async fn a_host_that_stops_reading_for_a_while_is_waited_for() {
    let sandbox = sandbox(&["upload@2=stall:300"]).await;
    let done = upload(&sandbox, OnUnknown::Stop).await.expect("uploaded");
    completed_once(&sandbox, &done);
    assert_eq!(sandbox.requests(ApiOperation::Upload), 3);
    assert_eq!(sandbox.sessions().len(), 1);
}

#[tokio::test]
async fn under_the_older_tls_broken_connections_mean_the_same() {
    let sandbox = started(
        config(&["upload@2=reset-after", "upload@5=reset-before"]).tls(TlsVersions::Only12),
    )
    .await;
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    completed_once(&sandbox, &done);
    let abandoned = done.abandoned.len();
    assert_eq!(sandbox.sessions().len(), 1 + abandoned);
    assert!(
        (1..=2).contains(&abandoned),
        "the second break may be harmless"
    );
}
