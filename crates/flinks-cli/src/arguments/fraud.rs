//! The options of `flinks fraud`, and how every command waits for a verdict.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::arguments::connection::{Connection, FraudAnalysis};
use crate::arguments::help::end;
use crate::arguments::values::{interval, seconds};

#[derive(Args, Debug)]
#[command(after_help = end::<FraudAnalysis>(&[
    "flinks fraud 00000000-0000-4000-8000-000000000002 --sandbox",
    "flinks fraud LOGIN_ID --wait --fail-on-flagged --json",
]))]
pub(crate) struct Fraud {
    /// LoginId of a completed upload; `-` reads it from standard input
    pub(crate) login_id: String,
    /// Wait until the analysis is final
    #[arg(long)]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) poll: PollArguments,
    /// Exit with status 7 if the verdict is `flagged`
    #[arg(long)]
    pub(crate) fail_on_flagged: bool,
    /// Write the analysis as one HTML page to this file, which is replaced if it exists
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection<FraudAnalysis>,
}

/// How to wait for the fraud analysis.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct PollArguments {
    /// Time between polls [default: 30, with --sandbox 1]
    #[arg(long, requires = "wait", value_name = "SECONDS", value_parser = interval)]
    pub(crate) poll: Option<Duration>,
    /// Maximum time to wait [default: 14400, four hours]
    #[arg(long, requires = "wait", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) deadline: Option<Duration>,
}
