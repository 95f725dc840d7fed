//! Why an upload failed, whether the service may have acted, and which sessions were left behind.

use std::fmt;

use flinks_transport::{BoxError, Delivery, Error, ErrorKind};
use flinks_types::AggregationId;

/// What failed: a document, the ledger, or a call.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum UploadErrorKind {
    /// A document was refused before it was sent, could not be read, or changed while it was read.
    /// *What to do:* send another file; the message says what is wrong with this one.
    File,
    /// The ledger could not be read or written, is damaged, or belongs to another host or client.
    /// A step whose entry could not be written is not taken.
    Ledger,
    /// A call to the service failed or could not be made.
    Call(ErrorKind),
}

impl UploadErrorKind {
    /// The kind in `snake_case`, as the program's JSON output and the fixtures name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Ledger => "ledger",
            Self::Call(kind) => kind.as_str(),
        }
    }
}

/// A document that was refused, a ledger that cannot be used, or an upload that did not end in a
/// LoginId.
///
/// [`kind`](Self::kind) says who can fix it, [`delivery`](Self::delivery) whether the service may
/// have acted. [`error`](Self::error) has the details of the call. `Debug`, which is what `?` in `main`
/// prints, is [`report`](Self::report); `{:#?}` prints the fields.
#[derive(Clone)]
pub struct UploadError {
    pub(crate) kind: UploadErrorKind,
    pub(crate) error: Error,
    pub(crate) ledger: Option<Error>,
    pub(crate) file: Option<String>,
    pub(crate) aggregation_id: Option<AggregationId>,
    pub(crate) abandoned: Vec<AggregationId>,
    pub(crate) abandoned_unknown: u64,
}

impl UploadError {
    /// An error found before anything was sent; for implementations of [`Ledger`](crate::Ledger),
    /// and for tests.
    ///
    /// `message` is shown to people and written to logs: it must not contain a secret or account
    /// data.
    #[must_use]
    pub fn new(kind: UploadErrorKind, message: impl Into<String>) -> Self {
        let call = match kind {
            UploadErrorKind::File | UploadErrorKind::Ledger => ErrorKind::Local,
            UploadErrorKind::Call(kind) => kind,
        };
        Self {
            kind,
            ..Self::from(Error::new(call, message.into()))
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.error = self.error.with_source(source);
        self
    }

    /// Sets whether the service may have acted.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.error = self.error.with_delivery(delivery);
        self
    }

    pub(crate) fn with_operation(mut self, operation: &'static str) -> Self {
        self.error = self.error.with_operation(operation);
        self
    }

    /// What failed.
    #[must_use]
    pub fn kind(&self) -> UploadErrorKind {
        self.kind
    }

    /// Whether the service may have acted on the step that failed.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.error.delivery()
    }

    /// The error of the call that failed, or the one that kept it from being made.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Returns the message with all causes on one line.
    #[must_use]
    pub fn report(&self) -> impl fmt::Display + '_ {
        Report(self)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, call: &dyn fmt::Display) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.escape_debug())?;
        }
        write!(f, "{call}")?;
        if let Some(ledger) = &self.ledger {
            write!(f, "; the ledger could not be updated: {}", ledger.report())?;
        }
        Ok(())
    }

    /// Why the outcome of the call could not be written to the ledger, if it could not. A resumed
    /// upload then finds the step announced, and takes its outcome as unknown.
    #[must_use]
    pub fn ledger(&self) -> Option<&Error> {
        self.ledger.as_ref()
    }

    /// Returns the name of the file that failed.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Returns the id of the session that was not completed, if it is known.
    #[must_use]
    pub fn aggregation_id(&self) -> Option<&AggregationId> {
        self.aggregation_id.as_ref()
    }

    /// Returns the sessions that were abandoned on the way; they have no effect.
    #[must_use]
    pub fn abandoned(&self) -> &[AggregationId] {
        &self.abandoned
    }

    /// How many abandoned sessions have no known id, at most.
    #[must_use]
    pub fn abandoned_unknown(&self) -> u64 {
        self.abandoned_unknown
    }
}

/// In the calls of an upload, only the document's own bytes come from this machine: an error of
/// kind [`ErrorKind::Local`] is one of the document.
impl From<Error> for UploadError {
    fn from(error: Error) -> Self {
        let kind = if error.kind() == ErrorKind::Local {
            UploadErrorKind::File
        } else {
            UploadErrorKind::Call(error.kind())
        };
        Self {
            kind,
            error,
            ledger: None,
            file: None,
            aggregation_id: None,
            abandoned: Vec::new(),
            abandoned_unknown: 0,
        }
    }
}

impl From<UploadError> for Error {
    fn from(error: UploadError) -> Self {
        error.error
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &self.error)
    }
}

impl fmt::Debug for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(&self.report(), f);
        }
        f.debug_struct("UploadError")
            .field("kind", &self.kind)
            .field("error", &self.error)
            .field("ledger", &self.ledger)
            .field("file", &self.file)
            .field("aggregation_id", &self.aggregation_id)
            .field("abandoned", &self.abandoned)
            .field("abandoned_unknown", &self.abandoned_unknown)
            .finish()
    }
}

impl std::error::Error for UploadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

struct Report<'e>(&'e UploadError);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, &self.0.error.report())
    }
}

pub(crate) fn file_error(message: impl Into<String>) -> UploadError {
    UploadError::new(UploadErrorKind::File, message)
}

pub(crate) fn ledger_error(message: impl Into<String>) -> UploadError {
    UploadError::new(UploadErrorKind::Ledger, message)
}
