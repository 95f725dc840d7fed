//! The table by family, the failures, and the closing line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::case::Level;
use crate::corpus::Fixture;
use crate::run::{CaseResult, Pass};

/// The result of many cases. `Display` is the runner's output: a table by family, the failures, and
/// the closing line, in which a case counts once however many passes it ran in.
#[derive(Debug, Default)]
pub struct Summary {
    /// By family and name.
    cases: BTreeMap<(String, String), Runs>,
    note: String,
    holes: Vec<String>,
}

/// The runs of one case.
#[derive(Debug, Default)]
struct Runs {
    levels: BTreeSet<Level>,
    /// The pass and what is wrong.
    failures: Vec<(String, Vec<String>)>,
}

impl Summary {
    /// Adds one run of a case.
    pub fn add(&mut self, fixture: &Fixture, pass: &Pass, result: CaseResult) {
        let path = (fixture.family.clone(), fixture.name.clone());
        let runs = self.cases.entry(path).or_default();
        if result != CaseResult::NotApplicable {
            runs.levels.insert(pass.level());
        }
        if let CaseResult::Failed(lines) = result {
            runs.failures.push((pass.to_string(), lines));
        }
    }

    /// Adds other runs of the same cases.
    pub fn merge(&mut self, other: Self) {
        for (path, other) in other.cases {
            let runs = self.cases.entry(path).or_default();
            runs.levels.extend(other.levels);
            runs.failures.extend(other.failures);
        }
    }

    /// Adds what the corpus does not cover, each line of which is a failure, or a note that there is
    /// no such line.
    pub fn cover(&mut self, note: String, holes: Vec<String>) {
        self.note = note;
        self.holes = holes;
    }

    /// Returns the cases that failed in any pass, as `family/name`.
    #[must_use]
    pub fn failures(&self) -> BTreeSet<String> {
        let failed = self.cases.iter().filter(|(_, runs)| runs.failed());
        failed
            .map(|((family, name), _)| format!("{family}/{name}"))
            .collect()
    }

    /// Returns how many cases passed in every pass that applies to them.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.cases.values().filter(|runs| runs.passed()).count()
    }

    /// Returns how many cases failed, plus how much is not covered.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.failures().len() + self.holes.len()
    }
}

impl Runs {
    fn passed(&self) -> bool {
        !self.levels.is_empty() && self.failures.is_empty()
    }

    fn failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// The first line that is wrong, without the number of its step.
    fn first_line(&self) -> String {
        let first = self.failures.first().and_then(|(_, lines)| lines.first());
        let first = first.map_or("", String::as_str);
        match first
            .strip_prefix("steps[")
            .and_then(|rest| rest.split_once(']'))
        {
            Some((_, rest)) => rest.to_owned(),
            None => first.to_owned(),
        }
    }
}

/// Of the cases that fail in the same way, so many are printed whole.
const WHOLE: usize = 3;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "family        cases    L1    L2    L3  live  failed")?;
        let families: BTreeSet<_> = self.cases.keys().map(|(family, _)| family).collect();
        for family in families {
            let of = || self.cases.iter().filter(|((other, _), _)| other == family);
            let at = |level| {
                of().filter(|(_, runs)| runs.levels.contains(&level))
                    .count()
            };
            let levels = [Level::L1, Level::L2, Level::L3, Level::Live].map(at);
            let failed = of().filter(|(_, runs)| runs.failed()).count();
            write!(f, "{family:<12} {:>6}", of().count())?;
            for cases in levels {
                write!(f, "{cases:>6}")?;
            }
            writeln!(f, "{failed:>8}")?;
        }
        if !self.note.is_empty() {
            writeln!(f, "{}", self.note)?;
        }
        let mut alike: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for ((family, name), runs) in self.cases.iter().filter(|(_, runs)| runs.failed()) {
            let path = format!("{family}/{name}");
            writeln!(f, "\nFAILED {path}:")?;
            let others = alike.entry(runs.first_line()).or_default();
            match others.first() {
                Some(first) if others.len() >= WHOLE => writeln!(f, "  as {first}")?,
                _ => {
                    for (pass, lines) in &runs.failures {
                        writeln!(f, "  at {pass}:\n    {}", lines.join("\n    "))?;
                    }
                }
            }
            others.push(path);
        }
        for hole in &self.holes {
            writeln!(f, "\nFAILED {hole}")?;
        }
        let common = alike.iter().filter(|(_, cases)| cases.len() > WHOLE);
        for (line, cases) in common {
            writeln!(f, "\n{} cases: {line}", cases.len())?;
        }
        writeln!(f, "\n{} passed, {} failed", self.passed(), self.failed())
    }
}
