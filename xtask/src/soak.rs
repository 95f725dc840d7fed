//! `cargo xtask soak`: many more schedules of the upload generator than `cargo xtask test` has time for.

use crate::{Failure, Outcome, command};

const SCHEDULES: &str = "1000000";

/// Runs the seeds from FIRST (0) on, in a build with optimization.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let (count, first) = match arguments {
        [] => (SCHEDULES, "0"),
        [count] => (count.as_str(), "0"),
        [count, first] => (count.as_str(), first.as_str()),
        _ => {
            return Err(Failure::Usage(
                "soak takes [SCHEDULES [FIRST_SEED]]".to_owned(),
            ));
        }
    };
    for number in [count, first] {
        if number.parse::<u64>().is_err() {
            return Err(Failure::Usage(format!("soak: {number:?} is not a number")));
        }
    }
    let mut soak = command::cargo()?;
    soak.args(["test", "--profile", "soak", "--package", "flinks-upload"])
        .args([
            "--test",
            "it",
            "no_schedule_breaks_a_promise",
            "--",
            "--nocapture",
        ])
        .env("FLINKS_SCHEDULES", count)
        .env("FLINKS_FIRST_SEED", first);
    if command::succeeds(&mut soak)? {
        Ok(())
    } else {
        Err(Failure::Found)
    }
}
