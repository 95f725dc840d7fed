//! How texts of the service are shortened for `Debug` and for error messages.

use std::fmt;

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
    fn cuts_between_characters() {
        assert_eq!(cut("ëëë", 3), "ëëë");
        assert_eq!(cut("ëëëë", 3), "ëëë…");
        assert_eq!(cut("", 3), "");
    }
}
