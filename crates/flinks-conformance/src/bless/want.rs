//! The `want` of a case, written anew from what came of its call.

use std::fs;
use std::mem::swap;
use std::path::Path;

use flinks_types::FlinksCode;
use serde_json::{Value, json};

use crate::case::{Case, WantError};
use crate::corpus::Fixture;
use crate::json;
use crate::layout::Node;
use crate::members::Members;
use crate::operations::{self, Failure};

/// A new `want`, and the file that says so.
pub(super) struct Wanted {
    ok: Option<Value>,
    error: Option<WantError>,
    /// `case.json`, or the file that `want.ok` names.
    pub(super) file: String,
    text: String,
    /// The file that no key names any more.
    orphan: Option<String>,
}

impl Wanted {
    pub(super) fn of(
        result: Result<Value, Box<Failure>>,
        case: &Case,
        folder: &Path,
    ) -> Result<Self, String> {
        let text = read(folder, "case.json")?;
        let output = output_file(&text)?;
        let (key, node) = match &result {
            Ok(value) => ("ok", Node::from(value)),
            Err(failure) => {
                let called = case.call.operation.as_str();
                ("error", error(failure, called, case.want.error.as_ref()))
            }
        };
        let error = match &result {
            Ok(_) => None,
            Err(_) => Some(json::read(node.to_string().as_bytes())?),
        };
        let (file, text, orphan) = match (&result, output) {
            (Ok(_), Some(output)) => {
                let node = node.ordered_like(&parsed(&read(folder, &output)?)?);
                (output, node.laid_out("", 0) + "\n", None)
            }
            (_, orphan) => {
                let text = with_want(&text, Node::Object(vec![(key.to_owned(), node)]));
                (
                    "case.json".to_owned(),
                    text?.ok_or("case.json has no want")?,
                    orphan,
                )
            }
        };
        Ok(Self {
            ok: result.ok(),
            error,
            file,
            text,
            orphan,
        })
    }

    /// Lets a case want this, or again what it wanted before.
    pub(super) fn swap(&mut self, fixture: &mut Fixture) {
        swap(&mut self.ok, &mut fixture.ok);
        swap(&mut self.error, &mut fixture.case.want.error);
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), String> {
        let file = folder.join(&self.file);
        let failed = |error: std::io::Error| format!("{}: {error}", file.display());
        fs::write(&file, &self.text).map_err(failed)?;
        match &self.orphan {
            Some(orphan) => fs::remove_file(folder.join(orphan)).map_err(failed),
            None => Ok(()),
        }
    }
}

/// The file that has the output, if that is all it has: a step's body is not for us to rewrite.
fn output_file(text: &str) -> Result<Option<String>, String> {
    let case: Case = json::read(text.as_bytes())?;
    let output = case.want.ok.as_ref().and_then(Value::as_str);
    let bodies = case.steps.iter().flat_map(|step| {
        let reply = step.reply.as_ref();
        [
            step.expect.body.as_deref(),
            reply.and_then(|reply| reply.body.as_deref()),
        ]
    });
    let used: Vec<_> = bodies.flatten().collect();
    let own = output.filter(|output| !used.contains(output));
    Ok(own.map(ToOwned::to_owned))
}

/// The text of a case with another `want`; every other byte stays.
fn with_want(text: &str, want: Node) -> Result<Option<String>, String> {
    let members = Members::read(text)?;
    let place = members.value("want").zip(members.before("want"));
    let Some((old, before)) = place else {
        return Ok(None);
    };
    let want = want.ordered_like(&parsed(old)?);
    let spaces = before.len() - before.trim_start().len();
    let want = want.laid_out(&" ".repeat(spaces), before.chars().count());
    Ok(members.with("want", &want))
}

/// All that the format demands of an error, and of the rest what the case said before.
fn error(failure: &Failure, called: &str, old: Option<&WantError>) -> Node {
    let error = &failure.error;
    let mut said = Vec::new();
    let mut say = |key: &str, value: Value| {
        if !value.is_null() && value != json!([]) {
            said.push((key.to_owned(), Node::from(&value)));
        }
    };
    say("kind", error.kind().as_str().into());
    say("delivery", error.delivery().as_str().into());
    let step = Some(error.step().as_str());
    say("step", step.filter(|step| *step != "call").into());
    let operation = Some(error.operation().unwrap_or("none"));
    let named = old.map(|old| old.operation.is_some());
    let needed = if operations::is_flow(called) {
        // Which of its calls failed may be left open.
        named.unwrap_or(true)
    } else {
        named == Some(true) || operation != Some(called)
    };
    let operation = operation.filter(|_| needed);
    say("operation", operation.into());
    say(
        "status",
        error.status().map(|status| status.as_u16()).into(),
    );
    let code = error.api().and_then(|api| api.flinks_code.as_ref());
    say("flinks_code", code.map(FlinksCode::as_str).into());
    let after = error.retry_after().map(|after| after.as_secs());
    say("retry_after_s", after.into());
    let counted = old.and_then(|old| old.attempts);
    say("attempts", counted.map(|_| error.attempts()).into());
    let (texts, display) = (
        old.map(|old| old.display_contains.clone()),
        error.to_string(),
    );
    let texts = texts.into_iter().flatten();
    let texts = texts.filter(|text| display.contains(text));
    say("display_contains", texts.collect());
    say("file", failure.file.clone().into());
    say("aggregation_id", failure.aggregation_id.clone().into());
    say("abandoned", failure.abandoned.clone().into());
    let unnamed = Some(failure.abandoned_unnamed);
    say(
        "abandoned_unnamed",
        unnamed.filter(|count| *count > 0).into(),
    );
    say("refusal", failure.refusal.into());
    say("session", failure.session.clone().into());
    Node::Object(said)
}

fn parsed(text: &str) -> Result<Node, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn read(folder: &Path, file: &str) -> Result<String, String> {
    let file = folder.join(file);
    fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
}
