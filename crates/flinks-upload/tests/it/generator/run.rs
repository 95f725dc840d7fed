//! One schedule: what a caller does with a session, process after process.

use std::fs::File;
use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use flinks_upload::{Completed, Document, OnUnknown, UploadError, UploadSession};
use tokio::time::{Instant, sleep};

use super::checks::{Broken, rule};
use super::faults::{Book, Pages, never, often, pick, seldom};
use crate::service::{Chance, Host, names};

/// How one call of the library ended.
enum End<T> {
    Ok(T),
    Failed(UploadError),
    /// It was dropped; `true`: and its process with it.
    Dropped(bool),
}

/// When a call's future is dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    Never,
    /// At the n-th thing that happens.
    Moment(usize),
    /// After the n-th time that it had to wait.
    Wait(usize),
    After(Duration),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    Disk,
    Memory,
    Reader,
}

/// Whether a completed session has to hold a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Due {
    No,
    /// Its caller was told that it was refused or not sent; a later process may not know.
    Refused,
    Perhaps,
    Yes,
}

pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) source: Source,
    /// Size and modification time of each version so far.
    pub(crate) versions: Vec<(usize, u64)>,
    pub(crate) due: Due,
}

/// One schedule under way.
pub(crate) struct Run {
    pub(crate) host: Host,
    pub(crate) rng: Rng,
    pub(crate) items: Vec<Item>,
    pub(crate) folder: PathBuf,
    pub(crate) policy: OnUnknown,
    pub(crate) book: Option<Book>,
    /// How often *complete* may be sent although it may have been acted on: a person asked for it.
    pub(crate) again: usize,
    /// Whether things go wrong at all from here on.
    pub(crate) calm: bool,
    /// Only this call is dropped, after this many waits; instead of the seed's choice.
    pub(crate) forced: Option<(usize, usize)>,
    pub(crate) calls: usize,
    /// Whether the forced call was dropped.
    pub(crate) hit: bool,
}

impl Run {
    pub(crate) fn new(seed: u64, folder: PathBuf) -> Self {
        // The library's own jitter is the seed's too.
        fastrand::seed(seed);
        let mut rng = Rng::with_seed(seed);
        let host = Host::default();
        let draw = pick(&mut rng, &[never, seldom, seldom, often]);
        let sources = pick(&mut rng, &[0, 0, 0, 1, 2]);
        let count = rng.usize(1..6);
        let items: Vec<_> = (0..count)
            .map(|item| {
                let source = match sources {
                    1 => Source::Memory,
                    2 => pick(&mut rng, &[Source::Disk, Source::Memory, Source::Reader]),
                    _ => Source::Disk,
                };
                Item {
                    name: format!("{item}.pdf"),
                    source,
                    versions: Vec::new(),
                    due: Due::No,
                }
            })
            .collect();
        let big = (rng.u8(..50) == 0).then(|| rng.usize(..count));
        let chance = Chance {
            rng: rng.fork(),
            draw,
            moments: 0,
            stop_at: None,
            stopped: false,
            rewrite: None,
            trace: None,
            start: Instant::now(),
        };
        host.state(|state| state.chance = Some(chance));
        let policy = match rng.u8(..20) {
            0 => OnUnknown::Resend,
            1..=5 => OnUnknown::Stop,
            _ => OnUnknown::Restart,
        };
        let fails = (rng.u8(..4) == 0).then(|| (rng.usize(..20), rng.bool(), rng.bool()));
        let pages = Pages {
            fails,
            ..Pages::default()
        };
        let book = (rng.u8(..4) > 0).then(|| Book {
            host: host.clone(),
            rng: rng.fork(),
            pages: Arc::new(Mutex::new(pages)),
        });
        let mut run = Self {
            host,
            rng,
            items,
            folder,
            policy,
            book,
            again: 0,
            calm: false,
            forced: None,
            calls: 0,
            hit: false,
        };
        for item in 0..count {
            let size = if big == Some(item) {
                600_000
            } else {
                run.rng.usize(40..200)
            };
            run.write(item, size);
        }
        if let Some(item) = big.filter(|item| run.items[*item].source == Source::Disk) {
            run.rewrite_while_it_is_sent(item);
        }
        run
    }

    pub(crate) fn chance<T>(&self, look: impl FnOnce(&mut Chance) -> T) -> T {
        let mut state = self.host.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(state.chance.as_mut().unwrap())
    }

    fn note(&self, what: impl FnOnce() -> String) {
        self.chance(|chance| chance.note(what));
    }

    fn path(&self, item: usize) -> PathBuf {
        self.folder.join(&self.items[item].name)
    }

    /// Makes a new version of a file.
    fn write(&mut self, item: usize, size: usize) {
        let version = self.items[item].versions.len();
        let size = contents(item, version, size).len();
        let modified = 1_000_000 + version as u64;
        self.items[item].versions.push((size, modified));
        if self.items[item].source == Source::Disk {
            store(&self.path(item), &contents(item, version, size), modified);
        }
    }

    fn rewrite_while_it_is_sent(&mut self, item: usize) {
        let (size, _) = self.items[item].versions[0];
        self.items[item].versions.push((size, 1_000_001));
        let (path, name) = (self.path(item), self.items[item].name.clone());
        let rewrite = Box::new(move || store(&path, &contents(item, 1, size), 1_000_001));
        let frame = self.rng.usize(1..5);
        self.host
            .state(|state| state.chance.as_mut().unwrap().rewrite = Some((name, frame, rewrite)));
    }

    fn document(&self, item: usize) -> Document {
        let (size, _) = self.items[item].versions[0];
        let name = self.items[item].name.clone();
        let bytes = contents(item, 0, size);
        match self.items[item].source {
            Source::Disk => Document::open(self.path(item)).unwrap(),
            Source::Memory => Document::from_bytes(name, bytes).unwrap(),
            Source::Reader => {
                Document::from_reader(name, bytes.len() as u64, std::io::Cursor::new(bytes))
                    .unwrap()
            }
        }
    }

    /// Runs a call until it ends, gives up or dies.
    async fn call<T>(
        &mut self,
        what: &str,
        call: impl Future<Output = Result<T, UploadError>>,
    ) -> Result<End<T>, Broken> {
        let mut cut = match self.rng.u8(..5) {
            0 if !self.calm => Cut::Moment(self.rng.usize(..24)),
            1 if !self.calm => Cut::After(Duration::from_millis(1 << self.rng.u32(3..18))),
            _ => Cut::Never,
        };
        if let Some((call, wait)) = self.forced {
            cut = if call == self.calls {
                Cut::Wait(wait)
            } else {
                Cut::Never
            };
        }
        self.calls += 1;
        let dies = self.rng.bool();
        self.note(|| format!("{what}, cut: {cut:?}"));
        if let Some(book) = &self.book {
            book.pages.lock().unwrap().lost = None;
        }
        self.host.state(|state| state.last_maybe.clear());
        let end = match until(&self.host, cut, call).await? {
            None => {
                self.hit = true;
                End::Dropped(dies)
            }
            Some(Ok(value)) => End::Ok(value),
            Some(Err(error)) => {
                self.blame(what, &error)?;
                End::Failed(error)
            }
        };
        self.note(|| match &end {
            End::Ok(_) => format!("{what}: ok"),
            End::Failed(error) => {
                let inner = error.error();
                format!(
                    "{what}: {} ({:?}, {:?})",
                    error,
                    inner.kind(),
                    inner.delivery()
                )
            }
            End::Dropped(dies) => format!("{what}: dropped, with its process: {dies}"),
        });
        Ok(end)
    }

    fn session(&mut self) -> UploadSession {
        let session = self.host.client().session();
        self.dress(match &self.book {
            Some(book) => session.ledger(book.clone()),
            None => session,
        })
    }

    fn dress(&mut self, session: UploadSession) -> UploadSession {
        session
            .on_unknown(self.policy)
            .concurrency(pick(&mut self.rng, &[1, 1, 2, 4]))
    }

    /// The first process.
    async fn begin(&mut self) -> Result<End<Completed>, Broken> {
        let mut session = self.session();
        if self.rng.bool() {
            for item in &mut self.items {
                item.due = Due::Yes;
            }
            let documents: Vec<_> = (0..self.items.len())
                .map(|item| self.document(item))
                .collect();
            return self
                .call("upload", Box::pin(session.upload(documents)))
                .await;
        }
        for item in 0..self.items.len() {
            loop {
                let document = self.document(item);
                let add = Box::pin(async { session.add(document).await.cloned() });
                self.items[item].due = Due::Yes;
                let error = match self.call(&format!("add {item}"), add).await? {
                    End::Ok(id) => {
                        let held = self
                            .host
                            .state(|state| state.holds(id.as_str(), &self.items[item].name));
                        rule(held, || {
                            format!("add {item} is ok, but {} does not hold it", id.as_str())
                        })?;
                        self.check_recorded(item, &id)?;
                        break;
                    }
                    End::Dropped(true) => return Ok(End::Dropped(true)),
                    End::Dropped(false) => break,
                    End::Failed(error) => error,
                };
                let acted = error.delivery().may_have_acted();
                let own = error
                    .file()
                    .is_none_or(|file| file == self.items[item].name);
                self.items[item].due = match (acted, own) {
                    (true, _) => Due::Yes,
                    (false, true) => Due::Refused,
                    (false, false) => Due::Perhaps,
                };
                let again = self.items[item].due == Due::Refused
                    && self.items[item].source != Source::Reader;
                match self.rng.u8(..6) {
                    0 => return Ok(End::Failed(error)),
                    1..=2 if again => {}
                    _ => break,
                }
            }
        }
        self.call("complete", Box::pin(session.complete())).await
    }

    /// Another process; `None`: it is right that it cannot go on.
    async fn resume(&mut self) -> Result<Option<End<Completed>>, Broken> {
        let Some(book) = self.book.clone() else {
            return Ok(None);
        };
        let entries = {
            let mut pages = book.pages.lock().unwrap();
            pages.writes = 0;
            let fails = !self.calm && self.rng.u8(..6) == 0;
            pages.fails = fails.then(|| (self.rng.usize(..12), self.rng.bool(), self.rng.bool()));
            pages.entries.clone()
        };
        if entries.is_empty() {
            return Ok(None);
        }
        let known = names(&entries);
        for item in &mut self.items {
            // What a process did not get into its ledger is gone with it.
            if !known.contains(&item.name) {
                item.due = Due::No;
            } else if item.due == Due::Refused {
                item.due = Due::Perhaps;
            }
        }
        let again = self.rng.u8(..16) == 0 && self.policy != OnUnknown::Resend;
        let session = match self.host.client().resume(book, &entries) {
            Ok(session) => self.dress(session).force_complete(again),
            Err(error) => {
                self.note(|| format!("resume: {error}"));
                let missing = (0..self.items.len()).any(|item| !self.path(item).exists());
                return rule(missing, || format!("its own ledger is refused: {error}"))
                    .map(|()| None);
            }
        };
        self.again += usize::from(again);
        self.call(
            if again {
                "resume, completing again"
            } else {
                "resume"
            },
            Box::pin(session.complete()),
        )
        .await
        .map(Some)
    }

    /// Time passes between two processes, and people work on their files.
    fn meanwhile(&mut self) {
        for item in 0..self.items.len() {
            let path = self.path(item);
            if self.items[item].source != Source::Disk {
                continue;
            }
            let (size, modified) = *self.items[item].versions.last().unwrap();
            let choice = self.rng.u8(..40);
            if !path.exists() {
                store(
                    &path,
                    &contents(item, self.items[item].versions.len() - 1, size),
                    modified,
                );
            }
            match choice {
                _ if self.calm => continue,
                0 => self.write(item, size),
                1 => self.write(item, size + 100),
                2 => self.write(item, 40),
                3 => std::fs::remove_file(&path).unwrap(),
                _ => continue,
            }
            self.note(|| format!("file {item} is changed: {choice}"));
        }
    }

    pub(crate) async fn run(&mut self) -> Result<(), Broken> {
        let mut end = self.begin().await?;
        for life in 0..4 {
            if let End::Ok(done) = &end {
                self.check_completed(done)?;
            }
            self.check()?;
            // The last one meets no fault, so that it must find its way.
            self.calm = life == 3 || matches!(end, End::Ok(_));
            if self.calm {
                self.chance(|chance| (chance.draw, chance.rewrite) = (never, None));
            }
            let resumable = self.items.iter().all(|item| item.source == Source::Disk);
            if !resumable {
                return Ok(());
            }
            self.meanwhile();
            let done = matches!(end, End::Ok(_));
            let sent = self.host.state(|state| (state.uploads, state.completes));
            let Some(next) = self.resume().await? else {
                if self.calm {
                    return Ok(());
                }
                continue;
            };
            end = next;
            if self.calm {
                let asked = self.completion_is_open();
                let stops = self.policy != OnUnknown::Restart;
                let ok = matches!(end, End::Ok(_));
                let none = self.items.iter().all(|item| item.due != Due::Yes);
                rule(ok || asked || stops || none || self.again > 0, || {
                    "without any fault, its resume does not end complete".to_owned()
                })?;
            }
            if done {
                // A ledger of a completed session answers from memory; the final entry may be lost, though.
                let now = self.host.state(|state| (state.uploads, state.completes));
                rule(sent == now || self.again > 0, || {
                    "a resume of a completed session sends something".to_owned()
                })?;
                return self.check();
            }
        }
        self.check()
    }
}

pub(crate) fn contents(item: usize, version: usize, size: usize) -> Vec<u8> {
    let mut text = format!("%PDF-1.7 document {item} version {version}\n").into_bytes();
    let filler = b'A' + u8::try_from((item * 7 + version) % 26).unwrap();
    text.resize(text.len().max(size), filler);
    text
}

/// Overwrites a file in place, so that whoever reads it sees the change.
fn store(path: &Path, bytes: &[u8], modified: u64) {
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(modified))
        .unwrap();
}

/// Polls a call until it ends (`Some`) or its time has come (`None`).
pub(crate) async fn until<T>(
    host: &Host,
    cut: Cut,
    call: impl Future<Output = T>,
) -> Result<Option<T>, Broken> {
    let chance = |look: &mut dyn FnMut(&mut Chance)| {
        host.state(|state| state.chance.as_mut().map(look));
    };
    chance(&mut |chance| {
        chance.stopped = false;
        chance.stop_at = match cut {
            Cut::Moment(more) => Some(chance.moments + more),
            _ => None,
        };
    });
    let mut call = Box::pin(call);
    let limit = match cut {
        Cut::After(limit) => limit,
        _ => Duration::from_secs(7 * 24 * 3600),
    };
    let mut limit = pin!(sleep(limit));
    let mut waits = 0;
    let end = std::future::poll_fn(|cx| {
        if let Poll::Ready(value) = call.as_mut().poll(cx) {
            return Poll::Ready(Ok(Some(value)));
        }
        waits += 1;
        let mut gone = false;
        chance(&mut |chance| gone = chance.stopped);
        if gone || matches!(cut, Cut::Wait(at) if waits > at) {
            return Poll::Ready(Ok(None));
        }
        if waits > 100_000 {
            return Poll::Ready(Err("it spins".to_owned()));
        }
        limit.as_mut().poll(cx).map(|()| match cut {
            Cut::After(_) => Ok(None),
            _ => Err("it has not ended after seven days".to_owned()),
        })
    })
    .await;
    drop(call);
    end
}
