//! The commands that only the conformance runner can do: it knows JSON and TLS, and this program does not.

use std::process::Command;

use crate::{Failure, Outcome, command};

/// The runner, ready for its arguments.
pub(crate) fn runner(with_the_other_provider: bool) -> Result<Command, Failure> {
    let mut runner = command::cargo()?;
    runner.args(["run", "--quiet", "--package", "flinks-conformance"]);
    if with_the_other_provider {
        // Compiled in only where it is asked for: it takes a minute of C.
        runner.args(["--features", "aws-lc-rs"]);
    }
    runner.arg("--");
    Ok(runner)
}

/// Runs one command of the runner, with its output left where it goes.
pub(crate) fn run(name: &str, arguments: &[String]) -> Outcome {
    let mut runner = runner(false)?;
    runner.arg(name).args(arguments);
    if command::succeeds(&mut runner)? {
        Ok(())
    } else {
        Err(Failure::Found)
    }
}
