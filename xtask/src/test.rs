//! `cargo xtask test`: every test of the workspace, then the conformance fixtures, and one closing line.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::summary::Summary;
use crate::{Failure, Outcome, command, conformance};

/// What to run.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Options {
    filter: Option<String>,
    mode: Mode,
}

/// Which tests, and over what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Mode {
    /// Everything that needs no setting.
    #[default]
    All,
    /// Everything, and the wire with every TLS version and provider.
    Wire,
    /// Only the fixtures marked for it, against a host of the environment.
    Live,
    /// Only the fixtures, whose expected outputs are rewritten.
    Bless,
}

impl Mode {
    fn of(flag: &str) -> Option<Self> {
        match flag {
            "--wire" => Some(Self::Wire),
            "--live" => Some(Self::Live),
            "--bless" => Some(Self::Bless),
            _ => None,
        }
    }

    const fn flag(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Wire => Some("--wire"),
            Self::Live => Some("--live"),
            Self::Bless => Some("--bless"),
        }
    }
}

impl Options {
    /// Everything, over the wire too.
    pub(crate) const fn wire() -> Self {
        Self {
            filter: None,
            mode: Mode::Wire,
        }
    }

    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        for argument in arguments {
            match Mode::of(argument) {
                Some(mode) if options.mode == Mode::All => options.mode = mode,
                None if !argument.starts_with('-') && options.filter.is_none() => {
                    options.filter = Some(argument.clone());
                }
                _ => return Err(Failure::Usage(format!("test does not take {argument:?}"))),
            }
        }
        Ok(options)
    }

    /// The conformance runner's part.
    fn fixtures(&self) -> Result<Command, Failure> {
        let mut runner = conformance::runner(self.mode == Mode::Wire)?;
        runner.arg("test").args(&self.filter).args(self.mode.flag());
        Ok(runner)
    }
}

/// The examples that need no settings: they run against a sandbox or a service of their own.
const EXAMPLES: [(&str, &str); 5] = [
    ("flinks-conformance", "own_layers"),
    ("flinks-legacy", "session"),
    ("flinks-upload", "own_layer"),
    ("flinks-upload", "own_leaf"),
    ("flinks-upload", "tower_http"),
];

/// Runs all of it, also after a failure, so that the closing line counts every test.
pub(crate) fn run(options: &Options) -> Outcome {
    if matches!(options.mode, Mode::Live | Mode::Bless) {
        return if command::succeeds(&mut options.fixtures()?)? {
            Ok(())
        } else {
            Err(Failure::Found)
        };
    }
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
    let conformance = watch(&mut options.fixtures()?, &CONFORMANCE)?;

    let mut all = cargo;
    all += examples;
    all += conformance;
    println!("\ncargo test   {cargo}\nexamples     {examples}\nconformance  {conformance}\n{all}");
    match &options.filter {
        // A mistyped name must not look like a pass.
        Some(filter) if all.passed + all.failed == 0 => Err(Failure::Broken(format!(
            "no test and no case has {filter:?} in its name"
        ))),
        _ if all.failed > 0 => Err(Failure::Found),
        _ => Ok(()),
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
        for (flag, mode) in [
            ("--wire", Mode::Wire),
            ("--live", Mode::Live),
            ("--bless", Mode::Bless),
        ] {
            let filter = Some("upload".to_owned());
            let both = Options { filter, mode };
            let words = words(&format!("{flag} upload"));
            assert!(Options::parse(&words).is_ok_and(|options| options == both));
            assert_eq!(mode.flag(), Some(flag));
        }
        for wrong in ["--blessed", "one two", "--live --bless"] {
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
