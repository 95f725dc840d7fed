//! `flinks accounts`: prints the accounts of an open session or a LoginId, or writes their transactions
//! as CSV.

mod transactions_csv;

use std::path::Path;

use flinks_legacy::{AccountsDetail, AccountsSummary, WithRawBody};
use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_types::text::escaped;
use flinks_types::{Account, AccountsResponse, Decimal};

use crate::arguments::Accounts;
use crate::clients::Clients;
use crate::commands::accounts::transactions_csv::TransactionsCsv;
use crate::commands::data_wait;
use crate::commands::ids;
use crate::context::Context;
use crate::output::error::CliError;
use crate::output::exit_status::{Exit, Request};
use crate::output::text::{counted, shown_path, wrapped};
use crate::output::{Output, write_stdout};
use crate::state::files;

/// Waits for the accounts and prints them.
pub(crate) async fn run(arguments: &Accounts, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    let target = arguments.csv.as_deref();
    let to_stdout = target == Some(Path::new("-"));
    if to_stdout && output.json {
        let message = "--csv - and --json both write to standard output: give --csv a file";
        return Err(CliError::usage(message));
    }
    if let Some(path) = target.filter(|_| !to_stdout) {
        // A file that cannot be written must be found before anything is fetched.
        files::check_write_to(path).map_err(|error| CliError::disk(CSV, &error))?;
    }
    let answer = fetch(arguments, context).await?;
    if let Some(target) = target {
        let csv = csv(&answer)?;
        if to_stdout {
            write_stdout(&csv.text)?;
            return Ok(Exit::Done);
        }
        files::write_to(target, csv.text.as_bytes())
            .map_err(|error| CliError::disk(CSV, &error).after_the_call())?;
        output.text(&summary(&csv, target))?;
    } else if !output.json {
        // There may be many accounts: the table is made only when it is printed.
        output.text(&text(&answer, output))?;
    }
    output.raw(answer.raw())?;
    Ok(Exit::Done)
}

/// What errors call the file of `--csv`.
const CSV: &str = "the CSV file (--csv)";

async fn fetch(
    arguments: &Accounts,
    context: &Context,
) -> Result<WithRawBody<AccountsResponse>, CliError> {
    let of = ids::data_source(&arguments.of).await?;
    let clients = Clients::start(context, &arguments.connection).await?;
    let (legacy, poll) = (clients.legacy()?, arguments.poll);
    if arguments.summary {
        return data_wait::wait::<AccountsSummary>(legacy.accounts_summary(of), poll, context)
            .await;
    }
    let mut options = AccountsDetail::new();
    if let Some(days) = &arguments.days {
        options = options.with_days(days.clone());
    }
    for account in &arguments.account {
        options = options.with_account(account.clone());
    }
    data_wait::wait(legacy.accounts_detail(of).options(options), poll, context).await
}

/// No list of accounts is an error: an empty file would mean that there are no transactions.
fn csv(answer: &AccountsResponse) -> Result<TransactionsCsv, CliError> {
    let unreadable = |message: &'static str| {
        let error = Error::new(ErrorKind::Decode, message).with_delivery(Delivery::Delivered);
        CliError::failed(
            Request::BankData,
            error.with_operation("legacy.accounts_detail"),
        )
    };
    let Some(accounts) = answer.accounts.as_deref() else {
        return Err(unreadable("the answer has no list of accounts"));
    };
    transactions_csv::of(answer, accounts)
        .map_err(|_| unreadable("the transactions cannot be written as CSV"))
}

fn summary(csv: &TransactionsCsv, path: &Path) -> String {
    let rows = counted(csv.rows, "transaction");
    let mut text = format!("{rows} in {}\n", shown_path(path));
    if csv.without_list > 0 {
        let accounts = counted(csv.without_list, "account");
        text.push_str(&format!(
            "The answer has no list of transactions for {accounts}\n"
        ));
    }
    text
}

const COLUMNS: usize = 6;

const TITLES: [&str; COLUMNS] = [
    "Account",
    "Number",
    "Category",
    "Currency",
    "Available",
    "Current",
];

/// The number of text columns; the others are amounts, aligned to the right.
const TEXT_COLUMNS: usize = 4;

fn text(answer: &AccountsResponse, output: Output) -> String {
    let Some(accounts) = answer.accounts.as_deref() else {
        return "The answer has no list of accounts\n".to_owned();
    };
    let mut text = format!("{}\n", output.bold(&counted(accounts.len(), "account")));
    if accounts.is_empty() {
        return text;
    }
    let rows: Vec<_> = std::iter::once(TITLES.map(str::to_owned))
        .chain(accounts.iter().map(row))
        .collect();
    let widths = widths(&rows);
    let columns = output.columns().unwrap_or(usize::MAX);
    if widths.iter().map(|width| width + 2).sum::<usize>() > columns {
        text.push_str(&blocks(rows.get(1..).unwrap_or_default()));
    } else {
        text.push_str(&table(&rows, widths, output));
    }
    let transactions: usize = accounts
        .iter()
        .filter_map(|account| account.transactions.as_ref())
        .map(Vec::len)
        .sum();
    if transactions > 0 {
        let transactions = counted(transactions, "transaction");
        let note = format!("{transactions}; --csv FILE and --json write them");
        text.push_str(&format!("\n{}", wrapped(&note, 0, columns)));
    }
    text
}

/// Returns a block of lines for each account, for a terminal that is narrower than the table.
fn blocks(rows: &[[String; COLUMNS]]) -> String {
    let mut text = String::new();
    for row in rows {
        text.push('\n');
        for (title, cell) in TITLES.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            text.push_str(&format!("{title:<10} {cell}\n"));
        }
    }
    text
}

fn table(rows: &[[String; COLUMNS]], widths: [usize; COLUMNS], output: Output) -> String {
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            line.push_str("  ");
            line.push_str(&if column < TEXT_COLUMNS {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            });
        }
        let line = line.trim_end();
        text.push_str(&if number == 0 {
            output.faint(line)
        } else {
            line.to_owned()
        });
        text.push('\n');
    }
    text
}

/// The maximum width of a column; a wider cell is not cut.
const MAX_WIDTH: usize = 64;

/// Returns the width of each column.
fn widths(rows: &[[String; COLUMNS]]) -> [usize; COLUMNS] {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().take(MAX_WIDTH).count().max(*width);
        }
    }
    widths
}

fn row(account: &Account) -> [String; COLUMNS] {
    let amount = |amount: Option<&Decimal>| {
        amount
            .map(Decimal::as_str)
            .map_or_else(String::new, |text| escaped(text).into_owned())
    };
    let balance = account.balance.as_ref();
    let word =
        |word: Option<&str>| word.map_or_else(String::new, |text| escaped(text).into_owned());
    [
        word(account.title.as_deref()),
        word(account.account_number.as_deref()),
        word(account.category.as_ref().map(|category| category.as_str())),
        word(account.currency.as_ref().map(|currency| currency.as_str())),
        amount(balance.and_then(|balance| balance.available.as_ref())),
        amount(balance.and_then(|balance| balance.current.as_ref())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_keeps_the_text_of_amounts() {
        let json = r#"{"Accounts":[
            {"Title":"Chequing\u001b","AccountNumber":"123","Category":"Operations","Currency":"CAD","Balance":{"Available":1234567.80,"Current":-0.10}},
            {"Title":"Loan"}
        ]}"#;
        let answer: AccountsResponse = flinks_types::from_json(json.as_bytes()).expect("accounts");
        let rows: Vec<_> = answer.accounts.iter().flatten().map(row).collect();
        let blocks = blocks(&rows);
        assert!(
            blocks.ends_with("Current    -0.10\n\nAccount    Loan\n"),
            "{blocks}"
        );
        let text = text(&answer, Output::plain());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "2 accounts",
                "  Account         Number  Category    Currency   Available  Current",
                "  Chequing\\u{1b}  123     Operations  CAD       1234567.80    -0.10",
                "  Loan",
            ]
        );
    }

    #[test]
    fn amounts_that_are_not_numbers_are_printed_and_no_list_is_not_an_empty_one() {
        let read = |json: &str| -> AccountsResponse {
            flinks_types::from_json(json.as_bytes()).expect("accounts")
        };
        let odd = read(r#"{"Accounts":[{"Title":"Chq","Balance":{"Current":"1,234.50"}}]}"#);
        assert!(text(&odd, Output::plain()).contains("  1,234.50\n"));
        for none in ["{}", r#"{"Accounts":null}"#] {
            assert!(!text(&read(none), Output::plain()).contains("0 accounts"));
        }
    }

    #[test]
    fn one_wide_cell_does_not_widen_every_row() {
        let length = |rows: usize, title: usize| {
            let account = |title: usize| format!(r#"{{"Title":"{}"}}"#, "x".repeat(title));
            let mut accounts = vec![account(1); rows];
            accounts.push(account(title));
            let json = format!(r#"{{"Accounts":[{}]}}"#, accounts.join(","));
            let answer = flinks_types::from_json(json.as_bytes()).expect("accounts");
            text(&answer, Output::plain()).len()
        };
        assert!(length(1000, 100_000) < length(1000, MAX_WIDTH) + 100_000);
    }
}
