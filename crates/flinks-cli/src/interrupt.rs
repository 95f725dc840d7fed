//! Stops the program on SIGINT, SIGTERM or SIGHUP.

use std::future::Future;
use std::io;
use std::process;
use std::sync::LazyLock;
use std::time::Duration;

#[cfg(unix)]
use rustix::process::Signal;
use tokio::sync::watch;

use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::progress;
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
    start().map_err(|error| not_installed(&error))
}

pub(crate) fn not_installed(error: &io::Error) -> CliError {
    CliError::settings(format!("signal handlers cannot be installed: {error}"))
}

fn start() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut signals = runtime.block_on(async { Signals::new() })?;
    let thread = std::thread::Builder::new().name("signals".to_owned());
    thread.spawn(move || {
        runtime.block_on(async move {
            let _ = signals.next().await;
            STOP.send_replace(true);
            drop(tokio::time::timeout(GRACE_PERIOD, signals.next()).await);
            temporary::remove_all();
            progress::try_erase();
            terminal::restore_echo();
            process::exit(Exit::Interrupted.code().into());
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

/// The signals that end a program.
#[cfg(unix)]
pub(crate) struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    /// Keeps these signals from ending this program, for as long as it runs.
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    /// Returns the next signal.
    pub(crate) async fn next(&mut self) -> Signal {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => Signal::INT,
            _ = terminate.recv() => Signal::TERM,
            _ = hangup.recv() => Signal::HUP,
        }
    }
}

#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}
