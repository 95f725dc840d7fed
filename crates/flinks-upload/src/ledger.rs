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
/// It is called before and after each step that changes something at the service. Entries that guard the
/// same step come in one call, for one sync of a file or one transaction of a database.
pub trait Ledger: Send {
    /// Makes these entries durable, in this order, before it returns.
    ///
    /// The step that they guard follows at once, and is not taken after an error. After an error or a
    /// dropped future, none, the first few or all of the entries may be durable; the session then
    /// appends the same entries again, or others. An entry must not become durable without those before it.
    ///
    /// # Errors
    /// Anything that kept an entry from being durable.
    fn append<'a>(
        &'a mut self,
        entries: &'a [LedgerEntry],
    ) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;
}

/// Stores nothing: the upload cannot be resumed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoLedger;

impl Ledger for NoLedger {
    fn append<'a>(
        &'a mut self,
        _: &'a [LedgerEntry],
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
