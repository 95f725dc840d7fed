//! Waits for the data of a bank session or a LoginId, for `accounts` and `statements`.

use std::time::Duration;

use flinks_legacy::{Data, DataWait, WithRawBody};

use crate::arguments::DataPollArguments;
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::Request;
use crate::output::progress::Waiting;

const SANDBOX_INTERVAL: Duration = Duration::from_secs(1);

/// Waits until the data are there.
///
/// # Errors
/// The call fails, the wait times out, or the user interrupts it.
pub(crate) async fn wait<D: Data>(
    mut fetch: DataWait<D>,
    poll: DataPollArguments,
    context: &Context,
) -> Result<WithRawBody<D::Response>, CliError> {
    let sandbox = context.sandbox.then_some(SANDBOX_INTERVAL);
    if let Some(interval) = poll.poll.or(sandbox) {
        fetch = fetch.interval(interval);
    }
    if let Some(timeout) = poll.deadline {
        fetch = fetch.timeout(timeout);
    }
    let waiting = Waiting::start("waiting for the data", context.output.progress);
    let shown = waiting.clone();
    let fetch = fetch.on_pause(move |status| shown.paused(status));
    let outcome = interrupt::or_interrupted(async {
        let fetched = fetch.await;
        fetched.map_err(|error| CliError::failed(Request::BankData, error))
    });
    let explain = |error| waiting.explain(error, "run the same command again");
    outcome.await.map_err(explain)
}
