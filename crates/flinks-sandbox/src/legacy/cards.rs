//! The calls for the card behind a LoginId: deleting it, its questions, its nightly refresh.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use super::sessions::{Card, LAST_REFRESH};
use crate::answer::Answer;
use crate::fraud::{Progress, progress};
use crate::json_fields::{Casing, Fields, invalid};
use crate::lock::lock;
use crate::log::LogLine;
use crate::state::State;

/// Deletes a card with its analysis, unless its documents or data are still being processed.
pub(super) fn delete(state: &State, login_id: &str, line: &mut LogLine) -> Result<Answer, Answer> {
    line.login_id = Some(login_id.to_owned());
    let mut store = lock(&state.legacy);
    let is_upload = store.card(login_id)?.user.is_upload();
    if is_upload && progress(state, login_id) == Progress::Pending
        || store.is_in_use(login_id, state.config.session_idle)
    {
        let message = "The card is still being processed";
        return Err(Answer::error(
            StatusCode::BAD_REQUEST,
            "CARD_IN_USE",
            message,
        ));
    }
    store.delete(login_id);
    lock(&state.analyses).by_login.remove(login_id);
    line.acted = true;
    let message = format!("All of the information about LoginId {login_id} has been removed");
    // Only this call has `StatusCode`.
    Ok(Answer::ok(&json!({"StatusCode": 200, "Message": message})))
}

/// Answers with the simple questions of a card's bank.
pub(super) fn questions(
    state: &State,
    login_id: &str,
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    line.login_id = Some(login_id.to_owned());
    let mut store = lock(&state.legacy);
    let card = store.card(login_id)?;
    let questions = card.user.questions(card.language);
    let questions = questions.iter().map(|one| json!({"Question": one.prompt}));
    let questions: Vec<Value> = questions.collect();
    Ok(Answer::ok(
        &json!({"Message": "SUCCESS", "Questions": questions}),
    ))
}

/// Stores answers for the next live session, which checks them.
pub(super) fn answer_questions(
    state: &State,
    body: &[u8],
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    let fields = Fields::read(body, Casing::Any)?;
    let login_id = fields.required_text("LoginId")?;
    line.login_id = Some(login_id.clone());
    let given = fields
        .objects("Questions")?
        .ok_or_else(|| invalid("Questions", "is required"))?
        .iter()
        .map(|one| Ok((one.required_text("Question")?, one.required_text("Answer")?)))
        .collect::<Result<Vec<_>, Answer>>()?;
    line.answers = Some(given.len());
    let mut store = lock(&state.legacy);
    let card = store.card(&login_id)?;
    let known = card.user.questions(card.language);
    let is_known = |(question, _): &(String, _)| known.iter().any(|one| one.prompt == *question);
    if !given.iter().all(is_known) {
        return Err(invalid(
            "Questions",
            "names a question that the bank does not ask",
        ));
    }
    card.answers.extend(given);
    line.acted = true;
    Ok(Answer::ok(&json!({"Message": "Answers updated"})))
}

/// Switches the nightly refresh; the answer is a JSON string.
pub(super) fn set_scheduled_refresh(
    state: &State,
    body: &[u8],
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    let fields = Fields::read(body, Casing::Any)?;
    let login_id = fields.required_text("LoginId")?;
    line.login_id = Some(login_id.clone());
    let activated = fields
        .flag("IsActivated")?
        .ok_or_else(|| invalid("IsActivated", "is required"))?;
    let mut store = lock(&state.legacy);
    let card = store.card(&login_id)?;
    if activated && card.user.is_upload() {
        return Err(invalid(
            "LoginId",
            "is of an upload, which has no bank to refresh from",
        ));
    }
    card.scheduled = activated;
    line.acted = true;
    let word = if activated {
        "activated"
    } else {
        "deactivated"
    };
    let message = format!("LoginId {login_id} has now been {word} for automatic refresh");
    Ok(Answer::ok(&message.into()))
}

/// Answers with the cards that a nightly refresh would fail for, in the order of their ids.
pub(super) fn nightly_status(state: &State) -> Answer {
    let store = lock(&state.legacy);
    let fails =
        |card: &Card| card.last_error.is_some() || card.scheduled && card.user.needs_a_code();
    let cards = store.cards.iter().filter(|(_, card)| fails(card));
    let cards: BTreeMap<_, _> = cards.map(|(id, card)| (id, card.last_error)).collect();
    let cards = cards.into_iter().map(|(login_id, error)| {
        json!({
            "LoginId": login_id,
            "LastRefreshDate": LAST_REFRESH,
            "LastRefreshState": "AnsweringSecurityChallenge",
            "LastRefreshErrorCode": error,
        })
    });
    let cards: Vec<Value> = cards.collect();
    Answer::ok(&json!({"HttpStatusCode": 200, "IneligibleCards": cards}))
}
