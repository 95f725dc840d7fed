//! Reads the cases of a fixtures folder, strictly: every error names its file and key.

mod reading;
mod rules;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::case::{Call, Case, Level};
use crate::json;
use crate::script::Scripted;
use reading::Reading;
pub(crate) use reading::scripted;

/// A case with its body files, ready to be run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fixture {
    /// The folder above the case's: `upload`, `fraud`, …
    pub family: String,
    /// The case's folder, a behaviour in kebab case.
    pub name: String,
    /// What its `case.json` says.
    pub case: Case,
    pub(crate) steps: Vec<Scripted>,
    /// The call as a live run makes it.
    pub(crate) live: Option<Call>,
}

impl Fixture {
    /// `family/name`, what a filter is matched with.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.family, self.name)
    }

    /// Whether the case asks for this level, or does not say. Only what is marked for it runs live.
    #[must_use]
    pub fn has(&self, level: Level) -> bool {
        let levels = self.case.levels.as_ref();
        levels.is_none_or(|levels| levels.only.contains(&level))
            && (level != Level::Live || self.live.is_some())
    }
}

/// Why a corpus cannot be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct CorpusError {
    file: PathBuf,
    message: String,
}

impl CorpusError {
    pub(crate) fn new(file: &Path, message: impl fmt::Display) -> Self {
        Self {
            file: file.to_owned(),
            message: message.to_string(),
        }
    }
}

impl fmt::Display for CorpusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.message)
    }
}

impl std::error::Error for CorpusError {}

/// Reads every `<family>/<case>/case.json` below `folder`, in the order of their names.
///
/// # Errors
/// The first file that cannot be read or breaks a rule of the format.
pub fn load(folder: &Path) -> Result<Vec<Fixture>, CorpusError> {
    let mut fixtures = Vec::new();
    for family in folders(folder)? {
        for case in folders(&family)? {
            let file = case.join("case.json");
            let parsed: Case = strict(&file)?;
            let fixture = Reading {
                folder: &case,
                file: &file,
                files: files(&case)?,
            };
            fixtures.push(fixture.fixture(name(&family)?, name(&case)?, parsed)?);
        }
    }
    Ok(fixtures)
}

/// Reads a file of the format, whose keys are all known.
pub(crate) fn strict<T: DeserializeOwned>(file: &Path) -> Result<T, CorpusError> {
    let text = std::fs::read(file).map_err(|error| CorpusError::new(file, error))?;
    json::read(&text).map_err(|error| CorpusError::new(file, error))
}

/// Returns the folders sorted by name; other files (scripts, documents) are ignored.
fn folders(parent: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let failed = |error| CorpusError::new(parent, error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(parent).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "documents") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, CorpusError> {
    let failed = |error| CorpusError::new(folder, error);
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = name(&path)?;
        if name != "case.json" {
            let bytes = std::fs::read(&path).map_err(|error| CorpusError::new(&path, error))?;
            found.insert(name, bytes);
        }
    }
    Ok(found)
}

fn name(path: &Path) -> Result<String, CorpusError> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(ToOwned::to_owned)
        .ok_or_else(|| CorpusError::new(path, "the name is not UTF-8"))
}
