//! What every command of one run shares: how to print, where settings come from, what is called.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use flinks_transport::{Error, Step};
use flinks_upload::Paths;

use crate::arguments::Common;
use crate::output::Output;
use crate::output::error::CliError;
use crate::settings::{Settings, Source, shown};

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
            endpoint.map_or_else(|_| String::new(), |endpoint| shown(&endpoint))
        };
        // A run has one service; a second one would not be the one that failed.
        drop(self.hosts.set(Hosts {
            upload: host(settings.upload_endpoint()),
            paths: settings.paths().unwrap_or_default(),
            results: host(settings.results_endpoint()),
        }));
    }

    /// The endpoint that a failed call was for.
    pub(crate) fn endpoint(&self, failure: &CliError) -> Option<String> {
        let (error, hosts) = (failure.call()?, self.hosts.get()?);
        let operation = error.operation()?;
        // Paths of the user's own are no preset, and may hold anything.
        let preset = [Paths::api_v1(), Paths::root()].contains(&hosts.paths);
        let upload = |path: &str| {
            let path = if preset {
                path
            } else {
                " (a path of FLINKS_UPLOAD_PATHS)"
            };
            Some(format!("POST {}{path}", hosts.upload))
        };
        if let Some(call) = legacy_call(operation, error.step()) {
            let (method, path) = call;
            let base = "/v3/{customerId}/BankingServices";
            return Some(format!("{method} {}{base}/{path}", hosts.results));
        }
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

/// Method and path of a legacy call; the ids are the customer's business.
fn legacy_call(operation: &str, step: Step) -> Option<(&'static str, &'static str)> {
    Some(match operation {
        "auth.authorize_token" => ("POST", "GenerateAuthorizeToken"),
        "legacy.authorize" if step == Step::Token => ("POST", "GenerateAuthorizeToken"),
        "legacy.authorize" => ("POST", "Authorize"),
        "legacy.accounts_detail" => ("POST", "GetAccountsDetail"),
        "legacy.accounts_detail_async" => ("GET", "GetAccountsDetailAsync/{requestId}"),
        "legacy.accounts_summary" => ("POST", "GetAccountsSummary"),
        "legacy.accounts_summary_async" => ("GET", "GetAccountsSummaryAsync/{requestId}"),
        "legacy.statements" => ("POST", "GetStatements"),
        "legacy.statements_async" => ("GET", "GetStatementsAsync/{requestId}"),
        "legacy.delete_card" => ("DELETE", "DeleteCard/{loginId}"),
        _ => return None,
    })
}

/// A variable of the environment.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
