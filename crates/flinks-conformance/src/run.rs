//! Runs one case at one level.

mod codec;
mod live;
mod stack;
mod wire;

use std::fmt;
use std::sync::Arc;

use flinks_cli::settings::Settings;
use flinks_transport::{Error, Transport, TransportBuilder};
use serde_json::Value;

use crate::case::{Credentials, Fault, Level};
use crate::corpus::Fixture;
use crate::keys::Keys;
use crate::layer_probes::LayerProbes;
use crate::leak::Needles;
use crate::logs::Logs;
use crate::operations::{self, CaseCall, Failure, Outcome};
use crate::script::Action;

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
    /// Against the hosts and with the credentials of these settings.
    Live(Arc<Settings>),
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

/// Builds the runner's transport, with the layers of an application if there are any.
pub(crate) type Assemble = dyn Fn(TransportBuilder) -> Result<Transport, Error> + Send + Sync;

/// The result of one run of a case.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CaseResult {
    /// All is as the case wants it.
    Passed,
    /// One line for each thing that is not.
    Failed(Vec<String>),
    /// The level does not apply to this case.
    NotApplicable,
}

impl CaseResult {
    fn of(lines: Vec<String>) -> Self {
        if lines.is_empty() {
            Self::Passed
        } else {
            Self::Failed(lines)
        }
    }
}

/// Runs a case through the client's own stack, without an application's layers.
#[must_use]
pub fn run(fixture: &Fixture, pass: &Pass) -> CaseResult {
    judge(fixture, pass, &TransportBuilder::build)
}

/// Runs a case through an assembled transport.
pub(crate) fn judge(fixture: &Fixture, pass: &Pass, assemble: &Assemble) -> CaseResult {
    match attempt(fixture, pass, assemble) {
        Ok(None) => CaseResult::NotApplicable,
        Ok(Some(ran)) => CaseResult::of(ran.lines()),
        Err(error) => CaseResult::Failed(vec![error.to_string()]),
    }
}

/// Runs a case; `None` where the pass does not apply to it.
pub(crate) fn attempt(
    fixture: &Fixture,
    pass: &Pass,
    assemble: &Assemble,
) -> Result<Option<CaseRun>, SetupError> {
    let is_proxied = matches!(pass, Pass::Wire(wire) if wire.through_proxy);
    let mut steps = fixture.steps.iter();
    let is_refused = steps.any(|step| matches!(step.action, Action::Fault(Fault::Refuse)));
    if !fixture.has(pass.level()) || (is_proxied && is_refused) {
        return Ok(None);
    }
    let call = match (pass, &fixture.live) {
        (Pass::Live(_), Some(call)) => call,
        _ => &fixture.case.call,
    };
    let call = operations::parse(call).map_err(setup_error)?;
    let call = &*call;
    let logs = Logs::default();
    let ran = tracing::dispatcher::with_default(&logs.dispatch(), || match pass {
        Pass::Codec => codec::run(fixture, call),
        Pass::Stack => stack::run(fixture, call, assemble, &logs).map(Some),
        Pass::Wire(wire) => wire::run(fixture, call, wire, assemble, &logs).map(Some),
        Pass::Live(settings) => live::run(fixture, call, settings, assemble, &logs).map(Some),
    })?;
    let Some(mut ran) = ran else {
        return Ok(None);
    };
    ran.texts.push(("the log", logs.text()));
    let keys = match pass {
        Pass::Live(settings) => Keys::of(settings).map_err(setup_error)?,
        Pass::Codec | Pass::Stack | Pass::Wire(_) => Keys::standard(),
    };
    let needles = needles(fixture, call, &keys);
    let search = |(place, text): &(&'static str, String)| needles.search(place, text);
    ran.leaks = ran.texts.iter().flat_map(search).collect();
    Ok(Some(ran))
}

/// What a run found.
#[derive(Default)]
pub(crate) struct CaseRun {
    /// How the requests differ from the steps, one line for each difference.
    pub(crate) requests: Vec<String>,
    /// How the outcome differs from what the case wants.
    pub(crate) outcome: Vec<String>,
    /// Secrets where none may be.
    pub(crate) leaks: Vec<String>,
    /// The outcome; `None` if the codec alone does not determine it.
    pub(crate) result: Option<Result<Value, Box<Failure>>>,
    /// Every text that a program might write down.
    texts: Vec<(&'static str, String)>,
}

impl CaseRun {
    fn of(requests: Vec<String>, problems: Vec<String>, outcome: Outcome) -> Self {
        Self {
            requests,
            outcome: problems,
            leaks: Vec::new(),
            result: Some(outcome.result),
            texts: outcome.texts,
        }
    }

    /// Adds what an application's layers saw. A token request brings its credentials itself, above
    /// every layer; so does a call without the client's credentials.
    fn probed(mut self, probes: &LayerProbes, call: &dyn CaseCall, fixture: &Fixture) -> Self {
        if !call.is_token() && fixture.case.call.credentials == Credentials::Standard {
            self.texts.push(("what layers see", probes.text()));
        }
        self
    }

    /// One line for each thing that is wrong.
    pub(crate) fn lines(self) -> Vec<String> {
        [self.requests, self.outcome, self.leaks].concat()
    }
}

/// The run itself could not be set up.
#[derive(Debug)]
pub(crate) struct SetupError(String);

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the run could not be set up: {}", self.0)
    }
}

fn setup_error(error: impl fmt::Display) -> SetupError {
    SetupError(error.to_string())
}

/// A document, a password or an answer is searched for from this length on: shorter texts turn up
/// by chance.
const SHORTEST_CONTENT: usize = 8;

fn needles(fixture: &Fixture, call: &dyn CaseCall, keys: &Keys) -> Needles {
    let mut needles = Needles::default();
    for (name, secret) in keys.secrets() {
        needles.add(name, secret);
    }
    needles.add("the proxy's password", wire::PROXY.1);
    for (index, secret) in fixture.case.secrets.iter().enumerate() {
        needles.add(&format!("secrets[{index}]"), secret);
    }
    for content in call.secrets() {
        if content.len() >= SHORTEST_CONTENT {
            needles.add("an input of the call", &content);
        }
    }
    needles
}
