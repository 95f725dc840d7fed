//! `flinks resume`: goes on where a stopped upload was.

use crate::arguments::Resume;
use crate::clients::Service;
use crate::commands::upload::with_ledger;
use crate::commands::upload_result::{self, After};
use crate::context::{Context, variable};
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::progress::UploadBar;
use crate::state::ledger_file::LedgerFile;

/// Sends what is still to be sent and completes the session; a completed ledger sends nothing.
pub(crate) async fn run(arguments: &Resume, context: &Context) -> Result<Exit, CliError> {
    let service = Service::start(context, &arguments.connection).await?;
    let uploads = service.uploads()?;
    let fraud = if arguments.wait.wait {
        Some(service.fraud()?)
    } else {
        None
    };
    let (place, ledger, entries) = LedgerFile::open(&arguments.ledger, variable)?;
    let session = uploads.resume(ledger, &entries).map_err(|error| {
        let mut failure = CliError::from(error);
        failure.ledger = place.left();
        failure
    })?;
    let session = session
        .on_unknown(arguments.on_unknown.into())
        .complete_again(arguments.complete_again);
    let (session, bar) = UploadBar::follow(session, context.output.progress);
    let done = with_ledger(&place, Box::pin(session.complete())).await?;
    drop(bar);
    let after = After {
        fraud,
        wait: &arguments.wait,
        checksums: Vec::new(),
    };
    upload_result::settle(context, &done, &place, after).await
}
