//! Uploads that outlive their client: what another one makes of the ledger.

use std::path::Path;
use std::pin::Pin;

use flinks_sandbox::ApiOperation;
use flinks_transport::{BoxError, Delivery};
use flinks_upload::{
    Document, FileLedger, Ledger, LedgerEntry, OnUnknown, UploadClient, UploadError,
    UploadErrorKind, UploadSession,
};

use super::{
    NAMES, completed_once, config, crc32, file_names, nothing_completed, only, sandbox, stalled,
    uploads, watched,
};

/// The usual files, this time on a disk.
fn files(folder: &Path) -> Vec<Document> {
    let write = |name| {
        let path = folder.join(name);
        std::fs::write(&path, format!("%PDF-1.7 {name}")).expect("written");
        Document::open(path).expect("a document")
    };
    NAMES.map(write).into()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A session whose ledger is in the folder.
fn kept(client: &UploadClient, folder: &Path) -> UploadSession {
    let ledger = FileLedger::create(folder.join("ledger")).expect("a ledger");
    client.session().ledger(ledger)
}

/// Goes on with the ledger in the folder.
fn resumed(client: &UploadClient, folder: &Path) -> Result<UploadSession, UploadError> {
    let (ledger, entries) = FileLedger::open(folder.join("ledger")).expect("a ledger");
    client.resume(ledger, &entries)
}

#[tokio::test]
async fn an_upload_that_was_refused_is_gone_on_with_by_another_client() {
    let folder = folder();
    let sandbox = sandbox(&["upload@3=status:429,retry-after=3600"]).await;
    let session = kept(&uploads(&sandbox), folder.path()).tag("T-7");
    let error = session.upload(files(folder.path())).await;
    assert_eq!(error.expect_err("an hour").file(), Some("march.pdf"));
    nothing_completed(&sandbox);

    let session = resumed(&uploads(&sandbox), folder.path()).expect("a session");
    let done = session.complete().await.expect("completed");
    let stored = completed_once(&sandbox, &done);
    assert_eq!(only(&sandbox), stored, "no file was sent twice");
    assert_eq!(stored.tag.as_deref(), Some("T-7"));
    assert_eq!(sandbox.requests(ApiOperation::Upload), 4);
}

#[tokio::test]
async fn an_upload_that_died_with_a_file_under_way_starts_over_in_another_session() {
    let folder = folder();
    let (sandbox, mut seen) = watched(config(&["upload@2=stall"])).await;
    let session = kept(&uploads(&sandbox), folder.path());
    tokio::select! {
        outcome = session.upload(files(folder.path())) => panic!("{outcome:?}"),
        () = stalled(&mut seen) => {}
    }
    let client = uploads(&sandbox);
    let careful = resumed(&client, folder.path()).expect("a session");
    let error = careful.on_unknown(OnUnknown::Stop).complete().await;
    let error = error.expect_err("it cannot know");
    assert_eq!(
        (error.file(), error.error().delivery()),
        (Some("february.pdf"), Delivery::Unknown)
    );
    assert_eq!(
        sandbox.requests(ApiOperation::Upload),
        2,
        "nothing more was sent"
    );

    let session = resumed(&client, folder.path()).expect("a session");
    let done = session.complete().await.expect("completed");
    completed_once(&sandbox, &done);
    let sessions = sandbox.sessions();
    assert_eq!(sessions.len(), 2);
    assert!(!sessions[0].completed);
    let abandoned: Vec<_> = done.abandoned.iter().map(|id| id.as_str()).collect();
    assert_eq!(abandoned, [sessions[0].aggregation_id.as_str()]);
}

#[tokio::test]
async fn a_session_that_may_be_completed_is_completed_again_only_by_a_persons_decision() {
    for (fault, acted) in [
        ("complete@1=reset-before", false),
        ("complete@1=reset-after", true),
    ] {
        let folder = folder();
        let sandbox = sandbox(&[fault]).await;
        let client = uploads(&sandbox);
        let session = kept(&client, folder.path());
        let error = session.upload(files(folder.path())).await;
        let error = error.expect_err("the outcome is unknown");
        assert_eq!(error.error().delivery(), Delivery::Unknown, "{fault}");

        let session = resumed(&client, folder.path()).expect("a session");
        let error = session
            .complete()
            .await
            .expect_err("the outcome is still unknown");
        assert_eq!(error.error().operation(), Some("upload.complete"));
        assert_eq!(sandbox.requests(ApiOperation::Complete), 1, "{fault}");

        let session = resumed(&client, folder.path()).expect("a session");
        let again = session.force_complete(true).complete().await;
        assert_eq!(sandbox.requests(ApiOperation::Complete), 2, "{fault}");
        assert_eq!(sandbox.requests(ApiOperation::Upload), 3, "{fault}");
        if acted {
            // The refusal is about the second request: what became of the first is still unknown.
            let error = again.expect_err("it was completed");
            assert_eq!(error.error().delivery(), Delivery::Unknown);
            assert!(only(&sandbox).completed);
        } else {
            completed_once(&sandbox, &again.expect("completed"));
        }
    }
}

#[tokio::test]
async fn a_completed_ledger_tells_its_login_without_asking_anybody() {
    let folder = folder();
    let sandbox = sandbox(&[]).await;
    let session = kept(&uploads(&sandbox), folder.path());
    let done = session.upload(files(folder.path())).await;
    let done = done.expect("uploaded");
    let requests = sandbox.log().len();
    // Not even the files are needed any more.
    std::fs::remove_file(folder.path().join("january.pdf")).expect("removed");
    let session = resumed(&uploads(&sandbox), folder.path()).expect("a session");
    let again = session.complete().await.expect("completed");
    assert_eq!(again.login_id, done.login_id);
    assert_eq!(sandbox.log().len(), requests);
}

#[tokio::test]
async fn a_ledger_of_another_host_is_refused_before_anything_is_sent() {
    let folder = folder();
    let ours = sandbox(&["upload@2=status:400"]).await;
    let theirs = sandbox(&[]).await;
    let session = kept(&uploads(&ours), folder.path());
    let error = session.upload(files(folder.path())).await;
    error.expect_err("refused");
    let error = resumed(&uploads(&theirs), folder.path()).expect_err("another host");
    assert_eq!(error.kind(), UploadErrorKind::Ledger);
    assert!(theirs.log().is_empty());

    let session = resumed(&uploads(&ours), folder.path()).expect("a session");
    let done = session.complete().await.expect("completed");
    completed_once(&ours, &done);
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_sent_as_it_is_now_with_all_others() {
    let folder = folder();
    let sandbox = sandbox(&["upload@3=status:400"]).await;
    let client = uploads(&sandbox);
    let session = kept(&client, folder.path());
    let error = session.upload(files(folder.path())).await;
    error.expect_err("refused");
    let now = b"%PDF-1.7 january, corrected";
    std::fs::write(folder.path().join("january.pdf"), now).expect("written");

    let session = resumed(&client, folder.path()).expect("a session");
    let done = session.complete().await.expect("completed");
    let stored = completed_once(&sandbox, &done);
    assert_eq!(stored.files[0].crc32, crc32(now));
    let sessions = sandbox.sessions();
    assert_eq!(sessions.len(), 2, "the mixed one is abandoned");
    assert_eq!(file_names(&sessions[0]), ["january.pdf", "february.pdf"]);
    assert_eq!(done.abandoned.len(), 1);
}

#[tokio::test]
async fn a_file_that_changes_before_its_turn_ends_the_upload_uncompleted() {
    let folder = folder();
    let sandbox = sandbox(&[]).await;
    let documents = files(folder.path());
    std::fs::write(
        folder.path().join("february.pdf"),
        "%PDF-1.7 longer than before",
    )
    .expect("written");
    let error = uploads(&sandbox).session().upload(documents).await;
    let error = error.expect_err("it is another file");
    assert_eq!(error.file(), Some("february.pdf"));
    assert_eq!(error.kind(), UploadErrorKind::File);
    assert_eq!(error.error().delivery(), Delivery::NotSent);
    nothing_completed(&sandbox);
    assert_eq!(file_names(&only(&sandbox)), ["january.pdf"]);
}

/// A disk that is full by the time an entry of this kind is to be written.
struct FullAt(fn(&LedgerEntry) -> bool);

impl Ledger for FullAt {
    fn append<'a>(
        &'a mut self,
        entries: &'a [LedgerEntry],
    ) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>> {
        let full = entries.iter().any(self.0);
        Box::pin(async move {
            if full {
                return Err("the disk is full".into());
            }
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_step_that_cannot_be_written_down_is_not_taken() {
    let folder = folder();
    let is_second: fn(&LedgerEntry) -> bool =
        |entry| matches!(entry, LedgerEntry::Sending { file: 1 });
    let is_completing: fn(&LedgerEntry) -> bool =
        |entry| matches!(entry, LedgerEntry::Completing { .. });
    for (full, uploaded) in [(is_second, 1), (is_completing, 3)] {
        let sandbox = sandbox(&[]).await;
        let session = uploads(&sandbox).session().ledger(FullAt(full));
        let error = session.upload(files(folder.path())).await;
        let error = error.expect_err("the disk is full");
        assert_eq!(error.kind(), UploadErrorKind::Ledger);
        nothing_completed(&sandbox);
        assert_eq!(sandbox.requests(ApiOperation::Upload), uploaded);
        assert_eq!(only(&sandbox).files.len(), uploaded);
    }
}

#[tokio::test]
async fn an_upload_that_died_with_several_files_under_way_sends_them_all_again() {
    let folder = folder();
    let (sandbox, mut seen) = watched(config(&["upload@3=stall"])).await;
    let session = kept(&uploads(&sandbox), folder.path()).concurrency(2);
    tokio::select! {
        outcome = session.upload(files(folder.path())) => panic!("{outcome:?}"),
        () = stalled(&mut seen) => {}
    }
    nothing_completed(&sandbox);
    let session = resumed(&uploads(&sandbox), folder.path()).expect("a session");
    let done = session.complete().await.expect("completed");
    completed_once(&sandbox, &done);
    assert_eq!(sandbox.sessions().len(), 2);
    assert_eq!(sandbox.requests(ApiOperation::Upload), 6);
    assert_eq!(sandbox.requests(ApiOperation::Complete), 1);
}

#[tokio::test]
async fn an_upload_that_died_while_completing_is_left_to_a_person() {
    let folder = folder();
    let (sandbox, mut seen) = watched(config(&["complete@1=stall"])).await;
    let client = uploads(&sandbox);
    let session = kept(&client, folder.path());
    tokio::select! {
        outcome = session.upload(files(folder.path())) => panic!("{outcome:?}"),
        () = stalled(&mut seen) => {}
    }
    let session = resumed(&client, folder.path()).expect("a session");
    let error = session
        .complete()
        .await
        .expect_err("the outcome is unknown");
    assert_eq!(error.error().delivery(), Delivery::Unknown);
    assert_eq!(sandbox.requests(ApiOperation::Complete), 1);
    let session = resumed(&client, folder.path()).expect("a session");
    let done = session.force_complete(true).complete().await;
    completed_once(&sandbox, &done.expect("completed"));
    assert_eq!(sandbox.requests(ApiOperation::Upload), 3);
}
