//! The program `flinks`: upload statements, read the fraud verdict, diagnose the set-up, run the sandbox.
//!
//! The library is for the program and this workspace's tests; its items may change at any time.
#![allow(
    clippy::disallowed_methods,
    reason = "a program reads its environment and its clock, and starts what it needs"
)]

mod arguments;
mod clients;
mod commands;
mod context;
mod interrupt;
mod logging;
mod output;
mod prompt;
#[doc(hidden)]
pub mod settings;
mod state;

use std::future::Future;
use std::io;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};
use crate::context::{Context, variable};
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::text::shown_path;
use crate::output::{Output, write_stderr};
use crate::output::{io_error, support_report, usage_error};

/// Runs the program on the arguments of this process.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misused(&error),
    };
    let common = &arguments.common;
    logging::start(common.verbose);
    let no_colour = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let context = Context::new(
        common,
        Output::new(common.json, no_colour, common.verbose > 0),
    );
    if let Some(why) = usage_error::text_for_path(&arguments) {
        return tell(&CliError::usage(&why), context.output).into();
    }
    let outcome = room()
        .and_then(|()| interrupt::listen())
        .and_then(|()| run_command(&arguments.command, &context));
    let mut failure = match outcome {
        Ok(exit) => return exit.into(),
        Err(failure) => failure,
    };
    if !context.sandbox {
        failure.save_unread_answer(variable);
    }
    let exit = tell(&failure, context.output);
    if let Some(path) = &common.support {
        let endpoint = context.endpoint(&failure);
        let written = support_report::write(
            path,
            &failure,
            arguments.command.name(),
            endpoint.as_deref(),
        );
        write_stderr(&match written {
            Ok(()) => format!("support report: {}\n", shown_path(path)),
            Err(failure) => failure.to_text(),
        });
    }
    exit.into()
}

/// Tells of a failure: as one JSON object on standard output, or as text on standard error. Where
/// standard output cannot be written, the object goes to standard error as well.
fn tell(failure: &CliError, output: Output) -> Exit {
    if !output.json {
        write_stderr(&failure.to_text());
    } else if failure.is_stdout() || output.object(&failure.to_json()).is_err() {
        write_stderr(&output::json::line(&failure.to_json()));
    }
    failure.exit()
}

/// A command line that means nothing, or one that only asks for help.
fn misused(error: &clap::Error) -> ExitCode {
    if usage_error::is_help(error) {
        let printed = error.print();
        return if error.use_stderr() || printed.is_err() {
            Exit::Usage
        } else {
            Exit::Done
        }
        .into();
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let failure = CliError::usage(&usage_error::message(error));
        return tell(&failure, Output::new(true, true, true)).into();
    }
    write_stderr(&usage_error::text(error));
    Exit::Usage.into()
}

fn run_command(command: &Command, context: &Context) -> Result<Exit, CliError> {
    match command {
        Command::Upload(arguments) => wait_for(context, commands::upload::run(arguments, context)),
        Command::Resume(arguments) => wait_for(context, commands::resume::run(arguments, context)),
        Command::Fraud(arguments) => wait_for(context, commands::fraud::run(arguments, context)),
        Command::Authorize(arguments) => {
            wait_for(context, commands::authorize::run(arguments, context))
        }
        Command::Accounts(arguments) => {
            wait_for(context, commands::accounts::run(arguments, context))
        }
        Command::Statements(arguments) => {
            wait_for(context, commands::statements::run(arguments, context))
        }
        Command::DeleteCard(arguments) => {
            wait_for(context, commands::delete_card::run(arguments, context))
        }
        Command::Doctor(arguments) => wait_for(context, commands::doctor::run(arguments, context)),
        Command::Sandbox(arguments) => serve(commands::sandbox::run(arguments, context)),
        Command::Csr(arguments) => commands::csr::run(arguments, context.output),
        Command::Completions(arguments) => commands::completions::run(arguments, context.output),
    }
}

/// Runs a command.
fn wait_for(
    context: &Context,
    command: impl Future<Output = Result<Exit, CliError>>,
) -> Result<Exit, CliError> {
    if context.sandbox {
        return serve(command);
    }
    // One thread is enough for a client.
    block_on(tokio::runtime::Builder::new_current_thread(), command)
}

/// Runs a command that serves, beside its calls or alone.
fn serve(command: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2);
    block_on(builder, command)
}

/// Checks that there are file descriptors left: tokio panics where it has none for its signals.
fn room() -> Result<(), CliError> {
    let reserve: io::Result<Vec<_>> = (0..4).map(|_| io::pipe()).collect();
    reserve.map(drop).map_err(|error| no_runtime(&error))
}

fn no_runtime(error: &io::Error) -> CliError {
    CliError::settings(format!(
        "no runtime can be started: {}",
        io_error::reason(error)
    ))
}

/// Runs a command to its end. The runtime waits for the writes to a ledger that were begun.
fn block_on(
    mut builder: tokio::runtime::Builder,
    command: impl Future<Output = Result<Exit, CliError>>,
) -> Result<Exit, CliError> {
    let runtime = builder
        .enable_all()
        .build()
        .map_err(|error| no_runtime(&error))?;
    runtime.block_on(command)
}
