//! SIGINT, SIGTERM and SIGHUP: what a person, a supervisor or a closed terminal stops the program with.

use std::future::Future;
use std::io;

use crate::failure::Failure;

/// Runs a task until it ends or the program is asked to stop; then it is dropped where it stands,
/// and what it would have left is gone with it.
///
/// # Errors
/// The task's own, or that it was interrupted.
pub(crate) async fn or_interrupted<T>(
    task: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let stop = stopped()?;
    tokio::select! {
        biased;
        outcome = task => outcome,
        () = stop => Err(Failure::interrupted()),
    }
}

/// Ends when the program is asked to stop.
///
/// # Errors
/// The signals cannot be listened for.
#[cfg(unix)]
pub(crate) fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| unheard(&error));
    let (mut interrupt, mut terminate, mut hangup) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Ends when the program is asked to stop.
///
/// # Errors
/// None on this platform.
#[cfg(not(unix))]
pub(crate) fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        drop(tokio::signal::ctrl_c().await);
    })
}

#[cfg(unix)]
fn unheard(error: &io::Error) -> Failure {
    Failure::settings(format!(
        "this machine does not let the program hear signals: {error}"
    ))
}
