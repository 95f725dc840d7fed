//! `--bless`: rewrites what a case wants to what its call returns, where nothing else is wrong.

use std::fmt;
use std::fs;
use std::mem::replace;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::case::Want;
use crate::check;
use crate::corpus::Fixture;
use crate::run::{Assemble, CaseResult, CaseRun, Pass, attempt, judge};
use crate::suite::Suite;
use crate::summary::Summary;

/// The result of [`Suite::bless`]. `Display` is the runner's output.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Blessed {
    /// The cases that were rewritten, as `family/name`.
    pub rewritten: Vec<String>,
    /// Every case as it is now; a failure also says why its case was not rewritten.
    pub summary: Summary,
}

impl Suite {
    /// Runs every case, and rewrites the `want` of those that fail in nothing but their output.
    ///
    /// A case whose requests differ from its steps, or which shows a secret, stays as it is. So does
    /// one that would not pass at every level with the new output.
    #[must_use]
    pub fn bless(mut self) -> Blessed {
        let mut blessed = Blessed::default();
        let results = self.results(&Self::USUAL);
        for (fixture, mut results) in self.fixtures.iter_mut().zip(results) {
            let failed = |result: &CaseResult| matches!(result, CaseResult::Failed(_));
            if let Some(last) = results.iter().rposition(failed) {
                match bless(fixture, &self.folder, &*self.assemble) {
                    Ok(now) => {
                        blessed.rewritten.push(fixture.path());
                        results = now;
                    }
                    Err(reason) => {
                        if let Some(CaseResult::Failed(lines)) = results.get_mut(last) {
                            lines.push(format!("not rewritten: {reason}"));
                        }
                    }
                }
            }
            for (pass, result) in Self::USUAL.iter().zip(results) {
                blessed.summary.add(fixture, pass, result);
            }
        }
        blessed
    }
}

/// Rewrites what a case wants, and returns the results of the case, which passes now.
fn bless(
    fixture: &mut Fixture,
    corpus: &Path,
    assemble: &Assemble,
) -> Result<Vec<CaseResult>, String> {
    let ran = decide(fixture, assemble)?;
    let outcome = ran
        .result
        .ok_or("the codec alone does not determine the whole outcome")?;
    let old = &fixture.case.want;
    let called = &fixture.case.call.operation;
    let want = match outcome {
        Ok(value) => Want {
            ok: Some(value),
            error: None,
        },
        Err(failure) => Want {
            ok: None,
            error: Some(check::described(&failure, called, old.error.as_ref())),
        },
    };
    let old = replace(&mut fixture.case.want, want);
    let judge = |pass| judge(fixture, pass, assemble);
    let results: Vec<_> = Suite::USUAL.iter().map(judge).collect();
    for (pass, result) in Suite::USUAL.iter().zip(&results) {
        if let CaseResult::Failed(lines) = result {
            fixture.case.want = old;
            let lines = lines.join("\n  ");
            return Err(format!(
                "with the new output it would fail at {pass}:\n  {lines}"
            ));
        }
    }
    write(&corpus.join(fixture.path()), &fixture.case.want)?;
    Ok(results)
}

/// The text of a case's `want`.
#[derive(Deserialize)]
struct Written<'t> {
    #[serde(borrow)]
    want: &'t RawValue,
}

/// Replaces `want` in a case's file. Every other byte stays.
fn write(folder: &Path, want: &Want) -> Result<(), String> {
    let file = folder.join("case.json");
    let failed = |error: &dyn fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(&file).map_err(|error| failed(&error))?;
    let written: Written<'_> = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let want = serde_json::to_string_pretty(want).map_err(|error| failed(&error))?;
    let start = written.want.get().as_ptr().addr() - text.as_ptr().addr();
    let mut new = text.clone();
    new.replace_range(
        start..start + written.want.get().len(),
        &want.replace('\n', "\n  "),
    );
    fs::write(&file, new).map_err(|error| failed(&error))
}

/// Runs the case at its most complete level, and makes sure that only its output differs.
fn decide(fixture: &Fixture, assemble: &Assemble) -> Result<CaseRun, String> {
    let [codec, stack, wire] = &Suite::USUAL;
    let has = |pass: &&Pass| fixture.has(pass.level());
    let pass = [stack, wire, codec].into_iter().find(has);
    let pass = pass.ok_or("it has no level to run at")?;
    let ran = attempt(fixture, pass, assemble).map_err(|error| error.to_string())?;
    let ran = ran.ok_or_else(|| format!("{pass} does not apply to it"))?;
    if !ran.requests.is_empty() {
        return Err("the requests are not as the steps expect".to_owned());
    }
    if !ran.leaks.is_empty() {
        return Err("it shows a secret".to_owned());
    }
    if ran.outcome.is_empty() {
        return Err(format!("at {pass} the output is as wanted"));
    }
    Ok(ran)
}

impl fmt::Display for Blessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in &self.rewritten {
            writeln!(f, "rewrote {case}")?;
        }
        let advice = "read the diff: it is what the client crates must return from now on";
        match self.rewritten.len() {
            0 => writeln!(f, "no case was rewritten\n")?,
            cases => writeln!(f, "{cases} rewritten; {advice}\n")?,
        }
        write!(f, "{}", self.summary)
    }
}
