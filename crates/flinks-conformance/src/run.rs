//! Runs one case at one level.

mod codec;
mod live;
mod stack;
mod wire;

use std::fmt;

use flinks_transport::{Error, Transport, TransportBuilder};
use serde_json::Value;

use crate::case::{Call, Credentials, Level};
use crate::corpus::Fixture;
use crate::environment::Environment;
use crate::keys::Keys;
use crate::leak::Needles;
use crate::logs::Logs;
use crate::operations::{self, Failure, Outcome, Parsed};
use crate::standard;
use crate::watch::Watches;

pub use wire::{Provider, Wire};

/// How much of the stack a case runs through, and over what.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Pass {
    /// Level 1: the codec.
    Codec,
    /// Level 2: the stack in paused time.
    Stack,
    /// Level 3: the stack over TLS on loopback.
    Wire(Wire),
    /// Against the hosts of an environment.
    Live(Environment),
}

impl Pass {
    /// The level that a case must have for this pass to apply.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Codec => Level::L1,
            Self::Stack => Level::L2,
            Self::Wire(_) => Level::L3,
            Self::Live(_) => Level::Live,
        }
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Codec => f.write_str("L1"),
            Self::Stack => f.write_str("L2"),
            Self::Wire(wire) => write!(f, "L3, {:?}, {:?}", wire.version, wire.provider),
            Self::Live(_) => f.write_str("live"),
        }
    }
}

/// How the runner's transport is put together: with the layers of whoever asks.
pub(crate) type Assemble = dyn Fn(TransportBuilder) -> Result<Transport, Error> + Send + Sync;

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

/// Runs a case through the client's own stack, without layers of anybody else.
#[must_use]
pub fn run(fixture: &Fixture, pass: &Pass) -> Verdict {
    judge(fixture, pass, &TransportBuilder::build)
}

/// Why a case does not run at a level; `None` where it does.
#[must_use]
pub fn why_not(fixture: &Fixture, level: Level) -> Option<&str> {
    let levels = fixture.case.levels.as_ref();
    let left_out = levels.filter(|levels| !levels.only.contains(&level));
    if let Some(levels) = left_out {
        return Some(&levels.reason);
    }
    let has_no_codec = || {
        let ran = attempt(fixture, &Pass::Codec, &TransportBuilder::build);
        matches!(ran, Ok(None))
    };
    match level {
        Level::L1 if has_no_codec() => {
            Some("a flow of calls has no codec, nor has a check before sending")
        }
        Level::Live if fixture.live.is_none() => Some("its answers are scripted"),
        Level::L1 | Level::L2 | Level::L3 | Level::Live => None,
    }
}

/// Runs a case through an assembled transport.
pub(crate) fn judge(fixture: &Fixture, pass: &Pass, assemble: &Assemble) -> Verdict {
    match attempt(fixture, pass, assemble) {
        Ok(None) => Verdict::NotApplicable,
        Ok(Some(ran)) => Verdict::of(ran.lines()),
        Err(broken) => Verdict::Failed(vec![broken.to_string()]),
    }
}

/// Runs a case; `None` where the pass does not apply to it.
pub(crate) fn attempt(
    fixture: &Fixture,
    pass: &Pass,
    assemble: &Assemble,
) -> Result<Option<Ran>, Broken> {
    if !fixture.has(pass.level()) {
        return Ok(None);
    }
    let call = match (pass, &fixture.live) {
        (Pass::Live(_), Some(call)) => call,
        _ => &fixture.case.call,
    };
    let parsed = operations::parse(call).map_err(broken)?;
    let logs = Logs::default();
    let ran = tracing::dispatcher::with_default(&logs.dispatch(), || match pass {
        Pass::Codec => codec::run(fixture, &parsed),
        Pass::Stack => stack::run(fixture, &parsed, assemble, &logs).map(Some),
        Pass::Wire(wire) => wire::run(fixture, &parsed, wire, assemble, &logs).map(Some),
        Pass::Live(environment) => {
            live::run(fixture, &parsed, environment, assemble, &logs).map(Some)
        }
    })?;
    Ok(ran.map(|mut ran| {
        ran.texts.push(("the log", logs.text()));
        let needles = needles(fixture, &parsed, pass);
        let search = |(place, text): &(&'static str, String)| needles.search(place, text);
        ran.leaks = ran.texts.iter().flat_map(search).collect();
        ran
    }))
}

/// What a run leaves to be judged.
#[derive(Default)]
pub(crate) struct Ran {
    /// What the server did not see as the case has it, one line for each thing.
    pub(crate) asked: Vec<String>,
    /// What came of the call and is not as the case wants it.
    pub(crate) came: Vec<String>,
    /// Secrets where none may be.
    pub(crate) leaks: Vec<String>,
    /// What came of the call; `None` where the codec alone cannot tell.
    pub(crate) result: Option<Result<Value, Box<Failure>>>,
    /// Every text that a program might write down.
    texts: Vec<(&'static str, String)>,
}

impl Ran {
    fn of(asked: Vec<String>, came: Vec<String>, outcome: Outcome) -> Self {
        Self {
            asked,
            came,
            leaks: Vec::new(),
            result: Some(outcome.result),
            texts: outcome.texts,
        }
    }

    /// Adds what a layer of the application's own saw, but for calls that bring their credentials
    /// themselves: those are above every layer.
    fn watched(mut self, watches: &Watches, credentials: Credentials) -> Self {
        if credentials != Credentials::None {
            self.texts.push(("what layers see", watches.text()));
        }
        self
    }

    /// One line for each thing that is wrong.
    pub(crate) fn lines(self) -> Vec<String> {
        let mut lines = self.asked;
        lines.extend(self.came);
        lines.extend(self.leaks);
        lines
    }
}

/// The run itself could not be set up.
#[derive(Debug)]
pub(crate) struct Broken(String);

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

fn needles(fixture: &Fixture, parsed: &Parsed, pass: &Pass) -> Needles {
    let mut needles = Needles::default();
    if let Pass::Live(environment) = pass {
        // The tokens are between the host and the client: nobody else knows them.
        for (name, secret) in environment.secrets() {
            needles.add(name, secret);
        }
    } else {
        for (name, secret) in Keys::standard().secrets() {
            needles.add(name, secret);
        }
        needles.add("the access token", standard::TOKEN);
        needles.add("the authorize token", standard::AUTHORIZE_TOKEN);
    }
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
