//! The options of `flinks man`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Write the manual pages to this folder
    #[arg(value_name = "DIR")]
    pub(crate) out: PathBuf,
}
