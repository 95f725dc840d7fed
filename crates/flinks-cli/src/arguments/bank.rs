//! The options of the legacy commands: authorize, accounts, statements, delete-card.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Connection, pause, seconds};

const ANSWERS: &str = "\
The answers file is a JSON array with one object a round, from a question's text to its answer:
  \"text\"                                   free text, a code, a date, a choice
  [\"one choice\", \"another\"]                several choices
  {\"question\": \"the chosen one\", \"answer\": \"text\"}
  {\"image\": 3}                             an image, counted from 0
  {\"to\": \"PhoneNumber #2\", \"by\": \"Text\"}   or \"Call\"
  true                                     an approval on the device
When a session is continued, the first object is for the round that waits.

Where a question has no answer, the program ends with status 9, and the session file holds the
place for 8 minutes: `flinks authorize --session FILE` goes on.";

#[derive(Args, Debug)]
#[command(after_long_help = ANSWERS)]
pub(crate) struct Authorize {
    /// The bank, by the name that Flinks has for it
    #[arg(long, value_name = "NAME", required_unless_present_any = ["login_id", "session"])]
    pub(crate) institution: Option<String>,
    /// The user name at the bank; `-`: the first line of standard input; without it, it is asked for
    #[arg(long, value_name = "U", requires = "institution")]
    pub(crate) username: Option<String>,
    /// Read the password from the next line of standard input
    #[arg(long, requires = "institution")]
    pub(crate) password_stdin: bool,
    /// Open a session of a login that was kept, instead of signing in; `-`: from standard input
    #[arg(long, value_name = "ID", conflicts_with = "institution")]
    pub(crate) login_id: Option<String>,
    /// On the data that was fetched last, without asking the bank
    #[arg(long, requires = "login_id")]
    pub(crate) cached: bool,
    /// The language of the bank's questions
    #[arg(long, value_enum)]
    pub(crate) language: Option<Language>,
    /// Do not let Flinks keep the login: there is then no LoginId to come back with
    #[arg(long, requires = "institution")]
    pub(crate) no_save: bool,
    /// Hold the place of a waiting session here; alone: go on where it waits
    #[arg(long, value_name = "FILE")]
    pub(crate) session: Option<PathBuf>,
    /// Take the answers from this file; its form is in `--help`
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// Write the bank's images into this folder; they are removed when the round ends
    #[arg(long, value_name = "DIR")]
    pub(crate) images: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// `--language`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Language {
    /// English
    En,
    /// French
    Fr,
}

impl From<Language> for flinks_types::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::English,
            Language::Fr => Self::French,
        }
    }
}

/// How to wait for data.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FetchPace {
    /// While Flinks is at work, ask this often [default: 10, with --sandbox 1]
    #[arg(long, value_name = "SECONDS", value_parser = pause)]
    pub(crate) poll: Option<Duration>,
    /// Give up after this long [default: 1800, half an hour]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) deadline: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct Accounts {
    /// The RequestId of an open session; `-` reads it from standard input
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: String,
    /// Without holders and transactions
    #[arg(long)]
    pub(crate) summary: bool,
    #[command(flatten)]
    pub(crate) pace: FetchPace,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct Statements {
    /// The RequestId of an open session; `-` reads it from standard input
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: String,
    /// Write the statements into this folder; no file is ever overwritten
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) pace: FetchPace,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct DeleteCard {
    /// The LoginId to delete; `-` reads it from standard input
    pub(crate) login_id: String,
    /// Do not ask whether to delete it
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
