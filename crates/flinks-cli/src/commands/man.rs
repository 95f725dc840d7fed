//! `flinks man`: writes the manual pages, for packages of the program.

use std::fs;

use clap::CommandFactory as _;
use serde_json::json;

use crate::arguments::{Arguments, Man};
use crate::output::Output;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;

/// Writes one page a command, and replaces those of an earlier version.
pub(crate) fn run(arguments: &Man, output: Output) -> Result<Exit, CliError> {
    let folder = &arguments.out;
    let pages = Arguments::command().mut_subcommand("settings", |settings| settings.hide(false));
    // Readable by every user, unlike what the program writes otherwise.
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(pages, folder))
        .map_err(|error| CliError::disk("DIR", &error))?;
    output.object(&json!({ "man": folder.to_string_lossy() }))?;
    Ok(Exit::Done)
}
