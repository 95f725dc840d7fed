//! `flinks sandbox -- COMMAND`: runs a command with the settings of a sandbox in its environment.

use std::ffi::OsString;
#[cfg(unix)]
use std::fs::File;
use std::process::ExitStatus;

use flinks_sandbox::ClientFiles;
#[cfg(unix)]
use rustix::process::{Pid, Signal, getpgrp, kill_process};
use tokio::process::{Child, Command};

use crate::interrupt::Signals;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::io_error;

/// Variables that make other clients trust the sandbox.
const TRUST: [&str; 3] = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];

/// Runs the command to its end, and sends it every signal that arrives meanwhile.
///
/// # Errors
/// The command cannot be started.
pub(super) async fn run(
    command: &[OsString],
    files: &ClientFiles,
    mut signals: Signals,
) -> Result<Exit, CliError> {
    let mut child = start(command, files)?;
    loop {
        tokio::select! {
            status = child.wait() => return match status {
                Ok(status) => Ok(Exit::OfCommand(code(status))),
                Err(error) => Err(failed("waited for", &error)),
            },
            signal = signals.next() => forward(&child, signal),
        }
    }
}

fn start(command: &[OsString], files: &ClientFiles) -> Result<Child, CliError> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| CliError::usage("give a command after --"))?;
    let mut command = Command::new(program);
    command.args(arguments);
    // The settings of the real service must not be mixed with those of the sandbox.
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.to_string_lossy().starts_with("FLINKS_")) {
        command.env_remove(name);
    }
    command.envs(files.environment.iter().map(|(name, value)| (*name, value)));
    command.envs(TRUST.map(|name| (name, &files.ca)));
    command.spawn().map_err(|error| failed("started", &error))
}

fn failed(what: &str, error: &std::io::Error) -> CliError {
    let reason = io_error::reason(error);
    CliError::settings(format!("the command cannot be {what}: {reason}"))
}

/// Returns the exit status as a shell has it: 128 and the signal that ended the command.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let signal = None;
    let code = status.code().or(signal).unwrap_or(1);
    u8::try_from(code).unwrap_or(u8::MAX)
}

#[cfg(unix)]
fn forward(child: &Child, signal: Signal) {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(id) = id
        .and_then(Pid::from_raw)
        .filter(|_| !is_from_terminal(signal))
    {
        // It may have ended just now.
        let _ = kill_process(id, signal);
    }
}

/// Whether the command has received the signal too, because a terminal sends it to the whole
/// foreground group.
#[cfg(unix)]
fn is_from_terminal(signal: Signal) -> bool {
    let in_foreground = |terminal| rustix::termios::tcgetpgrp(&terminal) == Ok(getpgrp());
    signal == Signal::INT && File::open("/dev/tty").is_ok_and(in_foreground)
}

#[cfg(not(unix))]
fn forward(_: &Child, (): ()) {
    // The console sends Ctrl-C to the command too.
}
