//! Level 1: the operation's request, and the reading of its answer, without any I/O.

use bytes::Bytes;
use flinks_transport::{Body, DecodeError, Endpoint, Error};
use http::{Request, Response};
use http_body_util::BodyExt as _;

use super::{Broken, Ran, broken};
use crate::check;
use crate::corpus::Fixture;
use crate::matching::{Head, check_codec, target};
use crate::operations::{Codec, Parsed};
use crate::script::{Action, Scripted, ScriptedReply};
use crate::standard;

/// `None` when there is no codec to check: a flow, or a case that is about the transport only.
pub(super) fn run(fixture: &Fixture, parsed: &Parsed) -> Result<Option<Ran>, Broken> {
    let endpoint = Endpoint::new("https://codec.test").map_err(broken)?;
    let Some(codec) = parsed.codec(&endpoint) else {
        return Ok(None);
    };
    let request = codec.and_then(|codec| Ok((codec.request()?, codec)));
    let (request, codec) = match request {
        Ok(ready) => ready,
        Err(error) => {
            return Ok(Some(Ran {
                lines: refused(fixture, &error),
                texts: Vec::new(),
            }));
        }
    };
    let own_path = target(request.uri());
    let steps = || {
        fixture
            .steps
            .iter()
            .filter(|step| step.expect.path == own_path || !standard::is_token(&step.expect.path))
    };
    let Some(first) = steps().next() else {
        return Ok(None);
    };
    let mut lines = asked(first, request)?;
    match steps().next_back().map(|step| &step.action) {
        Some(Action::Reply(reply)) if !reply.early => {
            lines.extend(read(fixture, &*codec, reply)?);
        }
        Some(Action::Reply(_) | Action::Fault(_)) | None => {}
    }
    Ok(Some(Ran {
        lines,
        texts: Vec::new(),
    }))
}

/// The operation refused to build a request.
fn refused(fixture: &Fixture, error: &Error) -> Vec<String> {
    match &fixture.case.want.error {
        Some(wanted) if wanted.kind == error.kind().as_str() => Vec::new(),
        _ => vec![format!(
            "the request could not be built: {}",
            error.report()
        )],
    }
}

fn asked(step: &Scripted, request: Request<Body>) -> Result<Vec<String>, Broken> {
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
fn collect(body: Body) -> Result<Bytes, Broken> {
    if let Some(bytes) = body.as_bytes() {
        return Ok(bytes.clone());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(broken)?;
    runtime
        .block_on(body.collect())
        .map(|body| body.to_bytes())
        .map_err(broken)
}

fn read(
    fixture: &Fixture,
    codec: &dyn Codec,
    reply: &ScriptedReply,
) -> Result<Vec<String>, Broken> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let response = response.body(reply.body.clone()).map_err(broken)?;
    let wanted = fixture
        .case
        .want
        .error
        .as_ref()
        .map(|error| error.kind.as_str());
    if !codec.accepts(&response) {
        return Ok(unless(
            wanted == Some("api"),
            "the codec does not accept the status",
        ));
    }
    Ok(match (codec.read(response), &fixture.ok) {
        (Ok(seen), Some(wanted)) => check::canonical(wanted, &seen),
        (Ok(_), None) => vec!["want.error: the codec reads the answer".to_owned()],
        (Err(DecodeError::Api(_)), None) => {
            unless(wanted == Some("api"), "the answer is a failure")
        }
        (Err(DecodeError::Malformed(what)), None) => unless(wanted == Some("decode"), &what),
        (Err(error), _) => vec![format!("want.ok: the answer cannot be read: {error}")],
    })
}

fn unless(fine: bool, line: &str) -> Vec<String> {
    if fine {
        Vec::new()
    } else {
        vec![format!("want: {line}")]
    }
}
