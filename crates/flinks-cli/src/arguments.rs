//! The command line: commands, their options, and the settings that can be given as options.

mod batch;
mod common;
mod completions;
mod config;
mod connection;
mod csr;
mod doctor;
mod fraud;
mod help;
mod ledgers;
mod legacy;
mod man;
mod sandbox;
mod upload;
pub(crate) mod values;

use clap::{Parser, Subcommand};

pub(crate) use batch::Batch;
pub(crate) use common::Common;
pub(crate) use completions::Completions;
pub(crate) use config::{Config, ConfigAction};
pub(crate) use connection::Flags;
pub(crate) use csr::Csr;
pub(crate) use doctor::Doctor;
pub(crate) use fraud::{Fraud, PollArguments};
pub(crate) use ledgers::Ledgers;
pub(crate) use legacy::{
    Accounts, Authorize, DataPollArguments, DataSourceArguments, DeleteCard, Institutions, OnOff,
    Refresh, Statements,
};
pub(crate) use man::Man;
pub(crate) use sandbox::Serve;
pub(crate) use upload::{Resume, Upload, WaitAfterUpload};

const AFTER_HELP: &str = "\
Settings: `flinks help settings` describes every option, environment variable and key of the settings \
file. `flinks config init` writes such a file, and `flinks doctor` checks the settings.

Exit status: 0 success, 1 refused by the service, 2 usage, settings or identity, 3 a file was \
refused, 4 service unreachable, 5 outcome unknown, 6 timed out, 7 flagged (with --fail-on-flagged), \
8 still undetermined after waiting, 9 a bank's question waits for an answer, 130 interrupted.

The ledger of an upload is in $XDG_STATE_HOME/flinks, or else ~/.local/state/flinks, until the \
session is complete. --ledger PATH keeps it at PATH. `flinks resume LEDGER` resumes the upload.

Progress is on standard error: redrawn on a terminal, plain lines with CI=true or TERM=dumb, none \
in a pipe or with --json.

Try it without any settings:
  flinks upload statement.pdf --sandbox --wait";

/// Upload bank statements to Flinks and read the fraud verdict.
#[derive(Debug, Parser)]
#[command(name = "flinks", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check documents, upload them in one session and complete it
    Upload(Upload),
    /// Resume an interrupted upload
    Resume(Resume),
    /// Upload the documents of many borrowers, one session each, from a manifest
    Batch(Batch),
    /// List what uploads left unfinished
    Ledgers(Ledgers),
    /// Read the fraud analysis of a LoginId and its verdict
    ///
    /// clean: every document was checked for fraud, and no signal was found. flagged: at least one signal
    /// was found; a signal is a reason to look at the document, not a proof of fraud. undetermined: no
    /// signal was found, but not everything was checked. It is not a clean result: the output says why and
    /// what to do next, such as wait, upload another copy, or review the documents yourself.
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
    /// Write a settings file, or show where each setting comes from
    Config(Config),
    /// Check settings, certificate, trust, network and token; sends no document
    Doctor(Doctor),
    /// Create a private key and a certificate signing request for Flinks
    Csr(Csr),
    /// Run the test server on this machine until interrupted
    Sandbox(Serve),
    /// Print a shell completion script
    Completions(Completions),
    /// Write manual pages
    #[command(hide = true)]
    Man(Man),
    /// Describe every setting
    #[command(hide = true, help_template = "{after-help}", after_help = help::settings())]
    Settings,
}

impl Command {
    /// Returns the command's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Upload(_) => "upload",
            Self::Resume(_) => "resume",
            Self::Batch(_) => "batch",
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
            Self::Config(_) => "config",
            Self::Man(_) => "man",
            Self::Settings => "settings",
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
        let commands: [&[&str]; 19] = [
            &["upload", "a.pdf"],
            &["resume", "ledger"],
            &["batch", "a.csv"],
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
            &["config", "init"],
            &["config", "show"],
            &["man", "d"],
            &["settings"],
        ];
        for command in commands {
            let line = [&["flinks"], command, &["--json", "--sandbox", "-v"]].concat();
            let line = [&line[..], &["--support", "s", "--config", "c"]].concat();
            let line = [&line[..], &["--profile", "p"]].concat();
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
    fn every_command_has_examples_that_parse() {
        for command in Arguments::command().get_subcommands() {
            if command.is_hide_set() {
                continue;
            }
            for help in [command.get_after_help(), command.get_after_long_help()] {
                let help = help.or_else(|| command.get_after_help());
                let text = help.expect("an end").to_string();
                let examples = text.split_once("Examples:\n");
                let (_, examples) = examples.unwrap_or_else(|| panic!("{}", command.get_name()));
                let examples = examples.lines().take_while(|line| line.starts_with("  "));
                for example in examples {
                    let words = example
                        .split_whitespace()
                        .map(|word| word.trim_matches('"'));
                    let parsed = Arguments::try_parse_from(words).expect(example);
                    assert_eq!(parsed.command.name(), command.get_name(), "{example}");
                }
            }
        }
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
