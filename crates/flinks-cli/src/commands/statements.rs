//! `flinks statements`: saves the bank's statements as files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use flinks_legacy::StatementContent as _;
use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_types::{AccountStatements, NumberOfStatements, Statement, StatementsResponse};

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

/// Waits for the statements and writes them to a folder.
pub(crate) async fn run(arguments: &Statements, context: &Context) -> Result<Exit, CliError> {
    let options = options(arguments)?;
    let of = ids::data_source(&arguments.of).await?;
    let clients = Clients::start(context, &arguments.connection).await?;
    let legacy = clients.legacy()?;
    let folder = &arguments.out;
    let disk = |error: io::Error| CliError::disk("the folder (--out)", &error);
    files::make_folder(folder).map_err(disk)?;
    // A folder that cannot be written must be found before anything is fetched.
    drop(Draft::within(folder).map_err(disk)?);
    let fetch = legacy.statements(of).options(options);
    let answer = data_wait::wait(fetch, arguments.poll, context).await?;
    let saved = save_all(&answer, folder)?;
    let text = match answer.accounts {
        Some(_) => text(&saved, context.output),
        None => "The answer has no list of statements\n".to_owned(),
    };
    context.output.text(&text)?;
    context.output.raw(answer.raw()).map_err(|mut failure| {
        // The statements themselves must not be printed to standard error.
        let paths = saved.iter().map(|saved| saved.path.to_string_lossy());
        failure.result.insert("written".to_owned(), paths.collect());
        failure
    })?;
    Ok(Exit::Done)
}

fn options(arguments: &Statements) -> Result<flinks_legacy::Statements, CliError> {
    let mut options = flinks_legacy::Statements::new();
    if let Some(months) = &arguments.months {
        if *months == NumberOfStatements::Months12 && arguments.account.len() != 1 {
            let message = "--months 12 needs exactly one --account";
            return Err(CliError::usage(message));
        }
        options = options.with_number(months.clone());
    }
    for account in &arguments.account {
        options = options.with_account(account.clone());
    }
    Ok(options)
}

/// A statement in the folder.
struct Saved {
    path: PathBuf,
    bytes: u64,
    /// It was there before.
    is_old: bool,
}

/// Saves every statement that can be read. Then the first one that cannot be read is an error.
fn save_all(answer: &StatementsResponse, folder: &Path) -> Result<Vec<Saved>, CliError> {
    let institution = answer.institution.as_deref().unwrap_or_default();
    let accounts = answer.accounts.as_deref().unwrap_or_default();
    let statements = accounts.iter().flat_map(|account| {
        let statements = account.statements.iter();
        statements.map(|statement| (name(institution, account, statement), statement))
    });
    let mut saved = Vec::new();
    let mut unreadable = None;
    for (number, ((stem, extension), statement)) in (1..).zip(statements) {
        match statement.to_bytes() {
            Ok(bytes) => {
                let one = save(folder, &stem, &extension, &bytes);
                let disk = "a statement in the folder of --out";
                saved.push(one.map_err(|error| CliError::disk(disk, &error).after_the_call())?);
            }
            Err(error) => unreadable = unreadable.or(Some((number, error))),
        }
    }
    match unreadable {
        None => Ok(saved),
        Some((number, error)) => Err(not_readable(number, saved.len(), error)),
    }
}

fn not_readable(number: usize, saved: usize, error: io::Error) -> CliError {
    let saved = counted(saved, "other statement");
    let message = format!("statement {number} cannot be read ({saved} saved)");
    let error = Error::new(ErrorKind::Decode, message)
        .with_delivery(Delivery::Delivered)
        .with_operation("legacy.statements")
        .with_source(error);
    CliError::failed(Request::BankData, error)
}

/// Writes a new file with mode 0600, unless the folder has this statement. If the name is that of
/// something else, the statement gets the next number that is free.
fn save(folder: &Path, stem: &str, extension: &str, contents: &[u8]) -> io::Result<Saved> {
    let mut number = 1_u64;
    loop {
        let path = folder.join(match number {
            1 => format!("{stem}.{extension}"),
            _ => format!("{stem}-{number}.{extension}"),
        });
        let is_old = holds(&path, contents);
        let written = match is_old {
            true => Ok(()),
            false => files::write(&path, contents, Existing::Keep),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
            Ok(()) => {
                let bytes = contents.len() as u64;
                return Ok(Saved {
                    path,
                    bytes,
                    is_old,
                });
            }
        }
    }
}

/// Whether there is a regular file with these contents. A file that cannot be read is another one.
fn holds(path: &Path, contents: &[u8]) -> bool {
    let length = contents.len() as u64;
    let is_file = |metadata: fs::Metadata| metadata.is_file() && metadata.len() == length;
    path.symlink_metadata().is_ok_and(is_file)
        && files::read(path, length).is_ok_and(|found| found == contents)
}

/// Returns the stem and the extension of a file name: institution, end of the account number, id of
/// the statement. Each is any text of the service; the name never has less than two parts, so it is
/// no reserved name of Windows.
fn name(institution: &str, account: &AccountStatements, statement: &Statement) -> (String, String) {
    let or = |word: String, other: &str| match word.is_empty() {
        true => other.to_owned(),
        false => word,
    };
    let institution = or(word(institution, 32), "statement");
    let number = word(account.account_number.as_deref().unwrap_or_default(), 256);
    let hidden = number.len().saturating_sub(4);
    let end = number.get(hidden..).unwrap_or_default();
    let id = word(statement.unique_id.as_deref().unwrap_or_default(), 64);
    let id = or(id, "unnamed");
    let kind = statement.file_type.as_ref().map(|kind| kind.as_str());
    let kind = word(kind.unwrap_or_default(), 8).to_ascii_lowercase();
    let parts = [institution, end.to_owned(), id];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (parts.join("-"), or(kind, "bin"))
}

fn word(text: &str, longest: usize) -> String {
    let safe = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    text.chars().filter(safe).take(longest).collect()
}

fn text(saved: &[Saved], output: Output) -> String {
    let mut text = format!("{}\n", output.bold(&counted(saved.len(), "statement")));
    for one in saved {
        let (path, size) = (shown_path(&one.path), size(one.bytes));
        let note = if one.is_old { "  already there" } else { "" };
        text.push_str(&format!("  {size:>9}  {path}{note}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PDF: &str = "JVBERi0=";
    const OTHER: &str = "JVBERi1vdGhlcg==";

    fn answer(statements: &str) -> StatementsResponse {
        let json = format!(
            r#"{{"Institution":"Flinks/Capital","StatementsByAccount":[
                {{"AccountNumber":"00-123-4567","Statements":[{statements}]}}]}}"#
        );
        flinks_types::from_json(json.as_bytes()).expect("statements")
    }

    fn statement(id: &str, base64: &str) -> String {
        format!(r#"{{"UniqueId":"{id}","FileType":"PDF","Base64Bytes":"{base64}"}}"#)
    }

    /// Each file name, and whether the file was there before.
    fn save_in(folder: &Path, statements: &[String]) -> Vec<(String, bool)> {
        let saved = save_all(&answer(&statements.join(",")), folder);
        let saved = saved.ok().expect("saved").into_iter();
        let name = |path: &Path| path.strip_prefix(folder).expect("inside").to_owned();
        saved
            .map(|one| {
                (
                    name(&one.path).to_str().expect("UTF-8").to_owned(),
                    one.is_old,
                )
            })
            .collect()
    }

    #[test]
    fn file_names_are_safe_and_say_what_is_in_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = [
            ("../../etc/passwd", "FlinksCapital-4567-etcpasswd.pdf"),
            ("0a1b", "FlinksCapital-4567-0a1b.pdf"),
            ("CON", "FlinksCapital-4567-CON.pdf"),
            ("", "FlinksCapital-4567-unnamed.pdf"),
        ];
        let statements = rows.map(|(id, _)| statement(id, PDF));
        let expected = rows.map(|(_, name)| (name.to_owned(), false));
        assert_eq!(save_in(folder.path(), &statements), expected);
        let nameless = Statement::default();
        let (stem, extension) = name("", &AccountStatements::default(), &nameless);
        assert_eq!((&*stem, &*extension), ("statement-unnamed", "bin"));
    }

    #[test]
    fn a_second_run_writes_only_what_is_new_and_overwrites_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = [statement("a", PDF), statement("a", OTHER)];
        let name = |name: &str, is_old| (format!("FlinksCapital-4567-{name}.pdf"), is_old);
        let saved = save_in(folder.path(), &first);
        assert_eq!(saved, [name("a", false), name("a-2", false)]);
        let second = [
            statement("b", PDF),
            statement("a", OTHER),
            statement("a", PDF),
        ];
        let saved = save_in(folder.path(), &second);
        assert_eq!(
            saved,
            [name("b", false), name("a-2", true), name("a", true)]
        );
        let read = |name: &str| fs::read(folder.path().join(name)).expect("there");
        assert_eq!(read("FlinksCapital-4567-a.pdf"), b"%PDF-");
        assert_eq!(read("FlinksCapital-4567-a-2.pdf"), b"%PDF-other");
    }

    #[test]
    fn an_unreadable_statement_leaves_no_file_and_stops_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let torn = [statement("a", "JVBER"), statement("b", PDF)].join(",");
        let failure = save_all(&answer(&torn), folder.path());
        let failure = failure.err().expect("the first is no base64");
        assert_eq!(failure.exit(), Exit::Unknown);
        let call = failure.call().expect("a call").to_string();
        assert!(
            call.contains("statement 1 cannot be read (1 other statement saved)"),
            "{call}"
        );
        let files = fs::read_dir(folder.path()).expect("readable");
        assert_eq!(files.count(), 1);
    }
}
