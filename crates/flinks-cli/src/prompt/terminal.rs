//! The terminal: shows text on standard error, reads lines from standard input, hidden if secret.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

use flinks_types::{Secret, text};
use tokio::sync::oneshot;

use crate::output::error::CliError;
use crate::output::write_stderr;

/// Whether the terminal shows what is typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Typing {
    Hidden,
    Visible,
}

/// A terminal with a user.
pub(crate) enum Terminal {
    Standard,
    /// The lines that a test types, and what it was shown.
    #[cfg(test)]
    Script {
        lines: std::collections::VecDeque<&'static str>,
        seen: String,
    },
}

impl Terminal {
    /// Returns the terminal if standard input and standard error are one.
    pub(crate) fn open() -> Option<Self> {
        (io::stdin().is_terminal() && io::stderr().is_terminal()).then_some(Self::Standard)
    }

    /// Shows text, which must be escaped.
    #[cfg_attr(
        not(test),
        expect(clippy::needless_pass_by_ref_mut, reason = "a test records the text")
    )]
    pub(crate) fn show(&mut self, text: &str) {
        match self {
            Self::Standard => write_stderr(text),
            #[cfg(test)]
            Self::Script { seen, .. } => seen.push_str(text),
        }
    }

    /// Prompts for a line; `None` at the end of input.
    ///
    /// # Errors
    /// The terminal cannot be read.
    #[cfg_attr(
        not(test),
        expect(clippy::needless_pass_by_ref_mut, reason = "a test records the text")
    )]
    pub(crate) async fn ask(
        &mut self,
        prompt: &str,
        typing: Typing,
    ) -> Result<Option<Secret>, CliError> {
        match self {
            Self::Standard => read(prompt, typing).await,
            #[cfg(test)]
            Self::Script { lines, seen } => {
                seen.push_str(prompt);
                Ok(lines.pop_front().map(Secret::new))
            }
        }
    }
}

/// Shows a prompt, which may be empty, and reads a line of standard input. A thread reads it, so that
/// an interruption can end the program meanwhile.
///
/// # Errors
/// Standard input cannot be read or is not text.
pub(crate) async fn read(prompt: &str, typing: Typing) -> Result<Option<Secret>, CliError> {
    let failed =
        |error: io::Error| CliError::settings(format!("standard input cannot be read: {error}"));
    // Echo is off before the prompt is shown.
    let echo_off = match typing {
        Typing::Hidden => Some(EchoOff::start().map_err(failed)?),
        Typing::Visible => None,
    };
    write_stderr(prompt);
    let mut open = OpenPrompt(!prompt.is_empty());
    let (sender, receiver) = oneshot::channel();
    let reader = std::thread::Builder::new().spawn(move || drop(sender.send(read_line(typing))));
    reader.map_err(failed)?;
    let line = receiver.await;
    open.0 = false;
    drop(echo_off);
    line.map_err(|_| failed(io::Error::other("no line")))?
        .map_err(failed)
}

/// Ends the line of a prompt that is interrupted.
struct OpenPrompt(bool);

impl Drop for OpenPrompt {
    fn drop(&mut self) {
        if self.0 {
            write_stderr("\n");
        }
    }
}

/// Returns an argument, or for `-` the next line of standard input, which neither the process list nor
/// the shell's history shows.
///
/// # Errors
/// Standard input cannot be read or ends before the line.
pub(crate) async fn argument(argument: &str, what: &str) -> Result<Secret, CliError> {
    if argument != "-" {
        return Ok(Secret::new(argument));
    }
    let line = read("", Typing::Visible).await?;
    line.ok_or_else(|| CliError::usage(&format!("standard input has no {what}")))
}

/// Far more than any answer needs; an endless line is not read to its end.
const MAX_BYTES: usize = 64 * 1024;

#[cfg_attr(unix, expect(unused_variables, reason = "echo is off already"))]
fn read_line(typing: Typing) -> io::Result<Option<Secret>> {
    use io::{BufRead as _, Read as _};

    #[cfg(not(unix))]
    if typing == Typing::Hidden {
        let line = console::Term::stderr().read_secure_line()?;
        return Ok(Some(Secret::new(line)));
    }
    // Reserved, so that a growing line does not leave copies of a secret behind.
    let mut line = Vec::with_capacity(4096);
    let stdin = io::stdin().lock();
    let read = stdin.take(MAX_BYTES as u64).read_until(b'\n', &mut line)?;
    if read == MAX_BYTES {
        return Err(io::Error::other("the line is longer than 64 KiB"));
    }
    let text = secret(line).ok_or_else(|| io::Error::other("the line is not text"))?;
    Ok((read > 0).then_some(text))
}

/// Returns the text of a line without its line end. UTF-8 is moved, not copied.
fn secret(mut line: Vec<u8>) -> Option<Secret> {
    line.pop_if(|last| *last == b'\n');
    let mut text = match text::read(&line)? {
        Cow::Borrowed(text) => {
            let mark = line.len() - text.len();
            drop(line.drain(..mark));
            String::from_utf8(line).ok()?
        }
        Cow::Owned(text) => {
            line.fill(0);
            text
        }
    };
    if text.ends_with('\r') {
        text.pop();
    }
    Some(Secret::new(text))
}

/// The terminal's settings before echo was turned off.
#[cfg(unix)]
static BEFORE: Mutex<Option<rustix::termios::Termios>> = Mutex::new(None);

/// Keeps the terminal's echo off until it is dropped.
#[cfg(unix)]
struct EchoOff;

#[cfg(unix)]
impl EchoOff {
    fn start() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(Self);
        }
        let before = tcgetattr(&stdin)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // The line end is echoed.
        hidden
            .local_modes
            .insert(LocalModes::ECHONL | LocalModes::ICANON);
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        // `Now` keeps what was typed ahead.
        tcsetattr(&stdin, OptionalActions::Now, &hidden)?;
        Ok(Self)
    }
}

#[cfg(unix)]
impl Drop for EchoOff {
    fn drop(&mut self) {
        restore_echo();
    }
}

/// Restores the terminal's settings.
#[cfg(unix)]
pub(crate) fn restore_echo() {
    use rustix::termios::{OptionalActions, tcsetattr};

    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

#[cfg(not(unix))]
pub(crate) fn restore_echo() {}

/// On other platforms `read_line` itself hides the line.
#[cfg(not(unix))]
struct EchoOff;

#[cfg(not(unix))]
impl EchoOff {
    fn start() -> io::Result<Self> {
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_without_marks_and_line_end() {
        let rows: [&[u8]; 6] = [
            b"Zo\xc3\xab",
            b"Zo\xc3\xab\n",
            b"Zo\xc3\xab\r\n",
            b"\xef\xbb\xbfZo\xc3\xab\r\n",
            b"\xff\xfeZ\0o\0\xeb\0\r\0\n",
            b"\xfe\xff\0Z\0o\0\xeb\0\r\0\n",
        ];
        for row in rows {
            let secret = secret(row.to_vec()).expect("text");
            assert_eq!(secret.expose(), "Zo\u{eb}", "{row:?}");
        }
        assert!(secret(b"\xff".to_vec()).is_none());
    }
}
