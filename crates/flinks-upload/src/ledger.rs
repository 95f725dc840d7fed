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

/// Stores the entries of one upload, for example in a file ([`FileLedger`]) or a database.
///
/// It is called before and after each step that changes something at the service, and an entry must be
/// durable when the call returns. After an error the step is not taken. After an error or a dropped
/// future the entry may or may not be durable; the session then continues with the same or another
/// entry.
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

/// Stores nothing: the upload cannot be resumed.
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

/// Wraps an error of a ledger that is not the library's own.
pub(crate) fn append_error(error: BoxError) -> UploadError {
    match error.downcast::<UploadError>() {
        Ok(error) => *error,
        Err(other) => ledger_error("the ledger could not be written").with_source(other),
    }
}
