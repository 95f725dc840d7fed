//! The entries of a ledger: what an upload consists of, and each step before and after it acts.

use std::path::PathBuf;
use std::time::Duration;

use flinks_types::{AggregationId, LoginId};
use serde::{Deserialize, Serialize};

/// One entry of a ledger, written before and after each step that changes something at the service. It
/// never holds a credential or a document's contents.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LedgerEntry {
    /// What is uploaded, and where; always the first entry.
    Session(SessionInfo),
    /// A file was added to the session.
    Added {
        /// The file, counted from 0.
        file: usize,
        /// What is known of it.
        now: FileInfo,
    },
    /// Files that were added but not sent no longer belong to the session.
    Withdrawn {
        /// How many files the session keeps.
        files: usize,
    },
    /// A file has changed since it was added; the session does not hold it.
    Changed {
        /// The file, counted from 0.
        file: usize,
        /// What it is now.
        now: FileInfo,
    },
    /// The file is about to be sent.
    Sending {
        /// The file, counted from 0.
        file: usize,
    },
    /// The service has confirmed the file.
    Confirmed {
        /// The file, counted from 0.
        file: usize,
        /// The session that holds it.
        aggregation_id: AggregationId,
    },
    /// The service does not have the file: it was not sent completely, or was refused.
    NotSent {
        /// The file, counted from 0.
        file: usize,
    },
    /// It is unknown whether the service has the file.
    Unknown {
        /// The file, counted from 0.
        file: usize,
    },
    /// The session is abandoned before *complete*, and all its files will be sent again.
    Abandoned {
        /// Its ids; empty when its first answer was lost.
        aggregation_ids: Vec<AggregationId>,
        /// Whether a session without a known id may be abandoned as well.
        unnamed: bool,
    },
    /// *complete* is about to be sent.
    Completing {
        /// The session.
        aggregation_id: AggregationId,
    },
    /// *complete* was not sent, or was refused.
    NotCompleted,
    /// It is unknown whether the session is completed.
    CompletionUnknown,
    /// Processing has started.
    Completed {
        /// The session.
        aggregation_id: AggregationId,
        /// The id that the fraud analysis is read with.
        login_id: LoginId,
    },
}

/// The host, client and files of an upload.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SessionInfo {
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
    pub files: Vec<FileInfo>,
}

/// The name, path, size and modification time of a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FileInfo {
    /// The name that is sent.
    pub file_name: String,
    /// The absolute path; `None` for a document from memory or a reader.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "path")]
    pub path: Option<PathBuf>,
    /// The size in bytes, before encoding.
    #[serde(rename = "bytes")]
    pub len: u64,
    /// The modification time since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Duration>,
}

impl FileInfo {
    /// A document from memory, for tests.
    #[must_use]
    pub fn new(file_name: impl Into<String>, len: u64) -> Self {
        Self {
            file_name: file_name.into(),
            path: None,
            len,
            modified: None,
        }
    }
}

/// A path as text, or as bytes if it is not UTF-8.
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
        reason = "on other systems such a path cannot be read back"
    )]
    fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
        Some(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes).into())
    }

    #[cfg(not(unix))]
    fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
        String::from_utf8(bytes).ok().map(PathBuf::from)
    }
}
