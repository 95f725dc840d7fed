//! The rules of the format that types cannot say.

use tokio::time::Duration;

use super::Fixture;
use crate::case::{ClientCertificate, Compare, Level, SCHEMA, ServerCertificate, Span};
use crate::operations;
use crate::script::Scripted;

/// Longer waits are for paused time.
const MAX_WAIT_MS: u64 = 1500;

/// What is wrong with a case, if anything.
pub(super) fn check(fixture: &Fixture) -> Result<(), String> {
    let case = &fixture.case;
    if case.schema.as_ref().is_some_and(|schema| schema != SCHEMA) {
        return fail(format!("$schema: must be {SCHEMA}"));
    }
    if case.want.ok.is_some() == case.want.error.is_some() {
        return fail("want: needs either ok or error");
    }
    if case.docs.trim().is_empty() {
        return fail("docs: must say why the case exists");
    }
    if case.source.trim().is_empty() {
        return fail("source: must say where the wire facts come from");
    }
    if let Some(levels) = &case.levels
        && (levels.only.is_empty() || levels.reason.trim().is_empty())
    {
        return fail("levels: needs levels in only, and a reason");
    }
    check_live(fixture)?;
    if !is_kebab(&fixture.family) || !is_kebab(&fixture.name) {
        return fail("the folders of family and case must be named in kebab case");
    }
    let waits = case.waits_ms.as_deref().unwrap_or_default();
    if case.waits_ms.is_some() && waits.len() + 1 != fixture.steps.len() {
        return fail("waits_ms: needs one range for each step but the first");
    }
    let backwards = |[from, to]: &Span| from > to;
    if let Some(index) = waits.iter().position(backwards) {
        return fail(format!("waits_ms[{index}]: must go from less to more"));
    }
    if case.takes_ms.as_ref().is_some_and(backwards) {
        return fail("takes_ms: must go from less to more");
    }
    let slow = waits.iter().any(|[_, to]| *to > MAX_WAIT_MS)
        || case.takes_ms.is_some_and(|[_, to]| to > MAX_WAIT_MS)
        || fixture
            .steps
            .iter()
            .any(|step| step.after > Duration::from_millis(MAX_WAIT_MS))
        || fixture.steps.iter().any(|step| step.action.is_endless());
    if slow && fixture.has(Level::L3) {
        return fail(format!(
            "levels: a case that waits over {MAX_WAIT_MS} ms cannot run at level 3"
        ));
    }
    let odd =
        case.tls.client != ClientCertificate::Valid || case.tls.server != ServerCertificate::Valid;
    let without_tls = [Level::L1, Level::L2, Level::Live];
    if odd && without_tls.iter().any(|level| fixture.has(*level)) {
        return fail("levels: certificates exist at level 3 only");
    }
    let unread = |step: &Scripted| !step.action.reads_body();
    if case.any_order && fixture.steps.iter().any(unread) {
        return fail("any_order: every step must read its request");
    }
    operations::parse(&case.call).map(drop)
}

fn check_live(fixture: &Fixture) -> Result<(), String> {
    let case = &fixture.case;
    let listed = case.levels.as_ref();
    let listed = listed.map(|levels| levels.only.contains(&Level::Live));
    let (Some(live), Some(call)) = (&case.live, &fixture.live) else {
        return match listed {
            Some(true) => fail("levels: live needs the key live, which says how"),
            Some(false) | None => Ok(()),
        };
    };
    if listed == Some(false) {
        return fail("live: levels.only must list live too");
    }
    if live.compare == Compare::Same && !live.same.is_empty() {
        return fail("live.same: is for shape, with same everything is");
    }
    operations::parse(call)
        .map(drop)
        .map_err(|error| error.replacen("call.input", "live.input", 1))
}

fn fail(message: impl Into<String>) -> Result<(), String> {
    Err(message.into())
}

/// Small letters and digits, in words with hyphens between them.
fn is_kebab(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(fits))
}
