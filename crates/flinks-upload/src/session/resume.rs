//! Resumes an upload from the entries of its ledger.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use super::UploadSession;
use super::files::file_info;
use crate::client::UploadClient;
use crate::document::Document;
use crate::error::{UploadError, file_error, ledger_error};
use crate::ledger::{Completion, FileEntry, FileState, Ledger, LedgerEntry};

impl UploadSession {
    pub(crate) fn resume(
        client: UploadClient,
        ledger: Box<dyn Ledger>,
        entries: &[LedgerEntry],
    ) -> Result<Self, UploadError> {
        let Some(LedgerEntry::Session(session)) = entries.first() else {
            return Err(ledger_error("the ledger does not begin with a session"));
        };
        let owner = client.ledger_owner();
        if (&session.host, &session.paths) != (&owner.host, &owner.paths) {
            return Err(ledger_error(format!(
                "the ledger belongs to {} ({}), not to {} ({})",
                session.host, session.paths, owner.host, owner.paths
            )));
        }
        if session.client != owner.client {
            return Err(ledger_error("the ledger belongs to another client id"));
        }
        let mut this = Self {
            ledger,
            started: true,
            ..Self::new(client)
        };
        this.tag.clone_from(&session.tag);
        this.client_name.clone_from(&session.client_name);
        for entry in entries {
            let fits = this.state.apply(entry);
            fits.ok_or_else(|| ledger_error("the ledger's entries contradict each other"))?;
        }
        if this.state.completion == Completion::Sending {
            // Its process is gone, and so is the answer.
            this.state.completion = Completion::Unknown;
        }
        if this.state.completion == Completion::Open && !this.state.all(FileState::Confirmed) {
            this.reopen()?;
        }
        Ok(this)
    }

    /// Opens the documents of a ledger again, and notes which of them are not what they were.
    fn reopen(&mut self) -> Result<(), UploadError> {
        let mut total = 0u64;
        let mut refused = Vec::new();
        for file in &mut self.state.files {
            let known = Arc::clone(&file.info);
            let path = known.path.as_ref().ok_or_else(|| {
                let name = known.file_name.escape_debug();
                ledger_error(format!("{name} did not come from a file: upload it again"))
            })?;
            let opened = match Document::open(path) {
                Ok(document) => document
                    .check(self.client.limits())
                    .map(|()| Some(document)),
                // The service has it: it is needed only if the session starts over.
                Err(_) if file.state == FileState::Confirmed => Ok(None),
                // Not specific to this file, so the following files would fail as well.
                Err(error) if !is_of_the_file(&error) => return Err(error),
                Err(error) => Err(error),
            };
            let document = match opened {
                Ok(document) => document,
                Err(error) => {
                    refused.push(error);
                    continue;
                }
            };
            let now = document.as_ref().map(file_info);
            file.changed_to = now.filter(|now| *now != *known);
            total = total.saturating_add(document.as_ref().map_or(known.len, Document::len));
            file.document = document;
        }
        // All at once, so that one more run is enough.
        match refused.as_slice() {
            [] => self.client.limits().check_session(total),
            [only] => Err(only.clone()),
            several => {
                let list: Vec<_> = several
                    .iter()
                    .map(|error| error.error().report().to_string())
                    .collect();
                let message = format!("{} files refused: {}", list.len(), list.join("; "));
                Err(file_error(message))
            }
        }
    }

    /// Starts over when a file is another one than the session holds.
    pub(super) async fn restart_if_changed(&mut self) -> Result<(), UploadError> {
        let is_changed = |file: &FileEntry| file.changed_to.is_some();
        if !self.state.files.iter().any(is_changed) {
            return Ok(());
        }
        // First: what the session holds is never what the file is now.
        if !self.state.all(FileState::Pending) {
            if self.state.files.iter().any(|file| file.document.is_none()) {
                let message =
                    "a file changed, so the session has to start over, and another file is gone";
                return Err(self.failed(file_error(message), None));
            }
            self.abandon().await?;
        }
        for file in 0..self.state.files.len() {
            let changed = self.state.files.get(file);
            if let Some(now) = changed.and_then(|file| file.changed_to.clone()) {
                self.append(LedgerEntry::Changed { file, now }).await?;
            }
        }
        Ok(())
    }
}

/// Whether a document is refused for what it is, or is gone, and not for want of something that the
/// next one would lack too.
fn is_of_the_file(error: &UploadError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    cause.is_none_or(|cause: &io::Error| {
        matches!(
            cause.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory
        )
    })
}
