//! The options of `flinks ledgers`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::help::examples_of;

#[derive(Args, Debug)]
#[command(after_help = examples_of(&["flinks ledgers", "flinks ledgers --clear-completed"]))]
pub(crate) struct Ledgers {
    /// Remove the ledgers of completed uploads
    #[arg(long)]
    pub(crate) clear_completed: bool,
    /// Remove this ledger; its upload can no longer be resumed
    #[arg(long, value_name = "FILE", conflicts_with = "clear_completed")]
    pub(crate) forget: Option<PathBuf>,
}
