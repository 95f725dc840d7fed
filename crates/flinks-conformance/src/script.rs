//! The server's part of a case: checks each request against the next step, and says what to do then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::case::{Credentials, Expect, Fault};
use crate::matching::{ExpectedBody, Head, check_body, check_head, header};
use crate::standard;

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

impl ScriptedReply {
    fn json(status: u16, body: &Value) -> Self {
        let typed = ("content-type".to_owned(), "application/json".to_owned());
        Self {
            status,
            headers: BTreeMap::from([typed]),
            body: body.to_string().into(),
            early: false,
        }
    }
}

/// What the server does with a request.
pub(crate) struct Turn {
    pub(crate) action: Action,
    /// How long the server takes.
    pub(crate) after: Duration,
    /// Ends the step when it is dropped, whoever drops it.
    step: Option<Running>,
}

/// A step under way.
struct Running {
    script: Script,
    index: usize,
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
        self.script.state().ended = Some(Instant::now());
    }
}

/// How many requests of the call itself came, and how many of them had their credentials refused.
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
    /// What calls must carry, unless a step says something else.
    credentials: Credentials,
    /// The runner answers one token request by itself when the case scripts none.
    token_is_due: bool,
    problems: Vec<String>,
    ended: Option<Instant>,
    waits: Vec<Duration>,
    arrived: Arrived,
}

impl Script {
    pub(crate) fn new(steps: &[Scripted], any_order: bool, credentials: Credentials) -> Self {
        let any = |is: fn(&str) -> bool| steps.iter().any(|step| is(&step.expect.path));
        let wanted = match credentials {
            Credentials::Oauth => true,
            Credentials::LegacyKeys => any(|path| path.ends_with("/Authorize")),
            Credentials::ApiSecret | Credentials::None => false,
        };
        Self(Arc::new(Mutex::new(State {
            steps: steps.iter().cloned().map(Some).collect(),
            any_order,
            credentials,
            token_is_due: wanted && !any(standard::is_token),
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
        if state.token_is_due && standard::is_token(&head.path) {
            state.token_is_due = false;
            state.check_token_request(head);
            let answer = match state.credentials {
                Credentials::LegacyKeys => standard::authorize_token_answer(),
                Credentials::Oauth | Credentials::ApiSecret | Credentials::None => {
                    standard::token_answer()
                }
            };
            let reply = ScriptedReply::json(200, &answer);
            return Turn {
                action: Action::Reply(reply),
                after: Duration::ZERO,
                step: None,
            };
        }
        let Some(index) = state.choose(head, body) else {
            let seen = format!("{} {}", head.method, head.path);
            state
                .problems
                .push(format!("{seen}: one request more than the steps have"));
            return refuse();
        };
        let Some(step) = state.steps.get_mut(index).and_then(Option::take) else {
            return refuse();
        };
        if let Some(ended) = state.ended {
            state.waits.push(ended.elapsed());
        }
        if state.credentials == Credentials::None || !standard::is_token(&head.path) {
            let refused = matches!(&step.action, Action::Reply(reply) if reply.status == 401);
            state.arrived.requests += 1;
            state.arrived.refused += usize::from(refused);
        }
        let mut lines = check_head(&step.expect, head, state.credentials);
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

    /// Something that no step can see, such as a malformed head.
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
    let body = json!({ "Message": "the script has no such step" });
    Turn {
        action: Action::Reply(ScriptedReply::json(500, &body)),
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
            check_head(&step.expect, head, self.credentials).is_empty()
                && match (&step.body, body) {
                    (Some(wanted), Some(seen)) => check_body(wanted, seen).is_empty(),
                    _ => true,
                }
        };
        let first = left.next()?;
        if !self.any_order || fits(first.1) {
            return Some(first.0);
        }
        // Nothing fits: the first one left tells what was expected.
        Some(
            left.find(|(_, step)| fits(step))
                .map_or(first.0, |(index, _)| index),
        )
    }

    fn refusal(&self) -> Option<usize> {
        let index = self.steps.iter().position(Option::is_some)?;
        let step = self.steps.get(index)?.as_ref()?;
        let refuses = matches!(step.action, Action::Fault(Fault::Refuse));
        (refuses && !self.token_is_due).then_some(index)
    }

    fn check_token_request(&mut self, head: &Head) {
        let (name, value) = match self.credentials {
            Credentials::LegacyKeys => ("flinks-auth-key", standard::AUTH_KEY),
            Credentials::Oauth | Credentials::ApiSecret | Credentials::None => {
                ("authorization", standard::BASIC_HEADER)
            }
        };
        if header(&head.headers, name).as_deref() != Some(value) {
            self.problems
                .push("the token request carries other credentials".to_owned());
        }
    }

    fn note(&mut self, index: usize, lines: &[String]) {
        self.problems.extend(
            lines
                .iter()
                .map(|line| format!("steps[{index}].expect: {line}")),
        );
    }
}
