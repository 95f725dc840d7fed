//! A session that did not end in a LoginId: why, and what was left behind.

use std::fmt;

use flinks_transport::Error;
use flinks_types::AggregationId;

/// A session that did not end in a LoginId.
///
/// It derefs to nothing and hides nothing: [`UploadError::error`] is the call's own error, with its
/// kind and delivery; the rest says which file it was about and which sessions were given up.
#[derive(Clone, Debug)]
pub struct UploadError {
    pub(crate) error: Error,
    pub(crate) ledger: Option<Error>,
    pub(crate) file: Option<String>,
    pub(crate) aggregation_id: Option<AggregationId>,
    pub(crate) abandoned: Vec<AggregationId>,
    pub(crate) abandoned_unnamed: u64,
}

impl UploadError {
    pub(crate) fn early(error: Error) -> Self {
        Self {
            error,
            ledger: None,
            file: None,
            aggregation_id: None,
            abandoned: Vec::new(),
            abandoned_unnamed: 0,
        }
    }

    /// The error of the call that failed.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The same error, where the ledger could not take its outcome down either.
    pub(crate) fn and_ledger(mut self, unwritten: Option<Self>) -> Self {
        self.ledger = unwritten.map(|unwritten| unwritten.error);
        self
    }

    /// Why the ledger could not record what came of the call, if it could not. Its next reader
    /// finds the step announced, and takes its outcome as unknown.
    #[must_use]
    pub fn ledger(&self) -> Option<&Error> {
        self.ledger.as_ref()
    }

    /// The name of the file that it was about.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The session that is still open at the service, and inert.
    #[must_use]
    pub fn aggregation_id(&self) -> Option<&AggregationId> {
        self.aggregation_id.as_ref()
    }

    /// The sessions that were given up on the way; they are inert, and Flinks may be told of them.
    #[must_use]
    pub fn abandoned(&self) -> &[AggregationId] {
        &self.abandoned
    }

    /// How many sessions may have been left behind without a known id.
    #[must_use]
    pub fn abandoned_unnamed(&self) -> u64 {
        self.abandoned_unnamed
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.escape_debug())?;
        }
        write!(f, "{}", self.error)?;
        if let Some(ledger) = &self.ledger {
            write!(f, "; this could not be recorded: {ledger}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UploadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
