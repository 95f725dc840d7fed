//! The options of `flinks doctor`.

use clap::Args;

use crate::arguments::connection::{Connection, Every};

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) connection: Connection<Every>,
}
