//! A command line that means nothing: what is wrong with it, without quoting what may be secret.

use std::error::Error as _;
use std::fmt;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::arguments::{Arguments, Command};
use crate::settings::path_value;

/// Why an option does not take a value, in words that do not quote it.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// What is wrong, in one line. Only names that this program defines are shown, and an unknown
/// option that looks like one.
pub(crate) fn message(error: &clap::Error) -> String {
    let defined = |kind| texts(error, kind);
    let option = defined(ContextKind::InvalidArg).join(", ");
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let given = match shown_option(&option) {
                Some(option) => format!("unexpected argument '{option}' found"),
                None => "unexpected argument found".to_owned(),
            };
            suggested(given, &defined(ContextKind::SuggestedArg))
        }
        ErrorKind::InvalidSubcommand => suggested(
            "there is no such command".to_owned(),
            &defined(ContextKind::SuggestedSubcommand),
        ),
        ErrorKind::InvalidValue if !defined(ContextKind::ValidValue).is_empty() => {
            let values = defined(ContextKind::ValidValue).join(", ");
            format!("{option} takes one of these values: {values}")
        }
        ErrorKind::ValueValidation => {
            let wrong = error.source().and_then(|why| why.downcast_ref::<Wrong>());
            match wrong {
                Some(wrong) => format!("{option}: {wrong}"),
                None => format!("{option} does not take this value"),
            }
        }
        ErrorKind::InvalidValue
        | ErrorKind::NoEquals
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues => format!("{option} needs a value"),
        ErrorKind::TooManyValues => format!("{option} takes no further value"),
        ErrorKind::MissingRequiredArgument => format!("missing: {option}"),
        ErrorKind::ArgumentConflict => {
            let other = defined(ContextKind::PriorArg).join(", ");
            if other.is_empty() || other == option {
                format!("{option} can be given only once")
            } else {
                format!("{option} cannot be used with {other}")
            }
        }
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion
        | ErrorKind::Format
        | ErrorKind::Io
        | ErrorKind::MissingSubcommand
        | _ => "the command line cannot be read".to_owned(),
    }
}

/// The same for people: with the usage, and where to read more.
pub(crate) fn text(error: &clap::Error) -> String {
    let usage = texts(error, ContextKind::Usage).join("\n");
    let usage = usage.trim();
    let gap = if usage.is_empty() { "" } else { "\n\n" };
    format!(
        "error: {}{gap}{usage}\n\nFor more information, try '--help'.\n",
        message(error)
    )
}

/// Whether clap itself prints the answer: help, the version, or help in place of a command.
pub(crate) fn is_help(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::MissingSubcommand
    )
}

/// The option in which the text of a file stands where its path belongs. Documents are looked at
/// with the others that are refused.
pub(crate) fn text_for_path(arguments: &Arguments) -> Option<String> {
    let common = &arguments.common;
    let mut paths = vec![
        ("--support", common.support.as_deref()),
        ("--config", common.config.as_deref()),
    ];
    paths.extend(match &arguments.command {
        Command::Upload(upload) => vec![("--ledger", upload.ledger.as_deref())],
        Command::Resume(resume) => vec![("LEDGER", Some(resume.ledger.as_path()))],
        Command::Authorize(authorize) => vec![
            ("--session", authorize.session.as_deref()),
            ("--answers", authorize.answers.as_deref()),
            ("--images", authorize.images.as_deref()),
        ],
        Command::Statements(statements) => vec![("--out", Some(statements.out.as_path()))],
        Command::Csr(csr) => vec![("--out", Some(csr.out.as_path()))],
        Command::Sandbox(serve) => vec![("--dir", serve.dir.as_deref())],
        Command::Accounts(_)
        | Command::Completions(_)
        | Command::DeleteCard(_)
        | Command::Doctor(_)
        | Command::Fraud(_) => Vec::new(),
    });
    paths.into_iter().find_map(|(name, path)| {
        let why = path_value::mistake(path.map(Path::as_os_str)?)?;
        Some(format!("{name} {why}"))
    })
}

fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
        _ => Vec::new(),
    }
}

fn suggested(text: String, known: &[String]) -> String {
    if known.is_empty() {
        text
    } else {
        format!("{text}; did you mean {}?", known.join(" or "))
    }
}

/// An unknown option up to its `=`, if it looks like one: lower-case words with hyphens.
fn shown_option(given: &str) -> Option<&str> {
    let name = given.split('=').next()?;
    let words = name.strip_prefix("--")?;
    let word = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    ((2..=30).contains(&words.len()) && words.bytes().all(word)).then_some(name)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    const CANARY: &str = "CANARY-4711";

    fn misused(line: &[&str]) -> clap::Error {
        let parsed = Arguments::try_parse_from([&["flinks"], line].concat());
        parsed
            .err()
            .unwrap_or_else(|| panic!("{line:?} is accepted"))
    }

    #[test]
    fn nothing_that_was_given_is_quoted() {
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\n");
        let option = format!("--{CANARY}");
        let assigned = format!("--client-secret={CANARY}");
        let joined = format!("--json={CANARY}");
        let short = format!("-{CANARY}");
        let rows: [(&[&str], &str); 19] = [
            (&["upload", "a.pdf", "--key", &pem], "unexpected argument"),
            (&["upload", "a.pdf", &pem], "unexpected argument"),
            (&["upload", "a.pdf", &option], "unexpected argument"),
            (&["upload", "a.pdf", &short], "unexpected argument"),
            (&["upload", "a.pdf", &assigned], "'--client-secret'"),
            (&["upload", "a.pdf", &joined], "--json"),
            (
                &["upload", "a.pdf", "--concurrency", CANARY],
                "--concurrency",
            ),
            (&["upload", "a.pdf", "--on-unknown", CANARY], "--on-unknown"),
            (&["upload", "a.pdf", "--wait", "--poll", CANARY], "--poll"),
            (
                &["upload", "a.pdf", "--conurrency", CANARY],
                "did you mean --concurrency",
            ),
            (&["fraud", "id", CANARY], "unexpected argument"),
            (&["delete-card", "id", &pem], "unexpected argument"),
            (&["sandbox", "--port", CANARY], "--port"),
            (&["sandbox", "--fault", CANARY], "--fault"),
            (&["completions", CANARY], "SHELL"),
            (
                &["authorize", "--language", CANARY, "--institution", "n"],
                "--language",
            ),
            (&["authorize", "--username", CANARY], "--institution"),
            (
                &["accounts", "--request-id", CANARY, "--request-id", CANARY],
                "--request-id",
            ),
            (&[CANARY], "no such command"),
        ];
        for (line, told) in rows {
            let error = misused(line);
            let (message, text) = (message(&error), text(&error));
            assert!(message.contains(told), "{line:?}: {message}");
            assert!(
                !text.contains("4711") && !text.contains("BEGIN"),
                "{line:?}: {text}"
            );
            assert!(text.contains(&message) && text.contains("--help"), "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_needs_another_is_named() {
        let rows: [(&[&str], &str); 4] = [
            (&["upload"], "missing: <FILES>"),
            (&["upload", "a.pdf", "--tag"], "--tag <TAG> needs a value"),
            (&["upload", "a.pdf", "--poll", "1"], "missing: --wait"),
            (&["uplaod"], "did you mean upload?"),
        ];
        for (line, told) in rows {
            let message = message(&misused(line));
            assert!(message.contains(told), "{line:?}: {message}");
        }
    }

    /// The commands that the messages and hints of this program hold, each with words for what is
    /// filled in.
    fn printed_commands() -> Vec<String> {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut commands = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("readable") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let source = std::fs::read_to_string(&path).expect("text");
                let source = source.split("#[cfg(test)]\nmod tests").next();
                let source = source.unwrap_or_default().replace("\r\n", "\n");
                let code = source.lines().map(str::trim_start);
                let code = code.filter(|line| !line.starts_with("//"));
                // A text that goes on in the next line.
                let text = code.collect::<Vec<_>>().join("\n").replace("\\\n", "");
                let ends = ['`', '"', '\\', ';', ')', '\n'];
                let found = text.split("flinks ").skip(1);
                let found = found.filter_map(|rest| rest.split(ends).next());
                let found = found.map(|command| command.trim().to_owned());
                commands.extend(found);
            }
        }
        commands
    }

    #[test]
    fn every_command_that_a_message_prints_is_a_command() {
        use clap::CommandFactory as _;

        let program = Arguments::command();
        let mut parsed = 0;
        for command in printed_commands() {
            let words: Vec<_> = command.split(' ').collect();
            if program.find_subcommand(words[0]).is_none() {
                // Prose, such as the name of a certificate. No message names a command unknown here.
                assert!(
                    !command.contains("--") && !command.contains('{'),
                    "{command}"
                );
                continue;
            }
            parsed += 1;
            // A bare name stands for the command itself.
            if words.len() == 1 {
                continue;
            }
            let line = ["flinks"].iter().chain(&words);
            if let Err(error) = Arguments::try_parse_from(line) {
                assert!(is_help(&error), "flinks {command}: {}", message(&error));
            }
        }
        assert!(parsed >= 12, "{parsed} commands were found");
    }

    #[test]
    fn the_text_of_a_file_is_found_in_every_option_that_takes_a_path() {
        let rows: [(&[&str], &str); 11] = [
            (&["upload", "a.pdf", "--ledger"], "--ledger"),
            (&["upload", "a.pdf", "--support"], "--support"),
            (&["fraud", "id", "--config"], "--config"),
            (&["resume"], "LEDGER"),
            (&["authorize", "--session"], "--session"),
            (
                &["authorize", "--institution", "n", "--answers"],
                "--answers",
            ),
            (&["authorize", "--institution", "n", "--images"], "--images"),
            (&["statements", "--request-id", "id", "--out"], "--out"),
            (&["csr", "--common-name", "n", "--out"], "--out"),
            (&["sandbox", "--dir"], "--dir"),
            (&["doctor", "--support"], "--support"),
        ];
        for (line, option) in rows {
            // As one word: a value of its own may not begin with a hyphen.
            let value = format!("{CANARY}\n-----BEGIN PRIVATE KEY-----");
            let line = [&["flinks"], line, &[value.as_str()]].concat();
            let arguments = Arguments::try_parse_from(&line).expect("parsed");
            let told = text_for_path(&arguments).expect(option);
            assert!(
                told.starts_with(option) && told.contains("the key itself"),
                "{told}"
            );
            assert!(!told.contains("4711"), "{told}");
        }
    }
}
