//! Whole sessions by chance: each seed is a schedule of faults, cancellations, failing ledgers, deaths and changed files.

mod checks;
mod faults;
mod run;

use std::future::IntoFuture;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flinks_upload::{Document, FileLedger};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::service::{Host, documents, expected};
use checks::Broken;
use run::{Cut, Run, until};

/// Runs a schedule with all its checks.
fn play(runtime: &Runtime, run: &mut Run) -> Result<(), Broken> {
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(run.run())));
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", text.unwrap_or("?")))
    })
}

fn schedule(runtime: &Runtime, seed: u64, folder: &Path) -> Run {
    runtime.block_on(async { Run::new(seed, folder.to_owned()) })
}

/// In memory where the system offers that: the schedules write and sync many small files.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap()
}

/// Runs seeds on two threads; the broken ones come back, the first ten of each.
fn sweep(seeds: Range<u64>, doubles: bool) -> Vec<(u64, Broken)> {
    let next = AtomicU64::new(seeds.start);
    let start = std::time::Instant::now();
    let work = || {
        let folder = folder();
        let mut broken = Vec::new();
        loop {
            let first = next.fetch_add(100, Ordering::Relaxed);
            if first >= seeds.end || broken.len() >= 10 {
                return broken;
            }
            if first > seeds.start && (first - seeds.start).is_multiple_of(50_000) {
                println!(
                    "{} schedules, {} s",
                    first - seeds.start,
                    start.elapsed().as_secs()
                );
            }
            let runtime = runtime();
            for seed in first..(first + 100).min(seeds.end) {
                let mut run = schedule(&runtime, seed, folder.path());
                run.host.state(|state| state.doubles = doubles);
                broken.extend(play(&runtime, &mut run).err().map(|what| (seed, what)));
            }
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut broken = work();
        broken.extend(other.join().unwrap());
        broken.sort();
        broken
    })
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

#[test]
fn no_schedule_breaks_a_promise() {
    if let Some(seed) = setting("FLINKS_SEED") {
        let folder = folder();
        let runtime = runtime();
        let mut run = schedule(&runtime, seed, folder.path());
        run.chance(|chance| chance.trace = Some(Vec::new()));
        let outcome = play(&runtime, &mut run);
        run.chance(|chance| println!("{}", chance.trace.take().unwrap().join("\n")));
        return outcome.unwrap();
    }
    let first = setting("FLINKS_FIRST_SEED").unwrap_or(0);
    let count = setting("FLINKS_SCHEDULES").unwrap_or(20_000);
    let broken = sweep(first..first + count, false);
    for (seed, what) in &broken {
        println!("FLINKS_SEED={seed}: {what}");
    }
    assert!(
        broken.is_empty(),
        "replay with FLINKS_SEED=… cargo test -p flinks-upload --test it no_schedule -- --nocapture"
    );
    println!("{count} schedules, 0 violations");
}

#[test]
fn a_host_that_doubles_files_is_noticed() {
    assert!(!sweep(0..200, true).is_empty());
}

#[test]
fn every_future_can_be_dropped_at_every_wait() {
    let (runtime, folder) = (runtime(), folder());
    let (mut drops, mut broken) = (0, Vec::new());
    for seed in 0..40 {
        let mut wait = (0, 0);
        loop {
            let mut run = schedule(&runtime, seed, folder.path());
            run.forced = Some(wait);
            let outcome = play(&runtime, &mut run);
            broken.extend(
                outcome
                    .err()
                    .map(|what| format!("seed {seed}, call and wait {wait:?}: {what}")),
            );
            drops += usize::from(run.hit);
            wait = match (run.hit, run.calls > wait.0 + 1) {
                (true, _) => (wait.0, wait.1 + 1),
                (false, true) => (wait.0 + 1, 0),
                (false, false) => break,
            };
        }
    }
    println!("{drops} futures dropped");
    assert!(
        broken.is_empty() && drops > 1000,
        "{drops} dropped, {}: {broken:#?}",
        broken.len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_ledger_in_a_file_outlives_a_drop_at_every_wait() {
    let mut dropped = true;
    for wait in 0.. {
        if !dropped {
            // How often it waits for the disk is the disk's business.
            assert!(wait > 0, "it never waited");
            return;
        }
        let (folder, host) = (folder(), Host::default());
        host.state(|state| state.token_delay = Duration::from_secs(1));
        let documents: Vec<_> = expected(2)
            .into_iter()
            .map(|(name, contents)| {
                std::fs::write(folder.path().join(&name), contents).unwrap();
                Document::open(folder.path().join(name)).unwrap()
            })
            .collect();
        let path = folder.path().join("ledger");
        let ledger = FileLedger::create(&path).unwrap();
        let mut session = host.client().session().ledger(ledger);
        let add = session.add(documents[0].clone());
        dropped = until(&host, Cut::Wait(wait), add).await.unwrap().is_none();
        session.add(documents[1].clone()).await.unwrap();
        // A process that dies here; the next one knows only what is in the file.
        drop(session);
        let (ledger, entries) = FileLedger::open(&path).unwrap();
        let session = host.client().resume(ledger, &entries).unwrap();
        session.complete().await.unwrap();
        assert_eq!(host.completed()[0].files, expected(2), "wait {wait}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_any_wait_leaves_the_client_as_it_was() {
    let mut dropped = true;
    for wait in 0.. {
        if !dropped {
            assert!(wait > 1, "{wait} waits only");
            return;
        }
        let host = Host::default();
        host.state(|state| state.token_delay = Duration::from_secs(1));
        let client = host.client();
        let document = documents(1).remove(0);
        let call = client.upload_file(document.clone(), None).into_future();
        dropped = until(&host, Cut::Wait(wait), call).await.unwrap().is_none();
        let answer = client.upload_file(document, None).await.unwrap();
        client
            .complete(answer.aggregation_id.unwrap())
            .await
            .unwrap();
        assert_eq!(host.state(|state| state.tokens), 1, "wait {wait}");
    }
}
