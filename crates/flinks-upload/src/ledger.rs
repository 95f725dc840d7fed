//! The ledger of an upload: the log that another process resumes it from.

mod entry;
mod file;
mod line;
mod state;

use std::future::Future;
use std::pin::Pin;

use flinks_transport::BoxError;

use crate::error::{UploadError, ledger_error};

pub use entry::{FileInfo, LedgerEntry, SessionInfo};
pub use file::FileLedger;
pub(crate) use file::checksum;
pub(crate) use state::{Completion, FileEntry, FileState, LedgerState};

/// Keeps the entries of one upload.
///
/// Called before and after each step that acts. An entry must be durable when the call returns:
/// the step that it announces follows at once. An error stops the session before that step, and
/// leaves open whether the entry is durable; so does a future that is dropped. The session may
/// then go on with other entries, or with the same one again.
pub trait Ledger: Send {
    /// Makes one entry durable.
    ///
    /// # Errors
    /// Anything that kept the entry from being durable.
    fn append<'a>(
        &'a mut self,
        entry: &'a LedgerEntry,
    ) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;
}

/// Keeps nothing: an upload that dies with its process starts over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoLedger;

impl Ledger for NoLedger {
    fn append<'a>(
        &'a mut self,
        _: &'a LedgerEntry,
    ) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>> {
        Box::pin(async { Ok(()) })
    }
}

/// The error of a ledger, which may be one of the application's own.
pub(crate) fn append_error(error: BoxError) -> UploadError {
    match error.downcast::<UploadError>() {
        Ok(error) => *error,
        Err(other) => ledger_error("the ledger could not be written").with_source(other),
    }
}
