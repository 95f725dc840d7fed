//! The fraud analysis of a LoginId (Upload guide, "Fraud Analysis Endpoint").

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::document::Document;
use crate::answer::Answer;
use crate::ids::uuid;
use crate::lock::lock;
use crate::log::LogLine;
use crate::request::authorization;
use crate::state::State;
use crate::upload::StoredUpload;

/// A LoginId whose one document is completed without any signal.
pub const CLEAN_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000001";
/// A LoginId whose one document is completed with the signal printed in the guide.
pub const FLAGGED_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000002";
/// A LoginId whose one document stays `PENDING`.
pub const PENDING_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000003";
/// A LoginId whose one document is `UNABLE_TO_PROCESS`.
pub const FAILED_LOGIN_ID: &str = "00000000-0000-4000-8000-000000000004";

/// The LoginIds above.
pub(crate) const FIXED_LOGIN_IDS: [&str; 4] = [
    CLEAN_LOGIN_ID,
    FLAGGED_LOGIN_ID,
    PENDING_LOGIN_ID,
    FAILED_LOGIN_ID,
];

/// How far the documents of a LoginId are processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Pending,
    /// A document cannot be processed.
    Failed,
    Done,
}

/// Refuses any bearer but the API secret, and other customers.
pub(crate) fn authorize(
    state: &State,
    headers: &HeaderMap,
    customer_id: &str,
) -> Result<(), Answer> {
    let credentials = &state.config.credentials;
    if authorization(headers, "bearer") != Some(&credentials.api_secret) {
        return Err(Answer::denied(
            "The bearer is not the API secret. The access token of the upload host is not \
             accepted here.",
        ));
    }
    if customer_id != credentials.customer_id {
        return Err(Answer::forbidden("The API secret is not this customer's."));
    }
    Ok(())
}

/// Answers with the current analysis.
pub(crate) fn analysis(
    state: &State,
    login_id: &str,
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    line.login_id = Some(login_id.to_owned());
    let has_card = lock(&state.legacy).has_card(login_id);
    let set = lock(&state.analyses).by_login.get(login_id).cloned();
    if let Some(answer) = set.as_ref().filter(|set| set.is_object()) {
        return Ok(Answer::ok(answer));
    }
    // A deleted card takes its analysis along.
    let known = documents(state, login_id).filter(|_| has_card || set.is_some());
    let (documents, tag) = known.ok_or_else(|| {
        let message = "The LoginId is unknown.";
        Answer::error(StatusCode::UNAUTHORIZED, "INVALID_LOGIN", message)
    })?;
    let body = json!({
        "Message": is_clean(&documents).then_some("No Fraud Signal Detected"),
        "Login": {"LoginId": login_id, "RequestId": uuid()},
        "DocumentAnalysis": documents,
        "Tag": tag,
    });
    Ok(Answer::with_status_code(StatusCode::OK, body))
}

/// Returns the current `DocumentAnalysis` and the tag of a LoginId, if it is known.
pub(crate) fn documents(state: &State, login_id: &str) -> Option<(Value, Option<String>)> {
    let (mut documents, mut tag) = (fixed(login_id).map(|one| Value::Array(vec![one])), None);
    if let Some(record) = lock(&state.sessions).with_login(login_id) {
        documents = Some(in_progress(record, state.config.processing));
        tag.clone_from(&record.session.tag);
    }
    if let Some(set) = lock(&state.analyses).by_login.get(login_id) {
        let answer = set.is_object();
        documents = Some(if answer {
            set["DocumentAnalysis"].clone()
        } else {
            set.clone()
        });
    }
    Some((documents?, tag))
}

/// Whether a signal is found anywhere.
pub(crate) fn is_flagged(documents: &Value) -> bool {
    let has_signal = |one: &Value| {
        one["FraudSignals"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    };
    let analyses = |document: &Value| {
        document["FullAnalysis"]
            .as_array()
            .is_some_and(|all| all.iter().any(has_signal))
    };
    documents
        .as_array()
        .is_some_and(|all| all.iter().any(analyses))
}

/// Returns how far the documents of a LoginId are processed, as the analysis shows it. The caller may
/// hold the lock of the legacy API.
pub(crate) fn progress(state: &State, login_id: &str) -> Progress {
    let documents = documents(state, login_id).map(|(documents, _)| documents);
    let Some(Value::Array(documents)) = documents else {
        return Progress::Done;
    };
    let has = |statuses: &[&str]| {
        let mut documents = documents.iter();
        documents.any(|one| {
            one["Status"]
                .as_str()
                .is_some_and(|one| statuses.contains(&one))
        })
    };
    if documents.is_empty() || has(&["PENDING", "PROCESSING"]) {
        Progress::Pending
    } else if has(&[
        "UNABLE_TO_PROCESS",
        "UNSUPPORTED",
        "DOCUMENT_PROCESSING_FAILED",
    ]) {
        Progress::Failed
    } else {
        Progress::Done
    }
}

/// Every document is completed, and no signal is found anywhere.
fn is_clean(documents: &Value) -> bool {
    fn all(values: &Value, each: fn(&Value) -> bool) -> bool {
        let values = values.as_array();
        values.is_some_and(|values| !values.is_empty() && values.iter().all(each))
    }
    all(documents, |document| {
        document["Status"] == "COMPLETED"
            && all(&document["FullAnalysis"], |one| {
                one["FraudSignals"] == json!([])
            })
    })
}

/// One element for each file, in the order of the files. While processing there is nothing, then
/// `PENDING`, then `PROCESSING`, for a third of the time each.
fn in_progress(record: &StoredUpload, processing: Duration) -> Value {
    let elapsed = record
        .completed_at
        .map_or(Duration::ZERO, |at| Instant::now() - at);
    let unfinished = |status| vec![Document::with_status(status).json(); record.documents.len()];
    Value::Array(if elapsed >= processing {
        record.documents.iter().map(Document::json).collect()
    } else if elapsed < processing / 3 {
        Vec::new()
    } else if elapsed < processing / 3 * 2 {
        unfinished("PENDING")
    } else {
        unfinished("PROCESSING")
    })
}

fn fixed(login_id: &str) -> Option<Value> {
    let document = match login_id {
        CLEAN_LOGIN_ID => Document::default(),
        FLAGGED_LOGIN_ID => return Some(guide_example()),
        PENDING_LOGIN_ID => Document::with_status("PENDING"),
        FAILED_LOGIN_ID => Document::with_status("UNABLE_TO_PROCESS"),
        _ => return None,
    };
    Some(document.json())
}

/// The document of the guide's example, as printed (Upload guide, "Response — Fraud Signals Detected").
fn guide_example() -> Value {
    json!({
        "Status": "COMPLETED",
        "FullAnalysis": [{
            "DocumentType": "BANK_STATEMENT",
            "FraudSignals": [{
                "Type": "SIGNAL_TYPE",
                "PageNumber": 1,
                "Count": 2,
                "UnderlyingData": [{
                    "Details": [{"SpecificType": "delta", "Value": "0.85", "DataType": "float"}],
                }],
            }],
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::super::signal::Signal;
    use super::*;
    use crate::config::Config;
    use crate::operation::{ApiOperation, Host};
    use crate::upload::SandboxSession;

    fn answer(state: &State, login_id: &str) -> Value {
        let mut line = LogLine::new(Host::Results, "GET", "/", ApiOperation::Fraud);
        serde_json::from_slice(&analysis(state, login_id, &mut line).unwrap().body).unwrap()
    }

    fn with_files(documents: Vec<Document>) -> State {
        let state = State::new(Config::default());
        let mut sessions = lock(&state.sessions);
        sessions.open(StoredUpload {
            session: SandboxSession {
                aggregation_id: "a".to_owned(),
                tag: Some("tag".to_owned()),
                ..SandboxSession::default()
            },
            documents,
            completed_at: None,
        });
        sessions.complete("a", "l", Instant::now());
        drop(sessions);
        lock(&state.legacy).add_upload("l");
        state
    }

    #[tokio::test(start_paused = true)]
    async fn the_status_goes_from_nothing_over_two_others_to_completed() {
        let state = with_files(vec![Document::default(); 2]);
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
        let mut flagged = Document::default();
        flagged.add(Signal::new("DATE_EDITS"));
        let state = with_files(vec![Document::default(), flagged]);
        tokio::time::advance(Duration::from_secs(10)).await;
        let body = answer(&state, "l");
        assert_eq!(body.get("Message"), None);
        let signal = &body["DocumentAnalysis"][1]["FullAnalysis"][0]["FraudSignals"][0];
        assert_eq!(signal["Type"], "DATE_EDITS");
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
