//! What a session does step by step, and what it says when it fails.

use std::io::Cursor;
use std::sync::{Arc, Mutex};

use flinks_upload::{
    Delivery, Document, FileLedger, Limits, OnUnknown, Phase, Progress, UploadErrorKind,
};

use crate::service::{Fate, Host, documents, expected};

#[tokio::test(start_paused = true)]
async fn files_go_one_by_one_under_one_id_and_one_token() {
    let host = Host::default();
    let session = host.client().session().tag("t");
    let done = session.upload(documents(3)).await.unwrap();
    assert_eq!(host.completed()[0].files, expected(3));
    assert_eq!(done.files.len(), 3);
    assert_eq!((done.abandoned.len(), done.abandoned_unknown), (0, 0));
    assert_eq!(
        host.state(|s| (s.tokens, s.uploads, s.completes)),
        (1, 3, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn progress_starts_over_with_the_session() {
    let host = Host::new([Fate::Good, Fate::CutAfter]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let session = host.client().session().on_progress(move |progress| {
        assert_eq!((progress.bytes, progress.session_bytes), (19, 38));
        let Progress {
            file,
            phase,
            session_sent,
            ..
        } = progress;
        sink.lock().unwrap().push((file, phase, session_sent));
    });
    session.upload(documents(2)).await.unwrap();
    let file = |file, before| {
        let sent = before + 19;
        [
            (file, Phase::Preparing, before),
            (file, Phase::Sent, sent),
            (file, Phase::Confirmed, sent),
        ]
    };
    let mut lost = file(1, 19);
    lost[2] = (1, Phase::Retrying, 19);
    let mut expected = [file(0, 0), lost, file(0, 0), file(1, 19)].concat();
    expected.push((1, Phase::Completing, 38));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn documents_can_be_added_one_at_a_time() {
    let host = Host::default();
    let mut session = host.client().session();
    for document in documents(2) {
        let id = session.add(document).await.unwrap();
        assert_eq!(id.as_str(), "session-0");
    }
    session.complete().await.unwrap();
    assert_eq!(host.completed()[0].files, expected(2));
}

#[tokio::test(start_paused = true)]
async fn one_bad_document_and_nothing_is_sent() {
    let host = Host::default();
    let mut all = documents(2);
    all.push(Document::from_bytes("a.docx", "PK").unwrap());
    let error = host.client().session().upload(all).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (UploadErrorKind::File, Delivery::NotSent)
    );
    let small = host
        .client()
        .with_limits(Limits::default().with_max_session_bytes(30));
    assert!(small.session().upload(documents(2)).await.is_err());
    assert!(host.client().session().upload([]).await.is_err());
    assert_eq!(host.state(|s| (s.tokens, s.uploads)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_a_503_and_a_cut_in_file_two_each_end_complete() {
    for fate in [
        Fate::CutAfter,
        Fate::GatewayAfter(503),
        Fate::Gateway(503),
        Fate::Garbled,
    ] {
        let host = Host::new([Fate::Good, fate]);
        let done = host.client().session().upload(documents(2)).await.unwrap();
        assert_eq!(host.completed()[0].files, expected(2), "{fate:?}");
        assert_eq!(done.abandoned[0].as_str(), "session-0", "{fate:?}");

        let host = Host::new([Fate::Good, fate]);
        let session = host.client().session().on_unknown(OnUnknown::Stop);
        let error = session.upload(documents(2)).await.unwrap_err();
        assert!(error.delivery().may_have_acted(), "{fate:?}");
        assert_eq!(error.file(), Some("1.pdf"));
        assert_eq!(host.state(|s| s.completes), 0, "{fate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_id_in_the_answer_abandons_both() {
    let host = Host::new([Fate::Good, Fate::Split]);
    let done = host.client().session().upload(documents(2)).await.unwrap();
    let abandoned: Vec<_> = done.abandoned.iter().map(|id| id.as_str()).collect();
    assert_eq!(abandoned, ["session-0", "stray-2"]);
    assert_eq!(host.completed()[0].files, expected(2));
}

#[tokio::test(start_paused = true)]
async fn a_lost_first_answer_leaves_a_session_without_a_name() {
    let host = Host::new([Fate::CutAfter]);
    let done = host.client().session().upload(documents(1)).await.unwrap();
    assert_eq!((done.abandoned.len(), done.abandoned_unknown), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn restarts_are_used_up_after_two() {
    let host = Host::new([Fate::CutAfter; 3]);
    let error = host
        .client()
        .session()
        .upload(documents(1))
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(
        (error.abandoned_unknown(), host.state(|s| s.uploads)),
        (2, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn resend_puts_the_file_into_the_same_session_again() {
    let host = Host::new([Fate::Good, Fate::CutAfter]);
    let session = host.client().session().on_unknown(OnUnknown::Resend);
    let done = session.upload(documents(2)).await.unwrap();
    assert_eq!(done.aggregation_id.as_str(), "session-0");
    assert_eq!(
        host.completed()[0].files.len(),
        3,
        "the person asked for it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_read_once_stops_instead_of_restarting() {
    let host = Host::new([Fate::CutAfter]);
    let contents = b"%PDF-1.7 once".to_vec();
    let document = Document::from_reader("a.pdf", contents.len() as u64, Cursor::new(contents));
    let error = host
        .client()
        .session()
        .upload([document.unwrap()])
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(host.state(|s| s.uploads), 1);
}

#[tokio::test(start_paused = true)]
async fn complete_is_never_sent_again_after_an_unknown_outcome() {
    for fate in [
        Fate::CutAfter,
        Fate::GatewayAfter(503),
        Fate::Gateway(503),
        Fate::Garbled,
    ] {
        let host = Host::new([Fate::Good, fate]);
        let error = host
            .client()
            .session()
            .upload(documents(1))
            .await
            .unwrap_err();
        assert!(error.delivery().may_have_acted(), "{fate:?}");
        assert_eq!(error.error().operation(), Some("upload.complete"));
        assert!(host.state(|s| s.completes) <= 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_token_is_fetched_again_once() {
    let host = Host::new([Fate::Stale]);
    host.client().session().upload(documents(1)).await.unwrap();
    assert_eq!(host.state(|s| (s.tokens, s.uploads)), (2, 1));

    let host = Host::new([Fate::Stale, Fate::Stale]);
    let error = host
        .client()
        .session()
        .upload(documents(1))
        .await
        .unwrap_err();
    assert_eq!(error.error().status().unwrap(), 401);
    assert_eq!(error.delivery(), Delivery::Rejected);
    assert_eq!(host.state(|s| s.tokens), 2);
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_starts_the_session_over() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.pdf", "b.pdf"].map(|name| folder.path().join(name));
    for path in &paths {
        std::fs::write(path, "%PDF-1.7 first").unwrap();
    }
    let path = folder.path().join("ledger");
    let host = Host::new([Fate::Good, Fate::Gateway(400)]);
    let all = paths.iter().map(|path| Document::open(path).unwrap());
    let session = host
        .client()
        .session()
        .ledger(FileLedger::create(&path).unwrap());
    let error = session.upload(all).await.unwrap_err();
    assert_eq!(
        (error.file(), error.delivery()),
        (Some("b.pdf"), Delivery::Rejected)
    );

    std::fs::write(&paths[0], "%PDF-1.7 second version").unwrap();
    let (ledger, entries) = FileLedger::open(&path).unwrap();
    let done = host
        .client()
        .resume(ledger, &entries)
        .unwrap()
        .complete()
        .await
        .unwrap();
    let held = &host.completed()[0].files;
    assert_eq!(held[0].1, b"%PDF-1.7 second version");
    assert_eq!((held.len(), done.abandoned.len()), (2, 1));
    assert_eq!(done.files[0].len, 23);

    // A completed ledger sends nothing and still knows its LoginId.
    let sent = host.state(|s| (s.uploads, s.completes));
    let (ledger, entries) = FileLedger::open(&path).unwrap();
    let again = host
        .client()
        .resume(ledger, &entries)
        .unwrap()
        .complete()
        .await
        .unwrap();
    assert_eq!(again.login_id, done.login_id);
    assert_eq!(host.state(|s| (s.uploads, s.completes)), sent);

    let (ledger, entries) = FileLedger::open(&path).unwrap();
    let error = host
        .client_of("another")
        .resume(ledger, &entries)
        .unwrap_err();
    assert_eq!(error.kind(), UploadErrorKind::Ledger);
}

#[tokio::test(start_paused = true)]
async fn a_refused_upload_is_resumed_without_sending_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let all: Vec<_> = expected(3)
        .into_iter()
        .map(|(name, contents)| {
            std::fs::write(folder.path().join(&name), contents).unwrap();
            Document::open(folder.path().join(name)).unwrap()
        })
        .collect();
    let host = Host::new([Fate::Good, Fate::Good, Fate::Gateway(403)]);
    let session = host
        .client()
        .session()
        .ledger(FileLedger::create(&path).unwrap());
    session.upload(all).await.unwrap_err();
    let (ledger, entries) = FileLedger::open(&path).unwrap();
    let done = host
        .client()
        .resume(ledger, &entries)
        .unwrap()
        .complete()
        .await
        .unwrap();
    assert_eq!(host.completed()[0].files, expected(3));
    assert_eq!((done.abandoned.len(), host.state(|s| s.uploads)), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn files_after_the_first_can_go_in_parallel() {
    let host = Host::default();
    let session = host.client().session().concurrency(4);
    session.upload(documents(9)).await.unwrap();
    let mut held = host.completed()[0].files.clone();
    held.sort();
    assert_eq!(held, expected(9));
    assert_eq!(host.state(|s| s.sessions.len()), 1);
}
