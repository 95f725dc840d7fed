//! 50,000 transactions into our types and into `serde_json::Value`, side by side: time and peak memory.
//!
//!     cargo bench -p flinks-legacy --bench decode
//!
//! Each reading is a process of its own, in turn, because a peak of memory can only be read once.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark reads the clock and says what it saw"
)]

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use flinks_types::{AccountsResponse, from_json};

const TRANSACTIONS: usize = 50_000;
const ROUNDS: usize = 7;

fn answer() -> String {
    let mut body = String::from(r#"{"HttpStatusCode":200,"Accounts":[{"Id":"a","Transactions":["#);
    for n in 0..TRANSACTIONS {
        let comma = if n == 0 { "" } else { "," };
        let (day, whole, cents) = (n % 28 + 1, n * 7 % 9973, n % 100);
        write!(
            body,
            r#"{comma}{{"Id":"3f1c2b9a-0000-4000-8000-{n:012}","Date":"2026-01-{day:02}","Code":null,"Description":"POINT OF SALE PURCHASE {n}","Debit":{whole}.{cents:02},"Credit":null,"Balance":{n}.{cents:02}}}"#
        )
        .unwrap();
    }
    body.push_str("]}]}");
    body
}

/// Peak memory of this process in KiB, where the system reports it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

fn child(mode: &str) {
    let body = answer().into_bytes();
    let (before, start) = (peak(), Instant::now());
    let count = if mode == "typed" {
        let read: AccountsResponse = from_json(&body).expect("readable");
        read.accounts.unwrap()[0]
            .transactions
            .as_ref()
            .map_or(0, Vec::len)
    } else {
        let read: serde_json::Value = serde_json::from_slice(&body).expect("readable");
        read["Accounts"][0]["Transactions"]
            .as_array()
            .map_or(0, Vec::len)
    };
    let micros = start.elapsed().as_micros();
    assert_eq!(count, TRANSACTIONS);
    println!("{micros} {}", peak() - before);
}

fn measure(mode: &str) -> (f64, f64) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg(mode).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text
        .split_whitespace()
        .map(|number| number.parse::<f64>().unwrap());
    (
        numbers.next().unwrap() / 1000.0,
        numbers.next().unwrap() / 1024.0,
    )
}

/// Milliseconds and MiB, typed and as values.
type ChallengeRound = ((f64, f64), (f64, f64));

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    if let Some(mode) = std::env::args()
        .nth(1)
        .filter(|mode| mode == "typed" || mode == "value")
    {
        return child(&mode);
    }
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| (measure("typed"), measure("value")))
        .collect();
    let column = |pick: fn(&ChallengeRound) -> f64| median(rounds.iter().map(pick).collect());
    println!(
        "{TRANSACTIONS} transactions, {} KiB of JSON, {ROUNDS} rounds, medians",
        answer().len() / 1024
    );
    println!(
        "  flinks-types      {:6.1} ms  {:6.1} MiB",
        column(|r| r.0.0),
        column(|r| r.0.1)
    );
    println!(
        "  serde_json::Value {:6.1} ms  {:6.1} MiB",
        column(|r| r.1.0),
        column(|r| r.1.1)
    );
    println!(
        "  ratio             {:6.2}     {:6.2}",
        column(|r| r.0.0 / r.1.0),
        column(|r| r.0.1 / r.1.1)
    );
}
