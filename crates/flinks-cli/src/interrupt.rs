//! SIGINT and SIGTERM: what a person or a supervisor stops the program with.

use std::future::Future;
use std::io;

use crate::failure::Failure;

/// Runs a task until it ends or the user interrupts it; then it is dropped where it stands.
///
/// # Errors
/// The task's own, or that it was interrupted.
pub(crate) async fn or_interrupted<T>(
    task: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        outcome = task => outcome,
        heard = tokio::signal::ctrl_c() => {
            heard.map_err(|error| unheard(&error))?;
            Err(Failure::interrupted())
        }
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
    let (mut interrupt, mut terminate) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
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

fn unheard(error: &io::Error) -> Failure {
    Failure::settings(format!(
        "this machine does not let the program hear signals: {error}"
    ))
}
