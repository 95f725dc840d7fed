//! The fraud analysis of a LoginId (Upload guide, "Fraud Analysis Endpoint").

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    answer::Answer,
    bearer,
    document::Signal,
    lock,
    log::LogLine,
    state::{Record, State, uuid},
};

/// A LoginId that always has one completed document without any signal.
pub const CLEAN_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000001";
/// A LoginId that always has one completed document with the signal printed in the guide.
pub const FLAGGED_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000002";
/// A LoginId whose one document is `PENDING` for ever.
pub const PENDING_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000003";
/// A LoginId whose one document is `UNABLE_TO_PROCESS`.
pub const FAILED_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000004";

/// Refuses anything but the API secret, the OAuth token too, and other customers.
pub(crate) fn authorize(
    state: &State,
    headers: &HeaderMap,
    customer_id: &str,
) -> Result<(), Answer> {
    let denied = |status, message| Err(Answer::house(status, "ACCESS_DENIED", message));
    let credentials = &state.config.credentials;
    if bearer::of(headers) != Some(&credentials.api_secret) {
        return denied(
            StatusCode::UNAUTHORIZED,
            "The bearer is not the API secret. The access token of the upload host is not \
             accepted here.",
        );
    }
    if customer_id != credentials.customer_id {
        return denied(
            StatusCode::FORBIDDEN,
            "The API secret is not this customer's.",
        );
    }
    Ok(())
}

/// The analysis as it stands now.
pub(crate) fn analysis(
    state: &State,
    login_id: &str,
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    line.login_id = Some(login_id.to_owned());
    let (documents, tag) = match fixed(login_id) {
        Some(document) => (vec![document], None),
        None => {
            let sessions = lock(&state.sessions);
            let record = sessions.with_login(login_id).ok_or_else(|| {
                Answer::house(
                    StatusCode::UNAUTHORIZED,
                    "INVALID_LOGIN",
                    "The LoginId is unknown.",
                )
            })?;
            (
                documents(record, state.config.processing),
                record.session.tag.clone(),
            )
        }
    };
    let mut body = json!({
        "HttpStatusCode": 200,
        "Login": {"LoginId": login_id, "RequestId": uuid()},
        "DocumentAnalysis": documents,
    });
    let message = is_clean(&documents).then(|| "No Fraud Signal Detected".to_owned());
    for (field, value) in [("Message", message), ("Tag", tag)] {
        if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
            body.insert(field.to_owned(), Value::String(value));
        }
    }
    Ok(Answer::json(StatusCode::OK, &body))
}

/// Final, and no signal anywhere.
fn is_clean(documents: &[Value]) -> bool {
    !documents.is_empty() && documents.iter().all(|document| *document == completed(&[]))
}

/// One element a file, in the order of the files. While processing, first nothing, then
/// `PENDING`, then `PROCESSING`, for a third of the time each.
fn documents(record: &Record, processing: Duration) -> Vec<Value> {
    let elapsed = record
        .completed_at
        .map_or(Duration::ZERO, |at| Instant::now() - at);
    let waiting = |status| record.signals.iter().map(|_| unfinished(status)).collect();
    if elapsed >= processing {
        record
            .signals
            .iter()
            .map(|signals| completed(signals))
            .collect()
    } else if elapsed < processing / 3 {
        Vec::new()
    } else if elapsed < processing / 3 * 2 {
        waiting("PENDING")
    } else {
        waiting("PROCESSING")
    }
}

fn unfinished(status: &str) -> Value {
    json!({"Status": status, "FullAnalysis": []})
}

fn completed(signals: &[Signal]) -> Value {
    let signals: Vec<Value> = signals.iter().map(Signal::json).collect();
    json!({
        "Status": "COMPLETED",
        "FullAnalysis": [{"DocumentType": "BANK_STATEMENT", "FraudSignals": signals}],
    })
}

fn fixed(login_id: &str) -> Option<Value> {
    match login_id {
        CLEAN_LOGIN_ID => Some(completed(&[])),
        FLAGGED_LOGIN_ID => Some(completed(&[Signal::guide_example()])),
        PENDING_LOGIN_ID => Some(unfinished("PENDING")),
        FAILED_LOGIN_ID => Some(unfinished("UNABLE_TO_PROCESS")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Config,
        log::LogLine,
        operation::{ApiOperation, Host},
        state::SandboxSession,
    };

    fn answer(state: &State, login_id: &str) -> Value {
        let mut line = LogLine::new(Host::Results, "GET", "/", ApiOperation::Fraud);
        serde_json::from_slice(&analysis(state, login_id, &mut line).unwrap().body).unwrap()
    }

    fn with_files(signals: Vec<Vec<Signal>>) -> State {
        let state = State::new(Config::default());
        let mut sessions = lock(&state.sessions);
        sessions.open(Record {
            session: SandboxSession {
                aggregation_id: "a".to_owned(),
                tag: Some("tag".to_owned()),
                ..SandboxSession::default()
            },
            signals,
            completed_at: None,
        });
        sessions.complete("a", "l", Instant::now());
        drop(sessions);
        state
    }

    #[tokio::test(start_paused = true)]
    async fn the_status_goes_from_nothing_over_two_others_to_completed() {
        let state = with_files(vec![Vec::new(), Vec::new()]);
        let mut seen = Vec::new();
        for _ in 0..5 {
            let body = answer(&state, "l");
            seen.push(
                body["DocumentAnalysis"][1]["Status"]
                    .as_str()
                    .unwrap_or("")
                    .to_owned(),
            );
            let is_final = seen.last().unwrap() == "COMPLETED";
            assert_eq!(body.get("Message").is_some(), is_final);
            tokio::time::advance(Duration::from_millis(2500)).await;
        }
        assert_eq!(seen, ["", "", "PENDING", "PROCESSING", "COMPLETED"]);
        assert_eq!(answer(&state, "l")["Tag"], "tag");
    }

    #[tokio::test(start_paused = true)]
    async fn one_signal_anywhere_takes_the_message_away() {
        let state = with_files(vec![Vec::new(), vec![Signal::guide_example()]]);
        tokio::time::advance(Duration::from_secs(10)).await;
        let body = answer(&state, "l");
        assert_eq!(body.get("Message"), None);
        let signal = &body["DocumentAnalysis"][1]["FullAnalysis"][0]["FraudSignals"][0];
        assert_eq!(
            *signal,
            json!({
                "Type": "SIGNAL_TYPE",
                "PageNumber": 1,
                "Count": 2,
                "UnderlyingData": [
                    {"Details": [
                        {"SpecificType": "delta", "Value": "0.85", "DataType": "float"}]},
                    {"Details": [
                        {"SpecificType": "delta", "Value": "0.85", "DataType": "float"}]}],
            })
        );
    }

    #[test]
    fn the_fixed_logins_answer_always_alike() {
        let state = State::new(Config::default());
        assert_eq!(
            answer(&state, CLEAN_LOGIN_ID)["Message"],
            "No Fraud Signal Detected"
        );
        for (login_id, status) in [
            (FLAGGED_LOGIN_ID, "COMPLETED"),
            (PENDING_LOGIN_ID, "PENDING"),
            (FAILED_LOGIN_ID, "UNABLE_TO_PROCESS"),
        ] {
            let body = answer(&state, login_id);
            assert_eq!(body.get("Message"), None, "{login_id}");
            assert_eq!(body["DocumentAnalysis"][0]["Status"], status);
        }
    }
}
