//! `--bless`: what a case wants becomes what comes of its call, and nothing else of the case changes.

mod want;

use std::fmt;
use std::path::Path;

use crate::corpus::Fixture;
use crate::run::{Assemble, Pass, Ran, Verdict, attempt, judge};
use crate::suite::Suite;
use crate::summary::Summary;
use want::Wanted;

/// What blessing a corpus came to. `Display` is the runner's output.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Blessed {
    /// The files that were rewritten, as `family/name/file`.
    pub rewritten: Vec<String>,
    /// Every case as it is now; a failure also says why its case was not rewritten.
    pub summary: Summary,
}

impl Suite {
    /// Runs every case, and rewrites the `want` of those that fail in nothing but their output.
    ///
    /// A case whose server did not see what the steps expect, or which shows a secret, stays as it
    /// is. So does one that would not pass at every level with the new output.
    #[must_use]
    pub fn bless(mut self) -> Blessed {
        let mut blessed = Blessed::default();
        let verdicts = self.verdicts(&Self::USUAL);
        for (fixture, mut verdicts) in self.fixtures.iter_mut().zip(verdicts) {
            let failed = |verdict: &Verdict| matches!(verdict, Verdict::Failed(_));
            if let Some(last) = verdicts.iter().rposition(failed) {
                match bless(fixture, &self.folder, &*self.assemble) {
                    Ok((rewritten, now)) => {
                        blessed.rewritten.push(rewritten);
                        verdicts = now;
                    }
                    Err(why) => {
                        if let Some(Verdict::Failed(lines)) = verdicts.get_mut(last) {
                            lines.push(format!("not rewritten: {why}"));
                        }
                    }
                }
            }
            for (pass, verdict) in Self::USUAL.iter().zip(verdicts) {
                blessed.summary.add(fixture, pass, verdict);
            }
        }
        blessed
    }
}

/// Rewrites what a case wants: the file, and the verdicts of a case that passes now. Or why not.
fn bless(
    fixture: &mut Fixture,
    corpus: &Path,
    assemble: &Assemble,
) -> Result<(String, Vec<Verdict>), String> {
    let ran = decide(fixture, assemble)?;
    let result = ran
        .result
        .ok_or("the codec alone does not tell the whole outcome")?;
    let folder = corpus.join(&fixture.family).join(&fixture.name);
    let mut wanted = Wanted::of(result, &fixture.case, &folder)?;
    wanted.swap(fixture);
    let judge = |pass| judge(fixture, pass, assemble);
    let verdicts: Vec<_> = Suite::USUAL.iter().map(judge).collect();
    for (pass, verdict) in Suite::USUAL.iter().zip(&verdicts) {
        if let Verdict::Failed(lines) = verdict {
            wanted.swap(fixture);
            let lines = lines.join("\n  ");
            return Err(format!(
                "with the new output it would fail at {pass}:\n  {lines}"
            ));
        }
    }
    wanted.write(&folder)?;
    Ok((format!("{}/{}", fixture.path(), wanted.file), verdicts))
}

/// Runs the case at the level that tells most, and makes sure that only its output is in question.
fn decide(fixture: &Fixture, assemble: &Assemble) -> Result<Ran, String> {
    let [codec, stack, wire] = &Suite::USUAL;
    let has = |pass: &&Pass| fixture.has(pass.level());
    let pass = [stack, wire, codec].into_iter().find(has);
    let pass = pass.ok_or("it has no level to run at")?;
    let ran = attempt(fixture, pass, assemble).map_err(|broken| broken.to_string())?;
    let ran = ran.ok_or_else(|| format!("{pass} does not apply to it"))?;
    if !ran.asked.is_empty() {
        return Err("the requests are not as the steps expect".to_owned());
    }
    if !ran.leaks.is_empty() {
        return Err("it shows a secret".to_owned());
    }
    if ran.came.is_empty() {
        return Err(format!("at {pass} the output is as wanted"));
    }
    Ok(ran)
}

impl fmt::Display for Blessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.rewritten {
            writeln!(f, "rewrote {file}")?;
        }
        match self.rewritten.len() {
            0 => writeln!(f, "no case was rewritten\n")?,
            1 => writeln!(f, "1 case rewritten: {ADVICE}\n")?,
            cases => writeln!(f, "{cases} cases rewritten: {ADVICE}\n")?,
        }
        write!(f, "{}", self.summary)
    }
}

const ADVICE: &str = "read the diff, because it is what the client crates are held to from now on";
