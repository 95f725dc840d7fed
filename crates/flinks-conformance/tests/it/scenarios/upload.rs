//! Uploads in which nothing breaks: what was given is what the service holds.

use std::sync::{Arc, Mutex};

use flinks_conformance::fixtures;
use flinks_sandbox::ApiOperation;
use flinks_transport::{Delivery, ErrorKind};
use flinks_types::{AggregationId, FlinksCode};
use flinks_upload::{Document, Limits, OnUnknown, Paths, UploadErrorKind};

use super::{
    code, completed, completed_once, crc32, document, documents, file_names, nothing_completed,
    only, presenting, sandbox, status, upload, uploads, uploads_over,
};

#[tokio::test]
async fn files_of_every_accepted_type_arrive_byte_for_byte() {
    let sandbox = sandbox(&[]).await;
    let names = [
        "statement-january.pdf",
        "scan.png",
        "scan.jpg",
        "scan.jpeg",
        "scan.tif",
        "scan.tiff",
    ];
    let path = |name| fixtures().join("documents").join(name);
    let files = names.map(|name| Document::open(path(name)).expect(name));
    let done = uploads(&sandbox).session().upload(files).await;
    let stored = completed(&sandbox, &done.expect("uploaded"));
    assert_eq!(file_names(&stored), names);
    for file in &stored.files {
        let content = std::fs::read(path(&file.file_name)).expect("a file");
        assert_eq!(file.bytes, content.len() as u64, "{}", file.file_name);
        assert_eq!(file.crc32, crc32(&content), "{}", file.file_name);
    }
}

#[tokio::test]
async fn names_tags_and_clients_are_kept_whatever_their_letters() {
    let sandbox = sandbox(&[]).await;
    let longest = format!("{}.PDF", "n".repeat(251));
    let names = [
        "Relevé d'été (1).pdf",
        "a \"quoted\" & <marked> {name}.pdf",
        "対帳単 📄.pdf",
        "  spaces  .pdf",
        &longest,
    ];
    let session = uploads(&sandbox)
        .session()
        .tag("dossier nº 7 \u{7}\\ \"été\"")
        .client_name("Zoë O'Brien 王");
    let done = session.upload(names.map(document)).await.expect("uploaded");
    let stored = completed(&sandbox, &done);
    assert_eq!(file_names(&stored), names);
    assert_eq!(
        (stored.tag.as_deref(), stored.client_name.as_deref()),
        (Some("dossier nº 7 \u{7}\\ \"été\""), Some("Zoë O'Brien 王"))
    );
}

#[tokio::test]
async fn what_the_guide_does_not_accept_never_reaches_the_host() {
    let sandbox = sandbox(&[]).await;
    let client = uploads(&sandbox);
    let of = |name: &str, content: &'static [u8]| {
        Document::from_bytes(name, content).expect("a document")
    };
    let large = vec![b'%'; (18 << 20) + 1];
    for refused in [
        of("notes.docx", b"PK\x03\x04"),
        of("no-extension", b"%PDF-1.7"),
        of("empty.pdf", b""),
        of("picture.pdf", b"\x89PNG\r\n\x1a\n"),
        Document::from_bytes("large.pdf", large).expect("a document"),
    ] {
        let files = [document("january.pdf"), refused];
        let error = client.session().upload(files).await.expect_err("refused");
        assert_eq!(error.kind(), UploadErrorKind::File);
        assert_eq!(error.error().delivery(), Delivery::NotSent);
    }
    let narrow = client
        .clone()
        .with_limits(Limits::default().with_max_session_bytes(40));
    let error = narrow.session().upload(documents()).await;
    assert_eq!(error.expect_err("split it").kind(), UploadErrorKind::File);
    assert!(sandbox.log().is_empty(), "not even a token was requested");

    let done = client.session().upload(documents()).await;
    completed_once(&sandbox, &done.expect("uploaded"));
}

#[tokio::test]
async fn a_file_that_the_service_refuses_ends_the_session_uncompleted() {
    let sandbox = sandbox(&[]).await;
    let client = uploads(&sandbox).with_limits(Limits::unlimited());
    let picture = Document::from_bytes("picture.bmp", "BM").expect("a document");
    let files = [document("january.pdf"), picture, document("march.pdf")];
    let error = client.session().upload(files).await.expect_err("refused");
    assert_eq!(error.file(), Some("picture.bmp"));
    assert_eq!(error.error().delivery(), Delivery::Rejected);
    assert_eq!(code(error.error()), Some(FlinksCode::InvalidRequest));
    assert_eq!(
        sandbox.requests(ApiOperation::Upload),
        2,
        "it is not repeated"
    );
    nothing_completed(&sandbox);
    let session = only(&sandbox);
    assert_eq!(
        error.aggregation_id().map(|id| id.as_str()),
        Some(session.aggregation_id.as_str())
    );
    assert_eq!(file_names(&session), ["january.pdf"]);
}

#[tokio::test]
async fn files_overlap_only_when_that_is_asked_for() {
    let names = ["1.pdf", "2.pdf", "3.pdf", "4.pdf"];
    for (concurrency, place) in [(1, 1), (3, 3)] {
        let sandbox = sandbox(&["upload@2=delay:500"]).await;
        let session = uploads(&sandbox).session().concurrency(concurrency);
        let done = session.upload(names.map(document)).await.expect("uploaded");
        assert_eq!(completed(&sandbox, &done).files.len(), 4);
        let log = sandbox.log();
        let mut answered = log
            .iter()
            .filter(|line| line.operation == ApiOperation::Upload);
        let delayed = answered.position(|line| line.fault.is_some());
        assert_eq!(delayed, Some(place), "{concurrency} at once");
        let reported: Vec<_> = done.files.iter().map(|file| &*file.file_name).collect();
        assert_eq!(reported, names, "the caller's order");
    }
}

#[tokio::test]
async fn two_sessions_at_once_do_not_mix() {
    let sandbox = sandbox(&["upload@1-4=delay:30"]).await;
    let client = uploads(&sandbox);
    let begin = |who: &str| {
        let names = ["first", "second", "third"].map(|place| format!("{who}-{place}.pdf"));
        let session = client.session().tag(who).client_name(format!("{who}'s"));
        Box::pin(session.upload(names.map(|name| document(&name))))
    };
    let (ann, bob) = tokio::join!(begin("ann"), begin("bob"));
    for (who, done) in [("ann", ann), ("bob", bob)] {
        let id = done.expect("uploaded").aggregation_id;
        let sessions = sandbox.sessions();
        let stored = sessions
            .iter()
            .find(|one| one.aggregation_id == id.as_str());
        let stored = stored.expect("a session");
        assert!(stored.completed);
        assert_eq!(stored.tag.as_deref(), Some(who));
        let names = ["first", "second", "third"].map(|place| format!("{who}-{place}.pdf"));
        assert_eq!(file_names(stored), names);
    }
    assert_eq!(sandbox.sessions().len(), 2);
    assert_eq!(
        sandbox.requests(ApiOperation::Token),
        1,
        "they share one token"
    );
}

#[tokio::test]
async fn documents_are_sent_as_they_are_added() {
    let sandbox = sandbox(&[]).await;
    let mut session = uploads(&sandbox).session();
    assert_eq!(session.aggregation_id(), None);
    for (count, name) in (1..).zip(super::NAMES) {
        let id = session.add(document(name)).await.expect("sent").clone();
        let stored = only(&sandbox);
        assert_eq!(stored.aggregation_id, id.as_str());
        assert_eq!(stored.files.len(), count);
    }
    nothing_completed(&sandbox);
    let done = session.complete().await.expect("completed");
    completed_once(&sandbox, &done);
}

#[tokio::test]
async fn a_session_without_a_file_is_not_completed() {
    let sandbox = sandbox(&[]).await;
    let error = uploads(&sandbox).session().complete().await;
    let error = error.expect_err("nothing to complete");
    assert_eq!(error.error().kind(), ErrorKind::Input);
    assert!(sandbox.log().is_empty());
}

#[tokio::test]
async fn a_second_complete_is_refused_and_changes_nothing() {
    let sandbox = sandbox(&[]).await;
    let done = upload(&sandbox, OnUnknown::Restart)
        .await
        .expect("uploaded");
    let before = completed_once(&sandbox, &done);
    let client = uploads(&sandbox);
    let again = client.complete(done.aggregation_id.clone()).await;
    let late = client.upload_file(document("late.pdf"), Some(done.aggregation_id.clone()));
    for error in [again.map(|_| ()), late.await.map(|_| ())] {
        let error = error.expect_err("completed already");
        assert_eq!(error.delivery(), Delivery::Rejected);
        assert_eq!(status(&error), Some(400));
    }
    assert_eq!(completed_once(&sandbox, &done), before);
    assert_eq!(sandbox.requests(ApiOperation::Complete), 2);
}

#[tokio::test]
async fn completing_an_unknown_session_completes_no_other() {
    let sandbox = sandbox(&[]).await;
    let client = uploads(&sandbox);
    let mut session = client.session();
    session.add(document("january.pdf")).await.expect("sent");
    let unknown = AggregationId::new("00000000-0000-4000-8000-00000000abcd").expect("an id");
    let error = client.complete(unknown).await.expect_err("unknown");
    assert_eq!(
        (error.delivery(), code(&error)),
        (Delivery::Rejected, Some(FlinksCode::InvalidRequest))
    );
    assert!(!only(&sandbox).completed);
    let done = session.complete().await.expect("completed");
    assert_eq!(file_names(&completed(&sandbox, &done)), ["january.pdf"]);
}

#[tokio::test]
async fn the_other_style_of_paths_leads_to_the_same_session() {
    let sandbox = sandbox(&[]).await;
    let client = uploads_over(&sandbox, presenting(&sandbox), Paths::root());
    let done = client.session().upload(documents()).await;
    completed_once(&sandbox, &done.expect("uploaded"));
    let log = sandbox.log();
    let paths: Vec<_> = log.iter().map(|line| line.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/api/v1/token",
            "/upload",
            "/upload",
            "/upload",
            "/upload/complete"
        ]
    );
}

#[tokio::test]
async fn a_large_source_that_is_read_once_is_told_of_and_arrives_whole() {
    let sandbox = sandbox(&[]).await;
    let mut content = b"%PDF-1.7 ".to_vec();
    content.extend((0..3_000_001_u32).map(|place| (place % 251) as u8));
    let (bytes, sum) = (content.len() as u64, crc32(&content));
    let once = Document::from_reader("once.pdf", bytes, std::io::Cursor::new(content));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sent = Arc::clone(&seen);
    let session = uploads(&sandbox).session().on_progress(move |progress| {
        sent.lock().expect("a lock").push(progress.sent);
    });
    let done = session.upload([once.expect("a document")]).await;
    let stored = completed(&sandbox, &done.expect("uploaded"));
    assert_eq!((stored.files[0].bytes, stored.files[0].crc32), (bytes, sum));
    let seen = seen.lock().expect("a lock");
    assert!(seen.is_sorted() && seen.len() > 3, "{} pieces", seen.len());
    assert_eq!(seen.last(), Some(&bytes));
}
