//! The upload sessions.

use std::collections::HashMap;

use serde::{Serialize, Serializer};
use tokio::time::Instant;

use crate::fraud::Document;

/// An upload session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SandboxSession {
    /// The AggregationId from the answer to the first upload.
    pub aggregation_id: String,
    /// The files, in the order in which they were accepted.
    pub files: Vec<StoredFile>,
    /// Whether *complete* was accepted.
    pub completed: bool,
    /// The LoginId from the answer to *complete*.
    pub login_id: Option<String>,
    /// The `Tag` of the session's last upload that has one.
    pub tag: Option<String>,
    /// The `ClientName` of the session's last upload that has one.
    pub client_name: Option<String>,
}

/// A file that was accepted. Its content is not stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoredFile {
    /// The `FileName`.
    pub file_name: String,
    /// The size in bytes, decoded.
    pub bytes: u64,
    /// The SHA-256 of the decoded content, in lower-case hex.
    pub sha256: String,
    /// The CRC-32 (IEEE) of the decoded content; in JSON eight hex digits, as in the log.
    #[serde(serialize_with = "eight_digits")]
    pub crc32: u32,
}

fn eight_digits<S: Serializer>(number: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{number:08x}"))
}

/// A session, with what only the sandbox knows of it.
#[derive(Debug, Default)]
pub(crate) struct StoredUpload {
    pub(crate) session: SandboxSession,
    /// The analysis of each file.
    pub(crate) documents: Vec<Document>,
    pub(crate) completed_at: Option<Instant>,
}

impl StoredUpload {
    pub(crate) fn bytes(&self) -> u64 {
        self.session.files.iter().map(|file| file.bytes).sum()
    }
}

/// All sessions, by either of their ids.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    records: Vec<StoredUpload>,
    by_aggregation: HashMap<String, usize>,
    by_login: HashMap<String, usize>,
}

impl Sessions {
    pub(crate) fn with_aggregation(&mut self, id: &str) -> Option<&mut StoredUpload> {
        self.records.get_mut(*self.by_aggregation.get(id)?)
    }

    pub(crate) fn with_login(&self, id: &str) -> Option<&StoredUpload> {
        self.records.get(*self.by_login.get(id)?)
    }

    pub(crate) fn open(&mut self, record: StoredUpload) {
        self.by_aggregation
            .insert(record.session.aggregation_id.clone(), self.records.len());
        self.records.push(record);
    }

    /// Completes a session under a new LoginId.
    pub(crate) fn complete(&mut self, aggregation_id: &str, login_id: &str, now: Instant) {
        if let Some(&index) = self.by_aggregation.get(aggregation_id)
            && let Some(record) = self.records.get_mut(index)
        {
            record.session.completed = true;
            record.session.login_id = Some(login_id.to_owned());
            record.completed_at = Some(now);
            self.by_login.insert(login_id.to_owned(), index);
        }
    }

    pub(crate) fn all(&self) -> Vec<SandboxSession> {
        let sessions = self.records.iter().map(|one| one.session.clone());
        sessions.collect()
    }
}
