//! The options of `flinks completions`.

use clap::Args;

use crate::arguments::help::examples_of;

#[derive(Args, Debug)]
#[command(after_help = examples_of(&["flinks completions bash"]))]
pub(crate) struct Completions {
    /// Shell
    pub(crate) shell: clap_complete::Shell,
}
