//! What the program prints: results on standard output, everything else on standard error.

pub(crate) mod analysis;
pub(crate) mod bank_session;
pub(crate) mod error;
pub(crate) mod exit_status;
pub(crate) mod explanations;
pub(crate) mod hints;
pub(crate) mod io_error;
pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod report_page;
pub(crate) mod support_report;
pub(crate) mod text;
pub(crate) mod usage_error;

use std::io::{self, IsTerminal as _, Write as _};

use serde_json::Value;

use crate::output::error::CliError;
use crate::output::progress::{ProgressStyle, is_plain};

/// How this run prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// `--json` was given.
    pub(crate) json: bool,
    /// Standard output takes colors.
    color: bool,
    /// How progress is shown on standard error.
    pub(crate) progress: ProgressStyle,
}

impl Output {
    /// Looks at the terminal. `verbose` logs on standard error. There are no colors where progress is
    /// not redrawn: with TERM=dumb and in CI.
    pub(crate) fn new(json: bool, no_color: bool, verbose: bool) -> Self {
        Self {
            json,
            color: !json && !no_color && !is_plain() && io::stdout().is_terminal(),
            progress: ProgressStyle::of_stderr(json, verbose),
        }
    }

    /// Prints a result as text; does nothing with `--json`. If standard output fails, the text goes
    /// to standard error: a LoginId may be printed nowhere else.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn text(self, text: &str) -> Result<(), CliError> {
        if self.json {
            return Ok(());
        }
        write_stdout(text).inspect_err(|_| write_stderr(text))?;
        if stdout_is_null() {
            write_stderr(text);
        }
        Ok(())
    }

    /// Prints a result as one JSON object; does nothing without `--json`.
    ///
    /// # Errors
    /// Standard output cannot be written; the error carries the result.
    pub(crate) fn object(self, object: &Value) -> Result<(), CliError> {
        if !self.json {
            return Ok(());
        }
        let line = json::line(object);
        write_stdout(&line).map_err(|mut error| {
            *error.result = object.as_object().cloned().unwrap_or_default();
            error
        })?;
        if stdout_is_null() {
            write_stderr(&line);
        }
        Ok(())
    }

    /// Prints the service's own JSON on one line; does nothing without `--json`.
    ///
    /// # Errors
    /// Standard output cannot be written. The data is not copied to standard error: it is account
    /// data, and can be fetched again.
    pub(crate) fn raw(self, json: &[u8]) -> Result<(), CliError> {
        if !self.json {
            return Ok(());
        }
        // JSON has line breaks only between its tokens.
        let text = String::from_utf8_lossy(json).replace(['\r', '\n'], "");
        write_stdout(&format!("{}\n", json::escaped(&text)))
    }

    /// Returns the width of the terminal, if standard output is one.
    pub(crate) fn columns(self) -> Option<usize> {
        columns_of(Stream::Output)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.styled(text, "1")
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.styled(text, "2")
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.styled(text, "1;31")
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.styled(text, "1;32")
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.styled(text, "1;33")
    }

    fn styled(self, text: &str, code: &str) -> String {
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// An output without colors, for files.
    pub(crate) fn plain() -> Self {
        Self {
            json: false,
            color: false,
            progress: ProgressStyle::None,
        }
    }
}

/// An output of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// Returns the width of the terminal, if the stream is one.
#[cfg(unix)]
pub(crate) fn columns_of(stream: Stream) -> Option<usize> {
    let size = match stream {
        Stream::Output => rustix::termios::tcgetwinsize(io::stdout()),
        Stream::Error => rustix::termios::tcgetwinsize(io::stderr()),
    };
    // Zero if the terminal does not know.
    Some(usize::from(size.ok()?.ws_col)).filter(|columns| *columns > 0)
}

#[cfg(not(unix))]
pub(crate) fn columns_of(stream: Stream) -> Option<usize> {
    let terminal = match stream {
        Stream::Output => console::Term::stdout(),
        Stream::Error => console::Term::stderr(),
    };
    let size = terminal.is_term().then(|| terminal.size_checked())?;
    size.map(|(_, columns)| usize::from(columns))
}

/// Writes to standard output and flushes it, after erasing the progress.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn write_stdout(text: &str) -> Result<(), CliError> {
    progress::erase();
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| CliError::stdout(&error))
}

/// Writes to standard error, after erasing the progress. A failure is ignored: there is no other place
/// to report it.
pub(crate) fn write_stderr(text: &str) {
    progress::erase();
    let mut stderr = io::stderr().lock();
    let written = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
    drop(written);
}

/// Whether standard output is /dev/null, opened for reading and writing: Rust's runtime opens it so
/// when standard output was closed. A parent process can do the same on purpose, so this is not an
/// error; the result is printed on standard error as well.
#[cfg(unix)]
fn stdout_is_null() -> bool {
    use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};
    let stdout = io::stdout();
    let read_write = fcntl_getfl(&stdout).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR);
    read_write
        && fstat(&stdout)
            .and_then(|opened| Ok((opened.st_rdev, stat("/dev/null")?.st_rdev)))
            .is_ok_and(|(opened, null)| opened == null)
}

/// On other platforms writing to a closed standard output fails.
#[cfg(not(unix))]
fn stdout_is_null() -> bool {
    false
}
