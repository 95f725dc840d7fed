//! The mutation loop: `mutate SECONDS [TARGET|all [SEED]]` runs the targets by turns, for SECONDS in all.
//!
//! `mutate --seeds FOLDER` writes what the targets start from, for cargo-fuzz; `mutate TARGET FILE` runs one input.

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fastrand::Rng;
use flinks_fuzz::mutate::mutate;
use flinks_fuzz::{TARGETS, Target, clean};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// What one input may take of the processor, whatever else the machine does.
const LIMIT: Duration = Duration::from_secs(5);
const LIMIT_MEMORY_MB: i64 = 512;
/// Inputs that broke a target, and the one that is being run: a stack overflow ends the process.
const FOLDER: &str = "target/fuzz/found";
/// How many inputs a target gets before it is the next one's turn.
const TURN: u64 = 200;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let named = |name: &str| TARGETS.iter().find(|target| target.name == name);
    fs::create_dir_all(FOLDER).expect("a folder");
    let passed = match words.as_slice() {
        ["--seeds", folder] => write_seeds(Path::new(folder)),
        [name, path] if let Some(target) = named(name) => {
            one(target, &fs::read(path).expect("a file"))
        }
        [seconds, rest @ ..] => {
            let seconds = Duration::from_secs(seconds.parse().expect("a number of seconds"));
            let target = rest.first().filter(|name| **name != "all");
            let target = target.map(|name| named(name).expect("a target"));
            let seed = rest.get(1).map_or(0, |seed| seed.parse().expect("a seed"));
            let targets = TARGETS
                .iter()
                .filter(|one| target.is_none_or(|target| target.name == one.name));
            run(seconds, &targets.collect::<Vec<_>>(), seed)
        }
        [] => panic!("for how many seconds?"),
    };
    clean();
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(limit: Duration, targets: &[&Target], first_seed: u64) -> bool {
    let start = Instant::now();
    let seeds: Vec<_> = targets.iter().map(|target| (target.seeds)()).collect();
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut seed = first_seed;
    while start.elapsed() < limit {
        for (target, seeds) in targets.iter().zip(&seeds) {
            for seed in seed..seed + TURN {
                if start.elapsed() >= limit {
                    break;
                }
                let input = mutate(&mut Rng::with_seed(seed), seeds);
                let count = counts.entry(target.name).or_default();
                count.0 += 1;
                if !one(target, &input) {
                    let path = format!("{FOLDER}/{}-{seed}", target.name);
                    fs::write(&path, input).expect("a file");
                    println!("{}: seed {seed}: {path}", target.name);
                    count.1 += 1;
                }
            }
        }
        seed += TURN;
    }
    for (name, (inputs, broken)) in &counts {
        println!("{name}: {inputs} inputs, {broken} broke it");
    }
    counts.values().all(|(_, broken)| *broken == 0)
}

/// Runs one input within its limits.
fn one(target: &Target, input: &[u8]) -> bool {
    let used = || getrusage(UsageWho::RUSAGE_SELF).expect("what this process has used");
    let time = |time: TimeVal| Duration::from_micros(time.num_microseconds().unsigned_abs());
    let before = used();
    let running = format!("{FOLDER}/running-{}", target.name);
    fs::write(&running, input).expect("a file");
    let passed = catch_unwind(|| (target.run)(input)).is_ok();
    let after = used();
    let took = time(after.user_time()).saturating_sub(time(before.user_time()));
    let grown = (after.max_rss() - before.max_rss()) / 1024;
    drop(fs::remove_file(running));
    if took > LIMIT || grown > LIMIT_MEMORY_MB {
        println!("{}: {} ms, {grown} MB more", target.name, took.as_millis());
        return false;
    }
    passed
}

fn write_seeds(folder: &Path) -> bool {
    for target in &TARGETS {
        let folder = folder.join(target.name);
        fs::create_dir_all(&folder).expect("a folder");
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(folder.join(number.to_string()), seed).expect("a file");
        }
    }
    true
}
