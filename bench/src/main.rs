//! Uploads by this SDK and by other clients, side by side. `cargo xtask bench` runs it; README: BENCHMARKS.md.

mod certificates;
mod instructions;
mod machine;
mod measure;
mod memory;
mod peers;
mod relay;
mod report;
mod run;
mod scenarios;
mod sink;

use std::error::Error;
use std::process::ExitCode;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "bench run [--quick] [--rounds=N] [FILTER] | sink CERTIFICATES [FILES] | relay ADDRESS | measure PROGRAM [ARGUMENTS]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((command, rest)) if command == "run" => run::run(rest),
        Some((command, rest)) if command == "sink" => sink::serve(rest),
        Some((command, rest)) if command == "relay" => relay::serve(rest),
        Some((command, rest)) if command == "measure" => measure::serve(rest),
        Some(_) | None => Err(USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
