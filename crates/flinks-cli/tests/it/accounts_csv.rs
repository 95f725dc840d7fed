//! `flinks accounts --csv`, and what is requested of the service: `--days` and `--account`.

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc;

use flinks_sandbox::CACHED_LOGIN_ID;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::mock::{self, Answer};

const ACCOUNTS: [&str; 5] = ["accounts", "--login-id", CACHED_LOGIN_ID, "--poll", "0.02"];

/// Accounts with amounts that a floating-point number would change.
fn nasty_accounts(transactions: usize) -> String {
    let transaction = |n: usize| {
        let debit = format!("{n}.{:0width$}", n % 10, width = 1 + n % 9);
        let credit = format!("-0.{:05}0", n % 100_000);
        let balance = format!("{}12345678901234567890.10", 1 + n % 9);
        let amounts = format!(r#""Debit":{debit},"Credit":{credit},"Balance":{balance}"#);
        let date = format!("2025-01-{:02}", 1 + n % 28);
        format!(
            r#"{{"Id":"t{n}","Date":"{date}","Code":null,"Description":"-Café, \"no\" {n}",{amounts}}}"#
        )
    };
    let all: Vec<_> = (0..transactions).map(transaction).collect();
    format!(
        r#"[{{"Title":"Chequing","Transactions":[{}]}}]"#,
        all.join(",")
    )
}

/// An object, with each value as the text of the JSON.
type Texts = BTreeMap<String, Box<RawValue>>;

fn list(json: &Texts, name: &str) -> Vec<Texts> {
    serde_json::from_str(json[name].get()).expect("a list of objects")
}

const AMOUNTS: [&str; 3] = ["Debit", "Credit", "Balance"];

fn amounts_of_json(json: &str) -> Vec<[String; 3]> {
    let answer: Texts = serde_json::from_str(json).expect("an object");
    let accounts = list(&answer, "Accounts").into_iter();
    let transactions = accounts.flat_map(|account| list(&account, "Transactions"));
    transactions
        .map(|one| AMOUNTS.map(|name| one[name].get().to_owned()))
        .collect()
}

fn amounts_of_csv(csv: &str) -> Vec<[String; 3]> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let column = |name: &str| {
        let found = header.iter().position(|column| column == name);
        found.expect("the column")
    };
    let columns = AMOUNTS.map(|name| column(&name.to_ascii_lowercase()));
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| columns.map(|column| row[column].to_owned()))
        .collect()
}

#[test]
fn amounts_are_those_of_the_json_digit_for_digit() {
    const COUNT: usize = 200;
    let bench = Bench::new(&[]);
    let set = bench
        .sandbox
        .set_accounts(CACHED_LOGIN_ID, &nasty_accounts(COUNT));
    set.expect("accounts");
    let file = bench.write("transactions.csv", b"an older file");
    let run = bench.run(&[&ACCOUNTS[..], &["--csv", &file, "--json"]].concat());
    let json = amounts_of_json(&run.ends_with(0).stdout);
    let csv = amounts_of_csv(&fs::read_to_string(&file).expect("written"));
    assert_eq!(json.len(), COUNT);
    assert!(json == csv, "amounts differ");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn csv_goes_to_a_file_or_to_standard_output() {
    let bench = Bench::new(&[]);
    let set = bench
        .sandbox
        .set_accounts(CACHED_LOGIN_ID, &nasty_accounts(3));
    set.expect("accounts");
    let file = bench.argument("transactions.csv");
    let summary = bench.run(&[&ACCOUNTS[..], &["--csv", &file]].concat());
    assert_eq!(
        summary.ends_with(0).stdout,
        format!("3 transactions in {file}\n")
    );
    let stdout = bench.run(&[&ACCOUNTS[..], &["--csv", "-"]].concat());
    let written = fs::read_to_string(&file).expect("written");
    assert_eq!(stdout.ends_with(0).stdout, written);
    assert!(
        written.contains(&format!("{CACHED_LOGIN_ID},FlinksCapital,")),
        "{written}"
    );
    assert!(written.contains(r#","'-Café, ""no"" 2","#), "{written}");
}

#[test]
fn what_cannot_be_written_or_requested_is_refused_before_anything_is_sent() {
    let bench = Bench::new(&[]);
    let folder = bench.argument("");
    let missing = bench.argument("missing/transactions.csv");
    for (options, message) in [
        (&["--csv", &folder][..], "--csv"),
        (&["--csv", &missing], "--csv"),
        (&["--csv", "-", "--json"], "--csv"),
        (&["--csv", "f", "--summary"], "--summary"),
        (&["--days", "30"], "90 or 365"),
        (&["--days", "90", "--summary"], "--summary"),
        (&["--account", ".."], "--account"),
    ] {
        let run = bench.run(&[&ACCOUNTS[..], options].concat()).ends_with(2);
        let said = run.stdout.contains(message) || run.stderr.contains(message);
        assert!(said, "{options:?}: {run:?}");
    }
    assert_eq!(bench.sandbox.log().len(), 0);
}

/// A service that answers every data call with this body, and the bodies that it gets.
fn service(answer: Value) -> (Bench, mpsc::Receiver<Value>) {
    let (sender, bodies) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let url = mock::serve(move |asked| {
        if asked.path.ends_with("/Authorize") {
            return Answer::ok(json!({ "HttpStatusCode": 200, "RequestId": "4f0d" }));
        }
        let body = serde_json::from_str(&asked.body).expect("JSON");
        drop(sender.lock().expect("no panic").send(body));
        Answer::ok(answer.clone())
    });
    let mut bench = Bench::new(&[]);
    bench.set("FLINKS_API_URL", &url);
    (bench, bodies)
}

#[test]
fn the_days_and_accounts_are_requested() {
    let (bench, bodies) = service(json!({ "HttpStatusCode": 200, "Accounts": [] }));
    let options = [
        "--allow-http",
        "--days",
        "365",
        "--account",
        "a1",
        "--account",
        "a2",
    ];
    bench.run(&[&ACCOUNTS[..], &options].concat()).ends_with(0);
    let expected = json!({ "RequestId": "4f0d", "DaysOfTransactions": "Days365", "AccountsFilter": ["a1", "a2"] });
    assert_eq!(bodies.recv().expect("a body"), expected);
}

#[test]
fn no_list_of_accounts_is_not_an_empty_file() {
    let (bench, _bodies) = service(json!({ "HttpStatusCode": 200, "Accounts": null }));
    let file = bench.argument("transactions.csv");
    let line = [&ACCOUNTS[..], &["--csv", &file, "--allow-http", "--json"]].concat();
    let error = bench.run(&line).ends_with(5).error();
    assert_eq!(
        (&error["kind"], &error["delivery"]),
        (&json!("decode"), &json!("delivered"))
    );
    assert!(fs::metadata(&file).is_err());
}
