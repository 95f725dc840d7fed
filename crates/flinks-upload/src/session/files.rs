//! Adds files to a session and its ledger, and takes the unsent ones out again.

use super::UploadSession;
use crate::document::Document;
use crate::error::UploadError;
use crate::ledger::{FileInfo, FileState, LedgerEntry, SessionInfo};

impl UploadSession {
    /// Checks documents and puts them into the session; nothing is sent or recorded.
    pub(super) fn stage(&mut self, documents: Vec<Document>) -> Result<(), UploadError> {
        let limits = self.client.limits();
        for document in &documents {
            document.check(limits)?;
        }
        let held = self.state.files.iter().map(|file| file.info.len);
        let new = self.staged.iter().chain(&documents).map(Document::len);
        // A sum that overflows is over any limit.
        let total = held.chain(new).fold(0u64, u64::saturating_add);
        limits.check_session(total)?;
        self.staged.extend(documents);
        Ok(())
    }

    /// Records what was staged. A document stays staged until its entry is held or durable, so that a
    /// dropped future does not lose it.
    pub(super) async fn write_staged(&mut self) -> Result<(), UploadError> {
        if !self.started && !self.staged.is_empty() {
            let owner = self.client.ledger_owner();
            let session = SessionInfo {
                host: owner.host,
                paths: owner.paths,
                client: owner.client,
                tag: self.tag.clone(),
                client_name: self.client_name.clone(),
                files: self.staged.iter().map(file_info).collect(),
            };
            self.hold(LedgerEntry::Session(session))?;
            self.started = true;
            for (file, document) in self.state.files.iter_mut().zip(self.staged.drain(..)) {
                file.document = Some(document);
            }
        }
        while let Some(document) = self.staged.first() {
            let (file, now) = (self.state.files.len(), file_info(document));
            self.append(LedgerEntry::Added { file, now }).await?;
            if let Some(file) = self.state.files.get_mut(file) {
                file.document = Some(self.staged.remove(0));
            }
        }
        Ok(())
    }

    /// Takes the document that was added last out of the session: nothing of it was sent.
    pub(super) async fn withdraw_last(&mut self) {
        if self.staged.pop().is_some() {
            return;
        }
        let Some(last) = self.state.files.len().checked_sub(1) else {
            return;
        };
        if let Some(LedgerEntry::Session(session)) = self.held.first_mut() {
            session.files.truncate(last);
            self.state.files.truncate(last);
            if last == 0 {
                self.held.clear();
                self.started = false;
            }
            return;
        }
        let unsent = self.state.files.get(last);
        if unsent.is_some_and(|file| file.state == FileState::Pending && !file.may_have_arrived) {
            self.unsure_of = Some(last);
            // The error that led here is the one to report; the entry is made up for later.
            let withdrawn = LedgerEntry::Withdrawn { files: last };
            let written = self.ledger.append(&[withdrawn]).await;
            // Only now: a caller that drops the future earlier does not learn that it was
            // withdrawn.
            self.state.files.truncate(last);
            if written.is_ok() {
                self.unsure_of = None;
            }
        }
    }
}

pub(super) fn file_info(document: &Document) -> FileInfo {
    FileInfo {
        file_name: document.name().to_owned(),
        path: document.path().map(ToOwned::to_owned),
        len: document.len(),
        modified: document.modified(),
    }
}
