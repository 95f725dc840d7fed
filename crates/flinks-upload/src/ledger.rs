//! What has happened to an upload, as records: pure state, the same live and after a restart.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flinks_types::{AggregationId, LoginId};
use serde::{Deserialize, Serialize};

/// One line of a ledger: written before and after each step that acts. It never holds a credential
/// or a document's contents.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// What is to be uploaded, and where; always the first.
    Session(SessionRecord),
    /// One more file for the session.
    Added {
        /// The file, counted from 0.
        file: usize,
        /// What is known of it.
        now: FileRecord,
    },
    /// Files that were added, but of which nothing was sent, no longer belong to the session.
    Withdrawn {
        /// How many files the session keeps.
        files: usize,
    },
    /// A file is another one than the ledger knew; nothing of it is in the session.
    Changed {
        /// The file, counted from 0.
        file: usize,
        /// What it is now.
        now: FileRecord,
    },
    /// The file's first byte may leave from here on.
    Sending {
        /// The file, counted from 0.
        file: usize,
    },
    /// The service has the file.
    Confirmed {
        /// The file, counted from 0.
        file: usize,
        /// The session that holds it.
        aggregation_id: AggregationId,
    },
    /// The service does not have the file: it was not sent whole, or refused.
    NotSent {
        /// The file, counted from 0.
        file: usize,
    },
    /// It is unknown whether the service has the file.
    Unknown {
        /// The file, counted from 0.
        file: usize,
    },
    /// The session is given up before *complete*, which leaves it inert: all files start over.
    Abandoned {
        /// Its ids; empty when its first answer was lost.
        aggregation_ids: Vec<AggregationId>,
        /// Whether a session without a known id may be left behind as well.
        unnamed: bool,
    },
    /// *complete* may leave from here on.
    Completing {
        /// The session.
        aggregation_id: AggregationId,
    },
    /// *complete* was not sent, or refused.
    NotCompleted,
    /// It is unknown whether the session is completed.
    CompletionUnknown,
    /// Processing has started.
    Completed {
        /// The session.
        aggregation_id: AggregationId,
        /// What the fraud analysis is read by.
        login_id: LoginId,
    },
}

/// What an upload consists of, and whose it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SessionRecord {
    /// The upload host's base URL.
    pub host: String,
    /// The path preset, or three paths.
    pub paths: String,
    /// A checksum of the client id: a ledger of another client is refused.
    pub client: String,
    /// The session's label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The end client's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The files, in the order in which they are sent.
    pub files: Vec<FileRecord>,
}

/// What is known of a file without reading it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FileRecord {
    /// The name that is sent.
    pub file_name: String,
    /// Where it lies; `None` for a document from memory or a reader.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "path")]
    pub path: Option<PathBuf>,
    /// Its size.
    pub bytes: u64,
    /// Its modification time since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Duration>,
}

/// Where one file stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileState {
    Pending,
    /// Begun, and so unknown when the one that sent it is gone: its process, or its future.
    Sending,
    Confirmed,
    Unknown,
}

/// One file of the session.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) facts: Arc<FileRecord>,
    pub(crate) state: FileState,
    /// An earlier request for it may have arrived in this session.
    pub(crate) perhaps: bool,
}

impl Entry {
    fn new(facts: &FileRecord) -> Self {
        Self {
            facts: Arc::new(facts.clone()),
            state: FileState::Pending,
            perhaps: false,
        }
    }
}

/// Where *complete* stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Completion {
    #[default]
    Open,
    /// Begun, and so unknown if the process ends here.
    Sending,
    Unknown,
    Done(LoginId),
}

/// The state that a sequence of records leads to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) files: Vec<Entry>,
    pub(crate) aggregation_id: Option<AggregationId>,
    pub(crate) completion: Completion,
    /// An earlier *complete* may have been acted on: the refusal of a later one changes nothing.
    pub(crate) perhaps_completed: bool,
    pub(crate) abandoned: Vec<AggregationId>,
    pub(crate) abandoned_unnamed: u64,
}

impl Ledger {
    /// Applies one record. `None`: it cannot follow what came before, so the ledger is damaged, or
    /// the step that it announces must not be taken. The state is then of no use.
    ///
    /// Each record may follow itself: a session that was interrupted while it wrote one does not
    /// know whether it is there.
    pub(crate) fn apply(&mut self, record: &Record) -> Option<()> {
        if matches!(self.completion, Completion::Done(_)) {
            let again = matches!(record, Record::Completed { .. });
            return again.then_some(());
        }
        match record {
            Record::Session(session) => {
                // Whatever an earlier one said, nothing came of it.
                self.untouched()?;
                self.files = session.files.iter().map(Entry::new).collect();
            }
            Record::Added { file, now } => {
                self.open()?;
                if *file == self.files.len() {
                    self.files.push(Entry::new(now));
                } else {
                    self.unsent(*file)?.facts = Arc::new(now.clone());
                }
            }
            Record::Withdrawn { files } => {
                self.open()?;
                self.files.get(*files..)?;
                for file in *files..self.files.len() {
                    self.unsent(file)?;
                }
                self.files.truncate(*files);
            }
            Record::Changed { file, now } => {
                self.open()?;
                self.unsent(*file)?.facts = Arc::new(now.clone());
            }
            Record::Sending { file } => {
                self.open()?;
                let entry = self.files.get_mut(*file)?;
                (entry.state != FileState::Confirmed).then_some(())?;
                // What became of the request before could not be recorded.
                entry.perhaps |= entry.state == FileState::Sending;
                entry.state = FileState::Sending;
            }
            Record::Confirmed {
                file,
                aggregation_id,
            } => {
                self.open()?;
                let known = self
                    .aggregation_id
                    .get_or_insert_with(|| aggregation_id.clone());
                (known == aggregation_id).then_some(())?;
                self.begun(*file)?.state = FileState::Confirmed;
            }
            Record::NotSent { file } => {
                self.open()?;
                let entry = self.begun(*file)?;
                entry.state = if entry.perhaps {
                    FileState::Unknown
                } else {
                    FileState::Pending
                };
            }
            Record::Unknown { file } => {
                self.open()?;
                let entry = self.files.get_mut(*file)?;
                entry.state = FileState::Unknown;
                entry.perhaps = true;
            }
            Record::Abandoned {
                aggregation_ids,
                unnamed,
            } => {
                self.open()?;
                for id in aggregation_ids {
                    if !self.abandoned.contains(id) {
                        self.abandoned.push(id.clone());
                    }
                }
                self.abandoned_unnamed += u64::from(*unnamed);
                self.aggregation_id = None;
                for file in &mut self.files {
                    file.state = FileState::Pending;
                    file.perhaps = false;
                }
            }
            Record::Completing { aggregation_id } => {
                // Whatever led here: a session with a file missing is never completed.
                let whole = self.all(FileState::Confirmed) && !self.files.is_empty();
                (whole && self.is(aggregation_id)).then_some(())?;
                self.perhaps_completed |= self.completion != Completion::Open;
                self.completion = Completion::Sending;
            }
            Record::NotCompleted if self.perhaps_completed => {
                self.completing(Completion::Unknown)?;
            }
            Record::NotCompleted => self.completing(Completion::Open)?,
            Record::CompletionUnknown => self.completing(Completion::Unknown)?,
            Record::Completed {
                aggregation_id,
                login_id,
            } => {
                self.is(aggregation_id).then_some(())?;
                self.completing(Completion::Done(login_id.clone()))?;
            }
        }
        Some(())
    }

    /// The first file in this state.
    pub(crate) fn first(&self, state: FileState) -> Option<usize> {
        self.files.iter().position(|file| file.state == state)
    }

    /// Whether every file is in this state.
    pub(crate) fn all(&self, state: FileState) -> bool {
        self.files.iter().all(|file| file.state == state)
    }

    fn is(&self, aggregation_id: &AggregationId) -> bool {
        self.aggregation_id.as_ref() == Some(aggregation_id)
    }

    /// Nothing was sent into this session or any before it.
    fn untouched(&self) -> Option<()> {
        self.open()?;
        let fresh = self.all(FileState::Pending)
            && self.aggregation_id.is_none()
            && self.abandoned.is_empty()
            && self.abandoned_unnamed == 0;
        fresh.then_some(())
    }

    /// Files come and go only before *complete*.
    fn open(&self) -> Option<()> {
        (self.completion == Completion::Open).then_some(())
    }

    /// A file of which nothing was sent; perhaps it was announced, but then not begun.
    fn unsent(&mut self, file: usize) -> Option<&mut Entry> {
        let entry = self.files.get_mut(file)?;
        matches!(entry.state, FileState::Pending | FileState::Sending).then_some(entry)
    }

    /// A file whose request was announced.
    fn begun(&mut self, file: usize) -> Option<&mut Entry> {
        let entry = self.files.get_mut(file)?;
        (entry.state != FileState::Pending).then_some(entry)
    }

    fn completing(&mut self, next: Completion) -> Option<()> {
        let begun = self.completion != Completion::Open || next == Completion::Open;
        begun.then(|| self.completion = next)
    }
}

/// A path as text, or as its bytes where it is no text.
mod path {
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize, Serialize)]
    #[serde(untagged)]
    enum Wire {
        Text(String),
        Bytes(Vec<u8>),
    }

    #[expect(clippy::ref_option, reason = "serde's form")]
    pub(super) fn serialize<S: Serializer>(
        path: &Option<PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let wire = path.as_ref().map(|path| match path.to_str() {
            Some(text) => Wire::Text(text.to_owned()),
            None => Wire::Bytes(path.as_os_str().as_encoded_bytes().to_vec()),
        });
        wire.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PathBuf>, D::Error> {
        Ok(
            Option::<Wire>::deserialize(deserializer)?.and_then(|wire| match wire {
                Wire::Text(text) => Some(PathBuf::from(text)),
                Wire::Bytes(bytes) => of_bytes(bytes),
            }),
        )
    }

    #[cfg(unix)]
    #[expect(
        clippy::unnecessary_wraps,
        reason = "elsewhere such a path cannot be read back"
    )]
    fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
        Some(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes).into())
    }

    #[cfg(not(unix))]
    fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
        String::from_utf8(bytes).ok().map(PathBuf::from)
    }
}
