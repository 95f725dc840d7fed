//! `flinks ledgers`: lists what uploads left unfinished, and removes ledgers.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flinks_types::text::escaped;
use flinks_upload::FileLedger;
use serde_json::{Value, json};

use crate::arguments::Ledgers;
use crate::context::variable;
use crate::output::Output;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::text::{counted, shell_word};
use crate::state::folder::state_folder;
use crate::state::ledger_summary::{LedgerState, LedgerSummary};

/// Lists the ledgers in the user's state folder, or removes some.
pub(crate) fn run(arguments: &Ledgers, output: Output) -> Result<Exit, CliError> {
    if let Some(path) = &arguments.forget {
        forget(path)?;
        output.text(&format!("Removed {}\n", shell_word(path)))?;
        output.object(&json!({ "removed": [path.to_string_lossy()] }))?;
        return Ok(Exit::Done);
    }
    if arguments.clear_completed {
        return clear_completed(output);
    }
    list(output)
}

/// Prints every ledger in the user's state folder, the oldest first.
pub(crate) fn list(output: Output) -> Result<Exit, CliError> {
    let rows: Vec<_> = found()?.into_iter().map(Row::read).collect();
    if rows.is_empty() {
        output.text("There are no unfinished uploads.\n")?;
    } else {
        let rows: Vec<_> = rows.iter().map(|row| row.to_text(output)).collect();
        output.text(&rows.join("\n"))?;
    }
    let objects: Vec<_> = rows.iter().map(Row::to_json).collect();
    output.object(&json!({ "ledgers": objects }))?;
    Ok(Exit::Done)
}

/// Removes a ledger. One that cannot be read is removed only where no other files are, and only if
/// no upload uses it.
fn forget(path: &Path) -> Result<(), CliError> {
    let error = match FileLedger::open(path) {
        Ok((ledger, _)) => return Ok(ledger.remove()?),
        Err(error) => error,
    };
    let canonical = path.canonicalize().ok();
    let is_listed = found()?
        .iter()
        .any(|it| it.canonicalize().ok() == canonical);
    let is_in_use =
        File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
    if is_listed && canonical.is_some() && !is_in_use {
        return fs::remove_file(path).map_err(|error| CliError::disk("the ledger", &error));
    }
    Err(CliError::from(error).with_hint(Some(
        "nothing was removed: --forget takes a ledger that can be read and is not in use, or one that \
         `flinks ledgers` lists",
    )))
}

fn clear_completed(output: Output) -> Result<Exit, CliError> {
    let mut removed = Vec::new();
    for path in found()? {
        let Ok((ledger, entries)) = FileLedger::open(&path) else {
            continue;
        };
        let summary = LedgerSummary::new(&entries);
        if matches!(summary.state, LedgerState::Completed(_)) {
            ledger.remove()?;
            removed.push(path.to_string_lossy().into_owned());
        }
    }
    output.text(&format!("Removed {}\n", counted(removed.len(), "ledger")))?;
    output.object(&json!({ "removed": removed }))?;
    Ok(Exit::Done)
}

/// Returns the paths of the ledgers in the state folder. Their names begin with the time.
fn found() -> Result<Vec<PathBuf>, CliError> {
    let Some(folder) = state_folder(variable) else {
        return Ok(Vec::new());
    };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(CliError::disk("the folder of the ledgers", &error)),
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "ledger"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// A ledger in the list.
struct Row {
    path: PathBuf,
    age: Option<Duration>,
    /// What it contains, or why it cannot be read.
    summary: Result<LedgerSummary, String>,
}

impl Row {
    fn read(path: PathBuf) -> Self {
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified());
        let age = modified.map(|time| SystemTime::now().duration_since(time).unwrap_or_default());
        let summary = FileLedger::open(&path)
            .map(|(_, entries)| LedgerSummary::new(&entries))
            .map_err(|error| error.to_string());
        Self {
            path,
            age: age.ok(),
            summary,
        }
    }

    fn to_text(&self, output: Output) -> String {
        let age = self.age.map_or_else(String::new, ago);
        let path = shell_word(&self.path);
        match &self.summary {
            Err(reason) => {
                let reason = output.yellow(reason);
                format!("{age}  {reason}\n  {path}\n")
            }
            Ok(summary) => {
                let title = output.bold(&summary.state.to_text());
                let files: Vec<_> = summary.files.iter().map(|name| escaped(name)).collect();
                let (host, files) = (escaped(&summary.host), files.join(", "));
                let next = summary.state.next(&path);
                format!("{age}  {title}\n  {files}\n  {host}\n  next: {next}\n")
            }
        }
    }

    fn to_json(&self) -> Value {
        let mut object = json!({
            "path": self.path.to_string_lossy(),
            "age_seconds": self.age.map(|age| age.as_secs()),
        });
        let more = match &self.summary {
            Ok(summary) => summary.to_json(),
            Err(reason) => json!({ "state": "unreadable", "reason": reason }),
        };
        if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
            object.extend(more);
        }
        object
    }
}

/// Formats an age in its largest unit.
fn ago(age: Duration) -> String {
    let seconds = age.as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    format!("{} ago", counted(count, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, text) in [
            (0, "0 seconds ago"),
            (60, "1 minute ago"),
            (7_199, "1 hour ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), text);
        }
    }
}
