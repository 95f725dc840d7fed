//! `flinks statements`: saves the bank's statements as files.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use flinks_legacy::StatementContent as _;
use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_types::text::escaped;
use flinks_types::{Statement, StatementsResponse};

use crate::arguments::Statements;
use crate::clients::Clients;
use crate::commands::data_wait;
use crate::commands::ids;
use crate::context::Context;
use crate::output::Output;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::exit_status::Request;
use crate::output::text::{counted, shown_path, size};
use crate::state::files::{self, Draft, Existing};

/// The prefix of the file names.
const PREFIX: &str = "statement-";

/// Waits for the statements and writes them to a folder.
pub(crate) async fn run(arguments: &Statements, context: &Context) -> Result<Exit, CliError> {
    let of = ids::data_source(&arguments.of).await?;
    let clients = Clients::start(context, &arguments.connection).await?;
    let legacy = clients.legacy()?;
    let folder = &arguments.out;
    let disk = |error: io::Error| CliError::disk("the folder (--out)", &error);
    files::make_folder(folder).map_err(disk)?;
    // A folder that cannot be written must be found before anything is fetched.
    if let Some(path) = existing_statement(folder).map_err(disk)? {
        return Err(exists(&path));
    }
    drop(Draft::within(folder).map_err(disk)?);
    let answer = data_wait::wait(legacy.statements(of), arguments.poll, context).await?;
    let written = write_all(&answer, folder)?;
    let text = match answer.accounts {
        Some(_) => text(&written, context.output),
        None => "The answer has no list of statements\n".to_owned(),
    };
    context.output.text(&text)?;
    context.output.raw(answer.raw()).map_err(|mut failure| {
        // The statements themselves must not be printed to standard error.
        let paths = written.iter().map(|(path, _)| path.to_string_lossy());
        failure.result.insert("written".to_owned(), paths.collect());
        failure
    })?;
    Ok(Exit::Done)
}

/// Returns a statement that the folder already contains.
fn existing_statement(folder: &Path) -> io::Result<Option<PathBuf>> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PREFIX.as_bytes())
        {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

fn exists(path: &Path) -> CliError {
    CliError::settings(format!(
        "{} exists in the folder of --out, and statements are never overwritten: choose another folder, \
         or move the files away",
        escaped(&path.file_name().unwrap_or_default().to_string_lossy())
    ))
}

fn write_all(answer: &StatementsResponse, folder: &Path) -> Result<Vec<(PathBuf, u64)>, CliError> {
    let accounts = answer.accounts.as_deref().unwrap_or_default();
    let statements = accounts.iter().flat_map(|account| &account.statements);
    let mut taken = HashSet::new();
    let mut written = Vec::new();
    for (index, statement) in statements.enumerate() {
        let mut name = file_name(statement, "");
        if !taken.insert(name.to_ascii_lowercase()) {
            name = file_name(statement, &format!("-{}", index + 1));
            taken.insert(name.to_ascii_lowercase());
        }
        let path = folder.join(name);
        let bytes = write(statement, &path).map_err(|error| failed(index, &path, error))?;
        written.push((path, bytes));
    }
    Ok(written)
}

/// Writes a statement to a new file with mode 0600.
fn write(statement: &Statement, path: &Path) -> io::Result<u64> {
    let mut draft = Draft::beside(path)?;
    let bytes = statement.write_to(&mut draft)?;
    draft.place_durably(path, Existing::Keep)?;
    Ok(bytes)
}

fn failed(index: usize, path: &Path, error: io::Error) -> CliError {
    if error.kind() == io::ErrorKind::InvalidData {
        let message = format!("statement {} cannot be read", index + 1);
        let unreadable = Error::new(ErrorKind::Decode, message).with_delivery(Delivery::Delivered);
        let unreadable = unreadable.with_operation("legacy.statements");
        return CliError::failed(Request::BankData, unreadable.with_source(error));
    }
    let failure = if error.kind() == io::ErrorKind::AlreadyExists {
        exists(path)
    } else {
        CliError::disk("a statement in the folder of --out", &error)
    };
    failure.after_the_call()
}

/// Returns a safe file name from the id and type of the service, which may be any text.
fn file_name(statement: &Statement, suffix: &str) -> String {
    let id = word(statement.unique_id.as_deref().unwrap_or_default(), 64);
    let id = if id.is_empty() { "unnamed" } else { &id };
    let kind = statement.file_type.as_ref().map(|kind| kind.as_str());
    let kind = word(kind.unwrap_or_default(), 8).to_ascii_lowercase();
    let kind = if kind.is_empty() { "bin" } else { &kind };
    format!("{PREFIX}{id}{suffix}.{kind}")
}

fn word(text: &str, longest: usize) -> String {
    let safe = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    text.chars().filter(safe).take(longest).collect()
}

fn text(written: &[(PathBuf, u64)], output: Output) -> String {
    let mut text = format!("{}\n", output.bold(&counted(written.len(), "statement")));
    for (path, bytes) in written {
        let path = shown_path(path);
        text.push_str(&format!("  {path}  {}\n", size(*bytes)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(statements: &str) -> StatementsResponse {
        let json = format!(r#"{{"StatementsByAccount":[{{"Statements":[{statements}]}}]}}"#);
        flinks_types::from_json(json.as_bytes()).expect("statements")
    }

    #[test]
    fn file_names_are_safe_and_unique() {
        let folder = tempfile::tempdir().expect("a folder");
        let answer = answer(
            r#"{"UniqueId":"../../etc/passwd","FileType":"PDF","Base64Bytes":"JVBERi0="},
               {"UniqueId":"0a1b","FileType":"PDF","Base64Bytes":"JVBERi0="},
               {"UniqueId":"0A1B","FileType":"PDF","Base64Bytes":"JVBERi0="},
               {"Base64Bytes":"JVBERi0="}"#,
        );
        let written = write_all(&answer, folder.path()).ok().expect("written");
        let names: Vec<_> = written
            .iter()
            .map(|(path, _)| path.strip_prefix(folder.path()).expect("inside"))
            .map(|path| path.to_str().expect("UTF-8"))
            .collect();
        assert_eq!(
            names,
            [
                "statement-etcpasswd.pdf",
                "statement-0a1b.pdf",
                "statement-0A1B-3.pdf",
                "statement-unnamed.bin"
            ]
        );
        assert_eq!(std::fs::read(&written[0].0).expect("there"), b"%PDF-");
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("readable").count(),
            4
        );
    }

    #[test]
    fn an_unreadable_statement_leaves_no_file_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let torn = answer(r#"{"UniqueId":"a","FileType":"PDF","Base64Bytes":"JVBER"}"#);
        let failure = write_all(&torn, folder.path()).expect_err("no base64");
        assert_eq!(failure.exit(), Exit::Unknown);
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("readable").count(),
            0
        );
        let good = answer(r#"{"UniqueId":"a","FileType":"PDF","Base64Bytes":"JVBERi0="}"#);
        write_all(&good, folder.path()).ok().expect("written");
        let failure = write_all(&good, folder.path()).expect_err("there already");
        assert_eq!(failure.exit(), Exit::Usage);
    }
}
