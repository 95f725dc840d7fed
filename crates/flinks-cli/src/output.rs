//! Where results go: text for people or one JSON object, on standard output; the rest on standard error.

pub(crate) mod analysis;
pub(crate) mod bank_session;
pub(crate) mod exit_status;
pub(crate) mod failure;
pub(crate) mod hints;
pub(crate) mod io_error;
pub(crate) mod progress;
pub(crate) mod support_report;
pub(crate) mod usage_error;

use std::io::{self, IsTerminal, Write as _};

use serde_json::Value;

use crate::output::failure::Failure;

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

    /// The result, for people; nothing with `--json`. What standard output does not take goes to
    /// standard error: a LoginId can be had nowhere else.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        print(text).inspect_err(|_| complain(text))?;
        if is_nowhere() {
            complain(text);
        }
        Ok(())
    }

    /// The result, for scripts; nothing without `--json`.
    ///
    /// # Errors
    /// Standard output cannot be written; the failure carries the result.
    pub(crate) fn object(self, object: &Value) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        print(&json_line(object)).map_err(|mut failure| {
            failure.reached = object.as_object().cloned().unwrap_or_default();
            failure
        })?;
        if is_nowhere() {
            complain(&json_line(object));
        }
        Ok(())
    }

    /// A result that is JSON already, for scripts; nothing without `--json`. Line breaks, which
    /// JSON has only between its parts, are left out.
    ///
    /// # Errors
    /// Standard output cannot be written. The result, which is account data, goes nowhere else: it
    /// can be read again.
    pub(crate) fn raw(self, json: &[u8]) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        let text = String::from_utf8_lossy(json).replace(['\r', '\n'], "");
        print(&format!("{}\n", plain_json(&text)))
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

/// Writes to standard output at once.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::untold(&error))
}

/// Whether standard output may have been closed when the program started. The runtime of Rust opens
/// /dev/null in its place then, for reading and writing. So do some programs that want no output,
/// which cannot be told apart: it is no failure, but the result goes to standard error too.
#[cfg(unix)]
fn is_nowhere() -> bool {
    use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};
    let stdout = io::stdout();
    let both_ways = fcntl_getfl(&stdout).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR);
    both_ways
        && fstat(&stdout)
            .and_then(|given| Ok((given.st_rdev, stat("/dev/null")?.st_rdev)))
            .is_ok_and(|(given, null)| given == null)
}

/// Elsewhere a closed standard output is an error.
#[cfg(not(unix))]
fn is_nowhere() -> bool {
    false
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
        if is_hidden(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Text that the service wrote, without what no person reads: runs of more than 40 characters of
/// base64 and the like are left out (a token, a document, a header), and so is what is beyond
/// `limit` characters.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    let coded = |c: char| c.is_ascii_alphanumeric() || "+/=_-.~%".contains(c);
    let mut short = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|c| coded(c) != coded(first))
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if coded(first) && end > 40 {
            short.push_str("[…]");
        } else {
            short.push_str(run);
        }
        rest = after;
    }
    match short.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", short.get(..end).unwrap_or_default()),
        None => short,
    }
}

/// One JSON object on a line, safe in a terminal.
pub(crate) fn json_line(object: &Value) -> String {
    format!("{}\n", plain_json(&object.to_string()))
}

/// The same JSON with every hidden character as `\u` and four digits. JSON has such characters in
/// its strings only.
fn plain_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Characters that a terminal acts on or does not show: controls, formats, direction marks,
/// fillers, joiners, selectors, tags, and separators of lines.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{2800}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{16fe4}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
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

    #[test]
    fn what_nobody_reads_is_left_out() {
        let id = "d521ae0d-9b0e-4a67-8d11-0a1b2c3d4e5f";
        let text = format!("No login {id}: Bearer {}, é", "a1B+".repeat(20));
        assert_eq!(
            shortened(&text, 400),
            format!("No login {id}: Bearer […], é")
        );
        assert_eq!(shortened("ééé é", 3), "ééé…");
        assert_eq!(shortened("", 3), "");
    }

    /// General categories Cc, Cf, Zl and Zp, and what else Unicode calls default ignorable, by
    /// examples of each.
    const HIDDEN: &str = "\u{0}\u{7}\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{34f}\u{600}\u{61c}\u{115f}\
        \u{1160}\u{17b4}\u{180b}\u{180e}\u{180f}\u{200b}\u{200d}\u{200e}\u{202a}\u{202e}\u{2028}\
        \u{2029}\u{2060}\u{2800}\u{2066}\u{2069}\u{206f}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{fffb}\
        \u{16fe4}\u{1d159}\u{1d173}\u{e0001}\u{e0041}\u{e0100}\u{e0fff}";

    #[test]
    fn every_kind_of_hidden_character_is_escaped() {
        for c in HIDDEN.chars() {
            assert!(is_hidden(c), "{c:?}");
        }
        let seen = "Zoë's café 日本 — naïve \u{a0}🙂";
        assert_eq!(
            (plain(seen), plain_json(seen)),
            (seen.to_owned(), seen.to_owned())
        );
    }

    proptest! {
        #[test]
        fn nothing_that_moves_a_terminal_gets_through(text in any::<String>(), at in any::<prop::sample::Index>()) {
            let hidden: Vec<_> = HIDDEN.chars().collect();
            let text = format!("{text}{}a", at.get(&hidden));
            let safe = plain(&text);
            prop_assert!(!safe.chars().any(is_hidden), "{safe:?}");
            let json = serde_json::json!({ "message": text });
            let line = json_line(&json);
            let line = line.strip_suffix('\n').expect("a line");
            prop_assert!(!line.chars().any(is_hidden), "{line:?}");
            prop_assert_eq!(serde_json::from_str::<Value>(line).expect("JSON"), json);
        }
    }
}
