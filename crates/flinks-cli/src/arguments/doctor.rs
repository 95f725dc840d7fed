//! The options of `flinks doctor`.

use clap::Args;

use crate::arguments::connection::{Connection, Every};
use crate::arguments::help::end;

#[derive(Args, Debug)]
#[command(after_help = end::<Every>(&["flinks doctor", "flinks doctor --profile test --json"]))]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) connection: Connection<Every>,
}
