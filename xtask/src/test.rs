//! `cargo xtask test`: every test of the workspace, then the conformance fixtures, and one closing line.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::summary::Summary;
use crate::{Failure, Outcome, command};

/// What to run.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Options {
    filter: Option<String>,
    wire: bool,
}

impl Options {
    /// Everything, over the wire too.
    pub(crate) const fn wire() -> Self {
        Self {
            filter: None,
            wire: true,
        }
    }

    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        for argument in arguments {
            if argument == "--wire" {
                options.wire = true;
            } else if argument.starts_with('-') || options.filter.is_some() {
                return Err(Failure::Usage(format!("test does not take {argument:?}")));
            } else {
                options.filter = Some(argument.clone());
            }
        }
        Ok(options)
    }
}

/// The examples that need no settings: they run against a sandbox or a service of their own.
const EXAMPLES: [(&str, &str); 4] = [
    ("flinks-legacy", "session"),
    ("flinks-upload", "own_layer"),
    ("flinks-upload", "own_leaf"),
    ("flinks-upload", "tower_http"),
];

/// Runs all of it, also after a failure, so that the closing line counts every test.
pub(crate) fn run(options: &Options) -> Outcome {
    let mut tests = command::cargo()?;
    tests
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(&options.filter);
    let cargo = watch(&mut tests, &CARGO)?;

    let mut examples = Summary::default();
    if options.filter.is_none() {
        println!("\nExamples");
        for (package, name) in EXAMPLES {
            let mut example = command::cargo()?;
            example.args(["run", "--quiet", "--package", package, "--example", name]);
            if command::succeeds(&mut example)? {
                examples.passed += 1;
            } else {
                println!("example {name} failed");
                examples.failed += 1;
            }
        }
    }

    println!("\nConformance fixtures");
    let mut runner = command::cargo()?;
    runner.args(["run", "--quiet", "--package", "flinks-conformance"]);
    if options.wire {
        // The other provider is compiled in only where it is asked for: it takes a minute of C.
        runner.args(["--features", "aws-lc-rs"]);
    }
    runner.args(["--", "test"]).args(&options.filter);
    if options.wire {
        runner.arg("--wire");
    }
    let conformance = watch(&mut runner, &CONFORMANCE)?;

    let mut all = cargo;
    all += examples;
    all += conformance;
    println!("\ncargo test   {cargo}\nexamples     {examples}\nconformance  {conformance}\n{all}");
    if all.failed == 0 {
        Ok(())
    } else {
        Err(Failure::Found)
    }
}

/// How to read one program's output.
struct Reader {
    name: &'static str,
    count: fn(&str) -> Option<Summary>,
    /// Lines not worth a reader's time.
    is_noise: fn(&str) -> bool,
}

const CARGO: Reader = Reader {
    name: "cargo test",
    count: Summary::of_test_result,
    is_noise: is_cargo_noise,
};
const CONFORMANCE: Reader = Reader {
    name: "the conformance runner",
    count: Summary::of_closing_line,
    // Its closing line is held back: the summary repeats it beside Cargo's.
    is_noise: |line| Summary::of_closing_line(line).is_some(),
};

/// Each passed test, and each binary without one.
fn is_cargo_noise(line: &str) -> bool {
    let passed = line.starts_with("test ") && line.ends_with(" ... ok");
    let started = line.starts_with("running ") && line.contains(" test");
    passed
        || started
        || line.trim().is_empty()
        || line.starts_with("test result: ok. 0 passed; 0 failed; 0 ignored")
}

/// Runs the command, passes on what matters and adds up what it counts.
///
/// A command that ends badly without counting a failure (it did not build, it crashed), or that
/// counts nothing at all, is itself one failed test: the closing line must never look better than the run.
fn watch(command: &mut Command, reader: &Reader) -> Result<Summary, Failure> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| command::broken(command, &error))?;
    let (mut sum, mut counted) = (Summary::default(), false);
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(|error| command::broken(command, &error))?;
            let line = String::from_utf8_lossy(&line);
            if let Some(counts) = (reader.count)(&line) {
                sum += counts;
                counted = true;
            }
            if !(reader.is_noise)(&line) {
                println!("{line}");
            }
        }
    }
    let status = child
        .wait()
        .map_err(|error| command::broken(command, &error))?;
    Ok(judge(sum, counted, status.success(), reader.name))
}

fn judge(mut sum: Summary, counted: bool, succeeded: bool, name: &str) -> Summary {
    if sum.failed == 0 && !(succeeded && counted) {
        let how = if succeeded {
            "counted no tests"
        } else {
            "ended with an error before it counted one"
        };
        println!("{name} {how}: counted as one failure");
        sum.failed = 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options() {
        let both = Options {
            filter: Some("upload".to_owned()),
            wire: true,
        };
        assert!(Options::parse(&words("--wire upload")).is_ok_and(|options| options == both));
        for wrong in ["--bless", "one two"] {
            assert!(
                matches!(Options::parse(&words(wrong)), Err(Failure::Usage(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_bad_end_or_an_empty_count_is_a_failure() {
        let three = Summary {
            passed: 3,
            ..Summary::default()
        };
        assert_eq!(judge(three, true, true, "x").failed, 0);
        assert_eq!(judge(three, true, false, "x").failed, 1);
        assert_eq!(judge(Summary::default(), false, true, "x").failed, 1);
        let two_failed = Summary { failed: 2, ..three };
        assert_eq!(judge(two_failed, true, false, "x").failed, 2);
    }

    #[test]
    fn failures_are_never_noise() {
        for line in [
            "test a::b ... FAILED",
            "thread 'a::b' panicked at src/lib.rs:1:1:",
            "test result: FAILED. 0 passed; 1 failed; 0 ignored",
            "test result: ok. 1 passed; 0 failed; 0 ignored",
        ] {
            assert!(!is_cargo_noise(line), "{line}");
        }
        for line in [
            "test a::b ... ok",
            "",
            "running 12 tests",
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured",
        ] {
            assert!(is_cargo_noise(line), "{line}");
        }
    }
}
