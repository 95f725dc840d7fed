//! Traceability: what the documents demand of a client, and the cases that would fail without it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::corpus::{CorpusError, Fixture, strict};

/// The file beside the families.
const FILE: &str = "requirements.json";

/// The documents that demand something, as comments and cases cite them.
const DOCUMENTS: [&str; 3] = ["Upload guide", "Legacy guide", "API reference"];

/// What an id begins with.
const AREAS: [&str; 3] = ["upload", "fraud", "legacy"];

/// Every demand of the documents, in their order. `Display` is a table for terminals.
#[derive(Debug)]
#[non_exhaustive]
pub struct Requirements {
    /// The demands.
    pub requirements: Vec<Requirement>,
    file: PathBuf,
}

/// What a sentence of a document demands of a client, and the cases that pin it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Requirement {
    /// Lower-case words with dots between them, the same for ever: `upload.token.basic`.
    pub id: String,
    /// The document, by the name under which it is cited.
    pub document: String,
    /// Where in the document.
    pub section: String,
    /// What the client must do, in one sentence.
    pub text: String,
    /// `family/name` of the cases that fail when it does not.
    pub cases: Vec<String>,
}

/// The file. Unknown keys are errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// For editors.
    #[serde(rename = "$schema", default)]
    _schema: Option<String>,
    requirements: Vec<Requirement>,
}

impl Requirements {
    /// Reads `requirements.json` in a fixtures folder.
    ///
    /// # Errors
    /// A file that cannot be read or has another form; [`Self::check`] says what else may be wrong.
    pub fn load(folder: &Path) -> Result<Self, CorpusError> {
        let file = folder.join(FILE);
        let listed: Listed = strict(&file)?;
        Ok(Self {
            requirements: listed.requirements,
            file,
        })
    }

    /// What keeps the requirements from being traced into this corpus, one line for each problem.
    #[must_use]
    pub fn check(&self, corpus: &[Fixture]) -> Vec<String> {
        let known: BTreeSet<String> = corpus.iter().map(Fixture::path).collect();
        let mut ids = BTreeSet::new();
        let mut lines = Vec::new();
        for requirement in &self.requirements {
            let mut problems = requirement.problems(&known);
            if !ids.insert(&requirement.id) {
                problems.push("the id is given twice".to_owned());
            }
            let (file, id) = (self.file.display(), &requirement.id);
            lines.extend(
                problems
                    .iter()
                    .map(|problem| format!("{file}: {id:?}: {problem}")),
            );
        }
        lines
    }
}

impl Requirement {
    fn problems(&self, known: &BTreeSet<String>) -> Vec<String> {
        let mut problems = Vec::new();
        if !is_id(&self.id) {
            let areas = AREAS.join(", ");
            problems.push(format!(
                "the id is not one of {areas} and lower-case words after dots"
            ));
        }
        if !DOCUMENTS.contains(&self.document.as_str()) {
            let (document, documents) = (&self.document, DOCUMENTS.join(", "));
            problems.push(format!(
                "there is no document {document:?}, only {documents}"
            ));
        }
        for (key, value) in [("section", &self.section), ("text", &self.text)] {
            if value.trim().is_empty() {
                problems.push(format!("{key} is empty"));
            }
        }
        if self.cases.is_empty() {
            problems.push("no case pins it".to_owned());
        }
        let mut named = BTreeSet::new();
        for case in &self.cases {
            if !named.insert(case) {
                problems.push(format!("the case {case} is named twice"));
            }
            if !known.contains(case) {
                let nearest = nearest(case, known)
                    .map_or_else(String::new, |near| format!("; the nearest is {near}"));
                problems.push(format!("there is no case {case}{nearest}"));
            }
        }
        problems
    }
}

fn is_id(id: &str) -> bool {
    let mut words = id.split('.');
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(letter);
    let area = words.next().is_some_and(|area| AREAS.contains(&area));
    area && words.clone().count() > 0 && words.all(is_word)
}

/// The case whose name begins and ends most like this one, if that is at least half of it.
fn nearest<'c>(case: &str, known: &'c BTreeSet<String>) -> Option<&'c String> {
    let alike = |other: &&String| {
        let same = |(one, two): &(char, char)| one == two;
        let front = case.chars().zip(other.chars()).take_while(same).count();
        let back = case.chars().rev().zip(other.chars().rev());
        front + back.take_while(same).count()
    };
    let best = known.iter().max_by_key(alike)?;
    (alike(&best) * 2 >= case.len()).then_some(best)
}

/// How wide the table may be.
const WIDTH: usize = 120;

impl fmt::Display for Requirements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |cell: fn(&Requirement) -> &str, heading: &str| {
            let widths = self.requirements.iter().map(|row| width(cell(row)));
            widths.max().unwrap_or_default().max(width(heading))
        };
        let id = widest(|row| &row.id, "id");
        let section = widest(|row| &row.section, "section");
        // Two spaces between columns, and five for the number.
        let left = id + section + 11;
        let mut document = "";
        for row in &self.requirements {
            if row.document != document {
                let gap = if document.is_empty() { "" } else { "\n" };
                document = &row.document;
                writeln!(f, "{gap}{document}\n")?;
                writeln!(f, "{:<id$}  {:<section$}  cases  text", "id", "section")?;
            }
            let mut lines = wrapped(&row.text, WIDTH.saturating_sub(left)).into_iter();
            let (cases, first) = (row.cases.len(), lines.next().unwrap_or_default());
            writeln!(
                f,
                "{:<id$}  {:<section$}  {cases:>5}  {first}",
                row.id, row.section
            )?;
            for line in lines {
                writeln!(f, "{:left$}{line}", "")?;
            }
        }
        let named: BTreeSet<_> = self
            .requirements
            .iter()
            .flat_map(|row| &row.cases)
            .collect();
        let (requirements, cases) = (self.requirements.len(), named.len());
        writeln!(f, "\n{requirements} requirements, {cases} cases")
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The words of a text in lines that are no longer than this, unless a word is.
fn wrapped(text: &str, longest: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= longest => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
