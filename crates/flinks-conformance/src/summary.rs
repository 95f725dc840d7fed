//! The table by family, the failures, and the closing line.

use std::collections::BTreeMap;
use std::fmt;

use crate::case::Level;
use crate::corpus::Fixture;
use crate::run::Verdict;

/// What a run of many cases came to. `Display` is the runner's output.
#[derive(Debug, Default)]
pub struct Summary {
    families: BTreeMap<String, Row>,
    failures: Vec<String>,
}

#[derive(Debug, Default)]
struct Row {
    cases: usize,
    levels: [usize; 3],
    passed: usize,
    failed: usize,
}

impl Summary {
    /// Adds one case with its runs; a run's label tells the level and how it was run.
    pub fn add(&mut self, fixture: &Fixture, runs: &[(Level, String, Verdict)]) {
        let row = self.families.entry(fixture.family.clone()).or_default();
        row.cases += 1;
        for (level, label, verdict) in runs {
            match verdict {
                Verdict::NotApplicable => continue,
                Verdict::Passed => row.passed += 1,
                Verdict::Failed(lines) => {
                    row.failed += 1;
                    let path = fixture.path();
                    self.failures
                        .push(format!("{path} at {label}:\n  {}", lines.join("\n  ")));
                }
            }
            let [one, two, three] = &mut row.levels;
            match level {
                Level::L1 => *one += 1,
                Level::L2 => *two += 1,
                Level::L3 => *three += 1,
            }
        }
    }

    /// How many runs passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.families.values().map(|row| row.passed).sum()
    }

    /// How many runs failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.families.values().map(|row| row.failed).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "family        cases    L1    L2    L3  passed  failed")?;
        for (family, row) in &self.families {
            let [one, two, three] = row.levels;
            let (cases, passed, failed) = (row.cases, row.passed, row.failed);
            writeln!(
                f,
                "{family:<12} {cases:>6}{one:>6}{two:>6}{three:>6}{passed:>8}{failed:>8}"
            )?;
        }
        for failure in &self.failures {
            writeln!(f, "\nFAILED {failure}")?;
        }
        writeln!(f, "\n{} passed, {} failed", self.passed(), self.failed())
    }
}
