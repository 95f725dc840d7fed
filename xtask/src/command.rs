//! Running other programs: the workspace root, Cargo, and what they print.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{Failure, Outcome};

/// Moves to the workspace root, so that every command works from any folder of it.
pub(crate) fn enter_root() -> Outcome {
    let manifest = variable("CARGO_MANIFEST_DIR")?;
    let root = Path::new(&manifest)
        .parent()
        .ok_or_else(|| Failure::Broken(format!("{manifest} has no parent folder")))?;
    env::set_current_dir(root)
        .map_err(|error| Failure::Broken(format!("can't enter {}: {error}", root.display())))
}

/// The Cargo that started this program, so that both use one toolchain.
pub(crate) fn cargo() -> Result<Command, Failure> {
    Ok(Command::new(variable("CARGO")?))
}

/// Whether the command runs and ends well, with its output left where it goes.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool, Failure> {
    command
        .status()
        .map(|status| status.success())
        .map_err(|error| broken(command, &error))
}

/// Whether the command runs and ends well; nothing is printed and a missing program is a plain no.
pub(crate) fn is_available(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What the command prints; its failure is an error that holds what it said.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| broken(command, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::Broken(format!("{command:?} failed: {said}")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What the command prints as errors and warnings, whether it succeeds or not.
pub(crate) fn errors(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| broken(command, &error))?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Kills what a program has started, and what that has started, but not the program itself: Cargo goes
/// on with the next tests. Nothing happens where there is no `ps` and no `kill`.
pub(crate) fn kill_descendants(program: u32) {
    let Ok(listed) = output(Command::new("ps").args(["-e", "-o", "pid=,ppid="])) else {
        return;
    };
    let pairs: Vec<(u32, u32)> = listed
        .lines()
        .filter_map(|line| {
            let mut ids = line.split_whitespace().map(str::parse);
            Some((ids.next()?.ok()?, ids.next()?.ok()?))
        })
        .collect();
    let mut family = vec![program];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(
            pairs
                .iter()
                .filter(|pair| pair.1 == parent)
                .map(|pair| pair.0),
        );
        next += 1;
    }
    if family.len() == 1 {
        return;
    }
    let descendants = family.iter().skip(1).map(u32::to_string);
    drop(Command::new("kill").arg("-KILL").args(descendants).status());
}

#[expect(
    clippy::disallowed_methods,
    reason = "other programs take their time in real time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn broken(command: &Command, error: &std::io::Error) -> Failure {
    Failure::Broken(format!("can't run {command:?}: {error}"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "Cargo passes paths to its subcommands in environment variables"
)]
fn variable(name: &str) -> Result<String, Failure> {
    env::var(name)
        .map_err(|_| Failure::Broken(format!("{name} is not set: run this as `cargo xtask`")))
}
