//! Runs one case at one level.

mod codec;
mod stack;
mod wire;

use std::fmt;

use crate::case::{Call, Credentials, Level};
use crate::corpus::Fixture;
use crate::leak::Needles;
use crate::logs::Logs;
use crate::operations::{self, Outcome, Parsed};
use crate::standard;
use crate::watch::Watch;

pub use wire::{Provider, Wire};

/// What a run of a case came to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// All is as the case wants it.
    Passed,
    /// One line for each thing that is not.
    Failed(Vec<String>),
    /// The level does not apply to this case.
    NotApplicable,
}

impl Verdict {
    fn of(lines: Vec<String>) -> Self {
        if lines.is_empty() {
            Self::Passed
        } else {
            Self::Failed(lines)
        }
    }
}

/// Runs a case at one level; `wire` is for level 3.
#[must_use]
pub fn run(fixture: &Fixture, level: Level, wire: &Wire) -> Verdict {
    if !fixture.has(level) {
        return Verdict::NotApplicable;
    }
    let parsed = match operations::parse(&fixture.case.call) {
        Ok(parsed) => parsed,
        Err(error) => return Verdict::Failed(vec![format!("call: {error}")]),
    };
    let logs = Logs::default();
    let ran = tracing::dispatcher::with_default(&logs.dispatch(), || match level {
        Level::L1 => codec::run(fixture, &parsed),
        Level::L2 => stack::run(fixture, &parsed, &logs).map(Some),
        Level::L3 => wire::run(fixture, &parsed, wire, &logs).map(Some),
    });
    match ran {
        Ok(None) => Verdict::NotApplicable,
        Ok(Some(mut ran)) => {
            ran.texts.push(("the log", logs.text()));
            let needles = needles(fixture, &parsed);
            let leaks = ran
                .texts
                .iter()
                .flat_map(|(place, text)| needles.search(place, text));
            ran.lines.extend(leaks);
            Verdict::of(ran.lines)
        }
        Err(broken) => Verdict::Failed(vec![broken.to_string()]),
    }
}

/// What a run leaves to be judged.
struct Ran {
    lines: Vec<String>,
    texts: Vec<(&'static str, String)>,
}

impl Ran {
    fn of(lines: Vec<String>, outcome: Outcome) -> Self {
        Self {
            lines,
            texts: outcome.texts,
        }
    }

    /// Adds what a layer of the application's own saw, but for calls that bring their credentials
    /// themselves: those are above every layer.
    fn watched(mut self, watch: &Watch, credentials: Credentials) -> Self {
        if credentials != Credentials::None {
            self.texts.push(("what layers see", watch.text()));
        }
        self
    }
}

/// The run itself could not be set up.
struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the run could not be set up: {}", self.0)
    }
}

fn broken(error: impl fmt::Display) -> Broken {
    Broken(error.to_string())
}

fn credentials(call: &Call, parsed: &Parsed) -> Credentials {
    call.credentials.unwrap_or_else(|| parsed.credentials())
}

/// A document, a password or an answer is searched for from this length on: shorter texts turn up
/// by chance.
const SHORTEST_CONTENT: usize = 8;

fn needles(fixture: &Fixture, parsed: &Parsed) -> Needles {
    let mut needles = Needles::default();
    needles.add("the client secret", standard::CLIENT_SECRET);
    needles.add("the access token", standard::TOKEN);
    needles.add("the API secret", standard::API_SECRET);
    needles.add("the authorize secret key", standard::AUTH_KEY);
    needles.add("the authorize token", standard::AUTHORIZE_TOKEN);
    needles.add("the x-api-key", standard::X_API_KEY);
    for (index, secret) in fixture.case.secrets.iter().enumerate() {
        needles.add(&format!("secrets[{index}]"), secret);
    }
    for content in parsed.contents() {
        if content.len() >= SHORTEST_CONTENT {
            needles.add("what the call was given", &content);
        }
    }
    needles
}
