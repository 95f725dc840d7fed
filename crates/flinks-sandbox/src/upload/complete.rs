//! Completing a session, which gives it a LoginId (Upload guide, Step 2).

use serde_json::json;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::ids::uuid;
use crate::json_fields::{Casing, Fields, invalid};
use crate::lock::lock;
use crate::log::LogLine;
use crate::state::State;
use crate::webhook::Subject;

/// Completes a session once.
///
/// The guide does not say what a second *complete* is answered with. The sandbox refuses it, so
/// that a client that repeats it is noticed.
pub(crate) fn complete(state: &State, body: &[u8], line: &mut LogLine) -> Result<Answer, Answer> {
    let id = Fields::read(body, Casing::Exact)?.required_text("AggregationId")?;
    line.aggregation_id = Some(id.clone());
    let login_id = uuid();
    {
        let mut sessions = lock(&state.sessions);
        let record = sessions
            .with_aggregation(&id)
            .ok_or_else(|| invalid("AggregationId", "is unknown"))?;
        line.files = Some(record.session.files.len());
        line.login_id.clone_from(&record.session.login_id);
        line.tag.clone_from(&record.session.tag);
        line.client_name.clone_from(&record.session.client_name);
        if record.session.completed {
            return Err(invalid("AggregationId", "is already completed"));
        }
        sessions.complete(&id, &login_id, Instant::now());
    }
    lock(&state.legacy).add_upload(&login_id);
    state.use_next_analysis(&login_id);
    let subject = Subject::Upload(login_id.clone());
    state.webhooks.send_after(state.config.processing, subject);
    line.acted = true;
    line.login_id = Some(login_id.clone());
    Ok(Answer::ok(&json!({
        "AggregationId": id,
        "HttpStatusCode": 200,
        "Login": {"Id": login_id},
        "Message": "All files were uploaded successfully. The OCR process will start shortly.",
    })))
}
