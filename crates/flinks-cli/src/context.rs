//! What every command of one run shares: how to print, where settings come from, what is called.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use flinks_transport::{Error, Step};
use flinks_upload::Paths;

use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;
use crate::settings::{Settings, Source};

/// What every command of one run shares.
pub(crate) struct Context {
    pub(crate) output: Output,
    /// `--sandbox` was given.
    pub(crate) sandbox: bool,
    config: Option<PathBuf>,
    hosts: OnceLock<Hosts>,
}

/// Where the calls go, for the support report; empty where a setting is missing.
struct Hosts {
    upload: String,
    paths: Paths,
    results: String,
}

impl Context {
    pub(crate) fn new(common: &Common, output: Output) -> Self {
        Self {
            output,
            sandbox: common.sandbox,
            config: common.config.clone(),
            hosts: OnceLock::new(),
        }
    }

    /// The environment and the settings file.
    pub(crate) fn source(&self) -> Result<Source, Error> {
        Source::new(variable, self.config.as_deref())
    }

    /// Notes where the calls will go.
    pub(crate) fn remember(&self, settings: &Settings) {
        let host = |endpoint: Result<flinks_transport::Endpoint, Error>| {
            endpoint.map_or_else(|_| String::new(), |endpoint| endpoint.to_string())
        };
        // A run has one service; a second one would not be the one that failed.
        drop(self.hosts.set(Hosts {
            upload: host(settings.upload_endpoint()),
            paths: settings.paths().unwrap_or_default(),
            results: host(settings.results_endpoint()),
        }));
    }

    /// The endpoint that a failed call was for.
    pub(crate) fn endpoint(&self, failure: &Failure) -> Option<String> {
        let (error, hosts) = (failure.error()?, self.hosts.get()?);
        let operation = error.operation()?;
        let upload = |path| Some(format!("POST {}{path}", hosts.upload));
        match (error.step(), operation) {
            (Step::Token, _) => upload(hosts.paths.token()),
            (_, "upload.file") => upload(hosts.paths.upload()),
            (_, "upload.complete") => upload(hosts.paths.complete()),
            // The ids are the customer's business.
            (_, "fraud.analysis") => {
                let path = "/v3/{customerId}/upload/fraudanalysis/{loginId}";
                Some(format!("GET {}{path}", hosts.results))
            }
            _ => None,
        }
    }
}

/// A variable of the environment.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
