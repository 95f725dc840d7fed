//! Settings as the text of `env` and `env.docker`.

use std::io;

/// Writes settings as lines that shells, dotenv readers and `node --env-file` read alike.
///
/// # Errors
///
/// A value has characters that these programs read differently.
pub(super) fn shell_lines(settings: &[(&str, String)]) -> io::Result<String> {
    let line = |(name, value): &(&str, String)| {
        let value = quoted(value).ok_or_else(|| refused(name))?;
        Ok(format!("export {name}={value}\n"))
    };
    settings.iter().map(line).collect()
}

/// Writes settings as lines for `docker run --env-file`, which knows neither quotes nor `export`.
pub(super) fn docker_lines(settings: &[(&str, String)]) -> String {
    let line = |(name, value): &(&str, String)| format!("{name}={value}\n");
    settings.iter().map(line).collect()
}

/// Quotes a value without escapes, which the readers know in part only.
fn quoted(value: &str) -> Option<String> {
    // python-dotenv replaces `${…}` in single quotes too.
    if value.contains(|c: char| c == '\\' || c.is_control()) || value.contains("${") {
        return None;
    }
    if !value.contains(['"', '$', '`']) {
        return Some(format!("\"{value}\""));
    }
    (!value.contains('\'')).then(|| format!("'{value}'"))
}

fn refused(name: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!(
            "{name} cannot be written to `env` so that every program reads the same: it has a \
             backslash, `${{`, a control character, or ' together with one of \" $ `"
        ),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_quoted_as_its_characters_allow() {
        for (value, line) in [
            ("a:b+100%25/it's not=real", r#""a:b+100%25/it's not=real""#),
            ("", r#""""#),
            ("# é ~ !", r##""# é ~ !""##),
            ("/tmp/a$HOME", "'/tmp/a$HOME'"),
            (r#"/tmp/`id`"x""#, r#"'/tmp/`id`"x"'"#),
        ] {
            assert_eq!(quoted(value).as_deref(), Some(line));
        }
        for value in ["a\\b", "a\nb", "${HOME}", "it's $1", "'\"", "'`", "\u{85}"] {
            assert_eq!(quoted(value), None, "{value:?}");
        }
        let error = shell_lines(&[("NAME", "secret\n".to_owned())]).unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }

    proptest! {
        /// Between its quotes a value has nothing that a reader replaces or ends it at.
        #[test]
        fn nothing_in_quotes_is_special(value in r#"[a-z'"$`{}\\\n =#%é]{0,12}"#) {
            let Some(line) = quoted(&value) else { return Ok(()) };
            let quote = line.chars().next().unwrap();
            let inner = line.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
            prop_assert_eq!(inner, Some(value.as_str()));
            let special: &[char] = if quote == '"' { &['"', '$', '`', '\\'] } else { &['\'', '\\'] };
            prop_assert!(!value.contains(special));
        }
    }
}
