//! An upload session: sends each of its files exactly once, then completes.

mod files;
mod progress;
mod recording;
mod resume;
mod sending;

use std::fmt;
use std::sync::Arc;

use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_types::{AggregationId, CompleteResponse, LoginId};
use serde::Serialize;

use crate::client::UploadClient;
use crate::document::Document;
use crate::error::{UploadError, ledger_error};
use crate::ledger::{Completion, FileInfo, Ledger, LedgerEntry, LedgerState, NoLedger};
use crate::session::progress::Reporter;

pub use progress::{Phase, Progress};

/// What to do when it is unknown whether a file arrived.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum OnUnknown {
    /// Abandon the session, which has no effect because it was never completed, and send all files in
    /// a new one, at most twice. The completed session then holds each file exactly once.
    #[default]
    Restart,
    /// Return the error; the upload can be resumed with [`UploadClient::resume`].
    Stop,
    /// Send the file again into the same session: it may then be in it twice.
    Resend,
}

/// A completed session.
///
/// It serializes as the program's JSON output names its fields.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Completed {
    /// The session.
    pub aggregation_id: AggregationId,
    /// The id that the fraud analysis, the accounts and the transactions are read with.
    pub login_id: LoginId,
    /// The files that the session holds, in the order in which they were given.
    pub files: Vec<FileInfo>,
    /// Sessions that were abandoned on the way. They have no effect; report them to Flinks if you like.
    pub abandoned: Vec<AggregationId>,
    /// How many abandoned sessions have no known id, at most.
    #[serde(rename = "abandoned_unnamed")]
    pub abandoned_unknown: u64,
}

impl Completed {
    /// A completed session without files, for tests.
    #[must_use]
    pub fn new(aggregation_id: AggregationId, login_id: LoginId) -> Self {
        Self {
            aggregation_id,
            login_id,
            files: Vec::new(),
            abandoned: Vec::new(),
            abandoned_unknown: 0,
        }
    }
}

/// One upload: documents that belong together and are completed into a LoginId.
///
/// ```no_run
/// # async fn run(uploads: flinks_upload::UploadClient) -> Result<(), Box<dyn std::error::Error>> {
/// use flinks_upload::{Document, FileLedger, OnUnknown};
///
/// let done = uploads
///     .session()
///     .tag("loan-4711")
///     .on_unknown(OnUnknown::Restart)
///     .ledger(FileLedger::create("upload.ledger")?)
///     .upload([Document::open("january.pdf")?])
///     .await?;
///
/// // After a crash, another process continues from the ledger:
/// let (ledger, entries) = FileLedger::open("upload.ledger")?;
/// let done = uploads.resume(ledger, &entries)?.complete().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a session sends nothing until a document is added or it is completed"]
pub struct UploadSession {
    client: UploadClient,
    tag: Option<String>,
    client_name: Option<String>,
    on_unknown: OnUnknown,
    concurrency: usize,
    force_complete: bool,
    reporter: Option<Arc<Reporter>>,
    ledger: Box<dyn Ledger>,
    started: bool,
    /// Documents that were added, but are not known to be in the ledger yet.
    staged: Vec<Document>,
    state: LedgerState,
    /// Entries of the state that become durable with the next one, or before the session waits or returns.
    held: Vec<LedgerEntry>,
    /// Whether the ledger has the file with this number is not known, because an `Added` or
    /// `Withdrawn` entry was interrupted: it is stated again before anything else.
    unsure_of: Option<usize>,
    /// Ids that answers named, but that did not become the session's.
    strays: Vec<AggregationId>,
    restarts: u32,
}

impl UploadSession {
    pub(crate) fn new(client: UploadClient) -> Self {
        Self {
            client,
            tag: None,
            client_name: None,
            on_unknown: OnUnknown::default(),
            concurrency: 1,
            force_complete: false,
            reporter: None,
            ledger: Box::new(NoLedger),
            started: false,
            staged: Vec::new(),
            state: LedgerState::default(),
            held: Vec::new(),
            unsure_of: None,
            strays: Vec::new(),
            restarts: 0,
        }
    }

    /// Sets a label for the session, sent with each file.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Sets the name of the end client, sent with each file.
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = Some(name.into());
        self
    }

    /// Sets what to do when it is unknown whether a file arrived.
    pub fn on_unknown(mut self, policy: OnUnknown) -> Self {
        self.on_unknown = policy;
        self
    }

    /// Sets how many files are sent at once after the first; 1 by default, because the guide documents
    /// only sequential uploads.
    pub fn concurrency(mut self, files: usize) -> Self {
        self.concurrency = files.max(1);
        self
    }

    /// Keeps a ledger, from which another process can resume the upload.
    pub fn ledger(mut self, ledger: impl Ledger + 'static) -> Self {
        self.ledger = Box::new(ledger);
        self
    }

    /// Calls `on_progress` for each piece of a file that is taken for sending, and for each change of
    /// its [`Phase`]; it must not block.
    pub fn on_progress(
        mut self,
        on_progress: impl Fn(Progress<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.reporter = Some(Arc::new(Reporter::new(Box::new(on_progress))));
        self
    }

    /// Sends *complete* again even if the service may have acted on an earlier one. What a second one
    /// does is not documented, so a person should decide.
    pub fn force_complete(mut self, again: bool) -> Self {
        self.force_complete = again;
        self
    }

    /// Returns the session's id, once the service has assigned one.
    #[must_use]
    pub fn aggregation_id(&self) -> Option<&AggregationId> {
        self.state.aggregation_id.as_ref()
    }

    /// Sends these documents and completes the session. All of them are checked first: when one
    /// is refused, nothing has been sent.
    ///
    /// # Errors
    /// [`UploadError`], as [`add`](Self::add) and [`complete`](Self::complete).
    pub async fn upload(
        mut self,
        documents: impl IntoIterator<Item = Document> + Send,
    ) -> Result<Completed, UploadError> {
        self.stage(documents.into_iter().collect())?;
        self.send_all().await?;
        self.send_complete().await
    }

    /// Sends one more document. On success its confirmation is durable in the ledger.
    ///
    /// If the future is dropped, the document stays in the session: the next call sends it, or treats
    /// its outcome as unknown. If the error says that the document was not sent or was refused, it is
    /// not part of the session and may be added again.
    ///
    /// # Errors
    /// [`UploadErrorKind::File`](crate::UploadErrorKind::File): it was refused before anything was sent, or changed while it was read.
    /// [`UploadErrorKind::Ledger`](crate::UploadErrorKind::Ledger): the ledger could not be written; the step it guards was not sent.
    /// Delivery `Unknown`: it is unknown whether the file arrived, and [`OnUnknown`] does not allow to
    /// continue. Otherwise as for any call.
    pub async fn add(&mut self, document: Document) -> Result<&AggregationId, UploadError> {
        self.stage(vec![document])?;
        if let Err(error) = self.send_all().await {
            if !error.delivery().may_have_acted() {
                self.withdraw_last().await;
            }
            return Err(error);
        }
        // The caller may act on the success.
        self.write_held().await?;
        let missing = || Error::new(ErrorKind::Input, "the session has no id yet");
        self.state
            .aggregation_id
            .as_ref()
            .ok_or_else(|| missing().into())
    }

    /// Sends what is still to be sent, and completes the session: processing starts.
    ///
    /// # Errors
    /// As [`add`](Self::add). Delivery `Unknown` or `Delivered` with the operation
    /// `upload.complete`: the session may be completed; *complete* is not repeated.
    pub async fn complete(mut self) -> Result<Completed, UploadError> {
        self.send_all().await?;
        self.send_complete().await
    }

    async fn send_complete(mut self) -> Result<Completed, UploadError> {
        match &self.state.completion {
            Completion::Done(login_id) => {
                let login_id = login_id.clone();
                return self.completed(login_id);
            }
            Completion::Unknown if !self.force_complete => {
                let message = "it is unknown whether the session was completed; a person must \
                               decide whether to complete it again";
                let error = Error::new(ErrorKind::Connection, message)
                    .with_delivery(Delivery::Unknown)
                    .with_operation("upload.complete");
                return Err(self.failed(error, None));
            }
            Completion::Open | Completion::Sending | Completion::Unknown => {}
        }
        let Some(aggregation_id) = self.state.aggregation_id.clone() else {
            let error = Error::new(ErrorKind::Input, "nothing to upload: add at least one file");
            return Err(self.failed(error, None));
        };
        // The outcome of this request does not reveal that of an earlier one.
        let earlier = (self.state.completion == Completion::Unknown).then_some(Delivery::Unknown);
        let at_least = |error: UploadError| match earlier {
            Some(earlier) if !error.delivery().may_have_acted() => error.with_delivery(earlier),
            _ => error,
        };
        let completing = LedgerEntry::Completing {
            aggregation_id: aggregation_id.clone(),
        };
        self.report(self.state.files.len().saturating_sub(1), Phase::Completing);
        self.append(completing).await.map_err(at_least)?;
        let answer = self.client.complete(aggregation_id.clone()).await;
        let login_id = match answer.and_then(login_id_of) {
            Ok(login_id) => login_id,
            Err(error) => {
                let entry = if error.delivery().may_have_acted() {
                    LedgerEntry::CompletionUnknown
                } else {
                    LedgerEntry::NotCompleted
                };
                let unwritten = self.append(entry).await.err();
                let mut failed = self.failed(at_least(error.into()), None);
                failed.ledger = unwritten.map(Error::from);
                return Err(failed);
            }
        };
        let done = LedgerEntry::Completed {
            aggregation_id,
            login_id: login_id.clone(),
        };
        if let Err(error) = self.append(done).await {
            // Return the LoginId rather than the error: it is not available later.
            tracing::warn!(
                name: "flinks.ledger_incomplete",
                { error.type = error.kind().as_str(), exception.message = %error },
                "the ledger does not say that the session is complete"
            );
        }
        self.completed(login_id)
    }

    fn completed(self, login_id: LoginId) -> Result<Completed, UploadError> {
        let Some(aggregation_id) = self.state.aggregation_id.clone() else {
            let error = ledger_error("the ledger is complete but names no session");
            return Err(self.failed(error, None));
        };
        let files = self.state.files.iter();
        Ok(Completed {
            aggregation_id,
            login_id,
            files: files.map(|file| (*file.info).clone()).collect(),
            abandoned: self.state.abandoned,
            abandoned_unknown: self.state.abandoned_unknown,
        })
    }

    fn failed(&self, error: impl Into<UploadError>, file: Option<usize>) -> UploadError {
        let file = file.and_then(|file| self.state.files.get(file));
        let open = self.state.abandoned.iter();
        let strays = self
            .strays
            .iter()
            .filter(|id| !self.state.abandoned.contains(id));
        UploadError {
            file: file.map(|file| file.info.file_name.clone()),
            aggregation_id: self.state.aggregation_id.clone(),
            abandoned: open.chain(strays).cloned().collect(),
            abandoned_unknown: self.state.abandoned_unknown,
            ..error.into()
        }
    }
}

impl fmt::Debug for UploadSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadSession")
            .field("files", &self.state.files.len())
            .field("on_unknown", &self.on_unknown)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

fn login_id_of(answer: CompleteResponse) -> Result<LoginId, Error> {
    answer.login_id.ok_or_else(|| {
        Error::new(ErrorKind::Decode, "Login.Id is missing")
            .with_delivery(Delivery::Delivered)
            .with_operation("upload.complete")
    })
}
