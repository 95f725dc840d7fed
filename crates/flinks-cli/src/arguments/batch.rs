//! The options of `flinks batch`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::connection::{Connection, UploadAndFraud};
use crate::arguments::help::end;
use crate::arguments::upload::{UnknownOutcome, WaitAfterUpload};
use crate::arguments::values::concurrency;

const AFTER_LONG_HELP: &str = "\
The manifest is CSV with a header, or JSON lines, in UTF-8:

  id,files,tag,client_name
  4711,4711/*.pdf,loan-4711,Jane Doe
  4712,january.pdf;february.pdf,,

  {\"id\": \"4711\", \"files\": [\"4711/*.pdf\"], \"tag\": \"loan-4711\", \"client_name\": \"Jane Doe\"}

`tag` and `client_name` may be left out. Files are relative to the manifest and separated by `;` in
CSV; `*`, `?`, `[…]` and `**` match names. Everything is checked before anything is sent.

The report has one row for each borrower: id, status, aggregation_id, login_id, verdict, error.
The status is `completed`, `failed`, `unknown` (a person has to decide) or `pending`.

After an interruption or a failure, run the same command again: it continues from REPORT.state,
the folder beside the report, and never uploads a completed borrower again. Keep that folder.

The exit status is the worst of all borrowers, in this order: 5, 2, 1, 4, 3, 6, 8, 7, 0.";

const EXAMPLES: &[&str] = &[
    "flinks batch borrowers.csv --wait --fail-on-flagged",
    "flinks batch borrowers.csv --report results.csv --parallel 8",
];

#[derive(Args, Debug)]
#[command(
    after_help = end::<UploadAndFraud>(EXAMPLES),
    after_long_help = format!("{AFTER_LONG_HELP}\n\n{}", end::<UploadAndFraud>(EXAMPLES))
)]
pub(crate) struct Batch {
    /// Borrowers and their files: CSV with the header `id,files,tag,client_name`, or JSON lines
    pub(crate) manifest: PathBuf,
    /// Write the report to this file, with the state of the batch beside it [default: MANIFEST.report.csv]
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Number of borrowers to upload at once; the files of each are sent one after another
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = concurrency)]
    pub(crate) parallel: u8,
    #[command(flatten)]
    pub(crate) unknown: UnknownOutcome,
    #[command(flatten)]
    pub(crate) wait: WaitAfterUpload,
    #[command(flatten)]
    pub(crate) connection: Connection<UploadAndFraud>,
}
