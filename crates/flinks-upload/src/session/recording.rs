//! Writes the entries of a session to its ledger: at once, or held for the next one.

use flinks_transport::{Delivery, Error, ErrorKind};

use super::UploadSession;
use crate::error::UploadError;
use crate::ledger::{LedgerEntry, LedgerState, append_error};

impl UploadSession {
    /// Makes an entry durable, and those held before it, then applies it.
    pub(super) async fn append(&mut self, entry: LedgerEntry) -> Result<(), UploadError> {
        let next = self.after(&entry)?;
        // Only these announce a step: what is held guards the same one.
        let joins = matches!(
            entry,
            LedgerEntry::Sending { .. } | LedgerEntry::Completing { .. }
        );
        if !joins || self.unsure_of.is_some() {
            self.write_held().await?;
        }
        // `Added` contains the file that it adds.
        let added = if let LedgerEntry::Added { file, .. } = &entry {
            Some(*file)
        } else {
            None
        };
        let durable = async {
            if let Some(file) = self.unsure_of.filter(|file| added != Some(*file)) {
                self.restate_file(file).await?;
            }
            self.unsure_of = added;
            let entries: Vec<_> = self.held.iter().cloned().chain([entry]).collect();
            self.ledger.append(&entries).await.map_err(append_error)
        };
        match durable.await {
            Ok(()) => {
                self.unsure_of = None;
                self.held.clear();
                self.state = next;
                Ok(())
            }
            Err(error) => Err(self.unwritten(error)),
        }
    }

    /// Applies an entry now. It becomes durable with the next one, or by [`write_held`](Self::write_held).
    pub(super) fn hold(&mut self, entry: LedgerEntry) -> Result<(), UploadError> {
        self.state = self.after(&entry)?;
        self.held.push(entry);
        Ok(())
    }

    /// Makes the held entries durable.
    pub(super) async fn write_held(&mut self) -> Result<(), UploadError> {
        if self.held.is_empty() {
            return Ok(());
        }
        match self.ledger.append(&self.held).await {
            Ok(()) => {
                self.held.clear();
                Ok(())
            }
            Err(error) => Err(self.unwritten(append_error(error))),
        }
    }

    /// The state after an entry.
    fn after(&self, entry: &LedgerEntry) -> Result<LedgerState, UploadError> {
        let mut next = self.state.clone();
        next.apply(entry).map(|()| next).ok_or_else(|| {
            let message = "this step is not allowed: the session is completed, or one of its \
                           files is not confirmed";
            self.failed(Error::new(ErrorKind::Input, message), None)
        })
    }

    /// An error of the ledger; the service has a file whose confirmation is still held.
    fn unwritten(&self, error: UploadError) -> UploadError {
        let file = self.held_file();
        let error = self.failed(error, file);
        if file.is_none() {
            return error;
        }
        let error = error.with_delivery(Delivery::Delivered);
        error.with_operation("upload.file")
    }

    /// The file whose confirmation is held.
    pub(super) fn held_file(&self) -> Option<usize> {
        self.held.iter().find_map(|entry| {
            if let LedgerEntry::Confirmed { file, .. } = entry {
                Some(*file)
            } else {
                None
            }
        })
    }

    /// Makes the ledger hold this file, or not, as the session does.
    async fn restate_file(&mut self, file: usize) -> Result<(), UploadError> {
        let entry = match self.state.files.get(file) {
            Some(entry) => LedgerEntry::Added {
                file,
                now: (*entry.info).clone(),
            },
            None => LedgerEntry::Withdrawn { files: file },
        };
        self.ledger.append(&[entry]).await.map_err(append_error)?;
        self.unsure_of = None;
        Ok(())
    }
}
