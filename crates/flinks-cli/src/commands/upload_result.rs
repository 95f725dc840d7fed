//! The end of an upload: prints the ids, removes the ledger, and may wait for the fraud verdict.

use flinks_fraud::FraudClient;
use flinks_types::text::escaped;
use flinks_upload::Completed;
use serde_json::{Map, Value, json};

use crate::arguments::WaitAfterUpload;
use crate::commands::fraud_wait::FraudWait;
use crate::context::Context;
use crate::output::analysis::AnalysisReport;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::report_page::{self, Borrower};
use crate::output::text::{
    counted, cut_middle, display_width, labeled, shell_word, shown_path, size,
};
use crate::state::ledger_place::LedgerPlace;

/// What the table of files has beside the names, in columns.
const TABLE_COLUMNS: usize = 18;
const LABEL_COLUMNS: usize = 15;

/// What to do after a session is complete.
pub(crate) struct AfterUpload<'a> {
    /// Reads the verdict, with `--wait`.
    pub(crate) fraud: Option<FraudClient>,
    pub(crate) wait: &'a WaitAfterUpload,
    pub(crate) tag: Option<&'a str>,
    pub(crate) client_name: Option<&'a str>,
    /// The SHA-256 of each file, with `--sha256`.
    pub(crate) checksums: Vec<String>,
}

impl AfterUpload<'_> {
    /// Prints the ids first, because they exist nowhere else, then waits for the verdict.
    ///
    /// # Errors
    /// Standard output cannot be written, or the verdict cannot be read.
    pub(crate) async fn finish(
        &self,
        completed: &Completed,
        ledger: &LedgerPlace,
        context: &Context,
    ) -> Result<Exit, CliError> {
        let output = context.output;
        // Where the LoginId could not be printed, the ledger still has it.
        let not_printed = |mut error: CliError| {
            error.ledger = ledger.path_to_resume().map(Into::into);
            error
        };
        let text = self.to_text(completed, ledger, context);
        output.text(&text).map_err(not_printed)?;
        if !output.json {
            ledger.remove_completed();
        }
        let mut object = self.to_json(completed, ledger);
        let mut exit = Exit::Done;
        if let Some(fraud) = &self.fraud {
            let wait = FraudWait {
                login_id: &completed.login_id,
                files: Some(completed.files.len()),
                wait: true,
                poll: self.wait.poll,
                fail_on_flagged: self.wait.fail_on_flagged,
            };
            let read = wait.read(fraud, context).await;
            let mut page = self.write_page(completed, &read);
            match read {
                Ok(report) => {
                    let text = report.to_text(&completed.files, output);
                    output.text(&format!("\n{text}"))?;
                    if page.is_ok() {
                        output.text(&report_page::note(self.wait.html.as_deref(), output))?;
                    }
                    object.insert("fraud".to_owned(), report.to_json());
                    exit = wait.exit(&report.verdict);
                }
                Err(error) => page = Err(error),
            }
            if let Err(mut error) = page {
                ledger.remove_completed();
                *error.result = object;
                return Err(error);
            }
        }
        output.object(&Value::Object(object)).map_err(not_printed)?;
        ledger.remove_completed();
        Ok(exit)
    }

    /// Writes the page of `--html`, also if there is no verdict: it then has the reason.
    fn write_page(
        &self,
        completed: &Completed,
        read: &Result<AnalysisReport, CliError>,
    ) -> Result<(), CliError> {
        let Some(path) = &self.wait.html else {
            return Ok(());
        };
        let files = completed.files.iter().map(|file| file.file_name.clone());
        let files: Vec<_> = files.collect();
        let reason = read.as_ref().map_err(CliError::message);
        let borrower = Borrower {
            id: None,
            tag: self.tag,
            client_name: self.client_name,
            login_id: Some(completed.login_id.as_str()),
            files: &files,
            outcome: reason.as_ref().copied().map_err(String::as_str),
        };
        report_page::write(path, &[borrower])
    }

    fn to_text(&self, completed: &Completed, ledger: &LedgerPlace, context: &Context) -> String {
        let output = context.output;
        let files = &completed.files;
        let total = files.iter().map(|file| file.len).sum();
        let title = output.bold(&format!("Uploaded {}", counted(files.len(), "file")));
        let mut text = format!("{title} ({})\n", size(total));
        // On a terminal a row must not wrap; in a pipe every name is whole.
        let columns = output.columns().unwrap_or(usize::MAX);
        let names = files.iter().map(|file| {
            let name = escaped(&file.file_name);
            cut_middle(&name, columns.saturating_sub(TABLE_COLUMNS).max(8))
        });
        let names: Vec<_> = names.collect();
        let width = names.iter().map(|name| display_width(name)).max();
        for (index, (name, file)) in names.iter().zip(files).enumerate() {
            let (number, size) = (index + 1, size(file.len));
            let space = width.unwrap_or_default() - display_width(name);
            text.push_str(&format!("  {number:>2}  {name}{:space$}  {size:>10}\n", ""));
            if let Some(checksum) = self.checksums.get(index) {
                text.push_str(&format!("      sha256 {checksum}\n"));
            }
        }
        text.push('\n');
        let mut line = |label: &str, value: &str| {
            text.push_str(&labeled(label, LABEL_COLUMNS, value, columns));
        };
        line("AggregationId", &escaped(completed.aggregation_id.as_str()));
        let login_id = escaped(completed.login_id.as_str());
        line("LoginId", &output.bold(&login_id));
        for id in &completed.abandoned {
            let id = escaped(id.as_str());
            line("Abandoned", &format!("{id} (never completed)"));
        }
        if completed.abandoned_unknown > 0 {
            let count = completed.abandoned_unknown;
            line("Abandoned", &format!("{count} more, with unknown ids"));
        }
        if let Some(path) = ledger.kept_path() {
            line("Ledger", &format!("{} (complete)", shown_path(path)));
        }
        if self.fraud.is_none() && !context.sandbox {
            let id = shell_word(completed.login_id.as_str().as_ref());
            text.push_str(&output.faint(&format!(
                "\nNext: flinks fraud {id} --wait\n      flinks accounts --login-id {id}\n"
            )));
        }
        text
    }

    fn to_json(&self, completed: &Completed, ledger: &LedgerPlace) -> Map<String, Value> {
        let files = completed.files.iter().enumerate().map(|(index, file)| {
            let mut object = json!({ "file_name": file.file_name, "bytes": file.len });
            if let (Some(checksum), Some(object)) =
                (self.checksums.get(index), object.as_object_mut())
            {
                object.insert("sha256".to_owned(), json!(checksum));
            }
            object
        });
        let abandoned = completed.abandoned.iter().map(|id| id.as_str());
        let fields = [
            ("aggregation_id", json!(completed.aggregation_id.as_str())),
            ("login_id", json!(completed.login_id.as_str())),
            ("files", files.collect()),
            ("abandoned", abandoned.collect()),
            ("abandoned_unnamed", json!(completed.abandoned_unknown)),
        ];
        let mut object: Map<_, _> = fields
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        if let Some(path) = ledger.kept_path() {
            object.insert("ledger".to_owned(), json!(path.to_string_lossy()));
        }
        object
    }
}
