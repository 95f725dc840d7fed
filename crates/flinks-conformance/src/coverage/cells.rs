//! Which cells of the matrices a case fills, read from the case itself.

use flinks_transport::{Endpoint, Replay};
use serde_json::Value;

use super::challenges;
use crate::case::{ClientCertificate, Fault, ServerCertificate};
use crate::corpus::Fixture;
use crate::operations::{self, CaseCall, Host};
use crate::script::{Action, Scripted, ScriptedReply, is_token};

pub(crate) const OUTCOMES: &str = "operations";
pub(crate) const CHALLENGES: &str = "challenges";
pub(crate) const FAULTS: &str = "faults";
pub(crate) const SESSIONS: &str = "lost answers";
pub(crate) const CERTIFICATES: &str = "certificates";
pub(crate) const CODES: &str = "FlinksCodes";

pub(crate) const OUTCOME_COLUMNS: [&str; 10] = [
    "success", "refused", "no JSON", "no body", "no field", "null", "new word", "lost", "again",
    "renewed",
];

pub(crate) const FAULT_ROWS: [&str; 19] = [
    "refuse",
    "reset-before-send",
    "reset-after-send",
    "close-after-send",
    "torn-body",
    "hang",
    "stall",
    "garbage",
    "too large an answer",
    "a redirect",
    "an early answer",
    "408",
    "429",
    "429 with Retry-After",
    "500",
    "502",
    "503",
    "503 with Retry-After",
    "504",
];

pub(crate) const SESSION_COLUMNS: [&str; 3] = ["first file", "later file", "complete"];

pub(crate) const CERTIFICATE_COLUMNS: [&str; 4] = ["none", "other-ca", "wrong-host", "expired"];

/// The statuses that FlinksCodes are documented with.
pub(crate) const STATUSES: [&str; 10] = [
    "200", "201", "202", "400", "401", "403", "405", "429", "500", "501",
];

/// One cell of one matrix.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Cell {
    pub(crate) matrix: &'static str,
    pub(crate) row: String,
    pub(crate) column: &'static str,
}

fn cell(matrix: &'static str, row: impl Into<String>, column: &'static str) -> Cell {
    Cell {
        matrix,
        row: row.into(),
        column,
    }
}

/// The cells that a case fills, each once.
pub(crate) fn cells(fixture: &Fixture) -> Vec<Cell> {
    let mut cells = outcomes(fixture);
    cells.extend(challenges(fixture));
    cells.extend(faults(fixture));
    cells.extend(session(fixture));
    cells.extend(certificates(fixture));
    cells.extend(codes(fixture));
    cells.sort();
    cells.dedup();
    cells
}

/// The steps of the call itself, not of the token that it needed.
fn own_steps(fixture: &Fixture) -> impl Iterator<Item = &Scripted> {
    let all = is_token_call(fixture);
    let own = move |step: &&Scripted| all || !is_token(step);
    fixture.steps.iter().filter(own)
}

fn is_token_call(fixture: &Fixture) -> bool {
    fixture.case.call.operation.starts_with("auth.")
}

fn own_replies(fixture: &Fixture) -> impl Iterator<Item = &ScriptedReply> {
    own_steps(fixture).filter_map(|step| match &step.action {
        Action::Reply(reply) => Some(reply),
        Action::Fault(_) => None,
    })
}

/// The answers that are JSON, and the answer that asked the questions of a round.
fn answers(fixture: &Fixture) -> impl Iterator<Item = Value> {
    let asks = fixture.case.call.input.get("challenged").cloned();
    let replies = own_replies(fixture).filter_map(json);
    asks.into_iter().chain(replies)
}

/// A reply's JSON. What is too large for an answer is none, and takes long to read.
fn json(reply: &ScriptedReply) -> Option<Value> {
    let body = Some(&reply.body).filter(|body| body.len() <= LARGE)?;
    serde_json::from_slice(body).ok()
}

fn outcomes(fixture: &Fixture) -> Vec<Cell> {
    let error = fixture.case.want.error.as_ref();
    let is_json = |reply: &ScriptedReply| json(reply).is_some();
    let shows = &fixture.case.shows;
    let own = is_token_call(fixture).then_some("token");
    let filled = [
        error.is_none(),
        error.is_some_and(|error| error.kind == "api" && error.step.as_deref() == own)
            && own_replies(fixture).any(is_json),
        own_replies(fixture).any(|reply| !reply.body.is_empty() && !is_json(reply)),
        own_replies(fixture).any(|reply| reply.body.is_empty()),
        !shows.missing.is_empty(),
        answers(fixture).any(|answer| has(&answer, &Value::is_null)),
        !shows.new_words.is_empty(),
        own_steps(fixture).any(|step| is_lost(&step.action)),
        is_asked_again(fixture),
        is_renewed(fixture),
    ];
    let columns = OUTCOME_COLUMNS.into_iter().zip(filled);
    columns
        .filter(|(_, filled)| *filled)
        .map(|(column, _)| cell(OUTCOMES, &fixture.case.call.operation, column))
        .collect()
}

/// Whether a value, or anything within it, is so.
fn has(value: &Value, is: &impl Fn(&Value) -> bool) -> bool {
    is(value)
        || match value {
            Value::Array(list) => list.iter().any(|value| has(value, is)),
            Value::Object(object) => object.values().any(|value| has(value, is)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
}

/// Whether the service has read the request, and its answer does not arrive.
const fn is_lost(action: &Action) -> bool {
    match action {
        Action::Fault(fault) => fault.reads_body(),
        Action::Reply(_) => false,
    }
}

/// Whether the same request is seen again after it failed for another reason than its credentials.
fn is_asked_again(fixture: &Fixture) -> bool {
    let steps: Vec<_> = own_steps(fixture).collect();
    steps.windows(2).any(|pair| match pair {
        [one, two] => {
            let failed = match &one.action {
                Action::Reply(reply) => reply.status >= 400 && reply.status != 401,
                Action::Fault(_) => true,
            };
            let target = |step: &Scripted| (step.expect.method.clone(), step.expect.path.clone());
            failed && target(one) == target(two)
        }
        _ => false,
    })
}

/// Whether a refused credential is fetched again, and the call made again with it.
fn is_renewed(fixture: &Fixture) -> bool {
    let mut refused = fixture.steps.iter().skip_while(|step| {
        let is_401 = matches!(&step.action, Action::Reply(reply) if reply.status == 401);
        !is_401 || is_token(step)
    });
    refused.next().is_some_and(|call| {
        let mut left = refused.skip_while(|step| !is_token(step));
        left.next().is_some() && left.any(|step| step.expect.path == call.expect.path)
    })
}

/// How the questions of the first round are answered: all of them right, or the one at fault.
fn challenges(fixture: &Fixture) -> Vec<Cell> {
    let call = &fixture.case.call;
    let asked = call.input.pointer("/challenged/SecurityChallenges");
    let asked = asked.and_then(Value::as_array);
    let Some((asked, given)) = asked.zip(call.input.pointer("/answers/0")) else {
        return Vec::new();
    };
    let is_right = fixture.case.want.error.is_none();
    if !is_right && !fixture.steps.is_empty() {
        // Sent, and refused by the bank: not a matter of the question's type.
        return Vec::new();
    }
    let read = challenges::read(asked, given, is_right).into_iter();
    read.map(|(row, column)| cell(CHALLENGES, row, column))
        .collect()
}

fn faults(fixture: &Fixture) -> Vec<Cell> {
    let Some(column) = replay(fixture) else {
        return Vec::new();
    };
    let failed = own_steps(fixture).filter_map(|step| match &step.action {
        Action::Fault(fault) => Some(fault_row(*fault)),
        Action::Reply(reply) => reply_row(reply),
    });
    failed.map(|row| cell(FAULTS, row, column)).collect()
}

const fn fault_row(fault: Fault) -> &'static str {
    match fault {
        Fault::Refuse => "refuse",
        Fault::ResetBeforeSend => "reset-before-send",
        Fault::ResetAfterSend => "reset-after-send",
        Fault::CloseAfterSend => "close-after-send",
        Fault::TornBody => "torn-body",
        Fault::Hang => "hang",
        Fault::Stall => "stall",
        Fault::Garbage => "garbage",
    }
}

/// No operation's answer may be as large as this but those that bring documents.
const LARGE: usize = 1 << 20;

fn reply_row(reply: &ScriptedReply) -> Option<&'static str> {
    let waits = reply
        .headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("retry-after"));
    Some(match reply.status {
        _ if reply.early => "an early answer",
        _ if reply.body.len() > LARGE => "too large an answer",
        300..=399 => "a redirect",
        408 => "408",
        429 if waits => "429 with Retry-After",
        429 => "429",
        500 => "500",
        502 => "502",
        503 if waits => "503 with Retry-After",
        503 => "503",
        504 => "504",
        _ => return None,
    })
}

/// How the case's call may be sent again; `None` for flows of several operations.
fn replay(fixture: &Fixture) -> Option<&'static str> {
    let call = &fixture.case.call;
    let parsed = operations::parse(call).ok()?;
    // Answers travel in a sealed body, which no codec shows and nothing sends again.
    let replay = match call.operation.as_str() {
        "legacy.answer" | "legacy.answer_mfa_questions" => Replay::Never,
        _ => codec_replay(&*parsed)?,
    };
    Some(match replay {
        Replay::Safe => "Safe",
        Replay::Unsent => "Unsent",
        Replay::Never => "Never",
        _ => return None,
    })
}

fn codec_replay(call: &dyn CaseCall) -> Option<Replay> {
    let endpoint = Endpoint::new("https://coverage.test").ok()?;
    let codec = call.codec(&endpoint)?.ok()?;
    Some(codec.replay())
}

/// What was lost first in an upload session, under which policy.
fn session(fixture: &Fixture) -> Option<Cell> {
    let call = &fixture.case.call;
    if call.operation != "upload.session" {
        return None;
    }
    let policy = call.input.get("on_unknown").and_then(Value::as_str);
    let steps: Vec<_> = own_steps(fixture).collect();
    let lost = |step: &&Scripted| {
        is_lost(&step.action) || matches!(&step.action, Action::Reply(reply) if reply.status == 503)
    };
    let at = steps.iter().position(lost)?;
    let column = match steps.get(at) {
        Some(step) if step.expect.path.ends_with("/complete") => "complete",
        _ if at == 0 => "first file",
        _ => "later file",
    };
    Some(cell(SESSIONS, policy.unwrap_or("restart"), column))
}

fn certificates(fixture: &Fixture) -> Vec<Cell> {
    let tls = fixture.case.tls;
    let client = match tls.client {
        ClientCertificate::Valid => None,
        ClientCertificate::None => Some("none"),
        ClientCertificate::OtherCa => Some("other-ca"),
        ClientCertificate::Expired => Some("expired"),
    };
    let server = match tls.server {
        ServerCertificate::Valid => None,
        ServerCertificate::OtherCa => Some("other-ca"),
        ServerCertificate::WrongHost => Some("wrong-host"),
        ServerCertificate::Expired => Some("expired"),
    };
    let client = client.map(|column| cell(CERTIFICATES, "client", column));
    let server = server.map(|column| cell(CERTIFICATES, "server", column));
    client.into_iter().chain(server).collect()
}

/// The FlinksCodes that the service answers with, on the results and legacy host.
fn codes(fixture: &Fixture) -> Vec<Cell> {
    let parsed = operations::parse(&fixture.case.call);
    if parsed.is_ok_and(|call| call.host() == Host::Upload && !is_token_call(fixture)) {
        // The upload host knows no FlinksCodes: what it answers there is made up.
        return Vec::new();
    }
    let code = |reply: &ScriptedReply| {
        let code = json(reply)?.get("FlinksCode")?.as_str()?.to_owned();
        let status = STATUSES
            .into_iter()
            .find(|status| *status == reply.status.to_string())?;
        Some(cell(CODES, code, status))
    };
    own_replies(fixture).filter_map(code).collect()
}

/// What a case says of itself and does not do.
pub(crate) fn doubts(fixture: &Fixture) -> Vec<String> {
    let path = fixture.path();
    let shows = &fixture.case.shows;
    let names =
        |key: &str| answers(fixture).any(|answer| has(&answer, &|value| value.get(key).is_some()));
    let missing = shows.missing.iter().filter(|key| names(key));
    let missing = missing.map(|key| format!("{path}: shows.missing: {key} is in an answer"));
    let says = |word: &str| answers(fixture).any(|answer| has(&answer, &|value| *value == word));
    let words = shows.new_words.iter().filter(|word| !says(word));
    let words = words.map(|word| format!("{path}: shows.new_words: no answer says {word:?}"));
    missing.chain(words).collect()
}
