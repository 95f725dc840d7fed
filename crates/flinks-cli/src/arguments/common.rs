//! The options of every command.

use std::path::PathBuf;

use clap::Args;

/// The options of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Common {
    /// Print exactly one JSON object on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Run against an embedded test server with throw-away certificates and credentials
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,
    /// On an error, write the details that Flinks' support requires to this file, without secrets
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) support: Option<PathBuf>,
    /// Read settings from this TOML file, or `none` [env: FLINKS_CONFIG] [default:
    /// ~/.config/flinks/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Take this profile of the settings file [env: FLINKS_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Log calls on standard error; -vv logs more. Secrets, ids and documents are never logged
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}
