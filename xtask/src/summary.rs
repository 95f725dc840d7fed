//! Counts of passed, failed and skipped tests, read from the closing lines of other programs.

use std::fmt;
use std::ops::AddAssign;

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Summary {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Summary {
    /// Reads the `test result:` line that ends one test binary of Cargo.
    pub(crate) fn of_test_result(line: &str) -> Option<Self> {
        // After the verdict: `ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; …`.
        let (_, counts) = line
            .trim()
            .strip_prefix("test result: ")?
            .split_once(". ")?;
        Self::of_counts(&counts.split(';').collect::<Vec<_>>())
    }

    /// Reads the closing line of the conformance runner: `N passed, N failed`, or with `, N skipped`.
    pub(crate) fn of_closing_line(line: &str) -> Option<Self> {
        let parts: Vec<&str> = line.trim().split(", ").collect();
        if !parts.iter().all(|part| part.split(' ').count() == 2) {
            return None;
        }
        Self::of_counts(&parts)
    }

    /// Both passed and failed must be there: a line that lacks one is not a count of tests.
    fn of_counts(parts: &[&str]) -> Option<Self> {
        let (mut passed, mut failed, mut skipped) = (None, None, 0);
        for part in parts {
            let Some((count, what)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(count) = count.parse() else { continue };
            match what {
                "passed" => passed = Some(count),
                "failed" => failed = Some(count),
                "ignored" | "skipped" => skipped = count,
                _ => {}
            }
        }
        Some(Self {
            passed: passed?,
            failed: failed?,
            skipped,
        })
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn summary(passed: u64, failed: u64, skipped: u64) -> Summary {
        Summary {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn reads_cargos_result_line() {
        let line = "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s";
        assert_eq!(Summary::of_test_result(line), Some(summary(12, 2, 1)));
        assert_eq!(
            Summary::of_test_result("test result: ok. many passed"),
            None
        );
        assert_eq!(Summary::of_test_result("test reads::it ... ok"), None);
    }

    #[test]
    fn reads_its_own_closing_line_and_no_prose() {
        for wanted in [summary(143, 0, 0), summary(1, 2, 3)] {
            assert_eq!(Summary::of_closing_line(&wanted.to_string()), Some(wanted));
        }
        for other in [
            "143 passed",
            "of them 3 passed, 0 failed",
            "upload  3 passed, 0 failed",
            "",
        ] {
            assert_eq!(Summary::of_closing_line(other), None, "{other}");
        }
    }
}
