//! Compares what came of a call with what a case wants.

use crate::case::{Compare, Live, Span, WantError};
use crate::corpus::Fixture;
use crate::diff;
use crate::operations::{self, Failure, Outcome};

use flinks_transport::Error;
use flinks_types::FlinksCode;
use serde_json::Value;
use tokio::time::Duration;

/// One line for each thing that is not as wanted.
pub(crate) fn outcome(fixture: &Fixture, outcome: &Outcome) -> Vec<String> {
    match (&outcome.result, &fixture.ok, &fixture.case.want.error) {
        (Ok(value), Some(wanted), _) => prefixed("want.ok", diff::json(wanted, value)),
        (Err(failure), _, Some(wanted)) => prefixed(
            "want.error",
            error(wanted, failure, &fixture.case.call.operation),
        ),
        (Ok(value), _, _) => vec![format!(
            "want.error: the call succeeded: {}",
            diff::cut(value)
        )],
        (Err(failure), _, _) => vec![format!(
            "want.ok: the call failed: {}",
            failure.error.report()
        )],
    }
}

/// One line for each thing that a real service must do as the case has it, and does not.
pub(crate) fn live(fixture: &Fixture, live: &Live, outcome: &Outcome) -> Vec<String> {
    match (&outcome.result, &fixture.ok, &fixture.case.want.error) {
        (Ok(value), Some(wanted), _) if live.compare == Compare::Shape => {
            prefixed("want.ok", diff::shape(wanted, value, &live.same))
        }
        (Err(failure), _, Some(wanted)) => {
            let mut lines = essentials(wanted, &failure.error);
            if !lines.is_empty() {
                lines.push(format!("the error was: {}", failure.error.report()));
            }
            prefixed("want.error", lines)
        }
        _ => self::outcome(fixture, outcome),
    }
}

fn prefixed(key: &str, lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .map(|line| format!("{key}: {line}"))
        .collect()
}

fn text(lines: &mut Vec<String>, key: &str, wanted: &str, seen: &str) {
    if wanted != seen {
        lines.push(format!("{key}: wanted {wanted}, is {seen}"));
    }
}

/// What an error is to whoever must act on it.
fn essentials(wanted: &WantError, error: &Error) -> Vec<String> {
    let mut lines = Vec::new();
    let mut text = |key, wanted: &str, seen: &str| text(&mut lines, key, wanted, seen);
    text("kind", &wanted.kind, error.kind().as_str());
    text("delivery", &wanted.delivery, error.delivery().as_str());
    text(
        "status",
        &shown(wanted.status),
        &shown(error.status().map(|status| status.as_u16())),
    );
    let code = error
        .api()
        .and_then(|api| api.flinks_code.as_ref())
        .map(FlinksCode::as_str);
    text(
        "flinks_code",
        wanted.flinks_code.as_deref().unwrap_or("none"),
        code.unwrap_or("none"),
    );
    lines
}

fn error(wanted: &WantError, failure: &Failure, called: &str) -> Vec<String> {
    let error = &failure.error;
    let mut lines = essentials(wanted, error);
    let mut text = |key, wanted: &str, seen: &str| text(&mut lines, key, wanted, seen);
    text("step", &wanted.step, error.step().as_str());
    let default = (!operations::is_flow(called)).then_some(called);
    if let Some(operation) = wanted.operation.as_deref().or(default) {
        text("operation", operation, error.operation().unwrap_or("none"));
    }
    let after = error.retry_after().map(|after| after.as_secs());
    text("retry_after_s", &shown(wanted.retry_after_s), &shown(after));
    if let Some(attempts) = wanted.attempts {
        text(
            "attempts",
            &attempts.to_string(),
            &error.attempts().to_string(),
        );
    }
    text(
        "file",
        wanted.file.as_deref().unwrap_or("none"),
        failure.file.as_deref().unwrap_or("none"),
    );
    let open = |id: &Option<String>| id.clone().unwrap_or_else(|| "none".to_owned());
    text(
        "aggregation_id",
        &open(&wanted.aggregation_id),
        &open(&failure.aggregation_id),
    );
    text(
        "abandoned",
        &wanted.abandoned.join(", "),
        &failure.abandoned.join(", "),
    );
    let unnamed = (wanted.abandoned_unnamed, failure.abandoned_unnamed);
    text(
        "abandoned_unnamed",
        &unnamed.0.to_string(),
        &unnamed.1.to_string(),
    );
    text(
        "refusal",
        wanted.refusal.as_deref().unwrap_or("none"),
        failure.refusal.unwrap_or("none"),
    );
    text("session", &open(&wanted.session), &open(&failure.session));
    let display = error.to_string();
    for part in wanted
        .display_contains
        .iter()
        .filter(|part| !display.contains(*part))
    {
        lines.push(format!("display_contains: {part:?} is not in {display:?}"));
    }
    if !lines.is_empty() {
        lines.push(format!("the error was: {}", error.report()));
    }
    lines
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// Compares pauses in virtual time.
pub(crate) fn waits(wanted: &[Span], seen: &[Duration]) -> Vec<String> {
    let outside = |(index, (span, seen)): (usize, (&Span, &Duration))| {
        let line = within(*span, *seen)?;
        Some(format!("waits_ms[{index}]: {line}"))
    };
    let mut lines: Vec<_> = wanted
        .iter()
        .zip(seen)
        .enumerate()
        .filter_map(outside)
        .collect();
    if wanted.len() != seen.len() {
        lines.push(format!(
            "waits_ms: wanted {} pauses, had {}",
            wanted.len(),
            seen.len()
        ));
    }
    lines
}

/// Says what is wrong with a time.
pub(crate) fn within(span: Span, seen: Duration) -> Option<String> {
    let [from, to] = span;
    let seen = seen.as_millis();
    let fits = (u128::from(from)..=u128::from(to)).contains(&seen);
    (!fits).then(|| format!("wanted {from} to {to} ms, was {seen} ms"))
}

/// Compares a decoded value with the case's `ok`, for the codec level.
pub(crate) fn canonical(wanted: &Value, seen: &Value) -> Vec<String> {
    prefixed("want.ok", diff::json(wanted, seen))
}
