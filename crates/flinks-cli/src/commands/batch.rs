//! `flinks batch`: uploads the documents of many borrowers, one session each, and reports on all.

mod documents;
mod manifest;
mod plan;
mod progress;
mod report;
mod row;
mod run;
mod state;
mod summary;
mod upload;

use std::path::Path;

use flinks_upload::{UploadError, UploadErrorKind};
use serde_json::{Value, json};

use crate::arguments::Batch;
use crate::clients::Clients;
use crate::commands::batch::manifest::Mistake;
use crate::commands::batch::progress::BatchProgress;
use crate::commands::batch::run::Run;
use crate::commands::batch::state::BatchState;
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::report_page;
use crate::output::text::{counted, shell_word};
use crate::output::write_stderr;
use crate::state::files;
use crate::state::folder::absolute;

/// A manifest of 100,000 borrowers has about 10 MiB.
const MAX_MANIFEST: u64 = 64 << 20;

/// Uploads what is not completed yet. Everything that can be checked on this machine is checked before
/// the first byte is sent.
pub(crate) async fn run(arguments: &Batch, context: &Context) -> Result<Exit, CliError> {
    if let Some(page) = &arguments.wait.html {
        report_page::check(page)?;
    }
    let bytes = files::read(&arguments.manifest, MAX_MANIFEST)
        .map_err(|error| CliError::disk("the manifest", &error))?;
    let borrowers = manifest::parse(&bytes).map_err(|mistakes| refused(&mistakes, context))?;
    let manifest = absolute(&arguments.manifest);
    let report = match &arguments.report {
        Some(report) => absolute(report),
        None => report::default_path(&manifest, context.sandbox),
    };
    let mut state = earlier_state(&report, context)?;

    let clients = Clients::start(context, &arguments.connection).await?;
    let (uploads, watcher) = clients.upload()?;
    let fraud = clients.fraud_if(arguments.wait.wait)?;
    let folder = files::folder_of(&manifest);
    let plan = plan::plan(borrowers, folder, &uploads, state.as_ref()).await?;
    for note in &plan.notes {
        write_stderr(&format!("note: {note}\n"));
    }
    if !plan.mistakes.is_empty() {
        return Err(refused(&plan.mistakes, context));
    }
    if let Some(introduction) = clients.introduction() {
        let introduction = format!("{}\n\n", context.output.faint(&introduction));
        // A failure to print it is ignored.
        drop(context.output.text(&introduction));
    }

    let state = match state.take() {
        Some(state) => state,
        None => new_state(&report, context)?,
    };
    let place = (state, report);
    let mut run = Run::new(
        (arguments, context),
        (uploads, fraud),
        place,
        plan.borrowers,
    )?;
    let mut progress = BatchProgress::start(context.output.progress);
    let watch = watcher.start(write_stderr);
    let finished = interrupt::or_interrupted(run.finish(&mut progress)).await;
    drop((watch, progress));
    let written = run.write_report().map_err(CliError::after_the_call);
    let page = run.write_page();
    let written = written.and(page);
    end(&run, finished.and(written), arguments, context)
}

/// Opens the state of an earlier run, if there is one, and refuses to replace what is not its report.
fn earlier_state(report: &Path, context: &Context) -> Result<Option<BatchState>, CliError> {
    let folder = state::folder_of(report);
    let shown = shell_word(report);
    if context.sandbox && folder.exists() {
        return Err(CliError::settings(format!(
            "{shown} is the report of a batch that was sent to Flinks: with --sandbox give another \
             --report"
        )));
    }
    if folder.exists() {
        return BatchState::open(report).map(Some);
    }
    if report.symlink_metadata().is_err() || (context.sandbox && report::is_report(report)) {
        return Ok(None);
    }
    Err(CliError::settings(if report::is_report(report) {
        format!(
            "{shown} is the report of a batch whose state, {}, is gone: every borrower would be uploaded \
             again. Bring the folder back, or move the report away",
            shell_word(&folder)
        )
    } else {
        format!("{shown} exists and is not the report of a batch: give another --report")
    }))
}

/// Creates the state of a first run.
fn new_state(report: &Path, context: &Context) -> Result<BatchState, CliError> {
    if context.sandbox {
        return BatchState::temporary();
    }
    let state = BatchState::open(report)?;
    // The plan does not know what a run that began meanwhile has sent.
    if !state.ledgers()?.is_empty() {
        return Err(CliError::settings(
            "another run of this batch began at the same time: run the same command again",
        ));
    }
    Ok(state)
}

/// Returns the error for mistakes that have to be corrected first, and prints them.
fn refused(mistakes: &[Mistake], context: &Context) -> CliError {
    if !context.output.json {
        for mistake in mistakes {
            write_stderr(&format!("{mistake}\n"));
        }
    }
    let count = counted(mistakes.len(), "mistake");
    let message = format!("{count} in the manifest; nothing was sent");
    let mut error = if mistakes.iter().all(|mistake| mistake.is_of_file) {
        CliError::from(UploadError::new(UploadErrorKind::File, message))
    } else {
        CliError::settings(message)
    };
    let list = mistakes
        .iter()
        .map(|mistake| json!({ "line": mistake.line, "id": mistake.id, "message": mistake.text }));
    error.result.insert("mistakes".to_owned(), list.collect());
    error
}

/// Prints the summary. Returns the worst exit status of all borrowers.
fn end(
    run: &Run<'_>,
    finished: Result<(), CliError>,
    arguments: &Batch,
    context: &Context,
) -> Result<Exit, CliError> {
    let output = context.output;
    let rows: Vec<_> = run.rows().collect();
    output.text(&summary::to_text(&rows, &run.report, output))?;
    let object = summary::to_json(&rows, &run.report);
    let wait = &arguments.wait;
    let exits = rows
        .iter()
        .map(|(_, row)| row.exit(wait.wait, wait.fail_on_flagged));
    let worst = row::worst(exits);
    match finished {
        // A session whose outcome is unknown outweighs what stopped the batch.
        Err(error) if worst == Exit::Unknown && error.exit() != Exit::Interrupted => {
            write_stderr(&error.to_text());
        }
        Err(mut error) => {
            *error.result = object;
            error.ledger = None;
            return Err(error);
        }
        Ok(()) => {}
    }
    output.object(&Value::Object(object))?;
    Ok(worst)
}
