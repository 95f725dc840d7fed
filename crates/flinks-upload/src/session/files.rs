//! Which files a session holds, and that its ledger holds the same ones whatever interrupts it.

use super::UploadSession;
use crate::document::Document;
use crate::error::UploadError;
use crate::ledger::{FileInfo, FileState, LedgerEntry, SessionInfo, append_error};

impl UploadSession {
    /// Checks documents and puts them into the session; nothing is sent or recorded.
    pub(super) fn stage(&mut self, documents: Vec<Document>) -> Result<(), UploadError> {
        let limits = self.client.limits();
        for document in &documents {
            document.check(limits)?;
        }
        let held = self.state.files.iter().map(|file| file.facts.len);
        let new = self.incoming.iter().chain(&documents).map(Document::len);
        // A sum that overflows is over any limit.
        let total = held.chain(new).fold(0u64, u64::saturating_add);
        limits.check_session(total)?;
        self.incoming.extend(documents);
        Ok(())
    }

    /// Records what was staged. A document stays staged until its entry is durable, so that a
    /// dropped future does not lose it.
    pub(super) async fn take_in(&mut self) -> Result<(), UploadError> {
        if !self.begun && !self.incoming.is_empty() {
            let owner = self.client.ledger_owner();
            let session = SessionInfo {
                host: owner.host,
                paths: owner.paths,
                client: owner.client,
                tag: self.tag.clone(),
                client_name: self.client_name.clone(),
                files: self.incoming.iter().map(facts).collect(),
            };
            self.append(LedgerEntry::Session(session)).await?;
            self.begun = true;
            self.documents.extend(self.incoming.drain(..).map(Some));
        }
        while let Some(document) = self.incoming.first() {
            let (file, now) = (self.state.files.len(), facts(document));
            self.append(LedgerEntry::Added { file, now }).await?;
            self.documents.push(Some(self.incoming.remove(0)));
        }
        Ok(())
    }

    /// Takes the document that was added last out of the session: nothing of it was sent.
    pub(super) async fn withdraw_last(&mut self) {
        if self.incoming.pop().is_some() {
            return;
        }
        let Some(last) = self.state.files.len().checked_sub(1) else {
            return;
        };
        let unsent = self.state.files.get(last);
        if unsent.is_some_and(|file| file.state == FileState::Pending && !file.perhaps) {
            self.in_doubt = Some(last);
            // The error that led here is the one to report; the entry is made up for later.
            let withdrawn = LedgerEntry::Withdrawn { files: last };
            let written = self.ledger.append(&withdrawn).await;
            // Only now: whoever drops the future before is not told that the document is out.
            self.state.files.truncate(last);
            self.documents.truncate(last);
            if written.is_ok() {
                self.in_doubt = None;
            }
        }
    }

    /// Makes the ledger hold this file, or not, as the session does.
    pub(super) async fn state_file(&mut self, file: usize) -> Result<(), UploadError> {
        let entry = match self.state.files.get(file) {
            Some(entry) => LedgerEntry::Added {
                file,
                now: (*entry.facts).clone(),
            },
            None => LedgerEntry::Withdrawn { files: file },
        };
        self.ledger.append(&entry).await.map_err(append_error)?;
        self.in_doubt = None;
        Ok(())
    }
}

pub(super) fn facts(document: &Document) -> FileInfo {
    FileInfo {
        file_name: document.name().to_owned(),
        path: document.path().map(ToOwned::to_owned),
        len: document.len(),
        modified: document.modified(),
    }
}
