//! What has happened to an upload, as records: pure state, the same live and after a restart.

use std::path::PathBuf;
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
    Added(FileRecord),
    /// A file is another one than the ledger knew; recorded before its session is given up.
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
    /// Nobody can say whether the service has the file.
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
    /// Nobody can say whether the session is completed.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    /// Begun, and so unknown if the process ends here.
    Sending,
    Confirmed,
    Unknown,
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
    pub(crate) files: Vec<FileState>,
    pub(crate) aggregation_id: Option<AggregationId>,
    pub(crate) completion: Completion,
    pub(crate) abandoned: Vec<AggregationId>,
    pub(crate) abandoned_unnamed: u64,
}

impl Ledger {
    /// Applies one record. `None`: it cannot follow what came before, so the ledger is damaged.
    pub(crate) fn apply(&mut self, record: &Record) -> Option<()> {
        match record {
            Record::Session(session) => {
                self.files = vec![FileState::Pending; session.files.len()];
            }
            Record::Added(_) => self.files.push(FileState::Pending),
            Record::Changed { file, now: _ } => {
                self.files.get(*file)?;
            }
            Record::Sending { file } => self.set(*file, FileState::Sending)?,
            Record::Confirmed {
                file,
                aggregation_id,
            } => {
                self.set(*file, FileState::Confirmed)?;
                self.aggregation_id = Some(aggregation_id.clone());
            }
            Record::NotSent { file } => self.set(*file, FileState::Pending)?,
            Record::Unknown { file } => self.set(*file, FileState::Unknown)?,
            Record::Abandoned {
                aggregation_ids,
                unnamed,
            } => {
                self.abandoned.extend(aggregation_ids.iter().cloned());
                self.abandoned_unnamed += u64::from(*unnamed);
                self.aggregation_id = None;
                self.completion = Completion::Open;
                self.files.fill(FileState::Pending);
            }
            Record::Completing { .. } => self.completion = Completion::Sending,
            Record::NotCompleted => self.completion = Completion::Open,
            Record::CompletionUnknown => self.completion = Completion::Unknown,
            Record::Completed {
                aggregation_id,
                login_id,
            } => {
                self.aggregation_id = Some(aggregation_id.clone());
                self.completion = Completion::Done(login_id.clone());
            }
        }
        Some(())
    }

    /// What a restart of the process makes of steps that were under way.
    pub(crate) fn settle_after_crash(&mut self) {
        for file in &mut self.files {
            if *file == FileState::Sending {
                *file = FileState::Unknown;
            }
        }
        if self.completion == Completion::Sending {
            self.completion = Completion::Unknown;
        }
    }

    /// The first file in this state.
    pub(crate) fn first(&self, state: FileState) -> Option<usize> {
        self.files.iter().position(|file| *file == state)
    }

    fn set(&mut self, file: usize, state: FileState) -> Option<()> {
        *self.files.get_mut(file)? = state;
        Some(())
    }
}
