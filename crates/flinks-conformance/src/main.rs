//! The runner: every case of the corpus at every level, a table by family, and one closing line.

use std::io::{self, Write as _};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flinks_conformance::{
    CorpusError, Fixture, Level, Provider, Summary, TlsVersion, Verdict, Wire, load, run,
};

const USAGE: &str = "\
usage: flinks-conformance [FILTER] [--wire] [--list] [--fixtures FOLDER]

  FILTER      only cases whose family/name contains it
  --wire      level 3 over TLS 1.2 too, and all of it with the other crypto provider
              (compiled in by the feature aws-lc-rs)
  --list      names the cases and runs nothing
  --fixtures  another folder than this workspace's
";

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)).and_then(|options| execute(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            writeln!(io::stderr(), "{message}").unwrap_or_default();
            ExitCode::from(2)
        }
    }
}

struct Options {
    filter: String,
    wire: bool,
    list: bool,
    fixtures: PathBuf,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let fixtures = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures"));
        let mut options = Self {
            filter: String::new(),
            wire: false,
            list: false,
            fixtures,
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--wire" => options.wire = true,
                "--list" => options.list = true,
                "--fixtures" => {
                    options.fixtures = arguments.next().map(PathBuf::from).ok_or(USAGE)?;
                }
                filter if !filter.starts_with('-') && options.filter.is_empty() => {
                    options.filter = argument;
                }
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(options)
    }
}

/// Whether every run passed.
fn execute(options: &Options) -> Result<bool, String> {
    let corpus = load(&options.fixtures).map_err(|error: CorpusError| error.to_string())?;
    let chosen: Vec<_> = corpus
        .into_iter()
        .filter(|fixture| fixture.path().contains(&options.filter))
        .collect();
    let mut out = io::stdout().lock();
    let failed = |error: io::Error| error.to_string();
    if options.list {
        for fixture in &chosen {
            writeln!(out, "{:<50} {}", fixture.path(), fixture.case.docs).map_err(failed)?;
        }
        return Ok(true);
    }
    let mut runs = each(&chosen, all_levels);
    if options.wire {
        let mut again = |wire: Wire| {
            let more = each(&chosen, |fixture| level_3(fixture, &wire));
            for (runs, run) in runs.iter_mut().zip(more) {
                runs.push(run);
            }
        };
        again(Wire::new(TlsVersion::Tls12, Provider::Ring));
        // Last: a process cannot go back to the provider that it had before.
        other()?.into_iter().for_each(again);
    }
    let mut summary = Summary::default();
    for (fixture, runs) in chosen.iter().zip(&runs) {
        summary.add(fixture, runs);
    }
    write!(out, "{summary}").map_err(failed)?;
    Ok(summary.failed() == 0)
}

/// Level 3 spends its time waiting, so more cases than cores run at once.
const WORKERS: usize = 12;

/// Runs every case, and keeps their order.
fn each<T: Send>(fixtures: &[Fixture], run: impl Fn(&Fixture) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(fixture) = fixtures.get(index) else {
                return done;
            };
            done.push((index, run(fixture)));
        }
    };
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let mut workers = Vec::new();
        for _ in 0..WORKERS {
            workers.push(scope.spawn(work));
        }
        let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .flat_map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, run)| run).collect()
}

const USUAL: Wire = Wire::new(TlsVersion::Tls13, Provider::Ring);

fn all_levels(fixture: &Fixture) -> Vec<(Level, String, Verdict)> {
    let pure = [Level::L1, Level::L2];
    let mut runs: Vec<_> = pure
        .into_iter()
        .map(|level| (level, format!("{level:?}"), run(fixture, level, &USUAL)))
        .collect();
    runs.push(level_3(fixture, &USUAL));
    runs
}

fn level_3(fixture: &Fixture, wire: &Wire) -> (Level, String, Verdict) {
    let label = format!("L3, {:?}, {:?}", wire.version, wire.provider);
    (Level::L3, label, run(fixture, Level::L3, wire))
}

/// The second round: an application that brings its own provider.
#[cfg(feature = "aws-lc-rs")]
fn other() -> Result<Vec<Wire>, String> {
    Provider::AwsLcRs.install()?;
    let versions = [TlsVersion::Tls13, TlsVersion::Tls12];
    Ok(versions
        .map(|version| Wire::new(version, Provider::AwsLcRs))
        .to_vec())
}

#[cfg(not(feature = "aws-lc-rs"))]
fn other() -> Result<Vec<Wire>, String> {
    let note = "only one crypto provider is compiled in: --features aws-lc-rs has the other";
    writeln!(io::stderr(), "{note}").map_err(|error| error.to_string())?;
    Ok(Vec::new())
}
