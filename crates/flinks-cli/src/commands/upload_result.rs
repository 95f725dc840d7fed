//! What follows a completed session: its ids are told, the ledger goes, and the verdict may be awaited.

use flinks_fraud::FraudClient;
use flinks_upload::Completed;
use serde_json::{Map, Value, json};

use crate::arguments::WaitAfterUpload;
use crate::commands::fraud_wait::{self, Reading};
use crate::context::Context;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::text::{counted, shell_word, shown_path, size};
use crate::state::ledger_file::LedgerFile;
use flinks_types::text::escaped;

/// What to do after a session is complete.
pub(crate) struct After<'a> {
    /// Whom to ask for the verdict, with `--wait`.
    pub(crate) fraud: Option<FraudClient>,
    pub(crate) wait: &'a WaitAfterUpload,
    /// The SHA-256 of each file, with `--sha256`.
    pub(crate) checksums: Vec<String>,
}

/// Tells the ids before anything else can fail: they can be had nowhere else.
pub(crate) async fn settle(
    context: &Context,
    done: &Completed,
    ledger: &LedgerFile,
    after: After<'_>,
) -> Result<Exit, CliError> {
    let output = context.output;
    // Whoever could not be told of the LoginId finds it in the ledger.
    let untold = |mut failure: CliError| {
        failure.ledger = ledger.left();
        failure
    };
    output
        .text(&text(done, &after, ledger, context))
        .map_err(untold)?;
    if !output.json {
        ledger.done();
    }
    let mut object = object(done, &after.checksums, ledger);
    let mut exit = Exit::Done;
    if let Some(fraud) = &after.fraud {
        let reading = Reading {
            login_id: &done.login_id,
            files: Some(done.files.len()),
            wait: true,
            pace: after.wait.pace,
            fail_on_flagged: after.wait.fail_on_flagged,
        };
        match fraud_wait::read(fraud, &reading, context).await {
            Ok(report) => {
                output.text(&format!("\n{}", report.to_text(output)))?;
                object.insert("fraud".to_owned(), report.to_json());
                exit = reading.exit(&report.verdict);
            }
            Err(mut failure) => {
                ledger.done();
                failure.result = object;
                return Err(failure);
            }
        }
    }
    output.object(&Value::Object(object)).map_err(untold)?;
    ledger.done();
    Ok(exit)
}

fn text(done: &Completed, after: &After<'_>, ledger: &LedgerFile, context: &Context) -> String {
    let output = context.output;
    let total = done.files.iter().map(|file| file.bytes).sum();
    let names: Vec<_> = done
        .files
        .iter()
        .map(|file| escaped(&file.file_name))
        .collect();
    let width = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default();
    let mut text = format!(
        "{} ({})\n",
        output.bold(&format!("Uploaded {}", counted(names.len(), "file"))),
        size(total)
    );
    for (index, (name, file)) in names.iter().zip(&done.files).enumerate() {
        text.push_str(&format!(
            "  {:>2}  {name:<width$}  {:>10}\n",
            index + 1,
            size(file.bytes)
        ));
        if let Some(checksum) = after.checksums.get(index) {
            text.push_str(&format!("      sha256 {checksum}\n"));
        }
    }
    text.push_str(&format!(
        "\nAggregationId  {}\n",
        escaped(done.aggregation_id.as_str())
    ));
    text.push_str(&format!(
        "LoginId        {}\n",
        output.bold(&escaped(done.login_id.as_str()))
    ));
    text.push_str(&abandoned(done));
    if let Some(path) = ledger.kept() {
        text.push_str(&format!("Ledger         {} (complete)\n", shown_path(path)));
    }
    if after.fraud.is_none() && !context.sandbox {
        let id = shell_word(done.login_id.as_str().as_ref());
        text.push_str(&output.faint(&format!("\nNext: flinks fraud {id} --wait\n")));
    }
    text
}

/// Sessions that were given up on the way.
fn abandoned(done: &Completed) -> String {
    let mut text = String::new();
    for id in &done.abandoned {
        text.push_str(&format!(
            "Abandoned      {} (never completed)\n",
            escaped(id.as_str())
        ));
    }
    if done.abandoned_unnamed > 0 {
        let count = done.abandoned_unnamed;
        text.push_str(&format!(
            "Abandoned      {count} more, whose ids were never received\n"
        ));
    }
    text
}

fn object(done: &Completed, checksums: &[String], ledger: &LedgerFile) -> Map<String, Value> {
    let files: Vec<_> = done
        .files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            let mut object = json!({ "file_name": file.file_name, "bytes": file.bytes });
            if let (Some(checksum), Some(object)) = (checksums.get(index), object.as_object_mut()) {
                object.insert("sha256".to_owned(), json!(checksum));
            }
            object
        })
        .collect();
    let abandoned: Vec<_> = done.abandoned.iter().map(|id| id.as_str()).collect();
    let mut object = Map::new();
    object.insert(
        "aggregation_id".to_owned(),
        json!(done.aggregation_id.as_str()),
    );
    object.insert("login_id".to_owned(), json!(done.login_id.as_str()));
    object.insert("files".to_owned(), Value::Array(files));
    object.insert("abandoned".to_owned(), json!(abandoned));
    object.insert(
        "abandoned_unnamed".to_owned(),
        json!(done.abandoned_unnamed),
    );
    if let Some(path) = ledger.kept() {
        object.insert("ledger".to_owned(), json!(path.to_string_lossy()));
    }
    object
}
