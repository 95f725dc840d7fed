//! `cargo xtask fuzz`: the fuzz targets, as a mutation loop or under libFuzzer.

use std::process::Command;

use crate::{Failure, Outcome, command};

/// The workspace of the fuzz targets, and the folder that it is built into.
pub(crate) const WORKSPACE: [&str; 4] = [
    "--manifest-path",
    "fuzz/Cargo.toml",
    "--target-dir",
    "target/fuzz",
];
const LOOP: &str = "target/fuzz/debug/mutate";
const SEEDS: &str = "target/fuzz/seeds";

/// Runs `SECONDS [TARGET|all [SEED]]`, with `--libfuzzer` under cargo-fuzz.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let (flags, words): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .map(String::as_str)
        .partition(|argument| argument.starts_with("--"));
    let seconds = words.first().and_then(|word| word.parse::<u64>().ok());
    let (Some(seconds), [] | ["--libfuzzer"]) = (seconds, flags.as_slice()) else {
        return Err(Failure::Usage(
            "fuzz takes SECONDS [TARGET|all [SEED]] [--libfuzzer]".to_owned(),
        ));
    };
    build()?;
    if flags.is_empty() {
        return passes(Command::new(LOOP).args(words));
    }
    passes(Command::new(LOOP).args(["--seeds", SEEDS]))?;
    let list = command::output(cargo_fuzz().arg("list"))?;
    let all = list.lines().filter(|name| *name != "mutate");
    let targets: Vec<&str> = match words.get(1) {
        Some(target) if *target != "all" => vec![*target],
        Some(_) | None => all.collect(),
    };
    let each = seconds / u64::try_from(targets.len()).unwrap_or(1).max(1);
    for target in targets {
        let corpus = format!("target/fuzz/corpus/{target}");
        std::fs::create_dir_all(&corpus)
            .map_err(|error| Failure::Broken(format!("can't create {corpus}: {error}")))?;
        let mut fuzz = cargo_fuzz();
        fuzz.args([
            "run",
            "--features",
            "libfuzzer",
            "--target-dir",
            "target/fuzz",
        ])
        .args([target, &corpus, &format!("{SEEDS}/{target}"), "--"])
        .arg(format!("-max_total_time={each}"));
        passes(&mut fuzz)?;
    }
    Ok(())
}

/// cargo-fuzz needs a nightly toolchain.
fn cargo_fuzz() -> Command {
    let mut fuzz = Command::new("cargo");
    fuzz.args(["+nightly", "fuzz"]);
    fuzz
}

fn build() -> Outcome {
    let mut build = command::cargo()?;
    passes(build.args(["build", "--quiet", "--locked"]).args(WORKSPACE))
}

fn passes(command: &mut Command) -> Outcome {
    if command::succeeds(command)? {
        Ok(())
    } else {
        Err(Failure::Found)
    }
}
