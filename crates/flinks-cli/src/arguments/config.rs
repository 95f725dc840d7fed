//! The options of `flinks config`.

use clap::{Args, Subcommand};

use crate::arguments::help::examples_of;

#[derive(Args, Debug)]
#[command(after_help = examples_of(EXAMPLES))]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

const EXAMPLES: &[&str] = &[
    "flinks config init --profile test",
    "flinks config show --profile test",
];

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Write a settings file with every key as a comment; an existing file stays as it is
    Init,
    /// Show where each setting comes from; values are not shown
    Show,
}
