//! `cargo xtask sandbox`: the test server, as `flinks sandbox` serves it.

use crate::{Failure, Outcome, command};

/// Serves until interrupted; the arguments are those of `flinks sandbox`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut sandbox = command::cargo()?;
    sandbox
        .args(["run", "--quiet", "--package", "flinks-cli", "--", "sandbox"])
        .args(arguments);
    if command::succeeds(&mut sandbox)? {
        Ok(())
    } else {
        Err(Failure::Found)
    }
}
