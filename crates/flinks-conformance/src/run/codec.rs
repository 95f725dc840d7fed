//! Level 1: the operation's request, and the reading of its answer, without any I/O.

use bytes::Bytes;
use flinks_transport::{Body, DecodeError, Endpoint, Error};
use http::{Request, Response};
use http_body_util::BodyExt as _;

use super::{CaseRun, SetupError, setup_error};
use crate::check;
use crate::corpus::Fixture;
use crate::matching::{Head, check_codec, target};
use crate::operations::{CaseCall, Codec, Outcome, kind_word};
use crate::script::{Action, Scripted, ScriptedReply, is_token};

/// `None` when there is no codec to check: a flow, or a case that is about the transport only.
pub(super) fn run(fixture: &Fixture, call: &dyn CaseCall) -> Result<Option<CaseRun>, SetupError> {
    let endpoint = Endpoint::new("https://codec.test").map_err(setup_error)?;
    let Some(codec) = call.codec(&endpoint) else {
        return Ok(None);
    };
    let request = codec.and_then(|codec| Ok((codec.request()?, codec)));
    let mut ran = CaseRun::default();
    let (request, codec) = match request {
        Ok(ready) => ready,
        Err(error) => {
            ran.requests = refused(fixture, &error);
            ran.texts = Outcome::failed(error).texts;
            return Ok(Some(ran));
        }
    };
    let own_path = target(request.uri());
    let steps = || {
        fixture
            .steps
            .iter()
            .filter(|step| step.expect.path == own_path || !is_token(step))
    };
    let Some(first) = steps().next() else {
        return Ok(None);
    };
    // The path is left out: it names the LoginId that the call is about.
    let shown = format!("{:?} {:?}", request.headers(), request.body());
    ran.texts.push(("the request's Debug", shown));
    ran.requests = request_lines(first, request)?;
    match steps().next_back().map(|step| &step.action) {
        Some(Action::Reply(reply)) if !reply.early => read(fixture, &*codec, reply, &mut ran)?,
        Some(Action::Reply(_) | Action::Fault(_)) | None => {}
    }
    Ok(Some(ran))
}

/// The operation refused to build a request.
fn refused(fixture: &Fixture, error: &Error) -> Vec<String> {
    match &fixture.case.want.error {
        Some(wanted) if wanted.kind == kind_word(error) => Vec::new(),
        _ => vec![format!(
            "the request could not be built: {}",
            error.report()
        )],
    }
}

fn request_lines(step: &Scripted, request: Request<Body>) -> Result<Vec<String>, SetupError> {
    let (parts, body) = request.into_parts();
    let head = Head {
        method: parts.method.to_string(),
        path: target(&parts.uri),
        headers: parts.headers,
    };
    let body = collect(body)?;
    let lines = check_codec(step, &head, &body);
    Ok(lines
        .into_iter()
        .map(|line| format!("the operation's request: {line}"))
        .collect())
}

/// A body is read on the blocking pool, so even here there is a runtime below.
fn collect(body: Body) -> Result<Bytes, SetupError> {
    if let Some(bytes) = body.as_bytes() {
        return Ok(bytes.clone());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(setup_error)?;
    runtime
        .block_on(body.collect())
        .map(|body| body.to_bytes())
        .map_err(setup_error)
}

fn read(
    fixture: &Fixture,
    codec: &dyn Codec,
    reply: &ScriptedReply,
    ran: &mut CaseRun,
) -> Result<(), SetupError> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let response = response.body(reply.body.clone()).map_err(setup_error)?;
    let wanted = fixture.case.want.error.as_ref();
    let wanted = wanted.map(|error| error.kind.as_str());
    if !codec.accepts(&response) {
        let line = "the codec does not accept the status";
        ran.outcome = unless(wanted == Some("api"), line);
        return Ok(());
    }
    match codec.read(response) {
        Ok(outcome) => {
            ran.outcome = match (&outcome.result, &fixture.case.want.ok) {
                (Ok(seen), Some(wanted)) => check::canonical(wanted, seen),
                _ => vec!["want.error: the codec reads the answer".to_owned()],
            };
            ran.texts.extend(outcome.texts);
            ran.result = Some(outcome.result);
        }
        Err(error) => {
            let shown = format!("{error:?} {error:#?} {error}");
            ran.texts.push(("the codec's error", shown));
            ran.outcome = match (error, &fixture.case.want.ok) {
                (DecodeError::Api(_), None) => {
                    unless(wanted == Some("api"), "the answer is a failure")
                }
                (DecodeError::Malformed(what), None) => unless(wanted == Some("decode"), &what),
                (DecodeError::Setting(what), None) => unless(wanted == Some("config"), &what),
                (error, _) => vec![format!("want.ok: the answer cannot be read: {error}")],
            };
        }
    }
    Ok(())
}

fn unless(fine: bool, line: &str) -> Vec<String> {
    if fine {
        Vec::new()
    } else {
        vec![format!("want: {line}")]
    }
}
