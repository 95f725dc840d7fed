//! Instructions of small pieces of work, counted by valgrind: the same on a busy machine, and on another day.

use std::process::Command;

use crate::Result;
use crate::peers::said;

const MICRO: &str = "target/bench/release/micro";
/// How often a case does its work in its two runs. What comes before the work is the same in both.
const COUNTS: [u64; 2] = [1, 4];

/// Each row: what is done, who does it, and its instructions.
pub type Rows = Vec<(String, String, f64)>;

/// Counts every case whose name contains one of the words; none without valgrind.
pub fn count(matches: impl Fn(&str) -> bool) -> Result<Rows> {
    let mut rows = Rows::new();
    if said(&["valgrind", "--version"]).is_none() {
        println!("skipped: instructions, because valgrind is missing");
        return Ok(rows);
    }
    let listed = String::from_utf8(Command::new(MICRO).output()?.stdout)?;
    for case in listed.lines().filter(|case| matches(case)) {
        let (work, by) = case.split_once('/').ok_or("a case is named WORK/BY")?;
        let [few, many] = [collected(case, COUNTS[0])?, collected(case, COUNTS[1])?];
        let each = (many - few) as f64 / (COUNTS[1] - COUNTS[0]) as f64;
        println!("{work}, {by}: {each:.0} instructions");
        rows.push((work.to_owned(), by.to_owned(), each));
    }
    Ok(rows)
}

fn collected(case: &str, count: u64) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args([
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        MICRO,
        case,
    ]);
    let output = valgrind.arg(count.to_string()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let number = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    match number {
        Some((_, number)) if output.status.success() => Ok(number.trim().parse()?),
        _ => Err(format!("{case}: {said}").into()),
    }
}
