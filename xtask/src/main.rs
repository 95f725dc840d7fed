//! Project automation, run as `cargo xtask COMMAND`. It orchestrates other programs and depends on no crate.
#![expect(
    clippy::print_stdout,
    reason = "telling people what happens is what this program is for"
)]

mod bench;
mod check;
mod command;
mod conformance;
mod examples;
mod fuzz;
mod sandbox;
mod soak;
mod summary;
mod test;
mod tidy;
mod watch;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  test [FILTER] [--wire]  every test: unit, documentation, integration, then the conformance fixtures
                          and what they cover; FILTER keeps those whose name contains it, --wire adds
                          TLS 1.2 and the other crypto provider
  test [FILTER] --live    only the fixtures marked for it, against the host and with the credentials
                          of the environment (FLINKS_…, as for the program)
  test [FILTER] --bless   rewrites what the fixtures expect to come of their calls, never a request
  coverage                what the fixtures cover: matrices, waivers, requirements
  check                   formatting, tidy, lints, documentation, dependency policy and advisories,
                          public API and packages; names what it skips because a tool is missing
  tidy                    the project's own rules: dependency direction, file sizes, first lines,
                          README code, fixtures and their coverage
  soak [SCHEDULES [FIRST_SEED]]
                          whole upload sessions by chance, each seed a schedule of faults: 1,000,000
                          from seed 0, where `test` runs 20,000; a failing seed can be replayed
  bench [--quick] [--rounds=N] [FILTER]
                          uploads by this SDK and by other clients, side by side: writes BENCHMARKS.md;
                          N limits its rounds, --quick is one round of the small ones, FILTER one
                          scenario, client or piece of work by a part of its name, both printed only
  fuzz SECONDS [TARGET|all [SEED]] [--libfuzzer]
                          the fuzz targets by turns, for SECONDS in all, as a mutation loop, or each
                          under libFuzzer where cargo-fuzz and a nightly toolchain are installed
  sandbox [ARGS]          serve the sandbox until interrupted (ARGS as for `flinks sandbox`)
  ci                      check, then test --wire
  help                    this text

The exit status is 0 when everything passed, 1 when something did not, 2 for a command that is not understood.
";

/// Why a command did not succeed.
enum Failure {
    /// A check failed; the problems have already been printed.
    Found,
    /// The command line is not understood.
    Usage(String),
    /// The command could not do its work.
    Broken(String),
}

type Outcome = Result<(), Failure>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Found) => ExitCode::FAILURE,
        Err(Failure::Usage(message)) => {
            println!("xtask: {message}\n\n{HELP}");
            ExitCode::from(2)
        }
        Err(Failure::Broken(message)) => {
            println!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    let Some((name, rest)) = arguments.split_first() else {
        return Err(Failure::Usage("a command is needed".to_owned()));
    };
    if name == "help"
        || arguments
            .iter()
            .any(|argument| argument == "--help" && name != "sandbox")
    {
        println!("{HELP}");
        return Ok(());
    }
    command::enter_root()?;
    match name.as_str() {
        "test" => test::run(&test::Options::parse(rest)?),
        "sandbox" => sandbox::run(rest),
        "fuzz" => fuzz::run(rest),
        "bench" => bench::run(rest),
        "soak" => soak::run(rest),
        "check" | "coverage" | "tidy" | "ci" if !rest.is_empty() => {
            Err(Failure::Usage(format!("{name} takes no arguments")))
        }
        "check" => check::run(),
        "coverage" => conformance::run("coverage", &[]),
        "tidy" => tidy::run(),
        "ci" => {
            let checked = check::run();
            test::run(&test::Options::wire())?;
            checked
        }
        other => Err(Failure::Usage(format!("there is no command {other:?}"))),
    }
}
