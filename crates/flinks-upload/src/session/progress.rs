//! Reports the progress of a session: bytes of one file and of all, and what happens to the file.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::UploadSession;
use crate::ledger::FileState;
use crate::upload_body::OnBytes;

/// What happens to a file; see [`Progress`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Phase {
    /// The request is prepared: access token, connection.
    #[default]
    Preparing,
    /// Its bytes are sent.
    Sending,
    /// All of its bytes were taken for sending; the service has not answered yet.
    Sent,
    /// The service has confirmed it.
    Confirmed,
    /// It is unknown whether the file arrived. After a pause, the session starts over with all files,
    /// or the file is sent again, as [`OnUnknown`](super::OnUnknown) says.
    Retrying,
    /// All files are confirmed, and *complete* is sent. `file` is the last one.
    Completing,
}

/// The progress of one file and of the session; see [`UploadSession::on_progress`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The file, counted from 0.
    pub file: usize,
    /// How many files the session has.
    pub files: usize,
    /// The name of the file.
    pub file_name: &'a str,
    /// What happens to the file.
    pub phase: Phase,
    /// How many bytes of the file were taken for sending; restarts at 0 when the file is sent again.
    pub sent: u64,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// How many bytes of all files were taken for sending, with those that an earlier process
    /// confirmed; restarts at 0 when the session starts over.
    pub session_sent: u64,
    /// The size of all files in bytes.
    pub session_bytes: u64,
}

pub(super) type OnProgress = Box<dyn Fn(Progress<'_>) + Send + Sync>;

/// Counts the bytes sent of each file for the caller's function.
pub(super) struct Reporter {
    on_progress: OnProgress,
    /// Held during a report, so that reports of several files are in order.
    counts: Mutex<Vec<Count>>,
}

/// The bytes sent of one file.
#[derive(Clone, Copy, Default)]
struct Count {
    sent: u64,
    bytes: u64,
    /// Which request for the file counts: an earlier one that was dropped may still be read.
    request: u32,
}

impl Reporter {
    pub(super) fn new(on_progress: OnProgress) -> Self {
        Self {
            on_progress,
            counts: Mutex::default(),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Vec<Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, counts: &[Count], file: usize, file_name: &str, phase: Phase) {
        let count = counts.get(file).copied().unwrap_or_default();
        (self.on_progress)(Progress {
            file,
            files: counts.len(),
            file_name,
            phase,
            sent: count.sent,
            bytes: count.bytes,
            session_sent: counts.iter().map(|count| count.sent).sum(),
            session_bytes: counts.iter().map(|count| count.bytes).sum(),
        });
    }
}

impl UploadSession {
    /// Reports the phase of a file, with the counts that the session's state leads to.
    pub(super) fn report(&self, file: usize, phase: Phase) {
        let Some(reporter) = &self.reporter else {
            return;
        };
        let mut counts = reporter.counts();
        counts.resize(self.state.files.len(), Count::default());
        for (count, entry) in counts.iter_mut().zip(&self.state.files) {
            count.bytes = entry.info.len;
            count.sent = match entry.state {
                FileState::Confirmed => entry.info.len,
                FileState::Sending => count.sent,
                FileState::Pending | FileState::Unknown => 0,
            };
        }
        if let Some(entry) = self.state.files.get(file) {
            reporter.report(&counts, file, &entry.info.file_name, phase);
        }
    }

    /// Returns the function that counts the bytes of the next request for a file.
    pub(super) fn count_bytes(&self, file: usize) -> Option<OnBytes> {
        let reporter = Arc::clone(self.reporter.as_ref()?);
        let info = Arc::clone(&self.state.files.get(file)?.info);
        let request = {
            let mut counts = reporter.counts();
            let count = counts.get_mut(file)?;
            count.request += 1;
            count.request
        };
        Some(Arc::new(move |sent| {
            let mut counts = reporter.counts();
            let Some(count) = counts.get_mut(file) else {
                return;
            };
            if count.request == request {
                count.sent = sent;
                let phase = if sent == count.bytes {
                    Phase::Sent
                } else {
                    Phase::Sending
                };
                reporter.report(&counts, file, &info.file_name, phase);
            }
        }))
    }
}
