//! The control endpoint of the results host, `/sandbox/…`, for tests in any language.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::fault::Fault;
use crate::fraud::Analysis;
use crate::request::is_of_type;
use crate::state::State;

/// The beginning of every path of the endpoint.
pub(crate) const PREFIX: &str = "/sandbox/";

/// The largest body that is read.
const LIMIT: usize = 16 * 1024 * 1024;

/// Answers a control call.
pub(crate) async fn answer(state: &State, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let answer = perform(state, request).await;
    answer.unwrap_or_else(|refusal| refusal).into_response()
}

async fn perform(state: &State, request: Request<Incoming>) -> Result<Answer, Answer> {
    let (head, body) = request.into_parts();
    // Only browsers send it. A page of another site must not steer the sandbox.
    if head.headers.contains_key(header::ORIGIN) {
        let message = "Requests of browser pages (with an Origin) are refused.";
        return Err(refusal(StatusCode::FORBIDDEN, "Origin", message));
    }
    let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let (name, id) = path.split_once('/').unwrap_or((path, ""));
    let has_json = is_of_type(&head.headers, "application/json");
    let body = async {
        if !has_json {
            let message = "The Content-Type has to be application/json.";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(refusal(status, "Content-Type", message));
        }
        let body = Limited::new(body, LIMIT).collect().await;
        let body = body.map_err(|_| invalid("body", "The body is too large or incomplete."))?;
        Ok(body.to_bytes())
    };
    match (&head.method, name, id) {
        (&Method::GET, "state", "") => return Ok(Answer::ok(&json!(state.snapshot()))),
        (&Method::GET, "log", "") => return Ok(Answer::ok(&json!(state.log.lines()))),
        (&Method::POST, "reset", "") => state.reset(),
        (&Method::POST, "faults", "") => state.inject(faults(parse(body.await?)?)?),
        (&Method::DELETE, "faults", "") => state.clear_faults(),
        (&Method::PUT, "analysis", "next") => {
            state.set_next_analysis(analysis(parse(body.await?)?)?)
        }
        (&Method::PUT, "analysis", id) if !id.is_empty() => {
            state.set_analysis(id, analysis(parse(body.await?)?)?);
        }
        (&Method::PUT, "accounts", id) if !id.is_empty() => {
            let json: Box<RawValue> = parse(body.await?)?;
            state
                .set_accounts(id, json.get())
                .map_err(|error| invalid("body", &format!("{error}.")))?;
        }
        (_, "state" | "log" | "reset" | "faults" | "analysis" | "accounts", _) => {
            let message = "See GUIDE.md for the methods and paths of the control endpoint.";
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(refusal(status, "method", message));
        }
        _ => {
            let message =
                "There are state, log, reset, faults, analysis/{loginId}, accounts/{loginId}.";
            return Err(refusal(StatusCode::NOT_FOUND, "path", message));
        }
    }
    Ok(Answer::ok(&json!({})))
}

fn parse<T: DeserializeOwned>(body: Bytes) -> Result<T, Answer> {
    serde_json::from_slice(&body)
        .map_err(|error| invalid("body", &format!("The body is not JSON: {error}.")))
}

/// Reads one fault, or an array of faults.
fn faults(body: Value) -> Result<Vec<Fault>, Answer> {
    let faults = match body {
        Value::Array(faults) => faults,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![body]
        }
    };
    let faults = faults.iter().enumerate().map(|(index, fault)| {
        let field = format!("faults[{index}]");
        let text = fault
            .as_str()
            .ok_or_else(|| invalid(&field, "A fault is a text, as \"upload@+1=torn\"."))?;
        text.parse()
            .map_err(|error| invalid(&field, &format!("{error}")))
    });
    faults.collect()
}

fn analysis(body: Value) -> Result<Analysis, Answer> {
    Analysis::from_json(body)
        .ok_or_else(|| invalid("body", "An analysis is a JSON array or object."))
}

fn invalid(field: &str, message: &str) -> Answer {
    refusal(StatusCode::BAD_REQUEST, field, message)
}

fn refusal(status: StatusCode, field: &str, message: &str) -> Answer {
    let body = json!({"field": field, "error": message});
    Answer::json(status, body.to_string())
}
