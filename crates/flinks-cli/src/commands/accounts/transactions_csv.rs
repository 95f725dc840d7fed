//! The transactions of an answer as CSV: one row per transaction, amounts digit for digit.

use std::borrow::Cow;

use flinks_types::text::escaped;
use flinks_types::{
    Account, AccountId, AccountKind, AccountsResponse, Currency, Decimal, LoginId, Timestamp,
    Transaction,
};

const COLUMNS: usize = 15;

/// What programs that read the file rely on: `flinks accounts --help` documents them.
const HEADER: [&str; COLUMNS] = [
    "login_id",
    "institution",
    "holder",
    "account_id",
    "account_number",
    "account_title",
    "account_type",
    "currency",
    "transaction_id",
    "date",
    "description",
    "debit",
    "credit",
    "balance",
    "code",
];

/// The CSV file, and what it holds.
pub(super) struct TransactionsCsv {
    pub(super) text: String,
    pub(super) rows: usize,
    /// The accounts whose transactions are not in the answer.
    pub(super) without_list: usize,
}

/// Writes the transactions of all accounts, in the service's order.
pub(super) fn of(answer: &AccountsResponse, accounts: &[Account]) -> csv::Result<TransactionsCsv> {
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(HEADER)?;
    let (mut rows, mut without_list) = (0, 0);
    for account in accounts {
        let Some(transactions) = &account.transactions else {
            without_list += 1;
            continue;
        };
        for transaction in transactions {
            let cells = row(answer, account, transaction);
            file.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
        }
        rows += transactions.len();
    }
    let bytes = file.into_inner().map_err(|error| error.into_error())?;
    Ok(TransactionsCsv {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        rows,
        without_list,
    })
}

fn row<'a>(
    answer: &'a AccountsResponse,
    account: &'a Account,
    transaction: &'a Transaction,
) -> [Cow<'a, str>; COLUMNS] {
    let login = answer.login.as_ref();
    let login_id = login.and_then(|login| login.id.as_ref());
    let holder = account.holder.as_ref();
    [
        text(login_id.map(LoginId::as_str)),
        text(answer.institution.as_deref()),
        text(holder.and_then(|holder| holder.name.as_deref())),
        text(account.id.as_ref().map(AccountId::as_str)),
        text(account.account_number.as_deref()),
        text(account.title.as_deref()),
        text(account.r#type.as_ref().map(AccountKind::as_str)),
        text(account.currency.as_ref().map(Currency::as_str)),
        text(transaction.id.as_deref()),
        text(transaction.date.as_ref().map(Timestamp::as_str)),
        text(transaction.description.as_deref()),
        amount(transaction.debit.as_ref()),
        amount(transaction.credit.as_ref()),
        amount(transaction.balance.as_ref()),
        text(transaction.code.as_deref()),
    ]
}

fn amount(amount: Option<&Decimal>) -> Cow<'_, str> {
    match amount {
        Some(number) if number.is_number() => Cow::Borrowed(number.as_str()),
        other => text(other.map(Decimal::as_str)),
    }
}

/// A spreadsheet runs a cell as a formula if it begins with one of these characters. The sender of a
/// payment can choose the text of its description.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A text as a cell: control characters are escaped, and a leading apostrophe stops a formula. A
/// text that begins with an apostrophe gets another one, so that the first one can be removed again.
fn text(text: Option<&str>) -> Cow<'_, str> {
    let text = escaped(text.unwrap_or_default());
    if text.starts_with(FORMULA) || text.starts_with('\'') {
        return Cow::Owned(format!("'{text}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn csv_of(json: &str) -> TransactionsCsv {
        let answer: AccountsResponse = flinks_types::from_json(json.as_bytes()).expect("accounts");
        of(&answer, answer.accounts.as_deref().expect("a list")).expect("CSV")
    }

    /// The cells of every row under the header.
    fn rows(csv: &TransactionsCsv) -> Vec<csv::StringRecord> {
        let mut reader = csv::Reader::from_reader(csv.text.as_bytes());
        reader.records().map(|row| row.expect("a row")).collect()
    }

    #[test]
    fn a_row_has_every_column_of_its_transaction() {
        let csv = csv_of(
            r#"{"Login":{"Id":"b0debb48"},"Institution":"FlinksCapital","Accounts":[
                {"Id":"a1","Title":"Chequing, joint","AccountNumber":"0012345","Type":"Chequing",
                 "Currency":"CAD","Holder":{"Name":"Zoë \"Z\" Roy"},"Transactions":[
                   {"Id":"t1","Date":"2025-01-31","Code":42,"Description":"=HYPERLINK(1)","Debit":1234.50,"Balance":-0.00},
                   {}]},
                {"Title":"RRSP","Transactions":null}, {"Title":"Savings","Transactions":[]}]}"#,
        );
        assert_eq!(
            csv.text,
            "login_id,institution,holder,account_id,account_number,account_title,account_type,\
             currency,transaction_id,date,description,debit,credit,balance,code\n\
             b0debb48,FlinksCapital,\"Zoë \"\"Z\"\" Roy\",a1,0012345,\"Chequing, joint\",Chequing,\
             CAD,t1,2025-01-31,'=HYPERLINK(1),1234.50,,-0.00,42\n\
             b0debb48,FlinksCapital,\"Zoë \"\"Z\"\" Roy\",a1,0012345,\"Chequing, joint\",Chequing,\
             CAD,,,,,,,\n"
        );
        assert_eq!((csv.rows, csv.without_list), (2, 1));
    }

    #[test]
    fn only_what_is_no_number_is_protected_in_an_amount() {
        let csv = csv_of(
            r#"{"Accounts":[{"Transactions":[{"Debit":-12.50,"Credit":"1,234.50","Balance":"=1+1"}]}]}"#,
        );
        let row = &rows(&csv)[0];
        let amounts: Vec<_> = row.iter().skip(11).take(3).collect();
        assert_eq!(amounts, ["-12.50", "1,234.50", "'=1+1"]);
    }

    proptest! {
        #[test]
        fn amounts_are_those_of_the_json_digit_for_digit(
            amounts in proptest::collection::vec("-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?", 0..20),
        ) {
            let transactions: Vec<_> =
                amounts.iter().map(|amount| format!(r#"{{"Credit":{amount}}}"#)).collect();
            let csv = csv_of(&format!(r#"{{"Accounts":[{{"Transactions":[{}]}}]}}"#, transactions.join(",")));
            let read: Vec<_> = rows(&csv).iter().map(|row| row[12].to_owned()).collect();
            prop_assert_eq!(read, amounts);
        }

        #[test]
        fn every_text_stays_in_its_cell_and_is_no_formula(description in "[=+@'\t\r\n,;\"a-]{0,6}") {
            let json = serde_json::json!({ "Accounts": [{ "Transactions": [{ "Description": description }] }] });
            let csv = csv_of(&json.to_string());
            prop_assert_eq!(csv.text.lines().count(), 2);
            let cell = rows(&csv)[0][10].to_owned();
            prop_assert!(!cell.starts_with(FORMULA));
            let text = cell.strip_prefix('\'').unwrap_or(&cell);
            prop_assert_eq!(text, escaped(&description));
        }
    }
}
