//! The invariant: whatever fails and whenever the process dies, a completed session holds each file exactly once.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use flinks_transport::Error;
use flinks_upload::{Document, Journal, OnUnknown, Record, UploadError};
use proptest::prelude::*;

use crate::service::{Fate, Host, documents, expected};

/// Keeps records in memory, and stops the world when its turn comes.
#[derive(Clone, Default)]
struct Mortal {
    records: Arc<Mutex<Vec<Record>>>,
    /// The process dies at this write: before it is durable (false) or right after (true).
    dies: Option<(usize, bool)>,
    died: Arc<tokio::sync::Notify>,
}

impl Journal for Mortal {
    fn append<'a>(
        &'a mut self,
        record: &'a Record,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
        Box::pin(async move {
            let turn = self.records.lock().unwrap().len();
            let dies = self.dies.filter(|(at, _)| *at == turn);
            if dies.is_none_or(|(_, after)| after) {
                self.records.lock().unwrap().push(record.clone());
            }
            if dies.is_some() {
                self.died.notify_one();
                std::future::pending::<()>().await;
            }
            Ok(())
        })
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Good),
        1 => Just(Fate::Refused),
        1 => Just(Fate::CutBefore),
        2 => Just(Fate::CutAfter),
        1 => prop_oneof![Just(400u16), Just(413), Just(429), Just(500), Just(503)].prop_map(Fate::Gateway),
        1 => prop_oneof![Just(500u16), Just(503)].prop_map(Fate::GatewayAfter),
        1 => Just(Fate::Split),
        1 => Just(Fate::Nameless),
        1 => Just(Fate::Garbled),
        1 => Just(Fate::Stale),
    ]
}

/// Documents on disk: only those can be resumed by another process.
fn files(folder: &tempfile::TempDir, count: usize) -> Vec<Document> {
    expected(count)
        .into_iter()
        .map(|(name, contents)| {
            let path = folder.path().join(name);
            std::fs::write(&path, contents).unwrap();
            Document::open(path).unwrap()
        })
        .collect()
}

#[expect(
    clippy::future_not_send,
    reason = "one runtime thread is enough for one life"
)]
/// Uploads, dies as told, and resumes until it ends without dying.
async fn live_and_die(
    host: &Host,
    documents: Vec<Document>,
    policy: OnUnknown,
    concurrency: usize,
    deaths: Vec<(usize, bool)>,
) -> Option<Result<flinks_upload::Completed, UploadError>> {
    let records = Arc::new(Mutex::new(Vec::new()));
    let mut deaths = deaths.into_iter();
    loop {
        let seen = records.lock().unwrap().clone();
        // Counted from the records that are there, so that a later life dies at a later write.
        let dies = deaths
            .next()
            .map(|(more, after)| (seen.len() + more, after));
        let journal = Mortal {
            records: Arc::clone(&records),
            dies,
            ..Mortal::default()
        };
        let died = Arc::clone(&journal.died);
        let life: Pin<Box<dyn Future<Output = _>>> = if seen.is_empty() {
            let session = host
                .client()
                .session()
                .on_unknown(policy)
                .concurrency(concurrency);
            Box::pin(session.journal(journal).upload(documents.clone()))
        } else {
            match host.client().resume(journal, &seen) {
                Ok(session) => Box::pin(
                    session
                        .on_unknown(policy)
                        .concurrency(concurrency)
                        .complete(),
                ),
                Err(error) => panic!("a ledger of our own must be resumable: {error}"),
            }
        };
        tokio::select! {
            biased;
            outcome = life => return Some(outcome),
            () = died.notified() => {}
        }
    }
}

fn check(
    host: &Host,
    count: usize,
    outcome: Option<Result<flinks_upload::Completed, UploadError>>,
) {
    let completed = host.completed();
    assert!(
        completed.len() <= 1,
        "{} sessions were completed",
        completed.len()
    );
    if let Some(session) = completed.first() {
        assert_eq!(session.completions, 1, "the session was completed twice");
        let mut held = session.files.clone();
        held.sort();
        assert_eq!(
            held,
            expected(count),
            "the completed session holds something else"
        );
    }
    match outcome.unwrap() {
        Ok(done) => {
            assert_eq!(done.aggregation_id.as_str(), completed[0].id);
            assert_eq!(done.login_id.as_str(), format!("login-{}", completed[0].id));
            let given_up = host.state(|state| state.sessions.len()) - 1;
            let reported = done.abandoned.len() as u64 + done.abandoned_unnamed;
            assert!(
                reported >= given_up as u64,
                "{given_up} abandoned, {reported} reported"
            );
        }
        Err(error) => {
            // A completed session may hide only behind an outcome that says so.
            let hidden = error.error().delivery().may_have_acted();
            assert!(completed.is_empty() || hidden, "{error}");
        }
    }
}

fn run(
    count: usize,
    fates: Vec<Fate>,
    policy: OnUnknown,
    concurrency: usize,
    deaths: Vec<(usize, bool)>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new(fates);
        let documents = files(&folder, count);
        let outcome = live_and_die(&host, documents, policy, concurrency, deaths).await;
        check(&host, count, outcome);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_completed_session_holds_each_file_exactly_once(
        count in 1usize..5,
        fates in proptest::collection::vec(fate(), 0..12),
        stop in any::<bool>(),
        concurrency in 1usize..4,
        deaths in proptest::collection::vec((0usize..6, any::<bool>()), 0..4),
    ) {
        let policy = if stop { OnUnknown::Stop } else { OnUnknown::Restart };
        run(count, fates, policy, concurrency, deaths);
    }
}

#[test]
fn a_death_at_every_single_write_is_survived() {
    for at in 0..12 {
        for after in [false, true] {
            run(3, vec![], OnUnknown::Restart, 1, vec![(at, after)]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn documents_from_memory_restart_like_files() {
    let host = Host::new([Fate::Good, Fate::CutAfter]);
    let done = host.client().session().upload(documents(2)).await.unwrap();
    let completed = host.completed();
    assert_eq!(completed[0].files, expected(2));
    assert_eq!(done.abandoned.len(), 1);
}
