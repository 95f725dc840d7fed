//! `cargo xtask bench`: builds the program and the clients it is compared with, and measures them.

use crate::{Failure, Outcome, command};

/// The workspace of the benchmarks, and the folder that it is built into.
pub(crate) const WORKSPACE: [&str; 4] = [
    "--manifest-path",
    "bench/Cargo.toml",
    "--target-dir",
    "target/bench",
];

/// Builds, then passes the arguments on to the runner.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut program = command::cargo()?;
    program.args(["build", "--release", "--locked", "--package", "flinks-cli"]);
    let mut clients = command::cargo()?;
    clients
        .args(["build", "--release", "--locked"])
        .args(WORKSPACE);
    let mut runner = std::process::Command::new("target/bench/release/bench");
    runner.arg("run").args(arguments);
    for step in [&mut program, &mut clients, &mut runner] {
        if !command::succeeds(step)? {
            return Err(Failure::Found);
        }
    }
    Ok(())
}
