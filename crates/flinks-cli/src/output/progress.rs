//! Progress on standard error: lines redrawn in place on a terminal, plain lines in CI.

mod live;
mod upload_view;
mod wait;

use std::env;
use std::io::{self, IsTerminal as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use flinks_types::text::escaped;
use flinks_upload::{Phase, Progress, UploadSession};

use crate::output::progress::upload_view::UploadState;
use crate::output::text::size;
use crate::output::write_stderr;

pub(crate) use live::{Live, erase, try_erase};
pub(crate) use wait::Waiting;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ProgressStyle {
    None,
    /// A line for each step, never redrawn.
    Lines,
    /// Redrawn in place.
    Live,
}

impl ProgressStyle {
    /// Returns how this run shows progress on standard error: redrawn on a terminal, unless it cannot
    /// move the cursor or the log is written there too; as lines in CI; otherwise not at all.
    pub(crate) fn of_stderr(json: bool, verbose: bool) -> Self {
        match io::stderr().is_terminal() {
            _ if json => Self::None,
            true if !is_plain() && !verbose => Self::Live,
            true => Self::Lines,
            false if is_ci() => Self::Lines,
            false => Self::None,
        }
    }
}

/// Whether a terminal takes no escape sequences: it cannot, or it is a log.
pub(crate) fn is_plain() -> bool {
    is_ci() || env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| ["", "0", "false"].iter().all(|off| value != *off))
}

/// Shows the progress of an upload until it is dropped.
pub(crate) struct UploadBar(
    #[expect(dead_code, reason = "it draws until it is dropped")] Option<Live>,
);

impl UploadBar {
    /// Shows the progress of a session.
    pub(crate) fn follow(session: UploadSession, style: ProgressStyle) -> (UploadSession, Self) {
        match style {
            ProgressStyle::None => (session, Self(None)),
            ProgressStyle::Lines => {
                let session = session.on_progress(|progress| {
                    if let Some(line) = line(&progress) {
                        write_stderr(&line);
                    }
                });
                (session, Self(None))
            }
            ProgressStyle::Live => {
                let state = Arc::new(Mutex::new(UploadState::default()));
                let shown = Arc::clone(&state);
                let live = Live::start(move |width| {
                    let state = shown.lock().unwrap_or_else(PoisonError::into_inner);
                    state.lines(Instant::now(), width)
                });
                let session = session.on_progress(move |progress| {
                    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                    state.update(&progress, Instant::now());
                });
                (session, Self(Some(live)))
            }
        }
    }
}

/// Returns the line for a step of an upload, if it is worth one.
fn line(progress: &Progress<'_>) -> Option<String> {
    let name = escaped(progress.file_name);
    let (file, files) = (progress.file + 1, progress.files);
    match progress.phase {
        Phase::Confirmed => {
            let size = size(progress.bytes);
            Some(format!(
                "uploaded file {file} of {files}: {name} ({size})\n"
            ))
        }
        Phase::Retrying => Some(format!(
            "file {file} of {files}: it is unknown whether {name} arrived; trying again\n"
        )),
        Phase::Preparing | Phase::Sending | Phase::Sent | Phase::Completing | _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_arrived_is_one_line() {
        let mut progress = Progress::default();
        (progress.file, progress.files) = (1, 3);
        (progress.file_name, progress.bytes) = ("m\u{1b}.pdf", 4 << 20);
        progress.phase = Phase::Sent;
        assert_eq!(line(&progress), None);
        progress.phase = Phase::Confirmed;
        let text = "uploaded file 2 of 3: m\\u{1b}.pdf (4.0 MiB)\n";
        assert_eq!(line(&progress).as_deref(), Some(text));
    }
}
