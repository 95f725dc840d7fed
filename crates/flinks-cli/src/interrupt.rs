//! SIGINT, SIGTERM and SIGHUP: what a person, a supervisor or a closed terminal stops the program with.

use std::future::Future;
use std::io;
use std::process;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::watch;

use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::prompt::terminal;
use crate::state::temporary;

/// Whether the program was asked to stop.
static STOP: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// How long the program may take to stop what it is doing and to say so.
const PATIENCE: Duration = Duration::from_secs(3);

/// Listens for signals for as long as the program runs, on a thread of its own, so that no write
/// that blocks can keep the program from ending. The first signal asks it to stop; it ends without
/// more ado after three seconds, or at the second signal.
///
/// # Errors
/// The signals cannot be listened for.
pub(crate) fn listen() -> Result<(), CliError> {
    start().map_err(|error| {
        CliError::settings(format!(
            "this machine does not let the program hear signals: {error}"
        ))
    })
}

fn start() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut signals = runtime.block_on(async { Signals::new() })?;
    let thread = std::thread::Builder::new().name("signals".to_owned());
    thread.spawn(move || {
        runtime.block_on(async move {
            signals.next().await;
            STOP.send_replace(true);
            drop(tokio::time::timeout(PATIENCE, signals.next()).await);
            temporary::remove_all();
            terminal::show_typing();
            process::exit(Exit::Interrupted as i32);
        });
    })?;
    Ok(())
}

/// Runs a task until it ends or the program is asked to stop; then it is dropped where it stands,
/// and what it would have left is gone with it. It is not begun after that.
///
/// # Errors
/// The task's own, or that it was interrupted.
pub(crate) async fn or_interrupted<T>(
    task: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    if *STOP.borrow() {
        return Err(CliError::interrupted());
    }
    tokio::select! {
        biased;
        outcome = task => outcome,
        () = stopped() => Err(CliError::interrupted()),
    }
}

/// Ends when the program is asked to stop.
pub(crate) async fn stopped() {
    // The sender lives as long as the program.
    drop(STOP.subscribe().wait_for(|stop| *stop).await);
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}
