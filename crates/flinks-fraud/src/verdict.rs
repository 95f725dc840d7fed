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
    /// Every document was checked for fraud, and no signal was found.
    Clean,
    /// At least one signal was found. More may be found while documents are pending.
    Flagged(Vec<Flag>),
    /// No signal was found, but not everything was checked: a person has to look.
    Undetermined(Reason),
}

impl Verdict {
    /// The verdict in one word: `clean`, `flagged` or `undetermined`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Flagged(_) => "flagged",
            Self::Undetermined(_) => "undetermined",
        }
    }

    pub(crate) fn of(analysis: &Analysis) -> Self {
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
            .unfinished()
            .or_else(|| {
                documents
                    .iter()
                    .enumerate()
                    .find_map(|(index, document)| unclear(index, document))
            })
            .or_else(|| analysis.has_unknown_code().then_some(Reason::UnknownCode))
            .or_else(|| analysis.unclear.clone());
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

impl Flag {
    /// A signal in the document at this place, for tests; a [`FraudSignal`] can be read from JSON.
    #[must_use]
    pub fn new(document: usize, signal: FraudSignal) -> Self {
        Self { document, signal }
    }
}

/// Why a verdict is undetermined; `Display` says it in a sentence.
///
/// `document` is a place in [`Analysis::documents`], from 0; `Display` counts from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The documents are final, but the service says that it is still processing.
    StillProcessing,
    /// The answer repeats a field, or has one that contradicts an empty list of signals.
    Contradictory,
    /// The document could not be processed.
    Failed {
        /// Which document.
        document: usize,
        /// Its status.
        status: DocumentStatus,
    },
    /// There are fewer documents than uploaded files.
    FewerDocuments {
        /// How many documents the analysis has.
        documents: usize,
        /// How many files were uploaded.
        files: usize,
    },
    /// The analysis has no documents.
    NoDocuments,
    /// The document is completed, but its analysis or a list of signals is missing.
    NotAnalyzed {
        /// Which document.
        document: usize,
    },
    /// The document, or a part of it, is of a type that is not checked for fraud: only bank
    /// statements are known to be.
    NotChecked {
        /// Which document.
        document: usize,
        /// The type that the service states, if it states one.
        document_type: Option<DocumentType>,
    },
    /// The answer has a status other than 200, so it may not be complete.
    PartialAnswer {
        /// The status.
        status: u16,
    },
    /// The document is still being processed, or has a status that this version does not know.
    Pending {
        /// Which document.
        document: usize,
    },
    /// The answer carries a FlinksCode that this version does not know.
    UnknownCode,
    /// The answer has a field that this version does not know and that may hold signals.
    UnknownField,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StillProcessing => f.write_str("the service is still processing"),
            Self::Contradictory => f.write_str("the answer contradicts itself"),
            Self::Failed { document, status } => write!(
                f,
                "document {} could not be processed ({})",
                number(*document),
                status.as_str()
            ),
            Self::FewerDocuments { documents, files } => {
                let plural = if *documents == 1 { "" } else { "s" };
                write!(
                    f,
                    "the analysis has {documents} document{plural} for {files} uploaded files"
                )
            }
            Self::NoDocuments => f.write_str("the analysis has no documents"),
            Self::NotAnalyzed { document } => write!(
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
            Self::PartialAnswer { status } => {
                write!(f, "the answer may not be the whole one (status {status})")
            }
            Self::UnknownCode => f.write_str("the answer carries an unknown FlinksCode"),
            Self::UnknownField => {
                f.write_str("the answer has an unknown field that may contain signals")
            }
        }
    }
}

/// An unknown type may be any text of the service, so only known types are printed.
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

/// Returns why a final document without signals is not clean.
fn unclear(index: usize, document: &DocumentAnalysis) -> Option<Reason> {
    if let Some(status) = document.status.as_ref().filter(|s| !s.is_completed()) {
        return Some(Reason::Failed {
            document: index,
            status: status.clone(),
        });
    }
    let forms = document.full_analysis.as_deref().unwrap_or_default();
    if forms.is_empty() {
        return Some(Reason::NotAnalyzed { document: index });
    }
    forms.iter().find_map(|form| {
        if form.document_type != Some(DocumentType::BankStatement) {
            Some(Reason::NotChecked {
                document: index,
                document_type: form.document_type.clone(),
            })
        } else if form.fraud_signals.is_none() {
            Some(Reason::NotAnalyzed { document: index })
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORM: &str = r#"{"DocumentType":"BANK_STATEMENT","FraudSignals":[]}"#;

    fn analysis(documents: &str) -> Analysis {
        let body = format!(r#"{{"DocumentAnalysis":[{documents}]}}"#);
        Analysis::new(
            flinks_types::from_json(body.as_bytes()).unwrap(),
            None,
            None,
        )
    }

    fn document(status: &str, forms: &str) -> String {
        format!(r#"{{"Status":"{status}","FullAnalysis":[{forms}]}}"#)
    }

    /// One completed document whose only form has these fields.
    fn form(fields: &str) -> String {
        document("COMPLETED", &format!("{{{fields}}}"))
    }

    fn clean() -> String {
        document("COMPLETED", FORM)
    }

    #[test]
    fn only_what_was_checked_to_the_end_is_clean() {
        let rows = [
            clean(),
            document("completed", FORM),
            [clean(), clean()].join(","),
            document("COMPLETED", &[FORM, FORM].join(",")),
            form(r#""DocumentType":"bank statement","FraudSignals":[],"New":1"#),
        ];
        for documents in rows {
            assert_eq!(
                analysis(&documents).verdict(),
                Verdict::Clean,
                "{documents}"
            );
            // More documents than files are accepted.
            assert_eq!(
                analysis(&documents).with_expected_documents(1).verdict(),
                Verdict::Clean
            );
        }
    }

    #[test]
    fn everything_else_is_undetermined_and_says_why() {
        use Reason::{NoDocuments, NotAnalyzed, NotChecked, Pending};
        let not_checked = |document_type: Option<DocumentType>| NotChecked {
            document: 0,
            document_type,
        };
        let failed = |document, status| Reason::Failed { document, status };
        let rows = [
            (String::new(), NoDocuments),
            (r#"{"FullAnalysis":[]}"#.to_owned(), Pending { document: 0 }),
            ("null".to_owned(), Pending { document: 0 }),
            (document("PENDING", ""), Pending { document: 0 }),
            // The lists of a document that is not completed say nothing.
            (document("PROCESSING", FORM), Pending { document: 0 }),
            (document("SOMETHING_NEW", FORM), Pending { document: 0 }),
            (document("COMPLETED ", FORM), Pending { document: 0 }),
            (
                [clean(), document("", FORM)].join(","),
                Pending { document: 1 },
            ),
            (
                document("UNSUPPORTED", FORM),
                failed(0, DocumentStatus::Unsupported),
            ),
            (
                [clean(), document("DELETED", "")].join(","),
                failed(1, DocumentStatus::Deleted),
            ),
            (
                document("unable_to_process", ""),
                failed(0, DocumentStatus::UnableToProcess),
            ),
            (
                document("Document_Processing_Failed", ""),
                failed(0, DocumentStatus::DocumentProcessingFailed),
            ),
            // A pending document may still complete, so it is reported before a failed one.
            (
                [document("DELETED", ""), document("PENDING", "")].join(","),
                Pending { document: 1 },
            ),
            (document("COMPLETED", ""), NotAnalyzed { document: 0 }),
            (
                r#"{"Status":"COMPLETED"}"#.to_owned(),
                NotAnalyzed { document: 0 },
            ),
            (
                r#"{"Status":"COMPLETED","FullAnalysis":null}"#.to_owned(),
                NotAnalyzed { document: 0 },
            ),
            (
                form(r#""DocumentType":"BANK_STATEMENT""#),
                NotAnalyzed { document: 0 },
            ),
            (
                form(r#""DocumentType":"BANK_STATEMENT","FraudSignals":null"#),
                NotAnalyzed { document: 0 },
            ),
            (
                [clean(), document("COMPLETED", &format!("{FORM},null"))].join(","),
                NotChecked {
                    document: 1,
                    document_type: None,
                },
            ),
            (
                form(r#""DocumentType":"VoidCheque","FraudSignals":[]"#),
                not_checked(Some(DocumentType::VoidCheque)),
            ),
            (
                form(r#""DocumentType":"PAYSTUB","FraudSignals":[]"#),
                not_checked(Some(DocumentType::Paystub)),
            ),
            (
                form(r#""DocumentType":"NEW_TYPE","FraudSignals":[]"#),
                not_checked(Some(DocumentType::from("NEW_TYPE"))),
            ),
            (form(r#""FraudSignals":[]"#), not_checked(None)),
        ];
        for (documents, reason) in rows {
            assert_eq!(
                analysis(&documents).verdict(),
                Verdict::Undetermined(reason),
                "{documents}"
            );
        }
        let fewer = Verdict::Undetermined(Reason::FewerDocuments {
            documents: 1,
            files: 2,
        });
        assert_eq!(
            analysis(&clean()).with_expected_documents(2).verdict(),
            fewer
        );
    }

    #[test]
    fn any_signal_is_flagged_whatever_else_is_wrong() {
        let signal = r#"{"Type":"DATE_EDITS"}"#;
        let signals = format!(r#""FraudSignals":[{signal}]"#);
        let rows = [
            (form(&signals), vec![0]),
            (
                form(r#""DocumentType":"VOID_CHEQUE","FraudSignals":[null]"#),
                vec![0],
            ),
            (document("PENDING", &format!("{{{signals}}}")), vec![0]),
            (document("DELETED", &format!("{{{signals}}}")), vec![0]),
            (
                [clean(), "null".to_owned(), form(&signals)].join(","),
                vec![2],
            ),
            (
                [
                    document("COMPLETED", &format!("{FORM},{{{signals}}},{{{signals}}}")),
                    form(&signals),
                ]
                .join(","),
                vec![0, 0, 1],
            ),
        ];
        for (documents, places) in rows {
            let Verdict::Flagged(flags) = analysis(&documents).with_expected_documents(9).verdict()
            else {
                panic!("{documents} is not flagged");
            };
            let found: Vec<_> = flags.iter().map(|flag| flag.document).collect();
            assert_eq!(found, places, "{documents}");
        }
    }

    #[test]
    fn reasons_are_sentences_without_the_services_text() {
        let sentences = [
            (Reason::NoDocuments, "the analysis has no documents"),
            (
                Reason::FewerDocuments {
                    documents: 1,
                    files: 3,
                },
                "the analysis has 1 document for 3 uploaded files",
            ),
            (
                Reason::Pending { document: 1 },
                "document 2 is not finished",
            ),
            (
                Reason::Failed {
                    document: 0,
                    status: DocumentStatus::Unsupported,
                },
                "document 1 could not be processed (UNSUPPORTED)",
            ),
            (
                Reason::NotChecked {
                    document: 0,
                    document_type: Some(DocumentType::VoidCheque),
                },
                "document 1 is a VOID_CHEQUE: only bank statements are checked for fraud",
            ),
            (
                Reason::NotChecked {
                    document: 0,
                    document_type: Some(DocumentType::from("secret")),
                },
                "document 1 is of an unknown type: only bank statements are checked for fraud",
            ),
        ];
        for (reason, sentence) in sentences {
            assert_eq!(reason.to_string(), sentence);
        }
    }

    proptest! {
        /// The rule once more, written the other way round: clean is what cannot be doubted.
        #[test]
        fn clean_is_never_said_of_less(
            documents in proptest::collection::vec(
                (
                    proptest::sample::select(vec!["COMPLETED", "completed", "PENDING", "DELETED", "NEW"]),
                    proptest::collection::vec(
                        (
                            proptest::sample::select(vec!["BANK_STATEMENT", "VOID_CHEQUE", "NEW"]),
                            proptest::sample::select(vec!["[]", "null", "[{}]"]),
                        ),
                        0..3,
                    ),
                ),
                0..4,
            ),
            files in proptest::option::of(0usize..4),
            at_work in any::<bool>(),
        ) {
            let text: Vec<_> = documents.iter().map(|(status, forms)| {
                let forms: Vec<_> = forms.iter().map(|(document_type, signals)| {
                    format!(r#"{{"DocumentType":"{document_type}","FraudSignals":{signals}}}"#)
                }).collect();
                document(status, &forms.join(","))
            }).collect();
            let body = format!(r#"{{"DocumentAnalysis":[{}]}}"#, text.join(","));
            let raw = flinks_types::from_json(body.as_bytes()).unwrap();
            let analysis = Analysis::new(raw, at_work.then_some(Reason::StillProcessing), None);
            let signals = body.matches("[{}]").count();
            let sound = documents.iter().all(|(status, forms)| {
                status.eq_ignore_ascii_case("completed") && !forms.is_empty()
                    && forms.iter().all(|form| *form == ("BANK_STATEMENT", "[]"))
            });
            let enough = !documents.is_empty() && documents.len() >= files.unwrap_or(0);
            match analysis.with_expected_documents(files).verdict() {
                Verdict::Clean => prop_assert!(sound && enough && !at_work),
                Verdict::Flagged(flags) => prop_assert_eq!(flags.len(), signals),
                Verdict::Undetermined(_) => {
                    prop_assert!(signals == 0 && !(sound && enough && !at_work));
                }
            }
        }
    }
}
