//! The options of `flinks upload` and `flinks resume`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::arguments::connection::{Connection, UploadAndFraud};
use crate::arguments::fraud::PollArguments;
use crate::arguments::help::end;
use crate::arguments::values::concurrency;

#[derive(Args, Debug)]
#[command(after_help = end::<UploadAndFraud>(&[
    "flinks upload statement.pdf --sandbox --wait",
    "flinks upload march.pdf april.pdf --tag loan-42 --client-name Zoë --wait --fail-on-flagged",
]))]
pub(crate) struct Upload {
    /// Documents: PDF, PNG, JPG, JPEG, TIF, TIFF; up to 18 MiB each and 180 MiB in total
    #[arg(required = true, value_name = "FILES")]
    pub(crate) files: Vec<PathBuf>,
    /// Label of the session
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Name of the end client
    #[arg(long, value_name = "NAME")]
    pub(crate) client_name: Option<String>,
    /// Number of files to send at once after the first
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = concurrency)]
    pub(crate) concurrency: u8,
    /// Write the ledger to this file and keep it; by default it is in your state folder until the
    /// session is complete
    #[arg(long, value_name = "PATH")]
    pub(crate) ledger: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) unknown: UnknownOutcome,
    /// Compute and print the SHA-256 of every file
    #[arg(long)]
    pub(crate) sha256: bool,
    #[command(flatten)]
    pub(crate) wait: WaitAfterUpload,
    #[command(flatten)]
    pub(crate) connection: Connection<UploadAndFraud>,
}

#[derive(Args, Debug)]
#[command(after_help = end::<UploadAndFraud>(&[
    "flinks resume",
    "flinks resume upload.ledger --wait",
]))]
pub(crate) struct Resume {
    /// Ledger of the stopped upload; without it the ledgers are listed
    pub(crate) ledger: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) unknown: UnknownOutcome,
    /// Complete the session even if it may have been completed before
    #[arg(long)]
    pub(crate) complete_again: bool,
    #[command(flatten)]
    pub(crate) wait: WaitAfterUpload,
    #[command(flatten)]
    pub(crate) connection: Connection<UploadAndFraud>,
}

/// The wait for the verdict after an upload.
#[derive(Args, Clone, Debug)]
pub(crate) struct WaitAfterUpload {
    /// Wait for the fraud analysis
    #[arg(long)]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) poll: PollArguments,
    /// Exit with status 7 if the verdict is `flagged`
    #[arg(long, requires = "wait")]
    pub(crate) fail_on_flagged: bool,
    /// Write the analysis as one HTML page to this file, which is replaced if it exists
    #[arg(long, requires = "wait", value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// What to do after an unknown outcome.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct UnknownOutcome {
    /// What to do if it is unknown whether a file arrived: `restart` abandons the session, which is
    /// never processed, and sends all files in a new one; `stop` exits with status 5; `resend` sends
    /// the file again in the same session, which may then contain it twice
    #[arg(
        long,
        value_enum,
        value_name = "POLICY",
        default_value_t,
        hide_possible_values = true
    )]
    pub(crate) on_unknown: OnUnknown,
}

/// `--on-unknown`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum OnUnknown {
    /// Abandon the session, which is never processed, and send all files in a new one
    #[default]
    Restart,
    /// Exit with status 5; `flinks resume` continues
    Stop,
    /// Send the file again in the same session, which may then contain it twice
    Resend,
}

impl From<OnUnknown> for flinks_upload::OnUnknown {
    fn from(policy: OnUnknown) -> Self {
        match policy {
            OnUnknown::Restart => Self::Restart,
            OnUnknown::Stop => Self::Stop,
            OnUnknown::Resend => Self::Resend,
        }
    }
}
