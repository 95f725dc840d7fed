//! The options of the legacy commands: authorize, accounts, statements, delete-card, refresh, institutions.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use flinks_types::{AccountId, DaysOfTransactions, NumberOfStatements};

use crate::arguments::connection::{Connection, LegacyApi};
use crate::arguments::help::end;
use crate::arguments::values::{account_id, days, interval, months, seconds};

const ANSWERS: &str = "\
The answers file is a JSON array with one object per round, from a question's text to its answer:
  \"text\"                                   free text, a code, a date, a choice
  [\"one choice\", \"another\"]                several choices
  {\"question\": \"the chosen one\", \"answer\": \"text\"}
  {\"image\": 3}                             an image, counted from 0: here the file image-4-of-…
  {\"to\": \"PhoneNumber #2\", \"by\": \"Text\"}   or \"Call\"
  true                                     an approval on the device
When a session is continued, the first object is for the waiting round.

If a question has no answer, the program exits with status 9 and writes a session file. Within 8
minutes, `flinks authorize --session FILE` continues the session.";

const AUTHORIZE_EXAMPLES: &[&str] = &[
    "flinks authorize --institution TD --username jane",
    "flinks authorize --login-id 00000000-0000-4000-8000-000000000011 --cached --sandbox",
];

#[derive(Args, Debug)]
#[command(after_help = end::<LegacyApi>(AUTHORIZE_EXAMPLES),
    after_long_help = format!("{}\n\n{ANSWERS}", end::<LegacyApi>(AUTHORIZE_EXAMPLES)))]
pub(crate) struct Authorize {
    /// Flinks' name of the bank
    #[arg(long, value_name = "NAME", required_unless_present_any = ["login_id", "session"])]
    pub(crate) institution: Option<String>,
    /// User name at the bank; `-` reads a line of standard input [default: ask at the terminal]
    #[arg(long, value_name = "U", requires = "institution")]
    pub(crate) username: Option<String>,
    /// Read the password from the next line of standard input
    #[arg(long, requires = "institution")]
    pub(crate) password_stdin: bool,
    /// Open a session for a saved login instead of credentials; `-` reads a line of standard input
    #[arg(long, value_name = "ID", conflicts_with = "institution")]
    pub(crate) login_id: Option<String>,
    /// Use cached data; do not contact the bank
    #[arg(long, requires = "login_id")]
    pub(crate) cached: bool,
    /// Language of the bank's questions
    #[arg(long, value_enum)]
    pub(crate) language: Option<Language>,
    /// Do not save the login at Flinks; without it there is no LoginId for later sessions
    #[arg(long, requires = "institution")]
    pub(crate) no_save: bool,
    /// Session file to write if questions wait for answers; without other options: to continue from
    #[arg(long, value_name = "FILE")]
    pub(crate) session: Option<PathBuf>,
    /// Read answers from this file; `--help` shows its format
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// Write the bank's images to this folder; they are removed when the round ends
    #[arg(long, value_name = "DIR")]
    pub(crate) images: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection<LegacyApi>,
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

/// What data are fetched of.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct DataSourceArguments {
    /// RequestId of an open session; `-` reads it from standard input
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: Option<String>,
    /// LoginId of an upload or a saved login, whose stored data are used; `-` reads it from standard
    /// input
    #[arg(long, value_name = "ID")]
    pub(crate) login_id: Option<String>,
}

/// How to wait for the data of a bank session.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct DataPollArguments {
    /// Time between polls [default: 10, with --sandbox 1]
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    pub(crate) poll: Option<Duration>,
    /// Maximum time to wait; the data of an upload may take 4 hours [default: 1800, half an hour]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) deadline: Option<Duration>,
}

const CSV: &str = "\
The CSV file has a header and one row per transaction: login_id, institution, holder, account_id,
account_number, account_title, account_type, currency, transaction_id, date, description, debit,
credit, balance, code. It is UTF-8. Amounts and dates are the service's own text, digit for digit. In
any other cell, a text that a spreadsheet would run as a formula (it begins with = + - @, a tab or a
line break) gets an apostrophe in front, and so does a text that begins with an apostrophe: a program
that reads the file removes one leading apostrophe.

--json prints the answer of the service unchanged: its field names are in PascalCase, unlike the
snake_case of the other commands.";

const ACCOUNTS_EXAMPLES: &[&str] = &[
    "flinks accounts --login-id 00000000-0000-4000-8000-000000000001 --sandbox",
    "flinks accounts --login-id LOGIN_ID --days 365 --csv transactions.csv",
];

#[derive(Args, Debug)]
#[command(after_help = end::<LegacyApi>(ACCOUNTS_EXAMPLES),
    after_long_help = format!("{}\n\n{CSV}", end::<LegacyApi>(ACCOUNTS_EXAMPLES)))]
pub(crate) struct Accounts {
    #[command(flatten)]
    pub(crate) of: DataSourceArguments,
    /// Leave out holders and transactions
    #[arg(long, conflicts_with_all = ["days", "account", "csv"])]
    pub(crate) summary: bool,
    /// Days of transactions: 90 or 365, or 360 on older instances [default: 90]
    #[arg(long, value_name = "N", value_parser = days)]
    pub(crate) days: Option<DaysOfTransactions>,
    /// Read only this account; may be repeated
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Vec<AccountId>,
    /// Write the transactions to this file as CSV, in place of an existing one; `-` writes them to
    /// standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) poll: DataPollArguments,
    #[command(flatten)]
    pub(crate) connection: Connection<LegacyApi>,
}

const STATEMENTS: &str = "\
A file is named after the institution, the last four characters of the account number, and the id of
the statement: FlinksCapital-1234-0a1b2c.pdf. The service does not say which month a statement is
for. The command may be repeated with the same folder: a statement that is there already is not
written again, and no file is overwritten: other contents of the same name get a number.

--json prints the answer of the service unchanged: its field names are in PascalCase, unlike the
snake_case of the other commands.";

const STATEMENTS_EXAMPLES: &[&str] = &[
    "flinks statements --login-id 00000000-0000-4000-8000-000000000001 --out statements --sandbox",
    "flinks statements --login-id LOGIN_ID --months 3 --out statements",
];

#[derive(Args, Debug)]
#[command(after_help = end::<LegacyApi>(STATEMENTS_EXAMPLES),
    after_long_help = format!("{}\n\n{STATEMENTS}", end::<LegacyApi>(STATEMENTS_EXAMPLES)))]
pub(crate) struct Statements {
    #[command(flatten)]
    pub(crate) of: DataSourceArguments,
    /// Write the statements to this folder; no file is overwritten
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Statements of each account: 1 (the latest), 3, or 12 with exactly one --account [default: 1]
    #[arg(long, value_name = "N", value_parser = months)]
    pub(crate) months: Option<NumberOfStatements>,
    /// Read only statements of this account, by the id that `flinks accounts --json` prints; may be
    /// repeated
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Vec<AccountId>,
    #[command(flatten)]
    pub(crate) poll: DataPollArguments,
    #[command(flatten)]
    pub(crate) connection: Connection<LegacyApi>,
}

const REFRESH_EXAMPLES: &[&str] = &["flinks refresh LOGIN_ID on"];

#[derive(Args, Debug)]
#[command(after_help = end::<LegacyApi>(REFRESH_EXAMPLES))]
pub(crate) struct Refresh {
    /// LoginId of the login; `-` reads it from standard input
    pub(crate) login_id: String,
    /// Refresh the login's data every night, or do not
    #[arg(value_enum)]
    pub(crate) state: OnOff,
    #[command(flatten)]
    pub(crate) connection: Connection<LegacyApi>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum OnOff {
    On,
    Off,
}

const INSTITUTIONS_EXAMPLES: &[&str] = &["flinks institutions --sandbox"];

#[derive(Args, Debug)]
#[command(after_help = end::<LegacyApi>(INSTITUTIONS_EXAMPLES))]
pub(crate) struct Institutions {
    #[command(flatten)]
    pub(crate) connection: Connection<LegacyApi>,
}

const DELETE_CARD_EXAMPLES: &[&str] = &["flinks delete-card LOGIN_ID"];

#[derive(Args, Debug)]
#[command(after_help = end::<LegacyApi>(DELETE_CARD_EXAMPLES))]
pub(crate) struct DeleteCard {
    /// LoginId to delete; `-` reads it from standard input
    pub(crate) login_id: String,
    /// Delete without asking for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) connection: Connection<LegacyApi>,
}
