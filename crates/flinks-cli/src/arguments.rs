//! The command line: commands, their options, and the settings that may be given as flags.

mod bank;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::output::usage_error::Wrong;

pub(crate) use bank::{Accounts, Authorize, DeleteCard, FetchPace, Statements};

const AFTER_HELP: &str = "\
Settings are read from flags, then from the environment (FLINKS_CERT, FLINKS_KEY, FLINKS_CLIENT_ID,
FLINKS_CLIENT_SECRET, FLINKS_INSTANCE, FLINKS_CUSTOMER_ID, FLINKS_API_SECRET, …), then from the TOML
file given by --config or FLINKS_CONFIG. A secret is never a flag; each may also be given as …_FILE,
the path of a file that holds it.

Exit status: 0 done, 1 refused by the service, 2 usage, settings or identity, 3 a file was refused,
4 the service could not be reached, 5 the outcome is unknown, 6 the deadline passed, 7 flagged
(with --fail-on-flagged), 8 still undetermined after waiting, 9 a bank's question waits for an
answer, 130 interrupted.

The ledger of an upload lies in $XDG_STATE_HOME/flinks, else in ~/.local/state/flinks, until the
session is complete; --ledger PATH keeps it elsewhere. `flinks resume LEDGER` goes on from it.

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

/// What every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Common {
    /// Print exactly one JSON object on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Run against an embedded test server with throw-away certificates and credentials
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,
    /// On a failure, write what Flinks' support asks for into this file; nothing secret
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) support: Option<PathBuf>,
    /// Read settings from this TOML file [default: FLINKS_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Log calls on standard error; -vv logs more. Never a secret, an id or a document
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check documents, upload them as one session and complete it
    Upload(Upload),
    /// Go on where a stopped upload was
    Resume(Resume),
    /// Read the fraud analysis of a LoginId and its verdict
    Fraud(Fraud),
    /// Open a bank session, answering every challenge (legacy API)
    Authorize(Authorize),
    /// Read the accounts of an open bank session (legacy API)
    Accounts(Accounts),
    /// Save the bank's statements of an open bank session (legacy API)
    Statements(Statements),
    /// Delete a login and all that Flinks keeps of it (legacy API)
    DeleteCard(DeleteCard),
    /// Check settings, certificate, trust, reachability and token; sends no document
    Doctor(Doctor),
    /// Make a private key and the certificate request that Flinks signs
    Csr(Csr),
    /// Serve the test server on this machine until interrupted
    Sandbox(Serve),
    /// Print the completion script of a shell
    Completions(Completions),
}

impl Command {
    /// The command's own word.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Upload(_) => "upload",
            Self::Resume(_) => "resume",
            Self::Fraud(_) => "fraud",
            Self::Authorize(_) => "authorize",
            Self::Accounts(_) => "accounts",
            Self::Statements(_) => "statements",
            Self::DeleteCard(_) => "delete-card",
            Self::Doctor(_) => "doctor",
            Self::Csr(_) => "csr",
            Self::Sandbox(_) => "sandbox",
            Self::Completions(_) => "completions",
        }
    }
}

/// Settings that hold no secret; a flag goes before the environment and the settings file.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Connection {
    /// Base URL of the upload host [env: FLINKS_UPLOAD_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) upload_url: Option<String>,
    /// `api-v1`, `root`, or three paths with commas: token, upload, complete [env: FLINKS_UPLOAD_PATHS]
    #[arg(long, value_name = "PATHS")]
    pub(crate) upload_paths: Option<String>,
    /// Client certificate: PEM, DER or PFX [env: FLINKS_CERT]
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// Its private key, unless it is in the same file [env: FLINKS_KEY]
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
    /// Or its instance name, as in NAME-api.private.fin.ag [env: FLINKS_INSTANCE]
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    /// Your customer id [env: FLINKS_CUSTOMER_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) customer_id: Option<String>,
    /// Accept a base URL with plain http, if its host is this machine
    #[arg(long)]
    pub(crate) allow_http: bool,
}

impl Connection {
    /// Whether any of these flags was given.
    pub(crate) fn is_given(&self) -> bool {
        *self != Self::default()
    }
}

#[derive(Args, Debug)]
pub(crate) struct Upload {
    /// Documents: PDF, PNG, JPG, JPEG, TIF, TIFF; up to 18 MiB each and 180 MiB together
    #[arg(required = true, value_name = "FILES")]
    pub(crate) files: Vec<PathBuf>,
    /// A label for the session
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// The end client's name
    #[arg(long, value_name = "NAME")]
    pub(crate) client_name: Option<String>,
    /// How many files to send at once after the first
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = concurrency)]
    pub(crate) concurrency: u8,
    /// Keep the ledger here; without it, it is kept in your state folder until the session is complete
    #[arg(long, value_name = "PATH")]
    pub(crate) ledger: Option<PathBuf>,
    /// What to do when nobody knows whether a file arrived
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
    /// The ledger of the stopped upload
    pub(crate) ledger: PathBuf,
    /// What to do when nobody knows whether a file arrived
    #[arg(long, value_enum, value_name = "POLICY", default_value_t)]
    pub(crate) on_unknown: OnUnknown,
    /// Complete the session even if it may be completed already
    #[arg(long)]
    pub(crate) complete_again: bool,
    #[command(flatten)]
    pub(crate) wait: WaitAfterUpload,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct Fraud {
    /// The LoginId that a completed upload gave; `-` reads it from standard input
    pub(crate) login_id: String,
    /// Wait until the analysis is final
    #[arg(long)]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) pace: Pace,
    /// End with status 7 when the verdict is `flagged`
    #[arg(long)]
    pub(crate) fail_on_flagged: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Waiting for the verdict as part of an upload.
#[derive(Args, Clone, Debug)]
pub(crate) struct WaitAfterUpload {
    /// Then wait for the fraud analysis
    #[arg(long)]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) pace: Pace,
    /// End with status 7 when the verdict is `flagged`
    #[arg(long, requires = "wait")]
    pub(crate) fail_on_flagged: bool,
}

/// How to wait.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Ask this often [default: 30, with --sandbox 1]
    #[arg(long, requires = "wait", value_name = "SECONDS", value_parser = pause)]
    pub(crate) poll: Option<Duration>,
    /// Give up after this long [default: 14400, four hours]
    #[arg(long, requires = "wait", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) deadline: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct Csr {
    /// Write client.key and client.csr into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Name of your organization or application (CN)
    #[arg(long, value_name = "NAME")]
    pub(crate) common_name: String,
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
#[command(after_long_help = flinks_sandbox::FAULT_GRAMMAR)]
pub(crate) struct Serve {
    /// Port of the upload host; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = port)]
    pub(crate) port: u16,
    /// Port of the results host; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = port)]
    pub(crate) results_port: u16,
    /// Write certificates, key and the file `env` into this folder [default: a new temporary one]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// How long an access token lives
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub(crate) token_ttl: Duration,
    /// How long the analysis takes after complete
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) processing: Duration,
    /// Fail in a given way, as `upload@2=reset-after`; the whole grammar is in `--help`
    #[arg(long = "fault", value_name = "SPEC", value_parser = fault)]
    pub(crate) faults: Vec<flinks_sandbox::Fault>,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// `--on-unknown`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum OnUnknown {
    /// Abandon the session, which is inert, and send all files into a fresh one
    #[default]
    Restart,
    /// End with status 5; `flinks resume` decides
    Stop,
    /// Send the file again into the same session, where it may then be twice
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

/// The longest time that means anything here.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// The shortest pause between two questions to the service.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// A positive number of seconds, decimals allowed; more than 30 days are 30 days.
fn seconds(text: &str) -> Result<Duration, Wrong> {
    let number: f64 = text
        .parse()
        .map_err(|_| Wrong("give a number of seconds".to_owned()))?;
    if !number.is_finite() || number <= 0.0 {
        return Err(Wrong("give a number of seconds above 0".to_owned()));
    }
    let time = Duration::from_secs_f64(number.min(LONGEST.as_secs_f64()));
    // What rounds to nothing was meant as something.
    Ok(time.max(Duration::from_nanos(1)))
}

/// How long to wait between two questions to the service: never less than it can bear.
fn pause(text: &str) -> Result<Duration, Wrong> {
    Ok(seconds(text)?.max(SHORTEST_PAUSE))
}

fn concurrency(text: &str) -> Result<u8, Wrong> {
    let number = text.parse().ok().filter(|number| (1..=32).contains(number));
    number.ok_or_else(|| Wrong("give a whole number from 1 to 32".to_owned()))
}

fn port(text: &str) -> Result<u16, Wrong> {
    text.parse()
        .map_err(|_| Wrong("give a whole number from 0 to 65535".to_owned()))
}

/// A fault; the library's words quote it, so they are given only for what looks like one.
fn fault(text: &str) -> Result<flinks_sandbox::Fault, Wrong> {
    text.parse().map_err(|error: flinks_sandbox::FaultError| {
        let like_one = |byte: u8| byte.is_ascii_lowercase() || b"0123456789@=:+-.".contains(&byte);
        if text.len() <= 60 && text.bytes().all(like_one) {
            Wrong(error.to_string())
        } else {
            Wrong("this is no fault: the whole grammar is in `flinks sandbox --help`".to_owned())
        }
    })
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
        let commands: [&[&str]; 11] = [
            &["upload", "a.pdf"],
            &["resume", "ledger"],
            &["fraud", "id"],
            &["authorize", "--institution", "n"],
            &["accounts", "--request-id", "id"],
            &["statements", "--request-id", "id", "--out", "d"],
            &["delete-card", "id"],
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
        ] {
            let line = [&["flinks", "upload", "a.pdf"], option].concat();
            assert!(Arguments::try_parse_from(&line).is_err(), "{option:?}");
            let line = [&line[..], &["--wait"]].concat();
            Arguments::try_parse_from(&line).expect("with --wait");
        }
        Arguments::try_parse_from(["flinks", "fraud", "id", "--fail-on-flagged"])
            .expect("an analysis that is final needs no waiting");
    }

    #[test]
    fn no_flag_takes_a_secret() {
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

    #[test]
    fn seconds_are_positive_and_bounded() {
        assert_eq!(seconds("0.5").ok(), Some(Duration::from_millis(500)));
        for long in ["1e12", "1e300", "2592000"] {
            assert_eq!(seconds(long).ok(), Some(LONGEST), "{long}");
        }
        for bad in ["0", "-0", "-1", "NaN", "inf", "-inf", "soon", ""] {
            assert!(seconds(bad).is_err() && pause(bad).is_err(), "{bad}");
        }
        for short in ["1e-9", "1e-300", "0.02"] {
            assert_eq!(pause(short).ok(), Some(SHORTEST_PAUSE), "{short}");
        }
    }
}
