//! `cargo xtask test`: every test of the workspace, then the conformance fixtures, and one closing line.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use crate::summary::Summary;
use crate::watch::Watch;
use crate::{Failure, Outcome, command, conformance, examples};

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

/// Runs all of it, also after a failure, so that the closing line counts every test.
pub(crate) fn run(options: &Options) -> Outcome {
    if matches!(options.mode, Mode::Live | Mode::Bless) {
        return if command::succeeds(&mut options.fixtures()?)? {
            Ok(())
        } else {
            Err(Failure::Found)
        };
    }
    let start = command::now();
    let mut tests = command::cargo()?;
    tests
        .args(["test", "--workspace", "--no-fail-fast", "--features"])
        // The conversions are off by default.
        .arg("flinks-types/jiff,flinks-types/rust_decimal")
        .args(&options.filter);
    let mut cargo = watch(&mut tests, &CARGO)?;
    // libtest takes a test that skips itself for one that passed.
    let skipped = u64::try_from(cargo.skipped.len()).unwrap_or_default();
    cargo.sum.passed = cargo.sum.passed.saturating_sub(skipped);
    cargo.sum.skipped += skipped;
    let after_tests = command::now();

    let mut examples = Summary::default();
    let mut failed_examples = Vec::new();
    if options.filter.is_none() {
        println!("\nExamples");
        let one = |name: &str, example: &mut Command| {
            if watch(example, &EXAMPLE)?.sum.failed == 0 {
                examples.passed += 1;
            } else {
                println!("example {name} failed");
                failed_examples.push(format!("example {name}"));
                examples.failed += 1;
            }
            Ok(())
        };
        examples::each(one)?;
    }
    let after_examples = command::now();

    println!("\nConformance fixtures");
    let conformance = watch(&mut options.fixtures()?, &CONFORMANCE)?;

    let mut all = cargo.sum;
    all += examples;
    all += conformance.sum;
    cargo.parts.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let slowest: Vec<_> = cargo
        .parts
        .iter()
        .take(3)
        .map(ToString::to_string)
        .collect();
    let seconds = |from: Instant, to: Instant| (to - from).as_secs();
    println!(
        "\ncargo test   {} ({} s with building; slowest: {})",
        cargo.sum,
        seconds(start, after_tests),
        slowest.join(", ")
    );
    println!(
        "examples     {examples} ({} s)",
        seconds(after_tests, after_examples)
    );
    println!(
        "conformance  {} ({} s)",
        conformance.sum,
        seconds(after_examples, command::now())
    );
    for reason in &cargo.skipped {
        println!("skipped: {reason}");
    }
    let failures = [cargo.failures, failed_examples, conformance.failures].concat();
    for name in failures.iter().take(SHOWN) {
        println!("failed: {name}");
    }
    if failures.len() > SHOWN {
        println!("failed: {} more", failures.len() - SHOWN);
    }
    println!("{all}");
    match &options.filter {
        // A mistyped name must not look like a pass.
        Some(filter) if all.passed + all.failed == 0 => Err(Failure::Broken(format!(
            "no test and no case has {filter:?} in its name"
        ))),
        _ if all.failed > 0 => Err(Failure::Found),
        _ => Ok(()),
    }
}

/// How many failures are named at the end.
const SHOWN: usize = 40;

/// How to read one program's output.
struct Reader {
    name: &'static str,
    /// Reads a line that counts; a program that has none is judged by its end alone.
    count: Option<fn(&str) -> Option<Summary>>,
    /// Lines that are not shown.
    is_noise: fn(&str) -> bool,
}

const CARGO: Reader = Reader {
    name: "cargo test",
    count: Some(Summary::of_test_result),
    is_noise: is_cargo_noise,
};
const EXAMPLE: Reader = Reader {
    name: "the example",
    count: None,
    is_noise: |_| false,
};
const CONFORMANCE: Reader = Reader {
    name: "the conformance runner",
    count: Some(Summary::of_closing_line),
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

/// Runs the command, passes on what matters and notes what it counts; a test that hangs is killed with
/// the program that runs it, and named.
///
/// A command that ends badly without counting a failure (it did not build, it crashed), or that
/// counts nothing at all, is itself one failed test: the closing line must never look better than the run.
fn watch(command: &mut Command, reader: &Reader) -> Result<Watch, Failure> {
    // One pipe for both outputs: Cargo names each program on the other one than libtest's.
    let (output, input) = io::pipe().map_err(|error| command::broken(command, &error))?;
    let also = input
        .try_clone()
        .map_err(|error| command::broken(command, &error))?;
    let mut child = command
        .stdout(input)
        .stderr(also)
        .spawn()
        .map_err(|error| command::broken(command, &error))?;
    // The command keeps its ends of the pipe, and the output would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, lines) = mpsc::channel();
    let reading = thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let start = command::now();
    let mut watch = Watch::new(reader.count.unwrap_or(|_| None));
    loop {
        let patience = watch.next_limit().saturating_sub(start.elapsed());
        match lines.recv_timeout(patience) {
            Ok(line) => {
                let line = String::from_utf8_lossy(&line);
                watch.line(&line, start.elapsed());
                if !(reader.is_noise)(&line) {
                    println!("{line}");
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Some(name) = watch.hung(start.elapsed()) {
                    println!(
                        "{name} timed out: its program was killed, with the tests that it had not ended"
                    );
                    command::kill_descendants(child.id());
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    drop(reading.join());
    let status = child
        .wait()
        .map_err(|error| command::broken(command, &error))?;
    let counted = watch.counted || reader.count.is_none();
    watch.sum = judge(watch.sum, counted, status.success(), reader.name);
    Ok(watch)
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
