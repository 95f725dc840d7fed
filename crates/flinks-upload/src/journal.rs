//! Where a ledger's records are kept: a trait, nothing at all, or a file that survives a crash.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use flinks_transport::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::task::spawn_blocking;

use crate::ledger::{Ledger, Record};

/// Keeps the records of one upload.
///
/// Called before and after each step that acts. A record must be durable when the call returns:
/// the step that it announces follows at once. An error stops the session before that step.
pub trait Journal: Send {
    /// Makes one record durable.
    ///
    /// # Errors
    /// Anything that kept it from being durable, best as [`ErrorKind::Journal`].
    fn append<'a>(
        &'a mut self,
        record: &'a Record,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;
}

/// Keeps nothing: an upload that dies with its process starts over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoJournal;

impl Journal for NoJournal {
    fn append<'a>(
        &'a mut self,
        _: &'a Record,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
        Box::pin(async { Ok(()) })
    }
}

/// A ledger in a file: JSON lines, each with a checksum, synced one by one on the blocking pool.
///
/// The file has mode 0600 and is locked while this value lives, so that two processes cannot
/// resume it at once.
pub struct FileJournal {
    path: PathBuf,
    /// Away on the blocking pool while a record is written; gone for good if that was cancelled.
    file: Option<File>,
}

#[derive(Deserialize, Serialize)]
struct Line<'a> {
    crc: String,
    #[serde(borrow)]
    entry: &'a RawValue,
}

impl FileJournal {
    /// Begins a new ledger; missing folders are made, mode 0700.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`]: there is a file already, or it cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let failed = |error| unusable(&path, "cannot be made", error);
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            make_folder(folder).map_err(failed)?;
        }
        let mut options = OpenOptions::new();
        options.create_new(true).append(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(failed)?;
        lock(&file, &path)?;
        // A crash must not lose the file's very name.
        #[cfg(unix)]
        File::open(folder.unwrap_or_else(|| Path::new(".")))
            .and_then(|f| f.sync_all())
            .map_err(failed)?;
        Ok(Self {
            path,
            file: Some(file),
        })
    }

    /// Opens a ledger to go on with it, and reads its records. A torn last line, the mark of a
    /// crash while it was written, is cut off.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`]: it cannot be read, is in use, or is damaged anywhere but in its
    /// last line.
    pub fn open(path: impl AsRef<Path>) -> Result<(Self, Vec<Record>), Error> {
        let path = path.as_ref().to_owned();
        let failed = |error| unusable(&path, "cannot be read", error);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .map_err(failed)?;
        lock(&file, &path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let (records, whole) = read(&bytes).map_err(|line| {
            let shown = path.display();
            journal(format!(
                "the ledger {shown} is damaged in line {line}: it cannot be resumed"
            ))
        })?;
        if records.is_empty() {
            return Err(journal(format!(
                "the ledger {} holds no session yet, so nothing was sent: delete it and upload again",
                path.display()
            )));
        }
        file.set_len(whole).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok((
            Self {
                path,
                file: Some(file),
            },
            records,
        ))
    }

    /// Where the ledger lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes the ledger: for a session that is complete.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`]: the file cannot be deleted.
    pub fn remove(self) -> Result<(), Error> {
        std::fs::remove_file(&self.path)
            .map_err(|error| unusable(&self.path, "cannot be deleted", error))
    }
}

impl Journal for FileJournal {
    fn append<'a>(
        &'a mut self,
        record: &'a Record,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
        Box::pin(async move {
            let line = write(record)?;
            let mut file = self.file.take().ok_or_else(|| {
                journal(format!("the ledger {} lost a record", self.path.display()))
            })?;
            let step = spawn_blocking(move || {
                let outcome = file.write_all(&line).and_then(|()| file.sync_data());
                (file, outcome)
            });
            let (file, outcome) = step.await.map_err(|error| {
                journal("the runtime stopped while the ledger was written").with_source(error)
            })?;
            outcome.map_err(|error| unusable(&self.path, "cannot be written", error))?;
            self.file = Some(file);
            Ok(())
        })
    }
}

impl fmt::Debug for FileJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileJournal")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn write(record: &Record) -> Result<Vec<u8>, Error> {
    let unwritable = |_| journal("a record cannot be written as JSON");
    let entry = serde_json::value::to_raw_value(record).map_err(unwritable)?;
    let crc = checksum(entry.get().as_bytes());
    let mut line = serde_json::to_vec(&Line { crc, entry: &entry }).map_err(unwritable)?;
    line.push(b'\n');
    Ok(line)
}

/// The records, and how many bytes of whole lines they take; `Err` names the damaged line.
fn read(bytes: &[u8]) -> Result<(Vec<Record>, u64), usize> {
    let mut ledger = Ledger::default();
    let (mut records, mut whole) = (Vec::new(), 0);
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let last = whole + line.len() == bytes.len();
        let entry = line.strip_suffix(b"\n").and_then(entry);
        let fits = entry.filter(|record| {
            // The first record says what the others are about.
            matches!(record, Record::Session(_)) == records.is_empty()
        });
        match fits {
            Some(record) if ledger.apply(&record).is_some() => records.push(record),
            // Only a crash tears a line, and only the last one.
            _ if last => break,
            _ => return Err(index + 1),
        }
        whole += line.len();
    }
    Ok((records, whole as u64))
}

fn entry(line: &[u8]) -> Option<Record> {
    let line: Line<'_> = serde_json::from_slice(line).ok()?;
    if checksum(line.entry.get().as_bytes()) != line.crc {
        return None;
    }
    serde_json::from_str(line.entry.get()).ok()
}

/// Eight hexadecimal digits of CRC-32: against damage, not against an attacker.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn lock(file: &File, path: &Path) -> Result<(), Error> {
    file.try_lock().map_err(|_| {
        journal(format!(
            "the ledger {} is in use by another process",
            path.display()
        ))
    })
}

fn unusable(path: &Path, what: &str, error: io::Error) -> Error {
    journal(format!("the ledger {} {what}", path.display())).with_source(error)
}

fn journal(message: impl Into<String>) -> Error {
    Error::local(ErrorKind::Journal, message.into())
}

#[cfg(test)]
mod tests {
    use flinks_types::AggregationId;
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::SessionRecord;

    fn records() -> Vec<Record> {
        let id = AggregationId::new("d521ae0d").expect("an id");
        let session = serde_json::json!({
            "record": "session", "host": "https://example.com", "paths": "api-v1", "client": "0",
            "files": [{ "file_name": "a.pdf", "bytes": 3 }, { "file_name": "b.pdf", "bytes": 4 }],
        });
        vec![
            serde_json::from_value(session).expect("a session"),
            Record::Sending { file: 0 },
            Record::Confirmed {
                file: 0,
                aggregation_id: id.clone(),
            },
            Record::Sending { file: 1 },
            Record::Abandoned {
                aggregation_ids: vec![id],
                unnamed: false,
            },
        ]
    }

    fn lines() -> Vec<Vec<u8>> {
        records()
            .iter()
            .map(|record| write(record).expect("a line"))
            .collect()
    }

    #[tokio::test]
    async fn what_is_appended_is_read_back_by_the_next_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/ledger");
        let mut journal = FileJournal::create(&path).expect("made");
        for record in records() {
            journal.append(&record).await.expect("written");
        }
        assert!(
            FileJournal::open(&path).is_err(),
            "the lock must keep a second process out"
        );
        drop(journal);
        let (mut journal, seen) = FileJournal::open(&path).expect("read");
        assert_eq!(seen, records());
        journal
            .append(&Record::Sending { file: 0 })
            .await
            .expect("appended");
        drop(journal);
        assert_eq!(FileJournal::open(&path).expect("read").1.len(), 6);
        assert!(
            FileJournal::create(&path).is_err(),
            "a ledger is never overwritten"
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        FileJournal::create(&path).expect("made");
        let mode = std::fs::metadata(&path)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn only_a_torn_last_line_is_forgiven() {
        let lines = lines();
        let whole = lines.concat();
        for cut in 0..whole.len() {
            let (seen, length) = read(&whole[..cut]).expect("a cut is a crash");
            assert_eq!(seen, records()[..seen.len()]);
            assert_eq!(length as usize, lines[..seen.len()].concat().len());
        }
        let mut swapped = lines.clone();
        swapped.swap(0, 1);
        assert_eq!(read(&swapped.concat()).expect_err("no session first"), 1);
        let mut beyond = lines;
        beyond.insert(1, write(&Record::Sending { file: 2 }).expect("a line"));
        assert_eq!(
            read(&beyond.concat()).expect_err("there is no third file"),
            2
        );
    }

    proptest! {
        #[test]
        fn damage_before_the_last_line_is_never_read_over(at in 0usize..10_000, bit in 0u8..8) {
            let lines = lines();
            let mut bytes = lines.concat();
            let last = bytes.len() - lines.last().map_or(0, Vec::len);
            let at = at % last;
            bytes[at] ^= 1 << bit;
            // A broken line end joins two lines; whatever is read must still be a true prefix.
            match read(&bytes) {
                Err(_) => {}
                Ok((seen, _)) => prop_assert_eq!(&seen[..], &records()[..seen.len()]),
            }
        }
    }

    #[test]
    fn a_session_record_round_trips() {
        let Some(Record::Session(session)) = records().into_iter().next() else {
            panic!("the first record is a session")
        };
        let text = serde_json::to_string(&session).expect("JSON");
        let again: SessionRecord = serde_json::from_str(&text).expect("JSON");
        assert_eq!(again, session);
    }
}
