//! An analysis as it was read, and how far it is.

use flinks_types::{DocumentAnalysis, DocumentStatus, FlinksCode, FraudAnalysis};

use crate::verdict::{Reason, Verdict};

/// The fraud analysis of a LoginId, as one poll read it.
///
/// `Debug` shows shape and lengths, never what a document says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Analysis {
    raw: FraudAnalysis,
    /// Why the answer itself is not the last one.
    unfinished: Option<Reason>,
    /// Why the answer is not clean even if no document speaks against it.
    pub(crate) doubt: Option<Reason>,
    files: Option<usize>,
}

impl Analysis {
    pub(crate) fn new(
        raw: FraudAnalysis,
        unfinished: Option<Reason>,
        doubt: Option<Reason>,
    ) -> Self {
        Self {
            raw,
            unfinished,
            doubt,
            files: None,
        }
    }

    /// The same analysis, of a known number of uploaded files.
    pub(crate) fn of_files(mut self, files: Option<usize>) -> Self {
        self.files = files;
        self
    }

    /// The documents in the service's order: nothing links them to the uploaded files.
    #[must_use]
    pub fn documents(&self) -> &[DocumentAnalysis] {
        &self.raw.documents
    }

    /// The whole answer.
    #[must_use]
    pub fn raw(&self) -> &FraudAnalysis {
        &self.raw
    }

    /// Whether asking again may bring more: the service says that it is at work, its answer has a
    /// status other than 200, or there is no document, or one whose status is neither completed nor
    /// a known failure.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.unfinished(None).is_some()
    }

    /// Whether every document is finished, for better or worse, and none of `files` is missing.
    ///
    /// `None` is the number that [`Wait::files`](crate::Wait::files) was told, if it was.
    #[must_use]
    pub fn is_final(&self, files: Option<usize>) -> bool {
        self.unfinished(files.or(self.files)).is_none()
    }

    /// What the analysis says, by the number of files that the wait was told, if it was.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict_for(None)
    }

    /// What the analysis says when so many files were uploaded.
    ///
    /// `None` is the number that [`Wait::files`](crate::Wait::files) was told, if it was. A file
    /// may be several documents, so more documents than files is no reason for doubt.
    #[must_use]
    pub fn verdict_for(&self, files: Option<usize>) -> Verdict {
        Verdict::of(self, files.or(self.files))
    }

    /// Why waiting longer may change the verdict.
    pub(crate) fn unfinished(&self, files: Option<usize>) -> Option<Reason> {
        let documents = self.documents().len();
        if documents == 0 {
            return Some(Reason::NoDocuments);
        }
        let is_terminal = |document: &DocumentAnalysis| {
            document
                .status
                .as_ref()
                .is_some_and(DocumentStatus::is_terminal)
        };
        if let Some(document) = self.documents().iter().position(|d| !is_terminal(d)) {
            return Some(Reason::Pending { document });
        }
        if self.unfinished.is_some() {
            return self.unfinished.clone();
        }
        files
            .filter(|files| documents < *files)
            .map(|files| Reason::FewerDocuments { documents, files })
    }

    /// Whether the answer carries a code of which nobody knows whether it takes something back.
    pub(crate) fn has_unknown_code(&self) -> bool {
        matches!(self.raw.flinks_code, Some(FlinksCode::Other(_)))
    }
}
