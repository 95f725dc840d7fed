//! The runner's program: every case of the corpus at every level, a table by family, and one closing line.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use flinks_conformance::{
    CorpusError, Coverage, Level, Pass, Provider, Requirements, Settings, Suite, Summary,
    TlsVersion, Wire, fixtures,
};

const USAGE: &str = "\
usage: flinks-conformance COMMAND [--fixtures FOLDER]

  test [FILTER] [--wire]  runs the cases whose family/name contains FILTER;
                          --wire adds TLS 1.2, a proxy, and everything on the wire with the other
                          crypto provider (compiled in by the feature aws-lc-rs)
  test [FILTER] --live    runs those marked for it, and nothing else, against the hosts and with
                          the credentials of the variables FLINKS_… that `flinks` reads
  test [FILTER] --bless   runs them, and rewrites what a case wants to what its call returns,
                          where nothing else is wrong
  check                   reads all cases and names what they do not cover, and runs nothing
  coverage                prints what the cases cover, and why the rest need not be covered

  --fixtures FOLDER       another folder than this workspace's
";

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)).and_then(|options| execute(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // The reader closed the pipe; what was not printed must not look like a pass.
        Err(message) if message.is_empty() => ExitCode::FAILURE,
        Err(message) => {
            writeln!(io::stderr(), "{message}").unwrap_or_default();
            ExitCode::from(2)
        }
    }
}

#[derive(Default)]
struct Options {
    command: String,
    words: Vec<String>,
    flags: Vec<String>,
    fixtures: Option<PathBuf>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let command = arguments.next().ok_or(USAGE)?;
        let mut options = Self {
            command,
            ..Self::default()
        };
        while let Some(argument) = arguments.next() {
            if argument == "--fixtures" {
                options.fixtures = Some(arguments.next().ok_or(USAGE)?.into());
            } else if argument.starts_with('-') {
                options.flags.push(argument);
            } else {
                options.words.push(argument);
            }
        }
        Ok(options)
    }

    /// Every case of the folder.
    fn corpus(&self) -> Result<Suite, String> {
        let folder = self.fixtures.clone().unwrap_or_else(fixtures);
        Suite::of(&folder).map_err(|error| error.to_string())
    }

    /// The cases that the command is about.
    fn suite(&self) -> Result<Suite, String> {
        let suite = self.corpus()?;
        match self.words.as_slice() {
            [] => Ok(suite),
            [filter] => Ok(suite.matching(filter)),
            _ => Err(USAGE.to_owned()),
        }
    }
}

/// Whether everything is as it should be.
fn execute(options: &Options) -> Result<bool, String> {
    let flags: Vec<_> = options.flags.iter().map(String::as_str).collect();
    match (options.command.as_str(), flags.as_slice()) {
        ("test", []) => test(options, false),
        ("test", ["--wire"]) => test(options, true),
        ("test", ["--live"]) => live(&options.suite()?),
        ("test", ["--bless"]) => bless(options.suite()?),
        ("coverage", []) if options.words.is_empty() => coverage(&options.corpus()?),
        ("check", []) if options.words.is_empty() => check(&options.corpus()?),
        _ => Err(USAGE.to_owned()),
    }
}

fn print(text: impl std::fmt::Display) -> Result<(), String> {
    let written = write!(io::stdout().lock(), "{text}");
    written.map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            String::new()
        } else {
            error.to_string()
        }
    })
}

/// The matrices, the demands of the documents, and what the corpus lacks of both.
fn covered(suite: &Suite) -> Result<(Coverage, Requirements, Vec<String>), String> {
    let failed = |error: CorpusError| error.to_string();
    let (coverage, requirements) = (
        suite.coverage().map_err(failed)?,
        suite.requirements().map_err(failed)?,
    );
    let mut holes = coverage.problems().to_vec();
    holes.extend(requirements.check(suite.fixtures()));
    Ok((coverage, requirements, holes))
}

fn coverage(suite: &Suite) -> Result<bool, String> {
    let (coverage, requirements, holes) = covered(suite)?;
    print(format_args!("{coverage}{requirements}"))?;
    for line in &holes {
        print(format_args!("\nFAILED {line}\n"))?;
    }
    Ok(holes.is_empty())
}

fn check(suite: &Suite) -> Result<bool, String> {
    let (.., holes) = covered(suite)?;
    for line in &holes {
        print(format_args!("{line}\n"))?;
    }
    Ok(holes.is_empty())
}

fn test(options: &Options, wire: bool) -> Result<bool, String> {
    let suite = &options.suite()?;
    let mut summary = suite.run(&Suite::USUAL);
    if wire {
        let older = Wire::new(TlsVersion::Tls12, Provider::Ring);
        summary.merge(suite.run(&[Pass::Wire(older)]));
        let proxied = Wire::new(TlsVersion::Tls13, Provider::Ring).through_proxy();
        summary.merge(suite.run(&[Pass::Wire(proxied)]));
        // Last: a process cannot go back to the provider that it had before.
        summary.merge(with_the_other_provider(suite)?);
    }
    if options.words.is_empty() {
        let (_, requirements, holes) = covered(suite)?;
        let note = match (holes.len(), requirements.requirements.len()) {
            (0, traced) => format!("coverage: no empty cell; {traced} requirements traced"),
            (holes, _) => format!("coverage: {holes} problems"),
        };
        summary.cover(note, holes);
    }
    print(&summary)?;
    Ok(summary.failed() == 0)
}

fn live(suite: &Suite) -> Result<bool, String> {
    let marked = suite.fixtures().iter();
    if marked.filter(|fixture| fixture.has(Level::Live)).count() == 0 {
        return Err("no such case is marked live".to_owned());
    }
    let summary = suite.run(&[Pass::Live(settings()?)]);
    print(&summary)?;
    Ok(summary.failed() == 0)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program is configured by its environment"
)]
fn settings() -> Result<Arc<Settings>, String> {
    let settings = Settings::from_environment(|name| std::env::var_os(name));
    settings.map(Arc::new).map_err(|error| error.to_string())
}

fn bless(suite: Suite) -> Result<bool, String> {
    if suite.fixtures().is_empty() {
        return Err("there is no such case".to_owned());
    }
    let blessed = suite.bless();
    print(&blessed)?;
    Ok(blessed.summary.failed() == 0)
}

/// The second round: an application that brings its own provider.
#[cfg(feature = "aws-lc-rs")]
fn with_the_other_provider(suite: &Suite) -> Result<Summary, String> {
    Provider::AwsLcRs.install()?;
    let versions = [TlsVersion::Tls13, TlsVersion::Tls12];
    let passes = versions.map(|version| Pass::Wire(Wire::new(version, Provider::AwsLcRs)));
    Ok(suite.run(&passes))
}

#[cfg(not(feature = "aws-lc-rs"))]
fn with_the_other_provider(_: &Suite) -> Result<Summary, String> {
    let note = "only one crypto provider is compiled in: --features aws-lc-rs has the other";
    writeln!(io::stderr(), "{note}").map_err(|error| error.to_string())?;
    Ok(Summary::default())
}
