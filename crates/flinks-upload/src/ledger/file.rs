//! A ledger in a file: durable line by line, locked, readable after a crash.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::future::Future;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::thread;
use std::time::Duration;

use flinks_transport::BoxError;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::error::{UploadError, ledger_error};
use crate::ledger::line::{read, write};
use crate::ledger::{Ledger, LedgerEntry};

/// A ledger in a file: JSON lines, each with a checksum, written and synced on the blocking pool.
///
/// The file has mode 0600 and is locked while this value exists, so that two processes cannot
/// resume it at once.
pub struct FileLedger {
    path: PathBuf,
    state: State,
}

enum State {
    Ready(Tail),
    /// An entry is being written on the blocking pool; still so when the append was cancelled.
    Writing(JoinHandle<(Self, Result<(), UploadError>)>),
    /// The contents on disk are unknown.
    Broken,
}

/// The end of the file, where the next line goes.
struct Tail {
    file: File,
    length: u64,
    checksum: String,
}

/// No upload's ledger comes near this; what is larger is another file.
const MAX_LEDGER: u64 = 64 << 20;

/// How often, and how far apart, [`FileLedger::open`] tries to lock: half a second in all.
const LOCK_TRIES: usize = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

impl FileLedger {
    /// Creates a new ledger, and its missing folders with mode 0700.
    ///
    /// # Errors
    /// [`UploadErrorKind::Ledger`](crate::UploadErrorKind::Ledger): there is a file already, or it cannot be written or locked.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, UploadError> {
        let path = path.as_ref().to_owned();
        let failed = |error| unusable("cannot be created", error);
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or_else(|| Path::new("."));
        make_folder(folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.create_new(true).append(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return failed(error);
            }
            ledger_error(
                "its file exists already: resume it if it is a ledger, or choose another name",
            )
        })?;
        lock(&file).inspect_err(|_| {
            // Nothing is in it yet, and nothing could be resumed from it.
            drop(std::fs::remove_file(&path));
        })?;
        // A crash must not lose the file's very name.
        sync_folder(folder).map_err(failed)?;
        let tail = Tail {
            file,
            length: 0,
            checksum: String::new(),
        };
        Ok(Self {
            path,
            state: State::Ready(tail),
        })
    }

    /// Opens a ledger to resume its upload, and reads its entries. An incomplete last line, which a
    /// crash leaves, is cut off. Blocks for up to half a second if the ledger is in use.
    ///
    /// # Errors
    /// [`UploadErrorKind::Ledger`](crate::UploadErrorKind::Ledger): it cannot be read, is in use, or is damaged in any other way.
    pub fn open(path: impl AsRef<Path>) -> Result<(Self, Vec<LedgerEntry>), UploadError> {
        let path = path.as_ref().to_owned();
        let failed = |error| unusable("cannot be read", error);
        // Asked before opening: opening a pipe would wait for its writer.
        let facts = std::fs::metadata(&path).map_err(failed)?;
        if !facts.is_file() || facts.len() > MAX_LEDGER {
            return Err(ledger_error("the file is not a ledger"));
        }
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .map_err(failed)?;
        lock_once_written(&file)?;
        let mut bytes = Vec::new();
        (&file)
            .take(MAX_LEDGER)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        let read = read(&bytes).map_err(|line| {
            ledger_error(format!(
                "the ledger is damaged in line {line}: it cannot be resumed"
            ))
        })?;
        if read.entries.is_empty() {
            return Err(ledger_error(
                "the ledger contains no session yet, so nothing was sent: delete it and upload again",
            ));
        }
        let mut tail = Tail {
            file,
            length: read.length,
            checksum: read.checksum,
        };
        tail.cut().map_err(failed)?;
        if read.unended {
            tail.add(b"\n").map_err(failed)?;
        }
        let state = State::Ready(tail);
        Ok((Self { path, state }, read.entries))
    }

    /// Returns the path of the ledger.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes the ledger of a completed session.
    ///
    /// # Errors
    /// [`UploadErrorKind::Ledger`](crate::UploadErrorKind::Ledger): the file cannot be deleted.
    pub fn remove(self) -> Result<(), UploadError> {
        std::fs::remove_file(&self.path).map_err(|error| unusable("cannot be deleted", error))
    }

    /// Waits for the write in progress, even if its append was cancelled.
    async fn written(&mut self) -> Result<(), UploadError> {
        let State::Writing(step) = &mut self.state else {
            return Ok(());
        };
        let (state, outcome) = step.await.unwrap_or_else(|error| {
            let message = "the runtime stopped while the ledger was written";
            (State::Broken, Err(ledger_error(message).with_source(error)))
        });
        self.state = state;
        outcome
    }
}

impl Ledger for FileLedger {
    fn append<'a>(
        &'a mut self,
        entries: &'a [LedgerEntry],
    ) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>> {
        Box::pin(async move {
            // The caller of that append was dropped, and nothing uses its outcome.
            drop(self.written().await);
            let State::Ready(mut tail) = std::mem::replace(&mut self.state, State::Broken) else {
                return Err(
                    ledger_error("the ledger lost an entry: resume the upload from it").into(),
                );
            };
            let (lines, checksum) = match write_all(entries, &tail.checksum) {
                Ok(lines) => lines,
                Err(error) => {
                    self.state = State::Ready(tail);
                    return Err(error.into());
                }
            };
            self.state = State::Writing(spawn_blocking(move || {
                let outcome = tail.add(&lines);
                if outcome.is_ok() {
                    tail.checksum = checksum;
                }
                let outcome = outcome.map_err(|error| unusable("cannot be written", error));
                // Half a line must not be glued to the next one.
                let whole = outcome.is_ok() || tail.cut().is_ok();
                let state = if whole {
                    State::Ready(tail)
                } else {
                    State::Broken
                };
                (state, outcome)
            }));
            Ok(self.written().await?)
        })
    }
}

/// The lines of these entries after the line with this checksum, and the checksum of the last one.
fn write_all(entries: &[LedgerEntry], before: &str) -> Result<(Vec<u8>, String), UploadError> {
    let (mut lines, mut checksum) = (Vec::new(), before.to_owned());
    for entry in entries {
        let (line, next) = write(entry, &checksum)?;
        lines.extend(line);
        checksum = next;
    }
    Ok((lines, checksum))
}

impl Tail {
    /// Adds lines and makes them durable.
    fn add(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all(lines)?;
        self.file.sync_data()?;
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Cuts off what follows the last whole line.
    fn cut(&self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.sync_data()
    }
}

impl fmt::Debug for FileLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLedger")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Eight hexadecimal digits of CRC-32: against damage, not against an attacker.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

/// Makes the missing folders, mode 0700, each durable in the one above it.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder
        .parent()
        .filter(|above| !above.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    make_folder(above)?;
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        outcome => outcome?,
    }
    sync_folder(above)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn lock(file: &File) -> Result<(), UploadError> {
    file.try_lock().map_err(unlockable)
}

fn unlockable(error: TryLockError) -> UploadError {
    match error {
        TryLockError::WouldBlock => ledger_error("the ledger is in use by another process"),
        TryLockError::Error(error) => unusable(
            "cannot be locked, so that two processes could send its files at once: keep it on a local disk",
            error,
        ),
    }
}

/// Locks a ledger whose last append may have been dropped by this process: its write goes on, and
/// holds the lock, until it is durable.
fn lock_once_written(file: &File) -> Result<(), UploadError> {
    let mut outcome = file.try_lock();
    for _ in 0..LOCK_TRIES {
        if !matches!(outcome, Err(TryLockError::WouldBlock)) {
            break;
        }
        thread::sleep(LOCK_PAUSE);
        outcome = file.try_lock();
    }
    outcome.map_err(unlockable)
}

/// The caller knows the path; it is not shown, because a secret may have been given instead of a
/// path.
fn unusable(what: &str, error: io::Error) -> UploadError {
    ledger_error(format!("the ledger {what}")).with_source(error)
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use flinks_types::AggregationId;

    use super::*;
    use crate::ledger::SessionInfo;

    fn entries() -> Vec<LedgerEntry> {
        let id = AggregationId::new("d521ae0d").expect("an id");
        let session = serde_json::json!({
            "record": "session", "host": "https://example.com", "paths": "api-v1", "client": "0",
            "files": [{ "file_name": "a.pdf", "bytes": 3 }, { "file_name": "b.pdf", "bytes": 4 }],
        });
        vec![
            serde_json::from_value(session).expect("a session"),
            LedgerEntry::Sending { file: 0 },
            LedgerEntry::Confirmed {
                file: 0,
                aggregation_id: id.clone(),
            },
            LedgerEntry::Sending { file: 1 },
            LedgerEntry::Unknown { file: 1 },
            LedgerEntry::Abandoned {
                aggregation_ids: vec![id],
                unnamed: false,
            },
        ]
    }

    fn lines() -> Vec<Vec<u8>> {
        let mut before = String::new();
        entries()
            .iter()
            .map(|entry| {
                let (line, checksum) = write(entry, &before).expect("a line");
                before = checksum;
                line
            })
            .collect()
    }

    #[tokio::test]
    async fn what_is_appended_is_read_back_by_the_next_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/ledger");
        let mut ledger = FileLedger::create(&path).expect("made");
        for entry in entries() {
            ledger.append(&[entry]).await.expect("written");
        }
        assert!(
            FileLedger::open(&path).is_err(),
            "the lock must keep a second process out"
        );
        drop(ledger);
        let (mut ledger, seen) = FileLedger::open(&path).expect("read");
        assert_eq!(seen, entries());
        ledger
            .append(&[LedgerEntry::Sending { file: 0 }])
            .await
            .expect("appended");
        drop(ledger);
        assert_eq!(FileLedger::open(&path).expect("read").1.len(), 7);
        assert!(
            FileLedger::create(&path).is_err(),
            "a ledger is never overwritten"
        );
    }

    #[tokio::test]
    async fn a_ledger_can_be_opened_after_an_append_was_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        for round in 0..20 {
            let path = folder.path().join(round.to_string());
            let mut ledger = FileLedger::create(&path).expect("made");
            ledger.append(&entries()).await.expect("written");
            let more = [LedgerEntry::Sending { file: 0 }];
            let mut append = ledger.append(&more);
            let begun = std::future::poll_fn(|context| Poll::Ready(append.as_mut().poll(context)));
            drop(begun.await);
            drop(append);
            drop(ledger);
            let (_, seen) = FileLedger::open(&path).expect("read");
            assert!(seen.len() >= 6);
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        FileLedger::create(&path).expect("made");
        let mode = std::fs::metadata(&path)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn only_a_last_line_that_does_not_end_is_forgiven() {
        let lines = lines();
        let whole = lines.concat();
        for cut in 0..whole.len() {
            let seen = read(&whole[..cut]).expect("a cut is a crash");
            let count = seen.entries.len();
            assert_eq!(seen.entries, entries()[..count]);
            let line_end = usize::from(seen.unended);
            assert_eq!(
                seen.length as usize,
                lines[..count].concat().len() - line_end
            );
        }
        for lost in 0..lines.len() - 1 {
            let mut lines = lines.clone();
            lines.remove(lost);
            assert!(read(&lines.concat()).is_err(), "line {lost} is missing");
        }
        for moved in 0..lines.len() - 1 {
            let mut swapped = lines.clone();
            swapped.swap(moved, moved + 1);
            assert!(read(&swapped.concat()).is_err(), "line {moved} moved");
            let mut doubled = lines.clone();
            doubled.insert(moved, lines[moved].clone());
            assert!(
                read(&doubled.concat()).is_err(),
                "line {moved} is there twice"
            );
        }
    }

    #[test]
    fn a_damaged_byte_is_never_read_over() {
        let bytes = lines().concat();
        for at in 0..bytes.len() {
            let flips = (0..8).map(|bit| bytes[at] ^ (1 << bit));
            for value in flips.chain([0]) {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                assert!(read(&damaged).is_err(), "byte {at} is {value}");
            }
        }
    }

    #[tokio::test]
    async fn a_torn_line_is_cut_off_before_the_next_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        let lines = lines();
        for torn in [lines[3].len() - 1, 10, 1] {
            let torn = [lines[..3].concat(), lines[3][..torn].to_vec()].concat();
            std::fs::write(&path, torn).expect("written");
            let (mut ledger, seen) = FileLedger::open(&path).expect("a crash");
            for entry in &entries()[seen.len()..5] {
                ledger
                    .append(std::slice::from_ref(entry))
                    .await
                    .expect("appended");
            }
            drop(ledger);
            let (_, seen) = FileLedger::open(&path).expect("whole again");
            assert_eq!(seen, entries()[..5]);
        }
    }

    #[tokio::test]
    async fn a_cancelled_write_is_finished_before_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        let mut ledger = FileLedger::create(&path).expect("made");
        for (index, entry) in entries().iter().enumerate() {
            let mut append = ledger.append(std::slice::from_ref(entry));
            if index % 2 == 1 {
                let once = std::future::poll_fn(|cx| Poll::Ready(append.as_mut().poll(cx)));
                drop(once.await);
            } else {
                append.await.expect("appended");
            }
        }
        // The last one was cancelled: the next entry waits until it is there.
        let last = LedgerEntry::Sending { file: 0 };
        ledger
            .append(std::slice::from_ref(&last))
            .await
            .expect("appended");
        drop(ledger);
        let (_, seen) = FileLedger::open(&path).expect("whole");
        assert_eq!(seen, [entries(), vec![last]].concat());
    }

    #[test]
    fn what_is_no_ledger_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(FileLedger::open(folder.path()).is_err());
        #[cfg(unix)]
        for endless in ["/dev/zero", "/dev/urandom"] {
            let error = FileLedger::open(endless).expect_err("no file");
            assert!(error.to_string().contains("is not a ledger"), "{error}");
        }
        let path = folder.path().join("large");
        let file = File::create(&path).expect("made");
        file.set_len(MAX_LEDGER + 1).expect("sparse");
        assert!(FileLedger::open(&path).is_err());
        let error = FileLedger::create(&path).expect_err("it is there");
        assert!(error.to_string().contains("already"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_need_not_be_utf_8() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/statements/\xff\xfe/a.pdf"));
        let Some(LedgerEntry::Session(mut session)) = entries().into_iter().next() else {
            panic!("the first entry is a session")
        };
        session.files[0].path = Some(path.to_owned());
        let (line, _) = write(&LedgerEntry::Session(session.clone()), "").expect("a line");
        assert_eq!(
            read(&line).expect("read").entries,
            [LedgerEntry::Session(session)]
        );
    }

    #[test]
    fn a_session_record_round_trips() {
        let Some(LedgerEntry::Session(session)) = entries().into_iter().next() else {
            panic!("the first entry is a session")
        };
        let text = serde_json::to_string(&session).expect("JSON");
        let again: SessionInfo = serde_json::from_str(&text).expect("JSON");
        assert_eq!(again, session);
    }
}
