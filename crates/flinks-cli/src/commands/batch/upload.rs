//! The upload of one borrower of a batch: a new session, or the rest of one that was stopped.

use std::path::PathBuf;

use flinks_upload::{
    AggregationId, Completed, Document, FileLedger, OnUnknown, UploadClient, UploadError,
};

use crate::commands::batch::manifest::Borrower;
use crate::commands::batch::progress::FileName;
use crate::commands::batch::state::has_entries;
use crate::context::variable;
use crate::output::error::CliError;

/// The upload of one borrower.
pub(crate) struct Upload {
    pub(crate) client: UploadClient,
    pub(crate) on_unknown: OnUnknown,
    pub(crate) borrower: Borrower,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) ledger: PathBuf,
    /// The ledger has a session to continue.
    pub(crate) resume: bool,
    /// The ledger outlives the process.
    pub(crate) keeps_ledger: bool,
    pub(crate) progress: FileName,
}

/// Why a borrower is not completed.
pub(crate) struct Failed {
    pub(crate) aggregation_id: Option<AggregationId>,
    pub(crate) error: CliError,
}

impl Upload {
    /// Sends what is not confirmed and completes the session. Documents are opened only now, so that a
    /// large batch does not hold them all.
    ///
    /// # Errors
    /// As [`UploadSession::upload`](flinks_upload::UploadSession::upload).
    pub(crate) async fn run(self) -> Result<Completed, Failed> {
        let (ledger, keeps_ledger) = (self.ledger.clone(), self.keeps_ledger);
        Box::pin(self.session()).await.map_err(|error| {
            let aggregation_id = error.aggregation_id().cloned();
            let mut error = CliError::from(error);
            if keeps_ledger {
                error.ledger = Some(ledger).filter(|it| has_entries(it)).map(Into::into);
                error.save_unread_answer(variable);
            }
            Failed {
                aggregation_id,
                error,
            }
        })
    }

    async fn session(self) -> Result<Completed, UploadError> {
        let progress = self.progress;
        let on_progress = move |sent: flinks_upload::Progress<'_>| progress.set(sent.file_name);
        if self.resume {
            let (ledger, entries) = FileLedger::open(&self.ledger)?;
            let session = self.client.resume(ledger, &entries)?;
            let session = session.on_unknown(self.on_unknown).on_progress(on_progress);
            return session.complete().await;
        }
        let documents = self.files.iter().map(Document::open);
        let documents = documents.collect::<Result<Vec<_>, _>>()?;
        let ledger = FileLedger::create(&self.ledger)?;
        let session = self.client.session().ledger(ledger);
        let mut session = session.on_unknown(self.on_unknown).on_progress(on_progress);
        if let Some(tag) = self.borrower.tag {
            session = session.tag(tag);
        }
        if let Some(name) = self.borrower.client_name {
            session = session.client_name(name);
        }
        session.upload(documents).await
    }
}
