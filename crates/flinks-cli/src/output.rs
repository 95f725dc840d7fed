//! Where results go: text for people or one JSON object, on standard output; the rest on standard error.

use std::io::{self, IsTerminal, Write as _};

use serde_json::Value;

use crate::failure::Failure;

/// How this run prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
    /// Whether standard output takes colours.
    colour: bool,
    /// Whether standard error shows what is under way.
    pub(crate) progress: bool,
}

impl Output {
    /// Looks at the terminal. `plain_errors`: something else is written to standard error.
    pub(crate) fn new(json: bool, no_colour: bool, plain_errors: bool) -> Self {
        Self {
            json,
            colour: !json && !no_colour && io::stdout().is_terminal(),
            progress: !json && !plain_errors && io::stderr().is_terminal(),
        }
    }

    /// The result, for people; nothing with `--json`.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { print(text) }
    }

    /// The result, for scripts; nothing without `--json`.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn object(self, object: &Value) -> Result<(), Failure> {
        if self.json {
            print(&format!("{object}\n"))
        } else {
            Ok(())
        }
    }

    /// A result that is JSON already, for scripts; nothing without `--json`. Line breaks, which
    /// JSON has only between its parts, are left out.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn raw(self, json: &[u8]) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        let mut text = String::from_utf8_lossy(json).replace(['\r', '\n'], "");
        text.push('\n');
        print(&text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.painted(text, "1")
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.painted(text, "2")
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.painted(text, "1;31")
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.painted(text, "1;32")
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.painted(text, "1;33")
    }

    fn painted(self, text: &str, code: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// An output without colours, for tests.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self {
            json: false,
            colour: false,
            progress: false,
        }
    }
}

/// One line of a running server, on standard output.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    print(&format!("{text}\n"))
}

/// Writes to standard output at once. When that fails, the text goes to standard error: a LoginId
/// can be had nowhere else.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| {
            complain(text);
            Failure::settings(format!("standard output cannot be written: {error}"))
        })
}

/// Writes to standard error; when that fails too, nobody is there to be told.
pub(crate) fn complain(text: &str) {
    let mut stderr = io::stderr().lock();
    let written = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
    drop(written);
}

/// Text that others wrote, safe in a terminal: characters that move the cursor, forge a line or
/// change the direction of text are escaped.
pub(crate) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A size as people read it.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 3] = ["KiB", "MiB", "GiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if tenths < 10 * 1024 {
            break;
        }
        tenths /= 1024;
        unit = next;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// `1 file`, `2 files`.
pub(crate) fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes() {
        let rows = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (12_600, "12.3 KiB"),
            (18 << 20, "18.0 MiB"),
            (180 << 20, "180.0 MiB"),
            (5 << 30, "5.0 GiB"),
        ];
        for (bytes, text) in rows {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn counts() {
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(0, "file"), "0 files");
    }

    proptest! {
        #[test]
        fn nothing_that_moves_a_terminal_gets_through(text in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f\\u{200b}-\\u{202e}a-z]*") {
            let safe = plain(&text);
            prop_assert!(!safe.chars().any(is_invisible), "{safe:?}");
        }
    }
}
