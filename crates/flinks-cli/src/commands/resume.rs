//! `flinks resume`: continues a stopped upload from its ledger.

use flinks_upload::LedgerEntry;

use flinks_upload::UploadErrorKind;

use crate::arguments::Resume;
use crate::clients::Clients;
use crate::commands::ledgers;
use crate::commands::upload::run_session;
use crate::commands::upload_result::AfterUpload;
use crate::context::{Context, variable};
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::hints;
use crate::output::progress::UploadBar;
use crate::output::report_page;
use crate::output::write_stderr;
use crate::state::ledger_place::LedgerPlace;

/// Sends the files that are not confirmed and completes the session. A completed ledger sends nothing.
pub(crate) async fn run(arguments: &Resume, context: &Context) -> Result<Exit, CliError> {
    let Some(ledger) = &arguments.ledger else {
        return ledgers::list(context.output);
    };
    if let Some(page) = &arguments.wait.html {
        report_page::check(page)?;
    }
    let clients = Clients::start(context, &arguments.connection).await?;
    let (uploads, watcher) = clients.upload()?;
    let fraud = clients.fraud_if(arguments.wait.wait)?;
    let (place, ledger, entries) = LedgerPlace::open(ledger, variable)
        .map_err(|error| CliError::from(error).with_hint(Some(hints::LEDGERS)))?;
    let info = entries.iter().find_map(|entry| {
        let LedgerEntry::Session(info) = entry else {
            return None;
        };
        Some(info)
    });
    let session = uploads.resume(ledger, &entries).map_err(|error| {
        // Another host's ledger cannot be resumed with these settings.
        let is_foreign = error.kind() == UploadErrorKind::Ledger;
        let mut error = CliError::from(error);
        let path = place.path_to_resume().filter(|_| !is_foreign);
        error.ledger = path.map(Into::into);
        error
    })?;
    let session = session
        .on_unknown(arguments.unknown.on_unknown.into())
        .force_complete(arguments.complete_again);
    let (session, bar) = UploadBar::follow(session, context.output.progress);
    let watch = watcher.start(write_stderr);
    let completed = run_session(&place, Box::pin(session.complete())).await?;
    drop((watch, bar));
    let after = AfterUpload {
        fraud,
        wait: &arguments.wait,
        tag: info.and_then(|info| info.tag.as_deref()),
        client_name: info.and_then(|info| info.client_name.as_deref()),
        checksums: Vec::new(),
    };
    after.finish(&completed, &place, context).await
}
