//! Stops the program on SIGINT, SIGTERM or SIGHUP.

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

/// Whether a signal has arrived.
static STOP: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// How long the command may take to stop and to report.
const GRACE_PERIOD: Duration = Duration::from_secs(3);

/// Starts a thread that listens for signals, so that a blocked write cannot keep the program from
/// exiting. The first signal stops the command; the program exits three seconds later, or at the
/// second signal.
///
/// # Errors
/// Signal handlers cannot be installed.
pub(crate) fn listen() -> Result<(), CliError> {
    start().map_err(|error| {
        CliError::settings(format!("signal handlers cannot be installed: {error}"))
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
            drop(tokio::time::timeout(GRACE_PERIOD, signals.next()).await);
            temporary::remove_all();
            terminal::restore_echo();
            process::exit(Exit::Interrupted as i32);
        });
    })?;
    Ok(())
}

/// Runs a task until it ends or a signal arrives, which drops it. After a signal no task is started.
///
/// # Errors
/// Those of the task, or that it was interrupted.
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

/// Returns when a signal arrives.
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
