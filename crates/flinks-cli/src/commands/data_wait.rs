//! Fetching the data of an open session: how long to wait, and that somebody is told meanwhile.

use std::time::Duration;

use flinks_legacy::{Data, DataWait, WithRawBody};

use crate::arguments::FetchPace;
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::Request;
use crate::output::progress::Spinner;

/// The embedded sandbox is ready at once or soon.
const SANDBOX_POLL: Duration = Duration::from_secs(1);

/// Waits until the data are there.
///
/// # Errors
/// Those of the calls; the deadline; an interruption.
pub(crate) async fn wait<D: Data>(
    fetch: DataWait<D>,
    pace: FetchPace,
    context: &Context,
) -> Result<WithRawBody<D::Response>, CliError> {
    let poll = pace
        .poll
        .or_else(|| context.sandbox.then_some(SANDBOX_POLL));
    let fetch = match poll {
        Some(poll) => fetch.interval(poll),
        None => fetch,
    };
    let fetch = match pace.deadline {
        Some(deadline) => fetch.timeout(deadline),
        None => fetch,
    };
    let spinner = Spinner::start("waiting for the bank".to_owned(), context.output.progress);
    let outcome = interrupt::or_interrupted(async {
        let fetched = fetch.await;
        fetched.map_err(|error| CliError::failed(Request::BankData, error))
    })
    .await;
    drop(spinner);
    outcome
}
