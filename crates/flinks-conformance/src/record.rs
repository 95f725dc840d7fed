//! `record`: an exchange with the hosts of an environment becomes a case, with nothing of anybody's in it.

mod placeholders;
mod replay;
mod tape;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};

use flinks_transport::{Endpoint, Transport, TransportBuilder};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::bless::want;
use crate::case::{Call, SCHEMA};
use crate::corpus::{CorpusError, MAX_WAIT_MS, load, vacant};
use crate::environment::Environment;
use crate::keys::Keys;
use crate::layout::Node;
use crate::leak::Needles;
use crate::logs::Logs;
use crate::members::Members;
use crate::operations::{self, Outcome, Parsed, Stack};
use crate::run::{Verdict, live, run, stack};
use crate::suite::Suite;
use placeholders::Placeholders;
use replay::Replay;
use tape::{Answer, Tape};

/// Shorter originals turn up by chance: of them only whole texts are looked for.
const SHORTEST_ORIGINAL: usize = 6;

/// Why nothing was written. It quotes nothing of the exchange.
#[derive(Debug)]
#[non_exhaustive]
pub struct RecordError {
    message: String,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RecordError {}

impl From<String> for RecordError {
    fn from(message: String) -> Self {
        Self { message }
    }
}

impl From<CorpusError> for RecordError {
    fn from(error: CorpusError) -> Self {
        Self {
            message: error.to_string(),
        }
    }
}

/// Makes a call to the hosts of an environment, and writes what the service answered down as the
/// case `path`, a `family/name` of the corpus.
///
/// Passwords, names, answers, ids, amounts, documents and every text that is not a word of the
/// protocol are replaced, in the call and in the answers alike. What the requests look like is
/// seen when the replaced call is made again, with the runner's own credentials. `docs` and
/// `source` are left empty: only a person can say why the case exists.
///
/// # Errors
/// The call cannot be made or was not answered, the case exists or would not pass, or something
/// of the environment's or the input's would be in it.
pub fn record(
    environment: &Environment,
    corpus: &Path,
    path: &str,
    operation: &str,
    input: &Value,
) -> Result<PathBuf, RecordError> {
    let file = vacant(corpus, path)?.join("case.json");
    let (answers, live) = ask(environment, &call(operation, input))?;
    let mut placeholders = Placeholders::default();
    let replaced = placeholders.input(input);
    let replies = answers.iter().map(|answer| placeholders.reply(answer));
    let replies = replies.collect::<Result<Vec<_>, _>>()?;
    let again = again(&call(operation, &replaced), replies)?;
    if let Some(line) = read_otherwise(&live, &again.outcome) {
        return Err(format!("once replaced, the answers are read otherwise: {line}").into());
    }
    let replaced = json!({ "operation": operation, "input": replaced });
    let mut case = vec![
        ("call", in_order(&replaced, &["operation"])),
        ("steps", Node::List(again.steps.iter().map(step).collect())),
        ("want", want(&again.outcome, operation)),
    ];
    if again.took > Duration::from_millis(MAX_WAIT_MS) {
        let reason = "the pauses are too long for real time";
        let levels = json!({ "only": ["l1", "l2"], "reason": reason });
        case.push(("levels", Node::from(&levels)));
    }
    let case = text(case);
    holds_nothing(&case, environment, &placeholders)?;
    passes(path, &case)?;
    write(&file, &case)?;
    Ok(file)
}

/// Makes the call for real.
fn ask(environment: &Environment, made: &Call) -> Result<(Vec<Answer>, Outcome), String> {
    if made.input.get("concurrency").is_some() {
        return Err("concurrency: files that are sent at once have no order".to_owned());
    }
    let parsed = operations::parse(made)?;
    let (tape, logs) = (Tape::default(), Logs::default());
    let assemble = |builder: TransportBuilder| builder.attempt_layer(tape.clone()).build();
    let outcome = tracing::dispatcher::with_default(&logs.dispatch(), || {
        live::call(&parsed, parsed.credentials(), environment, &assemble, &logs)
    });
    let outcome = outcome.map_err(|broken| broken.to_string())?;
    let answers: Option<Vec<_>> = tape.take().into_iter().collect();
    match (answers, &outcome.result) {
        (Some(answers), _) if !answers.is_empty() => Ok((answers, outcome)),
        (_, Err(failure)) => Err(format!("no answer to record: {}", failure.error.report())),
        (_, Ok(_)) => Err("no answer to record".to_owned()),
    }
}

/// Refuses a case with anything of the environment's or of the input's in it.
fn holds_nothing(
    case: &str,
    environment: &Environment,
    placeholders: &Placeholders,
) -> Result<(), String> {
    let keys = environment.keys();
    let mut needles = Needles::default();
    for (name, secret) in environment.secrets() {
        needles.add(name, secret);
    }
    needles.add("the client id", &keys.client_id);
    needles.add("the customer id", &keys.customer_id);
    let mut texts = Vec::new();
    let case = serde_json::from_str(case).map_err(|error| error.to_string())?;
    collect(&case, &mut texts);
    let mut short = false;
    for original in placeholders.originals() {
        if original.len() >= SHORTEST_ORIGINAL {
            needles.add("something that was replaced", original);
        } else {
            short |= texts.contains(&original);
        }
    }
    let mut found = needles.search("the case", &texts.join("\n"));
    found.extend(short.then(|| "leak: something short that was replaced".to_owned()));
    match found.first() {
        Some(line) => Err(format!("nothing is written: {line}")),
        None => Ok(()),
    }
}

/// What came of the replaced call.
struct Again {
    outcome: Outcome,
    /// What was sent, and what was answered.
    steps: Vec<(Value, Value)>,
    took: Duration,
}

/// Makes the replaced call with the runner's own credentials, in paused time.
fn again(made: &Call, replies: Vec<Value>) -> Result<Again, String> {
    let parsed: Parsed = operations::parse(made)?;
    let (replay, logs) = (Replay::new(replies, &made.operation), Logs::default());
    let built = Transport::builder().service(replay.clone()).build();
    let endpoint = Endpoint::new("https://stack.test");
    let setup = |error: flinks_transport::Error| error.report().to_string();
    let stack = Stack {
        transport: built.map_err(setup)?,
        endpoint: endpoint.map_err(setup)?,
        credentials: parsed.credentials(),
        keys: Keys::standard(),
    };
    let runtime = stack::runtime(&logs, true).map_err(|broken| broken.to_string())?;
    let (outcome, took) = runtime.block_on(async {
        let start = Instant::now();
        (parsed.run(&stack).await, start.elapsed())
    });
    Ok(Again {
        outcome,
        steps: replay.steps()?,
        took,
    })
}

/// How two outcomes differ in kind, if they do.
fn read_otherwise(live: &Outcome, again: &Outcome) -> Option<String> {
    let kind = |outcome: &Outcome| match &outcome.result {
        Ok(_) => "ok".to_owned(),
        Err(failure) => {
            let (kind, delivery) = (failure.error.kind(), failure.error.delivery());
            format!("{} {}", kind.as_str(), delivery.as_str())
        }
    };
    let (live, again) = (kind(live), kind(again));
    (live != again).then(|| format!("{live} becomes {again}"))
}

fn call(operation: &str, input: &Value) -> Call {
    Call {
        operation: operation.to_owned(),
        input: input.clone(),
        credentials: None,
    }
}

/// Every text of a value, and its keys.
fn collect<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(list) => list.iter().for_each(|item| collect(item, texts)),
        Value::Object(object) => {
            for (key, value) in object {
                texts.push(key);
                collect(value, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Runs the case at every level, as somebody will who has said why it exists.
fn passes(path: &str, case: &str) -> Result<(), String> {
    let mut said = case.to_owned();
    for key in ["docs", "source"] {
        let said_why = Members::read(&said)?.with(key, "\"recorded\"");
        said = said_why.unwrap_or_default();
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    write(&folder.path().join(path).join("case.json"), &said)?;
    let fixtures = load(folder.path()).map_err(|error| error.to_string())?;
    for fixture in &fixtures {
        for pass in &Suite::USUAL {
            if let Verdict::Failed(lines) = run(fixture, pass) {
                let lines = lines.join("\n  ");
                return Err(format!("the case would fail at {pass}:\n  {lines}"));
            }
        }
    }
    Ok(())
}

/// The case as a file, in which a person has yet to say why it exists.
fn text(case: Vec<(&str, Node)>) -> String {
    let leaf = |text: &str| Node::from(&Value::from(text));
    let said = [("$schema", SCHEMA), ("docs", ""), ("source", "")];
    let said = said.into_iter().map(|(key, text)| (key, leaf(text)));
    let members = said.chain(case).map(|(key, node)| (key.to_owned(), node));
    Node::Object(members.collect()).laid_out("", 0) + "\n"
}

fn write(file: &Path, case: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(file, case).map_err(failed)
}

fn want(outcome: &Outcome, operation: &str) -> Node {
    let (key, came) = match &outcome.result {
        Ok(value) => ("ok", Node::from(value)),
        Err(failure) => ("error", want::error(failure, operation, None)),
    };
    Node::Object(vec![(key.to_owned(), came)])
}

fn step(step: &(Value, Value)) -> Node {
    let (expect, reply) = step;
    let expect = in_order(expect, &["method", "path", "headers"]);
    let reply = in_order(reply, &["status", "headers"]);
    Node::Object(vec![
        ("expect".to_owned(), expect),
        ("reply".to_owned(), reply),
    ])
}

/// An object with these keys first.
fn in_order(value: &Value, keys: &[&str]) -> Node {
    let keys = keys.iter();
    let keys = keys.map(|key| ((*key).to_owned(), Node::Leaf(String::new())));
    Node::from(value).ordered_like(&Node::Object(keys.collect()))
}
