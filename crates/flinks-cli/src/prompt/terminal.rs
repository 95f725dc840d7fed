//! The terminal: text goes to standard error, lines come from standard input, hidden if they must be.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

use flinks_types::{Secret, text};
use tokio::sync::oneshot;

use crate::output::error::CliError;
use crate::output::write_stderr;

/// Whether what is typed can be seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Typing {
    Hidden,
    Visible,
}

/// Somebody who can be asked.
pub(crate) enum Terminal {
    Standard,
    /// Lines that a test types, and what it saw.
    #[cfg(test)]
    Script {
        lines: std::collections::VecDeque<&'static str>,
        seen: String,
    },
}

impl Terminal {
    /// The terminal, when there is one on both sides.
    pub(crate) fn open() -> Option<Self> {
        (io::stdin().is_terminal() && io::stderr().is_terminal()).then_some(Self::Standard)
    }

    /// Shows text that is safe to print.
    #[cfg_attr(
        not(test),
        expect(clippy::needless_pass_by_ref_mut, reason = "a test notes what it saw")
    )]
    pub(crate) fn show(&mut self, text: &str) {
        match self {
            Self::Standard => write_stderr(text),
            #[cfg(test)]
            Self::Script { seen, .. } => seen.push_str(text),
        }
    }

    /// Asks for a line; nothing when there will be none.
    ///
    /// # Errors
    /// The terminal cannot be read.
    #[cfg_attr(
        not(test),
        expect(clippy::needless_pass_by_ref_mut, reason = "a test notes what it saw")
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

/// Shows a prompt, which may be empty, and reads a line of standard input on a thread of its own, so
/// that an interruption is heard meanwhile: the program then ends without that thread.
///
/// # Errors
/// Standard input cannot be read, or holds no text.
pub(crate) async fn read(prompt: &str, typing: Typing) -> Result<Option<Secret>, CliError> {
    let failed =
        |error: io::Error| CliError::settings(format!("standard input cannot be read: {error}"));
    let quiet = match typing {
        Typing::Hidden => Some(Quiet::start().map_err(failed)?),
        Typing::Visible => None,
    };
    // Whoever answers at once must find the terminal quiet already.
    write_stderr(prompt);
    let (tell, told) = oneshot::channel();
    let reader = std::thread::Builder::new().spawn(move || drop(tell.send(line(typing))));
    reader.map_err(failed)?;
    let line = told
        .await
        .map_err(|_| failed(io::Error::other("no line")))?;
    drop(quiet);
    line.map_err(failed)
}

/// An argument, or with `-` the next line of standard input: there, neither the list of processes
/// nor the history of the shell shows it.
///
/// # Errors
/// Standard input cannot be read, or ends before the line.
pub(crate) async fn argument(given: &str, what: &str) -> Result<Secret, CliError> {
    if given != "-" {
        return Ok(Secret::new(given));
    }
    let line = read("", Typing::Visible).await?;
    line.ok_or_else(|| CliError::usage(&format!("standard input holds no {what}")))
}

/// More than any answer has; a line that does not end must not be read on.
const MAX_BYTES: usize = 64 * 1024;

#[cfg_attr(
    unix,
    expect(unused_variables, reason = "the terminal is quiet already")
)]
fn line(typing: Typing) -> io::Result<Option<Secret>> {
    use io::{BufRead as _, Read as _};

    #[cfg(not(unix))]
    if typing == Typing::Hidden {
        let line = console::Term::stderr().read_secure_line()?;
        return Ok(Some(Secret::new(line)));
    }
    // Room enough that a secret is not copied while the line grows.
    let mut line = Vec::with_capacity(4096);
    let stdin = io::stdin().lock();
    let read = stdin.take(MAX_BYTES as u64).read_until(b'\n', &mut line)?;
    if read == MAX_BYTES {
        return Err(io::Error::other("the line is longer than 64 KiB"));
    }
    let text = secret(line).ok_or_else(|| io::Error::other("the line is no text"))?;
    Ok((read > 0).then_some(text))
}

/// The text of a line without its end, moved and not copied where it is UTF-8.
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

/// How the terminal was before it was made quiet.
#[cfg(unix)]
static LOUD: Mutex<Option<rustix::termios::Termios>> = Mutex::new(None);

/// Keeps the terminal from showing what is typed, until this is dropped.
#[cfg(unix)]
struct Quiet;

#[cfg(unix)]
impl Quiet {
    fn start() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(Self);
        }
        let before = tcgetattr(&stdin)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        // The cursor goes to a new line all the same.
        quiet
            .local_modes
            .insert(LocalModes::ECHONL | LocalModes::ICANON);
        *LOUD.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        // What was typed or pasted ahead is kept.
        tcsetattr(&stdin, OptionalActions::Now, &quiet)?;
        Ok(Self)
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        show_typing();
    }
}

/// Lets the terminal show again what is typed.
#[cfg(unix)]
pub(crate) fn show_typing() {
    use rustix::termios::{OptionalActions, tcsetattr};

    let before = LOUD.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

/// Lets the terminal show again what is typed.
#[cfg(not(unix))]
pub(crate) fn show_typing() {}

/// Elsewhere the line itself is read in quiet.
#[cfg(not(unix))]
struct Quiet;

#[cfg(not(unix))]
impl Quiet {
    fn start() -> io::Result<Self> {
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_without_its_marks() {
        let rows: [&[u8]; 6] = [
            b"Zo\xc3\xab",
            b"Zo\xc3\xab\n",
            b"Zo\xc3\xab\r\n",
            b"\xef\xbb\xbfZo\xc3\xab\r\n",
            b"\xff\xfeZ\0o\0\xeb\0\r\0\n",
            b"\xfe\xff\0Z\0o\0\xeb\0\r\0\n",
        ];
        for row in rows {
            let secret = secret(row.to_vec()).expect("a text");
            assert_eq!(secret.expose(), "Zo\u{eb}", "{row:?}");
        }
        assert!(secret(b"\xff".to_vec()).is_none());
    }
}
