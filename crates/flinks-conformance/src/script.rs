//! The server's part of a case: checks each request against the next step, and says what to do then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::time::{Duration, Instant};

use crate::case::{Credentials, Expect, Fault};
use crate::corpus::Fixture;
use crate::matching::{ExpectedBody, Head, check_body, check_credentials, check_head};
use crate::standard::Standard;

/// A step with its body files read.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    pub(crate) expect: Expect,
    pub(crate) body: Option<ExpectedBody>,
    pub(crate) action: Action,
    pub(crate) after: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Reply(ScriptedReply),
    Fault(Fault),
}

impl Action {
    /// Whether the request's body is read before anything else happens.
    pub(crate) const fn reads_body(&self) -> bool {
        match self {
            Self::Reply(reply) => !reply.early,
            Self::Fault(fault) => fault.reads_body(),
        }
    }

    /// Whether only a time limit ends it.
    pub(crate) const fn is_endless(&self) -> bool {
        matches!(self, Self::Fault(Fault::Hang | Fault::Stall))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ScriptedReply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    pub(crate) early: bool,
}

/// What the server does with a request.
pub(crate) struct Turn {
    pub(crate) action: Action,
    /// How long the server takes.
    pub(crate) after: Duration,
    /// Ends the step when it is dropped.
    step: Option<Running>,
}

/// A step in progress.
struct Running {
    script: Script,
    /// `None` for the token request that no step scripts.
    index: Option<usize>,
    body: Option<ExpectedBody>,
}

impl Turn {
    /// Checks the body of a request whose step was chosen by its head.
    pub(crate) fn check_body(&self, seen: &Bytes) {
        let Some(step) = &self.step else { return };
        if let Some(wanted) = &step.body {
            step.script
                .state()
                .note(step.index, &check_body(wanted, seen));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.index.is_some() {
            self.script.state().ended = Some(Instant::now());
        }
    }
}

/// The number of requests of the call itself, and of those whose credentials were refused.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) requests: usize,
    pub(crate) refused: usize,
}

/// The steps of a case, shared by all connections of its server.
#[derive(Clone)]
pub(crate) struct Script(Arc<Mutex<State>>);

struct State {
    steps: Vec<Option<Scripted>>,
    any_order: bool,
    credentials: Credentials,
    /// Whether the call itself fetches a token.
    is_token_call: bool,
    /// The runner answers one token request by itself when the case scripts none.
    token: Option<Scripted>,
    /// The first certificate that the client presented.
    certificate: Option<Vec<u8>>,
    problems: Vec<String>,
    ended: Option<Instant>,
    waits: Vec<Duration>,
    arrived: Arrived,
}

/// Whether the step is a token request.
pub(crate) fn is_token(step: &Scripted) -> bool {
    Standard::get().is_token(&step.expect.method, &step.expect.path)
}

impl Script {
    pub(crate) fn new(fixture: &Fixture) -> Self {
        let call = &fixture.case.call;
        let own = fixture.steps.iter();
        let own = own.filter(|_| call.credentials == Credentials::Standard);
        let mut token = own
            .filter_map(|step| Standard::get().token_for(&step.expect.method, &step.expect.path));
        let token = token.next().filter(|_| !fixture.steps.iter().any(is_token));
        Self(Arc::new(Mutex::new(State {
            steps: fixture.steps.iter().cloned().map(Some).collect(),
            any_order: fixture.case.any_order,
            credentials: call.credentials,
            is_token_call: call.operation.starts_with("auth."),
            token: token.cloned(),
            certificate: None,
            problems: Vec::new(),
            ended: None,
            waits: Vec::new(),
            arrived: Arrived::default(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any step is read before it is chosen.
    pub(crate) fn any_order(&self) -> bool {
        self.state().any_order
    }

    /// Chooses the step of a request by its head, and by its body when that is already read.
    pub(crate) fn begin(&self, head: &Head, body: Option<&Bytes>) -> Turn {
        let mut state = self.state();
        let is_token = Standard::get().is_token(&head.method, &head.path);
        let token = if is_token { state.token.take() } else { None };
        let (index, step) = match token {
            Some(step) => (None, step),
            None => {
                let index = state.choose(head, body);
                let step = index.and_then(|index| state.steps.get_mut(index)?.take());
                let Some(step) = step else {
                    let seen = format!("{} {}", head.method, head.path);
                    state
                        .problems
                        .push(format!("{seen}: one request more than the steps have"));
                    return refuse();
                };
                if let Some(ended) = state.ended {
                    state.waits.push(ended.elapsed());
                }
                (index, step)
            }
        };
        if state.is_token_call || !is_token {
            let refused = matches!(&step.action, Action::Reply(reply) if reply.status == 401);
            state.arrived.requests += 1;
            state.arrived.refused += usize::from(refused);
        }
        let mut lines = check_head(&step.expect, head);
        lines.extend(check_credentials(&step.expect, head, state.credentials));
        if let (Some(wanted), Some(seen)) = (&step.body, body) {
            lines.extend(check_body(wanted, seen));
        }
        state.note(index, &lines);
        // Read already: then it is checked already.
        let unread = step.body.filter(|_| body.is_none());
        let running = Running {
            script: self.clone(),
            index,
            body: unread,
        };
        Turn {
            action: step.action,
            after: step.after,
            step: Some(running),
        }
    }

    /// Takes the next step if it is a refused connection and nothing else is due before it.
    pub(crate) fn refuse_connection(&self) -> bool {
        let mut state = self.state();
        let Some(index) = state.refusal() else {
            return false;
        };
        if let Some(ended) = state.ended {
            state.waits.push(ended.elapsed());
        }
        state.ended = Some(Instant::now());
        state.steps.get_mut(index).and_then(Option::take).is_some()
    }

    /// Whether a connection that is kept would get in the way of the next step.
    pub(crate) fn next_is_refusal(&self) -> bool {
        self.state().refusal().is_some()
    }

    /// Compares the client's certificate with the one of the connections before.
    pub(crate) fn certificate(&self, certificate: &[u8]) {
        let mut state = self.state();
        match &state.certificate {
            None => state.certificate = Some(certificate.to_vec()),
            Some(first) if first == certificate => {}
            Some(_) => {
                let line = "a connection presents another client certificate than the first one";
                state.problems.push(line.to_owned());
            }
        }
    }

    /// Notes something that no step can see, such as a malformed head.
    pub(crate) fn problem(&self, text: impl Into<String>) {
        self.state().problems.push(text.into());
    }

    /// What has come so far.
    pub(crate) fn arrived(&self) -> Arrived {
        self.state().arrived
    }

    /// What went wrong, leftover steps included, and the pauses between the steps.
    pub(crate) fn close(&self) -> (Vec<String>, Vec<Duration>) {
        let mut state = self.state();
        let mut problems = std::mem::take(&mut state.problems);
        for (index, step) in state.steps.iter().enumerate() {
            if let Some(step) = step {
                let Expect { method, path, .. } = &step.expect;
                problems.push(format!(
                    "steps[{index}]: {method} {path} was never requested"
                ));
            }
        }
        (problems, std::mem::take(&mut state.waits))
    }
}

/// Answers what no step expects: 500 is never retried.
fn refuse() -> Turn {
    let reply = ScriptedReply {
        status: 500,
        headers: BTreeMap::new(),
        body: Bytes::from_static(b"the script has no such step"),
        early: false,
    };
    Turn {
        action: Action::Reply(reply),
        after: Duration::ZERO,
        step: None,
    }
}

impl State {
    fn choose(&self, head: &Head, body: Option<&Bytes>) -> Option<usize> {
        let mut left = self
            .steps
            .iter()
            .enumerate()
            .filter_map(|(i, step)| Some((i, step.as_ref()?)));
        let fits = |step: &Scripted| {
            check_head(&step.expect, head).is_empty()
                && check_credentials(&step.expect, head, self.credentials).is_empty()
                && match (&step.body, body) {
                    (Some(wanted), Some(seen)) => check_body(wanted, seen).is_empty(),
                    _ => true,
                }
        };
        let first = left.next()?;
        if !self.any_order || fits(first.1) {
            return Some(first.0);
        }
        // Nothing fits: the difference from the first one left is reported.
        Some(
            left.find(|(_, step)| fits(step))
                .map_or(first.0, |(index, _)| index),
        )
    }

    fn refusal(&self) -> Option<usize> {
        let index = self.steps.iter().position(Option::is_some)?;
        let step = self.steps.get(index)?.as_ref()?;
        let refuses = matches!(step.action, Action::Fault(Fault::Refuse));
        (refuses && self.token.is_none()).then_some(index)
    }

    fn note(&mut self, index: Option<usize>, lines: &[String]) {
        let place = index.map_or_else(
            || "the token request".to_owned(),
            |index| format!("steps[{index}].expect"),
        );
        let lines = lines.iter().map(|line| format!("{place}: {line}"));
        self.problems.extend(lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_client_certificate_is_a_problem() {
        let folder = crate::fixtures();
        let fixtures = crate::load(&folder).expect("a corpus");
        let script = Script::new(fixtures.first().expect("a case"));
        script.certificate(b"one");
        script.certificate(b"one");
        assert!(script.state().problems.is_empty());
        script.certificate(b"two");
        assert_eq!(script.state().problems.len(), 1);
    }
}
