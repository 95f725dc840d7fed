//! Traceability: what the documents demand of a client, and the cases that fail without it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use crate::corpus::{CorpusError, Fixture, strict};

/// The file next to the families' folders.
const FILE: &str = "requirements.json";

/// The demands of the documents, in their order. `Display` is a list for terminals.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Requirements {
    /// The demands.
    pub requirements: Vec<Requirement>,
}

/// What a sentence of a document demands of a client, and what shows that it is met.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Requirement {
    /// Lower-case words with dots between them, which never change: `upload.token.basic`.
    pub id: String,
    /// The document that demands it.
    pub document: String,
    /// Where in the document.
    pub section: String,
    /// What the client must do, in one sentence.
    pub text: String,
    /// `family/name` of the cases that fail when it does not.
    #[serde(default)]
    pub cases: Vec<String>,
    /// What shows it where no case can: a test, or the reason why nothing needs to.
    pub shown_by: Option<String>,
}

impl Requirements {
    /// Reads `requirements.json` in a fixtures folder.
    ///
    /// # Errors
    /// A file that cannot be read or has another form; [`Self::check`] names other problems.
    pub fn load(folder: &Path) -> Result<Self, CorpusError> {
        strict(&folder.join(FILE))
    }

    /// What keeps the requirements from being traced into this corpus, one line for each problem.
    #[must_use]
    pub fn check(&self, corpus: &[Fixture]) -> Vec<String> {
        let known: BTreeSet<String> = corpus.iter().map(Fixture::path).collect();
        let mut ids = BTreeSet::new();
        let mut lines = Vec::new();
        for requirement in &self.requirements {
            let id = &requirement.id;
            let mut problem = |text: String| lines.push(format!("{FILE}: {id:?}: {text}"));
            if !ids.insert(id) {
                problem("the id is given twice".to_owned());
            }
            let Requirement {
                document,
                section,
                text,
                cases,
                shown_by,
                ..
            } = requirement;
            let texts = [id, document, section, text].into_iter().chain(shown_by);
            if texts.into_iter().any(|text| text.trim().is_empty()) {
                problem("a text is empty".to_owned());
            }
            if cases.is_empty() && shown_by.is_none() {
                problem("no case shows it".to_owned());
            }
            for case in cases.iter().filter(|case| !known.contains(*case)) {
                problem(format!("there is no case {case}"));
            }
        }
        lines
    }
}

impl fmt::Display for Requirements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut document = "";
        for row in &self.requirements {
            if row.document != document {
                document = &row.document;
                writeln!(f, "\n{document}\n")?;
            }
            let shown = match (&row.shown_by, row.cases.as_slice()) {
                (_, [one]) => one.clone(),
                (_, [first, more @ ..]) => format!("{first} and {} more", more.len()),
                (shown_by, []) => shown_by.clone().unwrap_or_default(),
            };
            writeln!(f, "{} ({})\n  {}\n  {shown}", row.id, row.section, row.text)?;
        }
        writeln!(f, "\n{} requirements", self.requirements.len())
    }
}
