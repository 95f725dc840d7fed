//! The program `flinks`: upload statements, read the fraud verdict, check the setup, run the sandbox.
//!
//! The library exists for the program and for this workspace; its items may change at any time.
#![allow(
    clippy::disallowed_methods,
    reason = "a program reads its environment and its clock, and starts what it needs"
)]

mod arguments;
mod certificate_watch;
mod clients;
mod commands;
mod context;
#[doc(hidden)]
pub mod fuzz;
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
use crate::output::support_report::Failure;
use crate::output::{
    Output, Stream, columns_of, io_error, json, support_report, usage_error, write_stderr,
};

/// Runs the program with the arguments and the environment of this process.
#[must_use]
pub fn run() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => run_arguments(&arguments).into(),
        Err(error) => report_usage_error(&error).into(),
    }
}

fn run_arguments(arguments: &Arguments) -> Exit {
    let common = &arguments.common;
    logging::start(common.verbose);
    let no_color = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let output = Output::new(common.json, no_color, common.verbose > 0);
    let context = Context::new(common, output);
    if let Some(message) = usage_error::text_for_path(arguments) {
        return report(&CliError::usage(&message), output);
    }
    let result = check_file_descriptors()
        .and_then(|()| listen(&arguments.command))
        .and_then(|()| run_command(&arguments.command, &context));
    let mut error = match result {
        Ok(exit) => return exit,
        Err(error) => error,
    };
    if !context.sandbox {
        error.save_unread_answer(variable);
    }
    if let Some(name) = context.proxy_setting.get() {
        error.set_proxy_setting(name);
    }
    let exit = report(&error, output);
    if let Some(path) = &common.support {
        let failure = Failure {
            command: arguments.command.name(),
            error: &error,
            exit,
            findings: None,
        };
        support_report::write(path, &failure);
    }
    exit
}

/// Prints an error: as one JSON object on standard output, or as text on standard error. If standard
/// output fails, the object goes to standard error.
fn report(error: &CliError, output: Output) -> Exit {
    if !output.json {
        let columns = columns_of(Stream::Error).unwrap_or(usize::MAX);
        write_stderr(&error.to_text_within(columns));
    } else if error.is_stdout() || output.object(&error.to_json()).is_err() {
        write_stderr(&json::line(&error.to_json()));
    }
    error.exit()
}

/// Starts listening for signals, unless they are for the command that `flinks sandbox` runs.
fn listen(command: &Command) -> Result<(), CliError> {
    if matches!(command, Command::Sandbox(arguments) if !arguments.command.is_empty()) {
        return Ok(());
    }
    interrupt::listen()
}

/// Reports an invalid command line, or prints the help that it asks for.
fn report_usage_error(error: &clap::Error) -> Exit {
    if usage_error::is_help(error) {
        return match error.print() {
            Ok(()) if !error.use_stderr() => Exit::Done,
            Ok(()) | Err(_) => Exit::Usage,
        };
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let error = CliError::usage(&usage_error::message(error));
        return report(&error, Output::new(true, true, true));
    }
    write_stderr(&usage_error::text(error));
    Exit::Usage
}

fn run_command(command: &Command, context: &Context) -> Result<Exit, CliError> {
    use commands::{accounts, authorize, batch, completions, config, csr, delete_card, doctor};
    use commands::{fraud, institutions, ledgers, man, refresh, resume, sandbox, settings};
    use commands::{statements, upload};
    match command {
        Command::Upload(arguments) => run_client(context, upload::run(arguments, context)),
        Command::Resume(arguments) => run_client(context, resume::run(arguments, context)),
        Command::Batch(arguments) => run_client(context, batch::run(arguments, context)),
        Command::Ledgers(arguments) => ledgers::run(arguments, context.output),
        Command::Fraud(arguments) => run_client(context, fraud::run(arguments, context)),
        Command::Authorize(arguments) => run_client(context, authorize::run(arguments, context)),
        Command::Accounts(arguments) => run_client(context, accounts::run(arguments, context)),
        Command::Statements(arguments) => run_client(context, statements::run(arguments, context)),
        Command::DeleteCard(arguments) => run_client(context, delete_card::run(arguments, context)),
        Command::Refresh(arguments) => run_client(context, refresh::run(arguments, context)),
        Command::Institutions(arguments) => {
            run_client(context, institutions::run(arguments, context))
        }
        Command::Doctor(arguments) => run_client(context, doctor::run(arguments, context)),
        Command::Sandbox(arguments) => run_server(sandbox::run(arguments, context)),
        Command::Csr(arguments) => csr::run(arguments, context),
        Command::Completions(arguments) => completions::run(arguments, context.output),
        Command::Config(arguments) => config::run(arguments, context),
        Command::Man(arguments) => man::run(arguments, context.output),
        Command::Settings => settings::run(context.output),
    }
}

/// Runs a command that makes calls: on one thread, unless it also serves the embedded sandbox.
fn run_client(
    context: &Context,
    command: impl Future<Output = Result<Exit, CliError>>,
) -> Result<Exit, CliError> {
    if context.sandbox {
        return run_server(command);
    }
    block_on(tokio::runtime::Builder::new_current_thread(), command)
}

/// Runs a command that serves.
fn run_server(command: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2);
    block_on(builder, command)
}

/// Runs a command to its end. Dropping the runtime waits for ledger writes that have begun.
fn block_on(
    mut builder: tokio::runtime::Builder,
    command: impl Future<Output = Result<Exit, CliError>>,
) -> Result<Exit, CliError> {
    let runtime = builder.enable_all().build();
    let runtime = runtime.map_err(|error| cannot_start(&error))?;
    runtime.block_on(command)
}

/// Checks that file descriptors are left: tokio panics if there are none for its signals.
fn check_file_descriptors() -> Result<(), CliError> {
    let reserve: io::Result<Vec<_>> = (0..4).map(|_| io::pipe()).collect();
    reserve.map(drop).map_err(|error| cannot_start(&error))
}

fn cannot_start(error: &io::Error) -> CliError {
    let reason = io_error::reason(error);
    CliError::settings(format!("the program cannot start: {reason}"))
}
