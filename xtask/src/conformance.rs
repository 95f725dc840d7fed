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

/// `fixture new …` and `fixture record …`.
pub(crate) fn fixture(arguments: &[String]) -> Outcome {
    match arguments {
        [name, rest @ ..] if is_command(name, rest.len()) => run(name, rest),
        _ => Err(Failure::Usage(
            "fixture takes `new FAMILY/CASE [OPERATION]` or `record FAMILY/CASE OPERATION INPUT`"
                .to_owned(),
        )),
    }
}

fn is_command(name: &str, arguments: usize) -> bool {
    matches!((name, arguments), ("new", 1 | 2) | ("record", 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_command_for_fixtures_never_reaches_the_runner() {
        for (name, arguments) in [("new", 1), ("new", 2), ("record", 3)] {
            assert!(is_command(name, arguments), "{name} {arguments}");
        }
        for (name, arguments) in [("new", 0), ("new", 3), ("record", 2), ("news", 1)] {
            assert!(!is_command(name, arguments), "{name} {arguments}");
        }
        assert!(matches!(fixture(&[]), Err(Failure::Usage(_))));
    }
}
