//! Fetching the data of an open session: how long to wait, and that somebody is told meanwhile.

use std::time::Duration;

use flinks_legacy::{Collected, Data, Fetch, Session};
use flinks_types::{LoginId, RequestId};

use crate::arguments::FetchPace;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt;
use crate::progress::Spinner;
use crate::terminal;

/// The embedded sandbox is ready at once or soon.
const SANDBOX_POLL: Duration = Duration::from_secs(1);

/// The login that the user names; `-`: on standard input.
///
/// # Errors
/// It is no LoginId, or standard input holds none.
pub(crate) async fn login_id(given: &str) -> Result<LoginId, Failure> {
    let text = terminal::argument(given, "LoginId").await?;
    LoginId::new(text.expose().trim()).map_err(|error| Failure::settings(error.to_string()))
}

/// The session that the user names; `-`: on standard input.
///
/// # Errors
/// It is no RequestId, or standard input holds none.
pub(crate) async fn session(request_id: &str) -> Result<Session, Failure> {
    let text = terminal::argument(request_id, "RequestId").await?;
    let id = RequestId::new(text.expose().trim())
        .map_err(|error| Failure::settings(error.to_string()))?;
    Ok(Session::of_request(id))
}

/// Waits until the data are there.
///
/// # Errors
/// Those of the calls; the deadline; an interruption.
pub(crate) async fn finish<D: Data>(
    fetch: Fetch<D>,
    pace: FetchPace,
    context: &Context,
) -> Result<Collected<D::Response>, Failure> {
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
    let outcome = interrupt::or_interrupted(async { Ok(fetch.await?) }).await;
    drop(spinner);
    outcome
}
