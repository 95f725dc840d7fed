//! `flinks settings`, which `flinks help settings` prints too: describes every setting.

use clap::CommandFactory as _;
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::output::Output;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::settings::table::SETTINGS;

/// Prints the settings, wrapped for the terminal.
pub(crate) fn run(output: Output) -> Result<Exit, CliError> {
    let mut program = Arguments::command();
    program.build();
    if let Some(command) = program.find_subcommand_mut("settings") {
        output.text(&command.render_help().to_string())?;
    }
    let settings = SETTINGS.iter().map(|setting| {
        json!({
            "variable": setting.variable(),
            "option": setting.option().map(|option| format!("--{option}")),
            "key": setting.is_in_file().then_some(setting.key),
            "secret": setting.is_secret(),
            "meaning": setting.meaning,
            "default": setting.default,
        })
    });
    output.object(&json!({ "settings": settings.collect::<Vec<Value>>() }))?;
    Ok(Exit::Done)
}
