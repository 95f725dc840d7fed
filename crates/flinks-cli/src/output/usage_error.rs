//! An invalid command line: what is wrong with it, without quoting what may be a secret.

use std::error::Error as _;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::arguments::values::InvalidValue;
use crate::arguments::{Arguments, Command};
use crate::settings::path_value;

/// Returns the error in one line. It shows only names that this program defines, and an unknown
/// option that looks like one.
pub(crate) fn message(error: &clap::Error) -> String {
    let context = |kind| texts(error, kind);
    let option = context(ContextKind::InvalidArg).join(", ");
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let message = match option_like(&option) {
                Some(option) => format!("unexpected argument '{option}' found"),
                None => "unexpected argument found".to_owned(),
            };
            with_suggestions(message, &context(ContextKind::SuggestedArg))
        }
        ErrorKind::InvalidSubcommand => with_suggestions(
            "there is no such command".to_owned(),
            &context(ContextKind::SuggestedSubcommand),
        ),
        ErrorKind::InvalidValue if !context(ContextKind::ValidValue).is_empty() => {
            let values = context(ContextKind::ValidValue).join(", ");
            format!("{option} takes one of these values: {values}")
        }
        ErrorKind::ValueValidation => {
            let source = error.source();
            match source.and_then(|source| source.downcast_ref::<InvalidValue>()) {
                Some(reason) => format!("{option}: {reason}"),
                None => format!("{option} does not take this value"),
            }
        }
        ErrorKind::InvalidValue
        | ErrorKind::NoEquals
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues => format!("{option} needs a value"),
        ErrorKind::TooManyValues => format!("{option} takes no further value"),
        // clap does not say which option requires it.
        ErrorKind::MissingRequiredArgument if option == "--wait" => {
            "missing: --wait, which --html, --fail-on-flagged, --poll and --deadline require"
                .to_owned()
        }
        ErrorKind::MissingRequiredArgument => format!("missing: {option}"),
        ErrorKind::ArgumentConflict => {
            let other = context(ContextKind::PriorArg).join(", ");
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
        | _ => "the command line is not valid".to_owned(),
    }
}

/// Returns the error as text for people, with the usage.
pub(crate) fn text(error: &clap::Error) -> String {
    let usage = texts(error, ContextKind::Usage).join("\n");
    let usage = usage.trim();
    let gap = if usage.is_empty() { "" } else { "\n\n" };
    format!(
        "error: {}{gap}{usage}\n\nFor more information, try '--help'.\n",
        message(error)
    )
}

/// Whether this is a request for help or the version, which clap prints.
pub(crate) fn is_help(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::MissingSubcommand
    )
}

/// Finds an option that was given the text of a file instead of its path. Documents are checked with
/// the other documents, so that all are reported at once.
pub(crate) fn text_for_path(arguments: &Arguments) -> Option<String> {
    let common = &arguments.common;
    let mut paths = vec![
        ("--support", common.support.as_deref()),
        ("--config", common.config.as_deref()),
    ];
    paths.extend(match &arguments.command {
        Command::Upload(upload) => vec![
            ("--ledger", upload.ledger.as_deref()),
            ("--html", upload.wait.html.as_deref()),
        ],
        Command::Resume(resume) => vec![
            ("LEDGER", resume.ledger.as_deref()),
            ("--html", resume.wait.html.as_deref()),
        ],
        Command::Fraud(fraud) => vec![("--html", fraud.html.as_deref())],
        Command::Batch(batch) => vec![
            ("MANIFEST", Some(batch.manifest.as_path())),
            ("--report", batch.report.as_deref()),
            ("--html", batch.wait.html.as_deref()),
        ],
        Command::Ledgers(ledgers) => vec![("--forget", ledgers.forget.as_deref())],
        Command::Authorize(authorize) => vec![
            ("--session", authorize.session.as_deref()),
            ("--answers", authorize.answers.as_deref()),
            ("--images", authorize.images.as_deref()),
        ],
        Command::Statements(statements) => vec![("--out", Some(statements.out.as_path()))],
        Command::Man(man) => vec![("DIR", Some(man.out.as_path()))],
        Command::Csr(csr) => vec![
            ("--out", Some(csr.out.as_path())),
            ("--renew", csr.renew.as_ref().and_then(Option::as_deref)),
        ],
        Command::Sandbox(serve) => vec![("--dir", serve.dir.as_deref())],
        Command::Accounts(accounts) => vec![("--csv", accounts.csv.as_deref())],
        Command::Completions(_)
        | Command::Config(_)
        | Command::DeleteCard(_)
        | Command::Doctor(_)
        | Command::Institutions(_)
        | Command::Refresh(_)
        | Command::Settings => Vec::new(),
    });
    paths.into_iter().find_map(|(name, path)| {
        let mistake = path_value::mistake(path.map(Path::as_os_str)?)?;
        Some(format!("{name} {mistake}"))
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

fn with_suggestions(message: String, suggestions: &[String]) -> String {
    if suggestions.is_empty() {
        message
    } else {
        format!("{message}; did you mean {}?", suggestions.join(" or "))
    }
}

/// Returns an unknown option up to its `=`, if it looks like one: lower-case words with hyphens.
fn option_like(text: &str) -> Option<&str> {
    let name = text.split('=').next()?;
    let words = name.strip_prefix("--")?;
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    ((2..=30).contains(&words.len()) && words.bytes().all(is_word)).then_some(name)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    const CANARY: &str = "CANARY-4711";

    fn parse_error(line: &[&str]) -> clap::Error {
        let parsed = Arguments::try_parse_from([&["flinks"], line].concat());
        parsed
            .err()
            .unwrap_or_else(|| panic!("{line:?} is accepted"))
    }

    #[test]
    fn no_value_is_quoted() {
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
        for (line, expected) in rows {
            let error = parse_error(line);
            let (message, text) = (message(&error), text(&error));
            assert!(message.contains(expected), "{line:?}: {message}");
            assert!(
                !text.contains("4711") && !text.contains("BEGIN"),
                "{line:?}: {text}"
            );
            assert!(text.contains(&message) && text.contains("--help"), "{text}");
        }
    }

    #[test]
    fn missing_options_are_named() {
        let rows: [(&[&str], &str); 4] = [
            (&["upload"], "missing: <FILES>"),
            (&["upload", "a.pdf", "--tag"], "--tag <TAG> needs a value"),
            (&["upload", "a.pdf", "--poll", "1"], "missing: --wait"),
            (&["uplaod"], "did you mean upload?"),
        ];
        for (line, expected) in rows {
            let message = message(&parse_error(line));
            assert!(message.contains(expected), "{line:?}: {message}");
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
            // Without arguments the name is that of the command itself.
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
        let rows: [(&[&str], &str); 12] = [
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
            (&["csr", "--out", "d", "--renew"], "--renew"),
            (&["sandbox", "--dir"], "--dir"),
            (&["doctor", "--support"], "--support"),
        ];
        for (line, option) in rows {
            // As one word: a value of its own may not begin with a hyphen.
            let value = format!("{CANARY}\n-----BEGIN PRIVATE KEY-----");
            let line = [&["flinks"], line, &[value.as_str()]].concat();
            let arguments = Arguments::try_parse_from(&line).expect("parsed");
            let expected = text_for_path(&arguments).expect(option);
            assert!(
                expected.starts_with(option) && expected.contains("the key itself"),
                "{expected}"
            );
            assert!(!expected.contains("4711"), "{expected}");
        }
    }
}
