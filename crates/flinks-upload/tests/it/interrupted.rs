//! Sessions that are cut short and go on: dropped futures, ledger writes that fail, files that are gone.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use flinks_auth::ClientCredentials;
use flinks_upload::{
    BoxError, Completed, Delivery, Document, FileLedger, Ledger, LedgerEntry, OnUnknown,
    UploadClient, UploadError, UploadErrorKind, UploadSession,
};
use tokio::time::timeout;

use crate::service::{Fate, Host, documents, expected};

/// A client whose `nth` upload, counted from 0, never sees its answer.
fn client_that_waits(host: &Host, nth: usize) -> UploadClient {
    let seen = Arc::new(AtomicUsize::new(0));
    let layer = tower::layer::layer_fn(move |inner: flinks_transport::HttpService| {
        let seen = Arc::clone(&seen);
        tower::service_fn(move |request: http::Request<flinks_transport::Body>| {
            let (inner, seen) = (inner.clone(), Arc::clone(&seen));
            async move {
                let answer = tower::ServiceExt::oneshot(inner, request).await;
                if seen.fetch_add(1, Ordering::Relaxed) == nth {
                    std::future::pending::<()>().await;
                }
                answer
            }
        })
    });
    let transport = host.builder().attempt_layer(layer).build().unwrap();
    UploadClient::new(transport, ClientCredentials::new("client-id", "secret")).unwrap()
}

async fn add_and_give_up(session: &mut UploadSession, document: Document) {
    let add = session.add(document);
    timeout(Duration::from_secs(5), add).await.unwrap_err();
}

fn names(done: &Completed) -> Vec<&str> {
    done.files.iter().map(|f| f.file_name.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_dropped_add_is_not_forgotten() {
    let host = Host::default();
    let mut session = client_that_waits(&host, 1).session();
    let [a, b, c] = documents(3).try_into().unwrap();
    session.add(a).await.unwrap();
    add_and_give_up(&mut session, b).await;
    session.add(c).await.unwrap();
    let done = session.complete().await.unwrap();
    assert_eq!(host.completed()[0].files, expected(3));
    assert_eq!(names(&done), ["0.pdf", "1.pdf", "2.pdf"]);
    assert_eq!(done.abandoned[0].as_str(), "session-0");
}

#[tokio::test(start_paused = true)]
async fn with_stop_a_dropped_add_is_an_unknown_outcome() {
    let host = Host::default();
    let session = client_that_waits(&host, 1).session();
    let mut session = session.on_unknown(OnUnknown::Stop);
    let [a, b] = documents(2).try_into().unwrap();
    session.add(a).await.unwrap();
    add_and_give_up(&mut session, b).await;
    let error = session.complete().await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(error.file(), Some("1.pdf"));
    assert_eq!(host.state(|s| s.completes), 0);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_was_refused_may_be_added_again() {
    for fate in [Fate::Refused, Fate::Gateway(413)] {
        let host = Host::new([Fate::Good, fate, fate, fate]);
        let mut session = host.client().session();
        let [a, b] = documents(2).try_into().unwrap();
        session.add(a).await.unwrap();
        while session.add(b.clone()).await.is_err() {}
        let done = session.complete().await.unwrap();
        assert_eq!(host.completed()[0].files, expected(2), "{fate:?}");
        assert_eq!(names(&done), ["0.pdf", "1.pdf"], "{fate:?}");
    }
}

/// Keeps entries in memory, and fails once.
#[derive(Clone, Default)]
struct Failing {
    entries: Arc<Mutex<Vec<LedgerEntry>>>,
    /// Which write fails, counted from 0, and whether its entries are durable all the same.
    at: Option<(usize, bool)>,
    writes: Arc<AtomicUsize>,
}

impl Ledger for Failing {
    fn append<'a>(
        &'a mut self,
        entries: &'a [LedgerEntry],
    ) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>> {
        let write = self.writes.fetch_add(1, Ordering::Relaxed);
        let fails = self.at.filter(|(at, _)| *at == write);
        if fails.is_none_or(|(_, durable)| durable) {
            self.entries.lock().unwrap().extend_from_slice(entries);
        }
        Box::pin(async move { fails.map_or(Ok(()), |_| Err("no space left".into())) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_fails_once_costs_no_file() {
    for (at, durable) in (0..10).flat_map(|at| [(at, false), (at, true)]) {
        let host = Host::default();
        let ledger = Failing {
            at: Some((at, durable)),
            ..Failing::default()
        };
        let entries = Arc::clone(&ledger.entries);
        let mut session = host.client().session().ledger(ledger);
        for document in documents(3) {
            // What was refused to the caller is added again, what may have been sent is not.
            while let Err(error) = session.add(document.clone()).await {
                if error.delivery().may_have_acted() {
                    break;
                }
            }
        }
        match session.complete().await {
            Ok(done) => {
                assert_eq!(host.completed()[0].files, expected(3), "{at} {durable}");
                assert_eq!(names(&done), ["0.pdf", "1.pdf", "2.pdf"]);
                let given_up = host.state(|s| s.sessions.len()) as u64 - 1;
                let reported = done.abandoned.len() as u64 + done.abandoned_unknown;
                assert!(reported >= given_up, "{at} {durable}");
            }
            Err(error) => {
                assert_eq!(error.kind(), UploadErrorKind::Ledger, "{at} {durable}");
                assert!(host.completed().is_empty(), "{at} {durable}");
            }
        }
        // Whatever lies in the ledger is one that can be read.
        let entries = entries.lock().unwrap().clone();
        if !entries.is_empty() {
            host.client()
                .resume(Failing::default(), &entries)
                .map(drop)
                .unwrap_or_else(|error| {
                    assert!(
                        error.to_string().contains("did not come from a file"),
                        "{error}"
                    );
                });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_confirmation_waits_for_another_file() {
    let (host, ledger) = (Host::default(), Failing::default());
    let entries = Arc::clone(&ledger.entries);
    let session = client_that_waits(&host, 1).session().concurrency(2);
    let upload = session.ledger(ledger).upload(documents(3));
    timeout(Duration::from_secs(5), upload).await.unwrap_err();
    let last = entries.lock().unwrap().last().cloned();
    let confirmed = matches!(last, Some(LedgerEntry::Confirmed { file: 2, .. }));
    assert!(confirmed, "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_ledger_error_does_not_hide_what_became_of_the_call() {
    // The outcome cannot be written: of the file after session and sending, or of *complete*.
    let cases = [
        (vec![Fate::CutAfter], 1, "upload.file", Delivery::Unknown),
        (vec![Fate::Good], 1, "upload.file", Delivery::Delivered),
        (
            vec![Fate::Good, Fate::CutAfter],
            2,
            "upload.complete",
            Delivery::Unknown,
        ),
        (
            vec![Fate::Good, Fate::Garbled],
            2,
            "upload.complete",
            Delivery::Delivered,
        ),
        (
            vec![Fate::Good, Fate::Gateway(403)],
            2,
            "upload.complete",
            Delivery::Rejected,
        ),
    ];
    for (fates, at, operation, delivery) in cases {
        let host = Host::new(fates.clone());
        let ledger = Failing {
            at: Some((at, false)),
            ..Failing::default()
        };
        let session = host.client().session().ledger(ledger);
        let error = session.upload(documents(1)).await.unwrap_err();
        assert_eq!(error.error().operation(), Some(operation), "{fates:?}");
        assert_eq!(error.delivery(), delivery, "{fates:?}");
        let text = error.report().to_string();
        assert!(text.contains("no space left"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_longer_than_a_minute_ends_the_upload() {
    let host = Host::new([Fate::GatewayBusy(9_000_000_000)]);
    let error = host
        .client()
        .session()
        .upload(documents(1))
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(
        error.error().retry_after(),
        Some(Duration::from_secs(9_000_000_000))
    );
    assert_eq!(host.state(|s| s.uploads), 1);
}

/// Two files on disk, the first of which is confirmed when the upload ends.
async fn half_done(host: &Host, folder: &std::path::Path, second: Fate) -> std::path::PathBuf {
    let files: Vec<_> = expected(2)
        .into_iter()
        .map(|(name, contents)| {
            std::fs::write(folder.join(&name), contents).unwrap();
            Document::open(folder.join(name)).unwrap()
        })
        .collect();
    host.state(|state| state.fates.extend([Fate::Good, second, Fate::Gateway(403)]));
    let path = folder.join("ledger");
    let ledger = FileLedger::create(&path).unwrap();
    host.client()
        .session()
        .ledger(ledger)
        .upload(files)
        .await
        .unwrap_err();
    host.state(|state| state.fates.clear());
    path
}

async fn resume(host: &Host, ledger: &std::path::Path) -> Result<Completed, UploadError> {
    let (ledger, entries) = FileLedger::open(ledger)?;
    let session = host.client().resume(ledger, &entries)?;
    session.complete().await
}

#[tokio::test(start_paused = true)]
async fn a_file_that_the_service_has_may_be_gone() {
    let (host, folder) = (Host::default(), tempfile::tempdir().unwrap());
    let ledger = half_done(&host, folder.path(), Fate::Gateway(403)).await;
    std::fs::remove_file(folder.path().join("0.pdf")).unwrap();
    let (ledger, entries) = FileLedger::open(ledger).unwrap();
    let session = host.client().resume(ledger, &entries).unwrap();
    let first = Arc::new(OnceLock::new());
    let seen = Arc::clone(&first);
    let session = session.on_progress(move |progress| {
        let _ = seen.set((progress.file, progress.session_sent, progress.session_bytes));
    });
    let done = session.complete().await.unwrap();
    assert_eq!(host.completed()[0].files, expected(2));
    assert_eq!((names(&done).len(), done.abandoned.len()), (2, 0));
    assert_eq!(first.get(), Some(&(1, 19, 38)));
}

#[tokio::test(start_paused = true)]
async fn when_only_complete_is_missing_no_file_is_needed() {
    let (host, folder) = (Host::default(), tempfile::tempdir().unwrap());
    let ledger = half_done(&host, folder.path(), Fate::Good).await;
    std::fs::remove_file(folder.path().join("0.pdf")).unwrap();
    std::fs::write(folder.path().join("1.pdf"), "%PDF-1.7 something else").unwrap();
    let done = resume(&host, &ledger).await.unwrap();
    assert_eq!(host.completed()[0].files, expected(2));
    assert_eq!((names(&done).len(), host.state(|s| s.uploads)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_file_of_the_same_size_and_another_time_starts_the_session_over() {
    let (host, folder) = (Host::default(), tempfile::tempdir().unwrap());
    let ledger = half_done(&host, folder.path(), Fate::Gateway(403)).await;
    let path = folder.path().join("0.pdf");
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    std::fs::write(&path, "%PDF-1.7 document X").unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(before + Duration::from_secs(1)).unwrap();
    let done = resume(&host, &ledger).await.unwrap();
    assert_eq!(host.completed()[0].files[0].1, b"%PDF-1.7 document X");
    assert_eq!(done.abandoned.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_outgrew_the_limits_is_not_resumed() {
    let (host, folder) = (Host::default(), tempfile::tempdir().unwrap());
    let ledger = half_done(&host, folder.path(), Fate::Gateway(403)).await;
    let path = folder.path().join("1.pdf");
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(19 << 20).unwrap();
    let error = resume(&host, &ledger).await.unwrap_err();
    assert_eq!(
        (error.kind(), host.state(|s| s.uploads)),
        (UploadErrorKind::File, 1)
    );
}
