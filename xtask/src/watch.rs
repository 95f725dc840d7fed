//! Watches a run of tests line by line: what it counts, what fails, is skipped, is slow, or hangs.

use std::fmt;
use std::time::Duration;

use crate::summary::Summary;

/// How long a test may go on after libtest has said that it runs for over 60 seconds.
const LIMIT: Duration = Duration::from_secs(180);
/// Tests that may take longer: they compile, which on a machine without anything built takes minutes.
const LONG: [(&str, Duration); 1] = [("misuse::", Duration::from_secs(20 * 60))];
/// How long there may be no line at all: a cold build prints one for each crate.
const SILENCE: Duration = Duration::from_secs(15 * 60);

/// What libtest prints of a test that is slow.
const SLOW: &str = " has been running for over 60 seconds";

/// What is known of a run so far.
#[derive(Debug)]
pub(crate) struct Watch {
    count: fn(&str) -> Option<Summary>,
    pub(crate) sum: Summary,
    pub(crate) counted: bool,
    /// Names of what failed, as the run prints them.
    pub(crate) failures: Vec<String>,
    /// Why tests were skipped, as they say it.
    pub(crate) skipped: Vec<String>,
    /// The programs that ran tests, and how long each took.
    pub(crate) parts: Vec<Part>,
    slow: Vec<(String, Duration)>,
    last_line: Duration,
    /// What the program that runs now has counted, for when it does not come to its end.
    now: Summary,
    package: String,
    part: String,
}

/// One program of tests.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) seconds: f64,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:.1} s", self.name, self.seconds)
    }
}

impl Watch {
    /// A run that begins; `count` reads the lines in which it counts.
    pub(crate) fn new(count: fn(&str) -> Option<Summary>) -> Self {
        Self {
            count,
            sum: Summary::default(),
            counted: false,
            failures: Vec::new(),
            skipped: Vec::new(),
            parts: Vec::new(),
            slow: Vec::new(),
            last_line: Duration::ZERO,
            now: Summary::default(),
            package: String::new(),
            part: String::new(),
        }
    }

    /// Takes note of one line, which came so long after the beginning.
    pub(crate) fn line(&mut self, line: &str, at: Duration) {
        self.last_line = at;
        let line = line.trim();
        if let Some(reason) = line.strip_prefix("skipped: ") {
            self.skipped.push(reason.to_owned());
            return;
        }
        if let Some(case) = line.strip_prefix("FAILED ") {
            self.failures.push(case.trim_end_matches(':').to_owned());
        }
        if let Some(what) = line.strip_prefix("Running ") {
            self.part = self.part_of(what);
        }
        if let Some(package) = line.strip_prefix("Doc-tests ") {
            self.part = format!("{package} documentation");
        }
        if line.starts_with("running ") {
            self.now = Summary::default();
        }
        if let Some(count) = (self.count)(line) {
            self.sum += count;
            self.counted = true;
            self.now = Summary::default();
            let took = line.rsplit_once("finished in ").map(|(_, took)| took);
            if let Some(seconds) = took.and_then(|took| took.strip_suffix('s')?.parse().ok()) {
                let name = self.part.clone();
                self.parts.push(Part { name, seconds });
            }
        } else if let Some(test) = line.strip_prefix("test ") {
            self.test(test, at);
        }
    }

    fn test(&mut self, line: &str, at: Duration) {
        if let Some(name) = line.strip_suffix(SLOW) {
            let long = LONG.iter().find(|(part, _)| name.contains(part));
            let limit = long.map_or(LIMIT, |(_, limit)| *limit);
            self.slow.push((name.to_owned(), at + limit));
            return;
        }
        let Some((name, outcome)) = line.split_once(" ... ") else {
            return;
        };
        self.slow.retain(|(slow, _)| slow != name);
        match outcome {
            "FAILED" => {
                self.now.failed += 1;
                self.failures.push(name.to_owned());
            }
            outcome if outcome.starts_with("ignored") => self.now.skipped += 1,
            _ => self.now.passed += 1,
        }
    }

    /// The program that Cargo starts: of all but unit tests it does not say the package.
    fn part_of(&mut self, what: &str) -> String {
        let path = what.split(" (").next().unwrap_or(what);
        if let Some(path) = path.strip_prefix("unittests ") {
            let file = what.rsplit_once("deps/").map_or("", |(_, file)| file);
            let name = file.rsplit_once('-').map_or(file, |(name, _)| name);
            name.clone_into(&mut self.package);
            return format!("{name} {path}");
        }
        format!("{} {path}", self.package)
    }

    /// When, counted from the beginning, something has hung if no line comes before.
    pub(crate) fn next_limit(&self) -> Duration {
        let limits = self.slow.iter().map(|(_, limit)| *limit);
        limits.fold(self.last_line + SILENCE, Duration::min)
    }

    /// What has hung, if anything has; the program that runs now is then counted as it stands.
    pub(crate) fn hung(&mut self, at: Duration) -> Option<String> {
        let late = self.slow.iter().position(|(_, limit)| *limit <= at);
        let silent = at >= self.last_line + SILENCE;
        let name = match late {
            Some(index) => self.slow.swap_remove(index).0,
            None if silent => format!("{}: no line of output", self.part),
            None => return None,
        };
        self.last_line = at;
        self.now.failed += 1;
        self.sum += self.now;
        self.now = Summary::default();
        self.counted = true;
        self.failures.push(format!("{name} (timed out)"));
        for (other, _) in self.slow.drain(..) {
            self.sum.failed += 1;
            self.failures.push(format!("{other} (killed with it)"));
        }
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn watch(start: Duration, lines: &[&str]) -> Watch {
        let count =
            |line: &str| Summary::of_test_result(line).or_else(|| Summary::of_closing_line(line));
        let mut watch = Watch::new(count);
        for line in lines {
            watch.line(line, start);
        }
        watch
    }

    #[test]
    fn a_test_that_hangs_is_named_and_what_ended_before_it_counts() {
        let start = SECOND;
        let mut watch = watch(
            start,
            &[
                "running 4 tests",
                "test a::ends ... ok",
                "test a::fails ... FAILED",
                "test a::hangs has been running for over 60 seconds",
                "test a::slow has been running for over 60 seconds",
                "test a::slow ... ok",
                "test a::waits has been running for over 60 seconds",
            ],
        );
        assert_eq!(watch.next_limit(), start + LIMIT);
        assert_eq!(watch.hung(start + LIMIT - SECOND), None);
        assert_eq!(watch.hung(start + LIMIT).as_deref(), Some("a::hangs"));
        assert_eq!(
            watch.failures,
            [
                "a::fails",
                "a::hangs (timed out)",
                "a::waits (killed with it)"
            ]
        );
        assert_eq!((watch.sum.passed, watch.sum.failed), (2, 3));
        assert_eq!(watch.hung(start + LIMIT), None);
    }

    #[test]
    fn a_long_test_has_a_limit_of_its_own_and_silence_has_one() {
        let start = SECOND;
        let line = "test misuse::of_types has been running for over 60 seconds";
        let mut long = watch(start, &["running 1 test", line]);
        assert_eq!(long.hung(start + LIMIT), None);
        let mut silent = watch(
            start,
            &["     Running tests/it/main.rs (target/debug/deps/it-1)"],
        );
        assert_eq!(silent.hung(start + SILENCE - SECOND), None);
        let hung = silent.hung(start + SILENCE).unwrap();
        assert!(hung.contains("tests/it/main.rs"), "{hung}");
    }

    #[test]
    fn failures_skips_and_parts_are_read() {
        let watch = watch(
            SECOND,
            &[
                "     Running unittests src/lib.rs (target/debug/deps/flinks_auth-0a1b)",
                "running 2 tests",
                "test one ... ok",
                "skipped: one: curl is not installed",
                "test two ... ignored, slow",
                "test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.52s",
                "     Running tests/it/main.rs (target/debug/deps/it-9f)",
                "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 12.50s",
                "   Doc-tests flinks_auth",
                "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                "FAILED fraud/clean at L2:",
                "3 passed, 1 failed",
            ],
        );
        assert_eq!((watch.sum.passed, watch.sum.failed), (6, 1));
        assert_eq!(watch.failures, ["fraud/clean at L2"]);
        assert_eq!(watch.skipped, ["one: curl is not installed"]);
        let parts: Vec<_> = watch.parts.iter().map(ToString::to_string).collect();
        assert_eq!(
            parts,
            [
                "flinks_auth src/lib.rs 0.5 s",
                "flinks_auth tests/it/main.rs 12.5 s",
                "flinks_auth documentation 0.0 s"
            ]
        );
    }
}
