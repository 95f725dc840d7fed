//! What an analysis says about fraud: clean, flagged, or undetermined and why.

use std::fmt;

use flinks_types::{DocumentAnalysis, DocumentStatus, DocumentType, FraudSignal};

use crate::analysis::Analysis;

/// What an analysis says about fraud.
///
/// A signal is a reason to look, not a proof: a statement that was printed to a PDF has one too.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// Every document was checked for fraud to the end, and nothing was found.
    Clean,
    /// At least one signal was found. More may follow while documents are pending.
    Flagged(Vec<Flag>),
    /// Nothing was found, but not everything was checked.
    Undetermined(Reason),
}

impl Verdict {
    /// The verdict in one word, as the program's JSON output and the fixtures name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Flagged(_) => "flagged",
            Self::Undetermined(_) => "undetermined",
        }
    }

    pub(crate) fn of(analysis: &Analysis, files: Option<usize>) -> Self {
        let documents = analysis.documents();
        let flags: Vec<_> = documents
            .iter()
            .enumerate()
            .flat_map(|(index, document)| flags(index, document))
            .collect();
        if !flags.is_empty() {
            return Self::Flagged(flags);
        }
        let reason = analysis
            .unfinished(files)
            .or_else(|| {
                documents
                    .iter()
                    .enumerate()
                    .find_map(|(index, document)| doubt(index, document))
            })
            .or_else(|| analysis.has_unknown_code().then_some(Reason::UnknownCode));
        reason.map_or(Self::Clean, Self::Undetermined)
    }
}

/// A signal and the document it is in.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Flag {
    /// The place of the document in [`Analysis::documents`], from 0.
    pub document: usize,
    /// What was found.
    pub signal: FraudSignal,
}

/// Why nothing can be said about fraud; `Display` says it in a sentence.
///
/// `document` is a place in [`Analysis::documents`], from 0; `Display` counts from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The documents are finished, but the service says that it is still at work.
    AtWork,
    /// The document could not be processed.
    Failed {
        /// Which document.
        document: usize,
        /// What the service says of it.
        status: DocumentStatus,
    },
    /// There are fewer documents than uploaded files.
    FewerDocuments {
        /// How many documents the analysis has.
        documents: usize,
        /// How many files were uploaded.
        files: usize,
    },
    /// There is no document.
    NoDocuments,
    /// The document is completed, but its analysis or a list of signals is missing.
    NotAnalysed {
        /// Which document.
        document: usize,
    },
    /// The document, or a part of it, is of a type that is not checked for fraud: only bank
    /// statements are known to be.
    NotChecked {
        /// Which document.
        document: usize,
        /// What the service takes it for, if it says so.
        document_type: Option<DocumentType>,
    },
    /// The document is not finished, or its status is one that this version does not know.
    Pending {
        /// Which document.
        document: usize,
    },
    /// The answer carries a FlinksCode that this version does not know.
    UnknownCode,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtWork => f.write_str("the service is still at work"),
            Self::Failed { document, status } => write!(
                f,
                "document {} could not be processed ({})",
                number(*document),
                status.as_str()
            ),
            Self::FewerDocuments { documents, files } => write!(
                f,
                "the analysis has {documents} of {files} uploaded files' documents"
            ),
            Self::NoDocuments => f.write_str("the analysis has no documents"),
            Self::NotAnalysed { document } => write!(
                f,
                "document {} is completed but has no analysis",
                number(*document)
            ),
            Self::NotChecked {
                document,
                document_type,
            } => write!(
                f,
                "document {} is {}: only bank statements are checked for fraud",
                number(*document),
                kind(document_type.as_ref())
            ),
            Self::Pending { document } => {
                write!(f, "document {} is not finished", number(*document))
            }
            Self::UnknownCode => f.write_str("the answer carries an unknown FlinksCode"),
        }
    }
}

/// The service's own words for a type may be anything, so only known ones are printed.
fn kind(document_type: Option<&DocumentType>) -> String {
    match document_type {
        None => "of no stated type".to_owned(),
        Some(DocumentType::Other(_)) => "of an unknown type".to_owned(),
        Some(known) => format!("a {}", known.as_str()),
    }
}

const fn number(index: usize) -> usize {
    index.saturating_add(1)
}

fn flags(index: usize, document: &DocumentAnalysis) -> impl Iterator<Item = Flag> {
    let forms = document.full_analysis.iter().flatten();
    forms
        .flat_map(|form| form.fraud_signals.iter().flatten())
        .map(move |signal| Flag {
            document: index,
            signal: signal.clone(),
        })
}

/// Why a finished document without signals is not clean.
fn doubt(index: usize, document: &DocumentAnalysis) -> Option<Reason> {
    if let Some(status) = document.status.as_ref().filter(|s| !s.is_completed()) {
        return Some(Reason::Failed {
            document: index,
            status: status.clone(),
        });
    }
    let forms = document.full_analysis.as_deref().unwrap_or_default();
    if forms.is_empty() {
        return Some(Reason::NotAnalysed { document: index });
    }
    forms.iter().find_map(|form| {
        if form.document_type != Some(DocumentType::BankStatement) {
            Some(Reason::NotChecked {
                document: index,
                document_type: form.document_type.clone(),
            })
        } else if form.fraud_signals.is_none() {
            Some(Reason::NotAnalysed { document: index })
        } else {
            None
        }
    })
}
