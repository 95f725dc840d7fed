//! The terminal: text goes to standard error, lines come from standard input, hidden if they must be.

use std::io::{self, IsTerminal as _};

use flinks_types::Secret;
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::output::complain;

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
            Self::Standard => complain(text),
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
    ) -> Result<Option<Secret>, Failure> {
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
pub(crate) async fn read(prompt: &str, typing: Typing) -> Result<Option<Secret>, Failure> {
    let failed =
        |error: io::Error| Failure::settings(format!("standard input cannot be read: {error}"));
    let quiet = match typing {
        Typing::Hidden => Some(Quiet::start().map_err(failed)?),
        Typing::Visible => None,
    };
    // Whoever answers at once must find the terminal quiet already.
    complain(prompt);
    let (tell, told) = oneshot::channel();
    let reader = std::thread::Builder::new().spawn(move || drop(tell.send(line(typing))));
    reader.map_err(failed)?;
    let line = told
        .await
        .map_err(|_| failed(io::Error::other("no line")))?;
    drop(quiet);
    line.map_err(failed)
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
    if line.pop_if(|last| *last == b'\n').is_some() {
        line.pop_if(|last| *last == b'\r');
    }
    let text = String::from_utf8(line)
        // The error of the library holds the line.
        .map_err(|_| io::Error::other("the line is not UTF-8"))?;
    Ok((read > 0).then(|| Secret::new(text)))
}

/// Keeps the terminal from showing what is typed, until this is dropped.
#[cfg(unix)]
struct Quiet(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Quiet {
    fn start() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(Self(None));
        }
        let before = tcgetattr(&stdin)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        // The cursor goes to a new line all the same.
        quiet
            .local_modes
            .insert(LocalModes::ECHONL | LocalModes::ICANON);
        // What was typed or pasted ahead is kept.
        tcsetattr(&stdin, OptionalActions::Now, &quiet)?;
        Ok(Self(Some(before)))
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};

        if let Some(before) = &self.0 {
            // A terminal that is gone needs no echo.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Elsewhere the line itself is read in quiet.
#[cfg(not(unix))]
struct Quiet;

#[cfg(not(unix))]
impl Quiet {
    fn start() -> io::Result<Self> {
        Ok(Self)
    }
}
