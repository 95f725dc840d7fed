//! `flinks completions`: prints a shell completion script.

use clap::CommandFactory as _;
use serde_json::json;

use crate::arguments::{Arguments, Completions};
use crate::output::Output;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;

/// Prints the script.
pub(crate) fn run(arguments: &Completions, output: Output) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "flinks",
        &mut script,
    );
    let script = String::from_utf8_lossy(&script);
    output.text(&script)?;
    output.object(&json!({ "shell": arguments.shell.to_string(), "script": script }))?;
    Ok(Exit::Done)
}
