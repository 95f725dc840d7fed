//! Every byte of a ledger flipped, zeroed and cut, in every state: it is refused, or its resume does no harm.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use flinks_upload::{BoxError, Document, FileLedger, Ledger, LedgerEntry};

use crate::generator::folder;
use crate::service::{Fate, Host, Session, names};

/// A moment in a ledger's life.
#[derive(Clone)]
struct State {
    last: String,
    entries: Vec<LedgerEntry>,
    bytes: Vec<u8>,
    /// What the host holds when the last entry is written, and just before the next one is.
    held: [Vec<Session>; 2],
}

/// A ledger in a file, and what it and the host were like at each entry.
struct Witness {
    file: FileLedger,
    host: Host,
    states: Arc<Mutex<Vec<State>>>,
}

impl Ledger for Witness {
    fn append<'a>(
        &'a mut self,
        appended: &'a [LedgerEntry],
    ) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>> {
        Box::pin(async move {
            let held = self.host.state(|state| state.sessions.clone());
            self.file.append(appended).await?;
            let mut states = self.states.lock().unwrap();
            let (mut entries, mut bytes) = (Vec::new(), Vec::new());
            if let Some(before) = states.last_mut() {
                before.held[1].clone_from(&held);
                entries.clone_from(&before.entries);
                bytes.clone_from(&before.bytes);
            }
            let file = fs::read(self.file.path()).unwrap();
            let lines = file[bytes.len()..].split_inclusive(|byte| *byte == b'\n');
            for (entry, line) in appended.iter().zip(lines) {
                entries.push(entry.clone());
                bytes.extend(line);
                states.push(State {
                    last: name(entry),
                    entries: entries.clone(),
                    bytes: bytes.clone(),
                    held: [held.clone(), held.clone()],
                });
            }
            Ok(())
        })
    }
}

/// What an entry is called in a ledger.
fn name(entry: &LedgerEntry) -> String {
    let entry = serde_json::to_value(entry).unwrap();
    entry["record"].as_str().unwrap().to_owned()
}

/// A life with every kind of entry, in several processes; `last` is what *complete* meets in the end.
async fn life(folder: &Path, last: Fate) -> Vec<State> {
    let paths = ["a.pdf", "b.pdf", "c.pdf"].map(|name| folder.join(name));
    for path in &paths {
        fs::write(path, "%PDF-1.7 first").unwrap();
    }
    let open = |n: usize| Document::open(&paths[n]).unwrap();
    let (host, states) = (Host::default(), Arc::default());
    let ledger = folder.join("ledger");
    let witness = |file| Witness {
        file,
        host: host.clone(),
        states: Arc::clone(&states),
    };
    let fates = |fates: &[Fate]| host.state(|state| state.fates.extend(fates));
    let resume = || {
        let (file, entries) = FileLedger::open(&ledger).unwrap();
        host.client()
            .resume(witness(file), &entries)
            .unwrap()
            .complete()
    };
    fates(&[Fate::Good, Fate::CutAfter, Fate::Good, Fate::Good]);
    fates(&[Fate::Gateway(400), Fate::Busy("9000000000")]);
    let mut session = host
        .client()
        .session()
        .ledger(witness(FileLedger::create(&ledger).unwrap()));
    session.add(open(0)).await.unwrap();
    session.add(open(1)).await.unwrap();
    session.add(open(2)).await.unwrap_err();
    session.add(open(2)).await.unwrap_err();
    drop(session);
    fs::write(&paths[2], "%PDF-1.7 second").unwrap();
    fates(&[Fate::Good, Fate::Good, Fate::Good, Fate::Gateway(400)]);
    resume().await.unwrap_err();
    fates(&[last]);
    drop(resume().await);
    let mut states = states.lock().unwrap().clone();
    states.last_mut().unwrap().held[1] = host.state(|state| state.sessions.clone());
    states
}

/// Overwrites a file in place: many file systems flush one that is truncated and written anew.
fn put(path: &Path, bytes: &[u8]) {
    let mut file = fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
}

#[derive(Default)]
struct Count {
    flips: usize,
    zeroings: usize,
    cuts: usize,
    refused: usize,
    resumed: usize,
}

/// What a resume led to, by the entries read, the true ones, what the host held, and whether it was a crash.
type Known = HashMap<(usize, usize, usize, bool), Result<(), String>>;

/// Opens a damaged ledger; what is read must be harmless beside what the host may hold.
async fn judge(
    damaged: &Path,
    all: &[State],
    at: usize,
    moments: &[usize],
    known: &mut Known,
) -> Result<bool, String> {
    let Ok((ledger, entries)) = FileLedger::open(damaged) else {
        return Ok(false);
    };
    let Some(read) = all.iter().position(|state| state.entries == entries) else {
        return Err("what is read was never written".to_owned());
    };
    drop(ledger);
    for moment in moments {
        // A crash loses the entry that it tears, and nothing had followed that one.
        let crash = moments == [0];
        let key = (read, at, *moment, crash);
        if let Entry::Vacant(unknown) = known.entry(key) {
            let due = if crash { read } else { at };
            let due = names(&all[due].entries);
            let outcome = resume(damaged, &all[at].held[*moment], &due).await;
            unknown.insert(outcome);
        }
        known[&key].clone()?;
    }
    Ok(true)
}

async fn resume(damaged: &Path, held: &[Session], due: &[String]) -> Result<(), String> {
    let bytes = fs::read(damaged).unwrap();
    let host = Host::default();
    host.state(|state| state.sessions = held.to_vec());
    let (ledger, entries) = FileLedger::open(damaged).unwrap();
    let outcome = host
        .client()
        .resume(ledger, &entries)
        .map_err(|error| format!("refused: {error}"));
    let outcome = outcome?.complete().await;
    put(damaged, &bytes);
    let completed = host.completed();
    let completions: usize = completed.iter().map(|session| session.completions).sum();
    if completions > 1 {
        return Err(format!("completed {completions} times"));
    }
    if let Ok(done) = &outcome
        && completed
            .first()
            .is_none_or(|session| session.id != done.aggregation_id.as_str())
    {
        return Err("says that another session is completed".to_owned());
    }
    let Some(session) = completed.first() else {
        return Ok(());
    };
    let mut names: Vec<_> = session
        .files
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    if names == due {
        Ok(())
    } else {
        Err(format!("the completed session holds {names:?}"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_ledger_is_refused_or_does_no_harm() {
    let mut counts = BTreeMap::<_, Count>::new();
    let mut broken = Vec::new();
    for last in [Fate::Good, Fate::CutAfter] {
        let folder = folder();
        let all = life(folder.path(), last).await;
        let (damaged, mut known) = (folder.path().join("damaged"), Known::new());
        // The lives differ in their last entry only.
        let first = if last == Fate::Good { 0 } else { all.len() - 1 };
        for (at, state) in all.iter().enumerate().skip(first) {
            let count = counts.entry(state.last.clone()).or_default();
            let line = at
                .checked_sub(1)
                .map_or(0, |before| all[before].bytes.len());
            for index in 0..state.bytes.len() {
                // One bit of each byte, and every bit of the last line.
                let bits = if index < line {
                    vec![index % 8]
                } else {
                    (0..8).collect()
                };
                let mut damages: Vec<_> = bits.iter().map(|bit| ("flipped", 1 << bit)).collect();
                count.flips += damages.len();
                damages.push(("zeroed", state.bytes[index]));
                count.zeroings += 1;
                for (what, mask) in damages {
                    let mut bytes = state.bytes.clone();
                    bytes[index] ^= mask;
                    put(&damaged, &bytes);
                    let outcome = judge(&damaged, &all, at, &[0, 1], &mut known).await;
                    note(count, &mut broken, outcome, || {
                        format!("{}: byte {index} {what} {mask:02x}", state.last)
                    });
                }
                if index >= line {
                    // A crash cuts the line that was being written: nothing has followed it.
                    count.cuts += 1;
                    put(&damaged, &state.bytes[..index]);
                    let outcome = judge(&damaged, &all, at, &[0], &mut known).await;
                    note(count, &mut broken, outcome, || {
                        format!("{}: cut at {index}", state.last)
                    });
                }
            }
        }
    }
    println!("state               flips  zeroings   cuts  refused  resumed");
    for (state, count) in &counts {
        let Count {
            flips,
            zeroings,
            cuts,
            refused,
            resumed,
        } = count;
        println!("{state:<18} {flips:>6} {zeroings:>9} {cuts:>6} {refused:>8} {resumed:>8}");
    }
    assert!(
        broken.is_empty(),
        "{} broken: {:#?}",
        broken.len(),
        &broken[..broken.len().min(20)]
    );
    assert!(
        counts.values().all(|count| count.cuts > 0) && counts.len() == 13,
        "a state is missing"
    );
}

fn note(
    count: &mut Count,
    broken: &mut Vec<String>,
    outcome: Result<bool, String>,
    what: impl Fn() -> String,
) {
    match outcome {
        Ok(true) => count.resumed += 1,
        Ok(false) => count.refused += 1,
        Err(error) => broken.push(format!("{}: {error}", what())),
    }
}
