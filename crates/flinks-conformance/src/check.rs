//! Compares the outcome of a call with what a case wants.

use flinks_types::FlinksCode;
use serde_json::{Value, json};
use tokio::time::Duration;

use crate::case::{Compare, Live, Span, WantError};
use crate::corpus::Fixture;
use crate::diff;
use crate::operations::{self, Failure, Outcome};

/// One line for each thing that is not as wanted.
pub(crate) fn outcome(fixture: &Fixture, outcome: &Outcome) -> Vec<String> {
    let want = &fixture.case.want;
    match (&outcome.result, &want.ok, &want.error) {
        (Ok(value), Some(wanted), _) => canonical(wanted, value),
        (Err(failure), _, Some(wanted)) => error(fixture, failure, wanted, |_| true),
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

/// What of an error must be as wanted when a real service answers.
const ESSENTIALS: [&str; 4] = ["kind", "delivery", "status", "flinks_code"];

/// One line for each thing that a real service must do as the case has it, and does not.
pub(crate) fn live(fixture: &Fixture, live: &Live, outcome: &Outcome) -> Vec<String> {
    let want = &fixture.case.want;
    match (&outcome.result, &want.ok, &want.error) {
        (Ok(value), Some(wanted), _) if live.compare == Compare::Shape => {
            prefixed("want.ok", diff::shape(wanted, value, &live.same))
        }
        (Err(failure), _, Some(wanted)) => {
            error(fixture, failure, wanted, |key| ESSENTIALS.contains(&key))
        }
        _ => self::outcome(fixture, outcome),
    }
}

/// Compares a decoded value with the case's `ok`.
pub(crate) fn canonical(wanted: &Value, seen: &Value) -> Vec<String> {
    prefixed("want.ok", diff::json(wanted, seen))
}

fn prefixed(key: &str, lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .map(|line| format!("{key}: {line}"))
        .collect()
}

fn error(
    fixture: &Fixture,
    failure: &Failure,
    wanted: &WantError,
    counts: fn(&str) -> bool,
) -> Vec<String> {
    let seen = described(failure, &fixture.case.call.operation, Some(wanted));
    let part = |error: &WantError| {
        let mut value = json!(error);
        if let Value::Object(error) = &mut value {
            error.retain(|key, _| counts(key));
        }
        value
    };
    let mut lines = diff::json(&part(wanted), &part(&seen));
    if !lines.is_empty() {
        lines.push(format!("the error was: {}", failure.error.report()));
    }
    prefixed("want.error", lines)
}

/// An error in the form of `want.error`: all that the format demands, and what else the case wants
/// to see.
pub(crate) fn described(failure: &Failure, called: &str, wanted: Option<&WantError>) -> WantError {
    let error = &failure.error;
    let operation = error.operation().unwrap_or("none");
    let named = wanted.map(|wanted| wanted.operation.is_some());
    let shows_operation = if operations::is_flow(called) {
        // Which of its calls failed may be left open.
        named.unwrap_or(true)
    } else {
        named == Some(true) || operation != called
    };
    let display = error.to_string();
    let texts = wanted.map(|wanted| wanted.display_contains.clone());
    let texts = texts.into_iter().flatten();
    let code = error.api().and_then(|api| api.flinks_code.as_ref());
    let step = error.step().as_str();
    WantError {
        kind: failure.kind.to_owned(),
        delivery: error.delivery().as_str().to_owned(),
        step: (step != "call").then(|| step.to_owned()),
        operation: shows_operation.then(|| operation.to_owned()),
        status: error.status().map(|status| status.as_u16()),
        flinks_code: code.map(FlinksCode::as_str).map(ToOwned::to_owned),
        retry_after_s: error.retry_after().map(|after| after.as_secs()),
        attempts: wanted
            .and_then(|wanted| wanted.attempts)
            .map(|_| error.attempts()),
        display_contains: texts.filter(|text| display.contains(text)).collect(),
        file: failure.file.clone(),
        aggregation_id: failure.aggregation_id.clone(),
        abandoned: failure.abandoned.clone(),
        abandoned_unnamed: (failure.abandoned_unnamed > 0).then_some(failure.abandoned_unnamed),
        refusal: failure.refusal.map(ToOwned::to_owned),
        session: failure.session.clone(),
    }
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
