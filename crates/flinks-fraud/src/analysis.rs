//! An analysis as one answer gives it: its documents, and whether it is final.

use flinks_transport::DecodeError;
use flinks_types::{DocumentAnalysis, DocumentStatus, FlinksCode, FraudAnalysis};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::operation::decode;
use crate::verdict::{Reason, Verdict};

/// The fraud analysis of a LoginId, as one answer gives it.
///
/// It serializes as `pending`, `verdict`, the `reason` of an undetermined verdict, and the
/// service's own `answer`. `Debug` shows shape and lengths, never what a document says.
///
/// Code that acts on a verdict can be tested without HTTP:
///
/// ```
/// use flinks_fraud::{Analysis, Verdict};
///
/// fn needs_review(analysis: &Analysis) -> bool {
///     match analysis.verdict() {
///         Verdict::Clean => false,
///         Verdict::Flagged(_) | Verdict::Undetermined(_) | _ => true,
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let flagged = Analysis::from_json(
///     br#"{ "HttpStatusCode": 200, "DocumentAnalysis": [ { "Status": "COMPLETED", "FullAnalysis": [
///         { "DocumentType": "BANK_STATEMENT", "FraudSignals": [ { "Type": "DATE_EDITS" } ] } ] } ] }"#,
/// )?;
/// assert!(needs_review(&flagged));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Analysis {
    raw: FraudAnalysis,
    /// Why a later answer may say more.
    unfinished: Option<Reason>,
    /// Why the answer is not clean even if none of its documents has a signal.
    pub(crate) unclear: Option<Reason>,
    expected_documents: Option<usize>,
}

impl Analysis {
    pub(crate) fn new(
        raw: FraudAnalysis,
        unfinished: Option<Reason>,
        unclear: Option<Reason>,
    ) -> Self {
        Self {
            raw,
            unfinished,
            unclear,
            expected_documents: None,
        }
    }

    /// Reads the body of an answer with status 200, for tests and for answers that were stored.
    ///
    /// # Errors
    /// [`DecodeError`]: the body is not an analysis, or says that the call failed.
    pub fn from_json(body: &[u8]) -> Result<Self, DecodeError> {
        decode(200, body, None)
    }

    /// Sets how many files were uploaded: with fewer documents the analysis is not final, and its
    /// verdict not clean. More documents are accepted, because one file may yield several.
    #[must_use]
    pub fn with_expected_documents(mut self, files: impl Into<Option<usize>>) -> Self {
        self.expected_documents = files.into();
        self
    }

    /// The documents in the service's order; nothing links them to the uploaded files.
    #[must_use]
    pub fn documents(&self) -> &[DocumentAnalysis] {
        &self.raw.documents
    }

    /// The whole answer of the service.
    #[must_use]
    pub fn raw(&self) -> &FraudAnalysis {
        &self.raw
    }

    /// Whether a later answer may say more: the service is still processing, its answer has a status
    /// other than 200, it has no documents, or one of them is neither completed nor failed.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.incomplete().is_some()
    }

    /// Whether every document is completed or failed, and none of the expected ones is missing.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.unfinished().is_none()
    }

    /// Returns what the analysis says about fraud.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self)
    }

    /// Why waiting longer may change the verdict.
    pub(crate) fn unfinished(&self) -> Option<Reason> {
        let documents = self.documents().len();
        self.incomplete().or_else(|| {
            let files = self.expected_documents?;
            (documents < files).then_some(Reason::FewerDocuments { documents, files })
        })
    }

    fn incomplete(&self) -> Option<Reason> {
        if self.documents().is_empty() {
            return Some(Reason::NoDocuments);
        }
        let is_terminal = |document: &DocumentAnalysis| {
            let status = document.status.as_ref();
            status.is_some_and(DocumentStatus::is_terminal)
        };
        let pending = self.documents().iter().position(|d| !is_terminal(d));
        pending
            .map(|document| Reason::Pending { document })
            .or_else(|| self.unfinished.clone())
    }

    /// Whether the answer carries a code of unknown meaning.
    pub(crate) fn has_unknown_code(&self) -> bool {
        matches!(self.raw.flinks_code, Some(FlinksCode::Other(_)))
    }
}

impl Serialize for Analysis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let verdict = self.verdict();
        let mut object = serializer.serialize_struct("Analysis", 4)?;
        object.serialize_field("pending", &self.is_pending())?;
        object.serialize_field("verdict", verdict.as_str())?;
        match &verdict {
            Verdict::Undetermined(reason) => {
                object.serialize_field("reason", &reason.to_string())?;
            }
            Verdict::Clean | Verdict::Flagged(_) => object.skip_field("reason")?,
        }
        object.serialize_field("answer", &self.raw)?;
        object.end()
    }
}
