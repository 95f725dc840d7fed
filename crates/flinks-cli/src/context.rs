//! What every command of a run shares: how to print, and where settings come from.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use flinks_transport::Error;

use crate::arguments::Common;
use crate::output::Output;
use crate::settings::{Place, Source};

/// What every command of a run shares.
pub(crate) struct Context {
    pub(crate) output: Output,
    /// `--sandbox` was given.
    pub(crate) sandbox: bool,
    /// Where to write the report of a failure (`--support`).
    pub(crate) support: Option<PathBuf>,
    config: Option<PathBuf>,
    pub(crate) profile: Option<String>,
    /// The variable, flag or key that names the proxy, if one does.
    pub(crate) proxy_setting: OnceLock<String>,
}

impl Context {
    pub(crate) fn new(common: &Common, output: Output) -> Self {
        Self {
            output,
            sandbox: common.sandbox,
            support: common.support.clone(),
            config: common.config.clone(),
            profile: common.profile.clone(),
            proxy_setting: OnceLock::new(),
        }
    }

    /// Opens the environment and the settings file.
    pub(crate) fn source(&self) -> Result<Source, Error> {
        Source::new(variable, self.config.as_deref(), self.profile.as_deref())
    }

    /// Finds the settings file.
    pub(crate) fn settings_place(&self) -> Result<Place, Error> {
        Place::find(&variable, self.config.as_deref())
    }
}

/// Reads an environment variable.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
