//! What may be shown of text that others wrote: its length, or itself with nothing invisible in it.

use std::fmt::{self, Write as _};

/// Text in `Debug` output: `absent`, or its length in bytes.
pub(crate) struct Length<'t>(pub(crate) Option<&'t str>);

impl<'t> Length<'t> {
    pub(crate) fn of(text: &'t Option<String>) -> Self {
        Self(text.as_deref())
    }
}

impl fmt::Debug for Length<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("absent"),
            Some(text) => write!(f, "{} bytes", text.len()),
        }
    }
}

/// Text in `Display` output: characters that could forge a log line or hide text are escaped.
pub(crate) struct Escaped<'t>(pub(crate) &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            if is_invisible(c) {
                write!(f, "{}", c.escape_default())
            } else {
                f.write_char(c)
            }
        })
    }
}

/// Control characters, line and paragraph separators, and what changes the direction of text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text, cut to `limit` characters; `…` marks a cut.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text
            .chars()
            .take(limit)
            .chain(std::iter::once('…'))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_is_printed() {
        let text = "Zoë\n\u{1b}[31m\u{202e}x\u{2028}";
        assert_eq!(
            Escaped(text).to_string(),
            r"Zoë\n\u{1b}[31m\u{202e}x\u{2028}"
        );
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("ëëë", 3), "ëëë");
        assert_eq!(cut("ëëëë", 3), "ëëë…");
        assert_eq!(cut("", 3), "");
    }
}
