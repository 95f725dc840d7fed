//! Goes on where the upload behind a ledger stopped.

use flinks_transport::Error;

use super::{UploadSession, facts, journal_error};
use crate::client::UploadClient;
use crate::document::Document;
use crate::error::UploadError;
use crate::journal::Journal;
use crate::ledger::{Completion, FileState, Record};

impl UploadSession {
    pub(crate) fn resume(
        client: UploadClient,
        journal: Box<dyn Journal>,
        records: &[Record],
    ) -> Result<Self, Error> {
        let Some(Record::Session(session)) = records.first() else {
            return Err(journal_error("the ledger does not begin with a session"));
        };
        let (host, paths, owner) = client.identity();
        if (&session.host, &session.paths) != (&host, &paths) {
            let there = format!("{} ({})", session.host, session.paths);
            return Err(journal_error(format!(
                "the ledger belongs to {there}, not to {host} ({paths})"
            )));
        }
        if session.client != owner {
            return Err(journal_error("the ledger belongs to another client id"));
        }
        let mut this = Self {
            journal,
            begun: true,
            ..Self::new(client)
        };
        this.tag.clone_from(&session.tag);
        this.client_name.clone_from(&session.client_name);
        this.files.clone_from(&session.files);
        for record in records {
            let fits = this.ledger.apply(record);
            fits.ok_or_else(|| journal_error("the ledger's records contradict each other"))?;
            if let Record::Added(file) = record {
                this.files.push(file.clone());
            } else if let Record::Changed { file, now } = record
                && let Some(known) = this.files.get_mut(*file)
            {
                known.clone_from(now);
            }
        }
        this.ledger.settle_after_crash();
        if this.ledger.completion == Completion::Open {
            this.reopen()?;
        }
        Ok(this)
    }

    /// Opens the documents of a ledger again, and notes which of them are not what they were.
    fn reopen(&mut self) -> Result<(), Error> {
        for (index, known) in self.files.iter().enumerate() {
            let path = known.path.as_ref().ok_or_else(|| {
                let name = known.file_name.escape_debug();
                journal_error(format!("{name} did not come from a file: upload it anew"))
            })?;
            let document = Document::open(path)?;
            document.check(self.client.check())?;
            let now = facts(&document);
            if now != *known {
                self.changed.push((index, now));
            }
            self.documents.push(document);
        }
        self.client
            .check()
            .check_session(self.documents.iter().map(Document::bytes).sum())
    }

    /// Starts over when a file is another one than the session holds.
    pub(super) async fn take_over_changes(&mut self) -> Result<(), UploadError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        for (file, now) in std::mem::take(&mut self.changed) {
            self.record(Record::Changed {
                file,
                now: now.clone(),
            })
            .await?;
            if let Some(known) = self.files.get_mut(file) {
                *known = now;
            }
        }
        if self
            .ledger
            .files
            .iter()
            .any(|state| *state != FileState::Pending)
        {
            self.abandon(None).await?;
        }
        Ok(())
    }
}
