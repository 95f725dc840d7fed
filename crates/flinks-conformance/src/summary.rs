//! The table by family, the failures, and the closing line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::case::Level;
use crate::corpus::Fixture;
use crate::run::{CaseResult, Pass};

/// What a run of many cases came to. `Display` is the runner's output: a table by family, what is
/// covered, the failures, and the closing line.
#[derive(Debug, Default)]
pub struct Summary {
    families: BTreeMap<String, Row>,
    /// Case, pass, and what was wrong.
    failures: Vec<(String, String, String)>,
    covered: String,
    holes: Vec<String>,
}

#[derive(Debug, Default)]
struct Row {
    cases: BTreeSet<String>,
    levels: [usize; 4],
    passed: usize,
    failed: usize,
}

impl Summary {
    /// Adds one run of a case.
    pub fn add(&mut self, fixture: &Fixture, pass: &Pass, result: CaseResult) {
        let row = self.families.entry(fixture.family.clone()).or_default();
        row.cases.insert(fixture.name.clone());
        match result {
            CaseResult::NotApplicable => return,
            CaseResult::Passed => row.passed += 1,
            CaseResult::Failed(lines) => {
                row.failed += 1;
                let (path, lines) = (fixture.path(), lines.join("\n  "));
                self.failures.push((path, pass.to_string(), lines));
            }
        }
        let [one, two, three, live] = &mut row.levels;
        match pass.level() {
            Level::L1 => *one += 1,
            Level::L2 => *two += 1,
            Level::L3 => *three += 1,
            Level::Live => *live += 1,
        }
    }

    /// Adds another run of the same cases.
    pub fn merge(&mut self, other: Self) {
        for (family, other) in other.families {
            let row = self.families.entry(family).or_default();
            row.cases.extend(other.cases);
            for (sum, more) in row.levels.iter_mut().zip(other.levels) {
                *sum += more;
            }
            row.passed += other.passed;
            row.failed += other.failed;
        }
        self.failures.extend(other.failures);
    }

    /// Adds what the corpus covers, and what it does not: each line of that is a failure.
    pub fn cover(&mut self, covered: String, holes: Vec<String>) {
        self.covered = covered;
        self.holes = holes;
    }

    /// The cases that failed in any pass, each once, as `family/name`.
    #[must_use]
    pub fn failures(&self) -> BTreeSet<&str> {
        self.failures
            .iter()
            .map(|(path, ..)| path.as_str())
            .collect()
    }

    /// How many runs passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.families.values().map(|row| row.passed).sum()
    }

    /// How many runs failed, and how much is not covered.
    #[must_use]
    pub fn failed(&self) -> usize {
        let runs: usize = self.families.values().map(|row| row.failed).sum();
        runs + self.holes.len()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "family        cases    L1    L2    L3  live  passed  failed"
        )?;
        for (family, row) in &self.families {
            let [one, two, three, live] = row.levels;
            let (cases, passed, failed) = (row.cases.len(), row.passed, row.failed);
            writeln!(
                f,
                "{family:<12} {cases:>6}{one:>6}{two:>6}{three:>6}{live:>6}{passed:>8}{failed:>8}"
            )?;
        }
        if !self.covered.is_empty() {
            write!(f, "\n{}", self.covered)?;
        }
        for (path, pass, lines) in &self.failures {
            writeln!(f, "\nFAILED {path} at {pass}:\n  {lines}")?;
        }
        for hole in &self.holes {
            writeln!(f, "\nFAILED {hole}")?;
        }
        writeln!(f, "\n{} passed, {} failed", self.passed(), self.failed())
    }
}
