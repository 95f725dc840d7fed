//! Completing a session, which gives it a LoginId (Upload guide, Step 2).

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    answer::Answer,
    lock,
    log::LogLine,
    state::{State, uuid},
    upload::invalid,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    aggregation_id: String,
}

/// Completes a session once. What the service answers a second time is not documented; here
/// it is refused, so that a client which repeats it is noticed.
pub(crate) fn complete(state: &State, body: &[u8], line: &mut LogLine) -> Result<Answer, Answer> {
    let envelope: Envelope = serde_json::from_slice(body)
        .map_err(|_| invalid("The body has to be a JSON object with an AggregationId."))?;
    let id = envelope.aggregation_id;
    line.aggregation_id = Some(id.clone());
    let login_id = uuid();
    {
        let mut sessions = lock(&state.sessions);
        let record = sessions
            .with_aggregation(&id)
            .ok_or_else(|| invalid("The AggregationId is unknown."))?;
        line.files = Some(record.session.files.len());
        line.login_id.clone_from(&record.session.login_id);
        if record.session.completed {
            return Err(invalid(
                "The upload of this AggregationId is already completed.",
            ));
        }
        sessions.complete(&id, &login_id, Instant::now());
    }
    line.acted = true;
    line.login_id = Some(login_id.clone());
    Ok(Answer::json(
        StatusCode::OK,
        &json!({
            "HttpStatusCode": 200,
            "AggregationId": id,
            "Login": {"Id": login_id},
            "Message":
                "All files were uploaded successfully. The OCR process will start shortly.",
        }),
    ))
}
