//! The end of a batch: counts and the borrowers that need a person, as text or as one JSON object.

use std::path::Path;

use flinks_types::text::escaped;
use serde_json::{Map, Value, json};

use crate::commands::batch::row::{Row, Status};
use crate::output::Output;
use crate::output::text::{counted, shell_word, shown_path, wrapped};

/// The maximum number of borrowers in the text. The report has all.
const MAX_SHOWN: usize = 40;

const VERDICTS: [&str; 3] = ["clean", "flagged", "undetermined"];

/// Returns the text for people.
pub(crate) fn to_text(rows: &[(&str, &Row)], report: &Path, output: Output) -> String {
    let columns = output.columns().unwrap_or(usize::MAX);
    let title = output.bold(&format!("Batch of {}", counted(rows.len(), "borrower")));
    let mut text = format!("{title}\n");
    for status in Status::ALL {
        let count = with_status(rows, status).count();
        if count > 0 {
            text.push_str(&format!("  {:<10}{count:>7}", status.as_str()));
            if status == Status::Completed {
                text.push_str(&output.faint(&verdicts(rows)));
            }
            text.push('\n');
        }
    }
    let of_interest: Vec<_> = rows
        .iter()
        .filter(|(_, row)| row.needs_a_person())
        .collect();
    if !of_interest.is_empty() {
        text.push_str("\nTo look at:\n");
    }
    for (id, row) in of_interest.iter().take(MAX_SHOWN) {
        let verdict = row.verdict.as_ref().filter(|_| row.error.is_none());
        let word = verdict.map_or(row.status.as_str(), |verdict| &verdict.name);
        let shown = if row.is_flagged() {
            output.red(word)
        } else {
            output.yellow(word)
        };
        let padding = " ".repeat(14usize.saturating_sub(word.len()));
        let error = row.error_text();
        let separator = if error.is_empty() { "" } else { ": " };
        let line = wrapped(&format!("{}{separator}{error}", escaped(id)), 16, columns);
        text.push_str(&format!("  {shown}{padding}{}", line.trim_start()));
        if row.status == Status::Unknown
            && let Some(ledger) = row.ledger()
        {
            let path = shell_word(ledger.as_ref());
            text.push_str(&format!(
                "                flinks resume --complete-again {path}\n"
            ));
        }
    }
    if of_interest.len() > MAX_SHOWN {
        let more = of_interest.len() - MAX_SHOWN;
        text.push_str(&format!("  and {more} more, in the report\n"));
    }
    text.push_str(&format!("\nReport  {}\n", shown_path(report)));
    if let Some(next) = next(rows) {
        text.push_str(&output.faint(&format!("\n{}", wrapped(next, 0, columns))));
    }
    text
}

/// Returns what to do about borrowers that are not completed.
fn next(rows: &[(&str, &Row)]) -> Option<&'static str> {
    let has = |status| with_status(rows, status).next().is_some();
    if has(Status::Unknown) {
        Some(
            "Unknown: ask Flinks whether the session of that AggregationId is complete. If it is not, or if \
             completing it twice does no harm, run the command under it, then the same batch again.",
        )
    } else if has(Status::Failed) || has(Status::Pending) {
        Some("Run the same command again to continue; what is completed is not sent again.")
    } else {
        None
    }
}

fn with_status<'a>(
    rows: &'a [(&str, &Row)],
    status: Status,
) -> impl Iterator<Item = &'a Row> + use<'a> {
    let rows = rows.iter().map(|(_, row)| *row);
    rows.filter(move |row| row.status == status)
}

fn count_of(rows: &[(&str, &Row)], verdict: &str) -> usize {
    let verdicts = rows.iter().filter_map(|(_, row)| row.verdict.as_ref());
    verdicts.filter(|known| known.name == verdict).count()
}

fn verdicts(rows: &[(&str, &Row)]) -> String {
    let counts = VERDICTS.map(|name| (name, count_of(rows, name)));
    let some = counts.into_iter().filter(|(_, count)| *count > 0);
    let some: Vec<_> = some
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if some.is_empty() {
        String::new()
    } else {
        format!("   {}", some.join(", "))
    }
}

/// Returns the fields of the JSON object for scripts.
pub(crate) fn to_json(rows: &[(&str, &Row)], report: &Path) -> Map<String, Value> {
    let counts = Status::ALL.map(|status| {
        let count = with_status(rows, status).count();
        (status.as_str().to_owned(), json!(count))
    });
    let verdicts = VERDICTS.map(|name| (name.to_owned(), json!(count_of(rows, name))));
    let borrowers: Vec<_> = rows.iter().map(|(id, row)| row.to_json(id)).collect();
    let fields = [
        ("borrowers", Value::Array(borrowers)),
        ("counts", Value::Object(counts.into_iter().collect())),
        ("verdicts", Value::Object(verdicts.into_iter().collect())),
        ("report", json!(report.to_string_lossy())),
    ];
    fields
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}
