//! `new`: the beginnings of a case, copied from the simplest one that passes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::case::SCHEMA;
use crate::corpus::{CorpusError, Fixture, vacant};
use crate::members::Members;
use crate::operations::NAMES;
use crate::run::{Verdict, judge};
use crate::suite::Suite;

/// A case that was begun.
#[derive(Debug)]
#[non_exhaustive]
pub struct Begun {
    /// Its `case.json`.
    pub file: PathBuf,
    /// The case that it was copied from, as `family/name`.
    pub from: String,
}

impl Suite {
    /// Begins a case: call, steps and output of the simplest one of the operation that succeeds and
    /// passes. Without an operation, the family's commonest.
    ///
    /// `docs` and `source` stay empty, so that the corpus cannot be read until somebody has said
    /// why the case exists.
    ///
    /// # Errors
    /// The name is not `family/name` in kebab case or is taken, the operation is unknown or has to
    /// be named, or a file cannot be written.
    pub fn begin(&self, path: &str, operation: Option<&str>) -> Result<Begun, CorpusError> {
        let place = vacant(&self.folder, path)?;
        let fail = |message: String| CorpusError::new(&place, message);
        let (family, _) = path.split_once('/').unwrap_or_default();
        let operation = self.operation(family, operation).map_err(fail)?;
        let model = self.simplest(operation)?;
        let model =
            model.ok_or_else(|| fail(format!("no case of {operation} succeeds and passes")))?;
        copy(&self.folder.join(model.path()), &place)?;
        Ok(Begun {
            file: place.join("case.json"),
            from: model.path(),
        })
    }

    /// The operation that was named, or else the one of most of the family's cases.
    fn operation<'s>(&'s self, family: &str, named: Option<&'s str>) -> Result<&'s str, String> {
        let names = || NAMES.join(", ");
        if let Some(named) = named {
            let known = NAMES.contains(&named).then_some(named);
            return known.ok_or_else(|| format!("{named} is no operation: one of {}", names()));
        }
        let mut counts = BTreeMap::new();
        for fixture in self.fixtures.iter().filter(|other| other.family == family) {
            *counts
                .entry(fixture.case.call.operation.as_str())
                .or_insert(0_usize) += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.map(|(operation, _)| operation)
            .ok_or_else(|| format!("a new family needs an operation: one of {}", names()))
    }

    /// The plainest case that succeeds and passes: of those that would also hold against the real
    /// service, or else that the documents describe, the shortest.
    fn simplest(&self, operation: &str) -> Result<Option<&Fixture>, CorpusError> {
        let succeeds = |fixture: &&Fixture| {
            fixture.case.call.operation == operation && fixture.case.want.error.is_none()
        };
        let mut candidates = Vec::new();
        for fixture in self.fixtures.iter().filter(succeeds) {
            let text = read(&self.folder.join(fixture.path()))?;
            let case = &fixture.case;
            let odd = fixture.steps.is_empty()
                || case.source.starts_with("not documented")
                || case.any_order
                || case.levels.is_some();
            let effort = (case.live.is_none(), odd, fixture.steps.len(), text.len());
            candidates.push((effort, fixture));
        }
        candidates.sort_by_key(|(effort, _)| *effort);
        let passes = |fixture: &&Fixture| {
            let failed = |pass| matches!(judge(fixture, pass, &*self.assemble), Verdict::Failed(_));
            !Self::USUAL.iter().any(failed)
        };
        let mut candidates = candidates.into_iter().map(|(_, fixture)| fixture);
        Ok(candidates.find(passes))
    }
}

/// Copies what a case does, and its files, but not why.
fn copy(from: &Path, to: &Path) -> Result<(), CorpusError> {
    let failed = |error| CorpusError::new(to, error);
    let text = read(from)?;
    let members = Members::read(&text).map_err(|error| CorpusError::new(from, error))?;
    let value = |key| members.value(key).unwrap_or_default();
    let (call, steps, want) = (value("call"), value("steps"), value("want"));
    let text = format!(
        r#"{{
  "$schema": "{SCHEMA}",
  "docs": "",
  "source": "",
  "call": {call},
  "steps": {steps},
  "want": {want}
}}
"#
    );
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        fs::copy(from.join(&name), to.join(&name)).map_err(failed)?;
    }
    fs::write(to.join("case.json"), text).map_err(failed)
}

/// The text of a case.
fn read(folder: &Path) -> Result<String, CorpusError> {
    let file = folder.join("case.json");
    fs::read_to_string(&file).map_err(|error| CorpusError::new(&file, error))
}
