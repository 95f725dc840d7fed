//! The command line: commands, their options, and the settings that can be given as options.

mod legacy;
mod sandbox;
pub(crate) mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::arguments::values::{concurrency, interval, seconds};
use crate::commands::csr::KeyType;

pub(crate) use legacy::{
    Accounts, Authorize, DataPollArguments, DataSourceArguments, DeleteCard, Institutions, OnOff,
    Refresh, Statements,
};
pub(crate) use sandbox::Serve;

const AFTER_HELP: &str = "\
Settings are read from options, then from the environment (FLINKS_CERT, FLINKS_KEY,
FLINKS_CLIENT_ID, FLINKS_CLIENT_SECRET, FLINKS_INSTANCE, FLINKS_CUSTOMER_ID, FLINKS_API_SECRET, …),
then from the TOML file given by --config or FLINKS_CONFIG. Secrets cannot be given as options; each
can also be read from a file, whose path is in the variable …_FILE.

Proxy: --proxy or FLINKS_PROXY, http://[user:password@]host:port (https://… if the proxy itself is
reached over TLS), or `none`; otherwise the first of https_proxy, HTTPS_PROXY, all_proxy and
ALL_PROXY. In both cases the hosts in no_proxy or NO_PROXY are reached directly, as by curl: names,
addresses, networks such as 10.0.0.0/8, each also with :port, or *.

Exit status: 0 success, 1 refused by the service, 2 usage, settings or identity, 3 a file was
refused, 4 service unreachable, 5 outcome unknown, 6 timed out, 7 flagged (with --fail-on-flagged),
8 still undetermined after waiting, 9 a bank's question waits for an answer, 130 interrupted.

The ledger of an upload is in $XDG_STATE_HOME/flinks, or else ~/.local/state/flinks, until the
session is complete. --ledger PATH keeps it at PATH. `flinks resume LEDGER` resumes the upload.

Try it without any settings: flinks upload statement.pdf --sandbox --wait";

/// Upload bank statements to Flinks and read the fraud verdict.
#[derive(Debug, Parser)]
#[command(name = "flinks", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

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
    /// Read settings from this TOML file [default: FLINKS_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Log calls on standard error; -vv logs more. Secrets, ids and documents are never logged
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check documents, upload them in one session and complete it
    Upload(Upload),
    /// Resume an upload that was stopped
    Resume(Resume),
    /// List what uploads left unfinished
    Ledgers(Ledgers),
    /// Read the fraud analysis of a LoginId and its verdict
    Fraud(Fraud),
    /// Open a bank session and answer its challenges (legacy API)
    Authorize(Authorize),
    /// Read the accounts of an upload or a bank session
    Accounts(Accounts),
    /// Save the statements of an upload or a bank session
    Statements(Statements),
    /// Delete a login and all data that Flinks stores for it (legacy API)
    DeleteCard(DeleteCard),
    /// Turn the nightly refresh of a login on or off (legacy API)
    Refresh(Refresh),
    /// List the institutions that can be connected (legacy API)
    Institutions(Institutions),
    /// Check settings, certificate, trust, network and token; sends no document
    Doctor(Doctor),
    /// Create a private key and a certificate signing request for Flinks
    Csr(Csr),
    /// Run the test server on this machine until interrupted
    Sandbox(Serve),
    /// Print a shell completion script
    Completions(Completions),
}

impl Command {
    /// Returns the command's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Upload(_) => "upload",
            Self::Resume(_) => "resume",
            Self::Ledgers(_) => "ledgers",
            Self::Fraud(_) => "fraud",
            Self::Authorize(_) => "authorize",
            Self::Accounts(_) => "accounts",
            Self::Statements(_) => "statements",
            Self::DeleteCard(_) => "delete-card",
            Self::Refresh(_) => "refresh",
            Self::Institutions(_) => "institutions",
            Self::Doctor(_) => "doctor",
            Self::Csr(_) => "csr",
            Self::Sandbox(_) => "sandbox",
            Self::Completions(_) => "completions",
        }
    }
}

/// Settings without secrets. An option takes precedence over the environment and the settings file.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Connection {
    /// Base URL of the upload host [env: FLINKS_UPLOAD_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) upload_url: Option<String>,
    /// `api-v1`, `root`, or three comma-separated paths: token, upload, complete [env: FLINKS_UPLOAD_PATHS]
    #[arg(long, value_name = "PATHS")]
    pub(crate) upload_paths: Option<String>,
    /// Client certificate: PEM, DER or PFX [env: FLINKS_CERT]
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// Private key, unless the certificate file contains it [env: FLINKS_KEY]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Root certificates to trust instead of the platform's [env: FLINKS_CA]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// OAuth client id [env: FLINKS_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// OAuth scope [env: FLINKS_SCOPE] [default: ocr.write]
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
    /// Base URL of the results host [env: FLINKS_API_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) api_url: Option<String>,
    /// Instance name of the results host, as in NAME-api.private.fin.ag [env: FLINKS_INSTANCE]
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    /// Your customer id [env: FLINKS_CUSTOMER_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) customer_id: Option<String>,
    /// Proxy to connect through, without a password, or `none` [env: FLINKS_PROXY, or else as curl]
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Accept a base URL with plain http for a loopback host
    #[arg(long)]
    pub(crate) allow_http: bool,
}

impl Connection {
    /// Whether any of these options was given.
    pub(crate) fn is_given(&self) -> bool {
        *self != Self::default()
    }
}

#[derive(Args, Debug)]
pub(crate) struct Upload {
    /// Documents: PDF, PNG, JPG, JPEG, TIF, TIFF; up to 18 MiB each and 180 MiB in total
    #[arg(required = true, value_name = "FILES")]
    pub(crate) files: Vec<PathBuf>,
    /// Label of the session
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Name of the end client
    #[arg(long, value_name = "NAME")]
    pub(crate) client_name: Option<String>,
    /// Number of files to send at once after the first
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = concurrency)]
    pub(crate) concurrency: u8,
    /// Write the ledger to this file and keep it; by default it is in your state folder until the
    /// session is complete
    #[arg(long, value_name = "PATH")]
    pub(crate) ledger: Option<PathBuf>,
    /// What to do if it is unknown whether a file arrived
    #[arg(long, value_enum, value_name = "POLICY", default_value_t)]
    pub(crate) on_unknown: OnUnknown,
    /// Compute and print the SHA-256 of every file
    #[arg(long)]
    pub(crate) sha256: bool,
    #[command(flatten)]
    pub(crate) wait: WaitAfterUpload,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct Resume {
    /// Ledger of the stopped upload; without it the ledgers are listed
    pub(crate) ledger: Option<PathBuf>,
    /// What to do if it is unknown whether a file arrived
    #[arg(long, value_enum, value_name = "POLICY", default_value_t)]
    pub(crate) on_unknown: OnUnknown,
    /// Complete the session even if it may have been completed before
    #[arg(long)]
    pub(crate) complete_again: bool,
    #[command(flatten)]
    pub(crate) wait: WaitAfterUpload,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct Fraud {
    /// LoginId of a completed upload; `-` reads it from standard input
    pub(crate) login_id: String,
    /// Wait until the analysis is final
    #[arg(long)]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) poll: PollArguments,
    /// Exit with status 7 if the verdict is `flagged`
    #[arg(long)]
    pub(crate) fail_on_flagged: bool,
    /// Write the analysis as one HTML page to this file, which is replaced if it exists
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// The wait for the verdict after an upload.
#[derive(Args, Clone, Debug)]
pub(crate) struct WaitAfterUpload {
    /// Wait for the fraud analysis
    #[arg(long)]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) poll: PollArguments,
    /// Exit with status 7 if the verdict is `flagged`
    #[arg(long, requires = "wait")]
    pub(crate) fail_on_flagged: bool,
    /// Write the analysis as one HTML page to this file, which is replaced if it exists
    #[arg(long, requires = "wait", value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// How to wait for the fraud analysis.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct PollArguments {
    /// Time between polls [default: 30, with --sandbox 1]
    #[arg(long, requires = "wait", value_name = "SECONDS", value_parser = interval)]
    pub(crate) poll: Option<Duration>,
    /// Maximum time to wait [default: 14400, four hours]
    #[arg(long, requires = "wait", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) deadline: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug, Default)]
#[command(
    after_long_help = "docs/certificates.md in the repository of flinks-rs describes how to get, \
                             install, renew and revoke the client certificate."
)]
pub(crate) struct Csr {
    /// Write client.key and client.csr to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Type of the new private key [default: ec, or as in the renewed certificate]
    #[arg(long, value_name = "TYPE")]
    pub(crate) key: Option<KeyType>,
    /// Take names and key type from this certificate, with a new key [default: FLINKS_CERT]
    #[arg(long, value_name = "CERT", num_args = 0..=1)]
    pub(crate) renew: Option<Option<PathBuf>>,
    /// Name of your organization or application (CN)
    #[arg(long, value_name = "NAME", required_unless_present = "renew")]
    pub(crate) common_name: Option<String>,
    /// Organization (O)
    #[arg(long, value_name = "NAME")]
    pub(crate) organization: Option<String>,
    /// Organizational unit (OU)
    #[arg(long, value_name = "NAME")]
    pub(crate) organizational_unit: Option<String>,
    /// Two-letter country code (C)
    #[arg(long, value_name = "CODE")]
    pub(crate) country: Option<String>,
    /// State or province (ST)
    #[arg(long, value_name = "NAME")]
    pub(crate) state: Option<String>,
    /// City (L)
    #[arg(long, value_name = "NAME")]
    pub(crate) locality: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Ledgers {
    /// Remove the ledgers of completed uploads
    #[arg(long)]
    pub(crate) clear_completed: bool,
    /// Remove this ledger; its upload can no longer be resumed
    #[arg(long, value_name = "FILE", conflicts_with = "clear_completed")]
    pub(crate) forget: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// Shell
    pub(crate) shell: clap_complete::Shell,
}

/// `--on-unknown`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum OnUnknown {
    /// Abandon the session, which is never processed, and send all files in a new one
    #[default]
    Restart,
    /// Exit with status 5; `flinks resume` continues
    Stop,
    /// Send the file again in the same session, which may then contain it twice
    Resend,
}

impl From<OnUnknown> for flinks_upload::OnUnknown {
    fn from(policy: OnUnknown) -> Self {
        match policy {
            OnUnknown::Restart => Self::Restart,
            OnUnknown::Stop => Self::Stop,
            OnUnknown::Resend => Self::Resend,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_takes_the_common_options() {
        let commands: [&[&str]; 14] = [
            &["upload", "a.pdf"],
            &["resume", "ledger"],
            &["ledgers"],
            &["fraud", "id"],
            &["authorize", "--institution", "n"],
            &["accounts", "--request-id", "id"],
            &["statements", "--request-id", "id", "--out", "d"],
            &["delete-card", "id"],
            &["refresh", "id", "on"],
            &["institutions"],
            &["doctor"],
            &["csr", "--out", "d", "--common-name", "n"],
            &["sandbox"],
            &["completions", "bash"],
        ];
        for command in commands {
            let line = [&["flinks"], command, &["--json", "--sandbox", "-v"]].concat();
            let line = [&line[..], &["--support", "s", "--config", "c"]].concat();
            let parsed = Arguments::try_parse_from(&line).expect("accepted");
            assert!(parsed.common.json && parsed.common.sandbox, "{command:?}");
            assert_eq!(parsed.common.verbose, 1);
        }
    }

    #[test]
    fn waiting_options_need_wait() {
        for option in [
            &["--poll", "1"][..],
            &["--deadline", "1"],
            &["--fail-on-flagged"],
            &["--html", "page.html"],
        ] {
            let line = [&["flinks", "upload", "a.pdf"], option].concat();
            assert!(Arguments::try_parse_from(&line).is_err(), "{option:?}");
            let line = [&line[..], &["--wait"]].concat();
            Arguments::try_parse_from(&line).expect("with --wait");
        }
        Arguments::try_parse_from(["flinks", "fraud", "id", "--fail-on-flagged"])
            .expect("a final analysis needs no waiting");
    }

    #[test]
    fn no_option_takes_a_secret() {
        for command in Arguments::command().get_subcommands() {
            for argument in command.get_arguments() {
                let name = argument.get_long().unwrap_or_default();
                for word in ["secret", "password", "token-", "auth-key", "x-api-key"] {
                    let lifetime = name == "token-ttl";
                    let switch = !argument.get_action().takes_values();
                    assert!(lifetime || switch || !name.contains(word), "--{name}");
                }
            }
        }
    }
}
