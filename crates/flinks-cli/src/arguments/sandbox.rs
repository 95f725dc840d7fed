//! The options of `flinks sandbox`, and the end of its help.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use flinks_sandbox::FAULT_GRAMMAR;

use crate::arguments::help::examples_of;
use crate::arguments::values::{address, certificate_name, fault, port, seconds, seconds_or_zero};

#[derive(Args, Debug)]
#[command(after_help = examples_of(EXAMPLES), after_long_help = after_help())]
pub(crate) struct Serve {
    /// Port of the upload host; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = port)]
    pub(crate) port: u16,
    /// Port of the results host; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = port)]
    pub(crate) results_port: u16,
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1", value_parser = address)]
    pub(crate) bind: IpAddr,
    /// Further DNS name or IP address in the server's certificate
    #[arg(long, value_name = "NAME", value_parser = certificate_name)]
    pub(crate) san: Vec<String>,
    /// Write certificates, settings and GUIDE.md to this folder, and keep its certificates when it is
    /// used again [default: a new temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Lifetime of an access token
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub(crate) token_ttl: Duration,
    /// Time that the analysis takes after complete
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) processing: Duration,
    /// Time that the legacy API takes to gather data
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds_or_zero)]
    pub(crate) data_pending: Duration,
    /// Require the keys of the legacy API: the auth key, authorize tokens, the x-api-key
    #[arg(long)]
    pub(crate) check_keys: bool,
    /// Send signed webhooks to this URL: fraud alerts, and accounts when they are ready
    #[arg(long, value_name = "URL")]
    pub(crate) webhook: Option<String>,
    /// Time between the 10 attempts to send a webhook
    #[arg(long, value_name = "SECONDS", default_value = "1800", value_parser = seconds)]
    pub(crate) webhook_retry: Duration,
    /// What a client certificate that is not trusted gets: `403` for every request, or a failed
    /// `handshake`
    #[arg(
        long,
        value_name = "ACTION",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    pub(crate) untrusted: Untrusted,
    /// Add the log, one JSON line a request, to this file; `none` for no log [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Serve the control endpoint, /sandbox/, on any address; on loopback it is always served
    #[arg(long)]
    pub(crate) control: bool,
    /// Fault to inject, such as `upload@2=reset-after`; `--help` shows the grammar
    #[arg(long = "fault", value_name = "SPEC", value_parser = fault)]
    pub(crate) faults: Vec<flinks_sandbox::Fault>,
    /// Run this command with the settings in its environment, and end with its exit status
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// `--untrusted`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Untrusted {
    #[default]
    #[value(name = "403")]
    Forbid,
    #[value(name = "handshake")]
    Alert,
}

impl From<Untrusted> for flinks_sandbox::OnUntrusted {
    fn from(untrusted: Untrusted) -> Self {
        match untrusted {
            Untrusted::Forbid => Self::Forbid,
            Untrusted::Alert => Self::Alert,
        }
    }
}

const EXAMPLES: &[&str] = &[
    "flinks sandbox -- flinks doctor",
    "flinks sandbox --dir sandbox --fault upload@2=reset-after",
];

fn after_help() -> String {
    format!("{}\n\n{HELP}\n\n{FAULT_GRAMMAR}", examples_of(EXAMPLES))
}

const HELP: &str = "\
The line that it prints when it is ready names the folder with the settings: `. DIR/env` for a shell,
settings.json for programs. GUIDE.md there lists all users, ids, and the lines in a document that say
what its fraud analysis finds.

Users of the institution FlinksCapital, all with the password Everyday:
  Greatday              three questions: Montreal, Canada, Triangle
  greatday_nomfa        no question
LoginIds of uploads: 00000000-0000-4000-8000-000000000001 is clean, …0002 flagged, …0003 pending and
…0004 unable to process. LoginIds of logins: …0011 works, …0012 waits for a device, …0013 is refused.

With -- COMMAND nothing is printed. REQUESTS_CA_BUNDLE, SSL_CERT_FILE and NODE_EXTRA_CA_CERTS are set
too, so that the command's other HTTPS clients trust the sandbox, and most of them nothing else:
  flinks sandbox -- pytest";
