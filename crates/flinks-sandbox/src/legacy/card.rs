//! What is kept under a LoginId: deleting it, its questions, its refresh at night.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    fields::{Fields, invalid},
    session::LAST_REFRESH,
};
use crate::{answer::Answer, lock, log::LogLine, state::State};

/// Deletes a card, unless its data are being gathered.
pub(super) fn delete(state: &State, login_id: &str, line: &mut LogLine) -> Result<Answer, Answer> {
    line.login_id = Some(login_id.to_owned());
    let mut store = lock(&state.legacy);
    store.card(login_id)?;
    if store.is_in_use(login_id, state.config.session_idle) {
        return Err(Answer::house(
            StatusCode::BAD_REQUEST,
            "CARD_IN_USE",
            "The card is still being processed",
        ));
    }
    store.delete(login_id);
    line.acted = true;
    // This call alone has `StatusCode`.
    Ok(Answer::json(
        StatusCode::OK,
        &json!({
            "StatusCode": 200,
            "Message": format!("All of the information about LoginId {login_id} has been removed"),
        }),
    ))
}

/// The simple questions of a card's bank.
pub(super) fn questions(
    state: &State,
    login_id: &str,
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    line.login_id = Some(login_id.to_owned());
    let mut store = lock(&state.legacy);
    let card = store.card(login_id)?;
    let questions: Vec<Value> = card
        .user
        .questions(card.language)
        .iter()
        .map(|one| json!({"Question": one.prompt}))
        .collect();
    Ok(Answer::json(
        StatusCode::OK,
        &json!({"Message": "SUCCESS", "Questions": questions}),
    ))
}

/// Keeps answers for the next live session; whether they are right shows only then.
pub(super) fn answer_questions(
    state: &State,
    body: &[u8],
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    let fields = Fields::read(body)?;
    let login_id = fields.needed_text("LoginId")?;
    line.login_id = Some(login_id.clone());
    let given = fields
        .objects("Questions")?
        .ok_or_else(|| invalid("Questions", "is required"))?
        .iter()
        .map(|one| Ok((one.needed_text("Question")?, one.needed_text("Answer")?)))
        .collect::<Result<Vec<_>, Answer>>()?;
    line.answers = Some(given.len());
    let mut store = lock(&state.legacy);
    let card = store.card(&login_id)?;
    let known = card.user.questions(card.language);
    if !given
        .iter()
        .all(|(question, _)| known.iter().any(|one| one.prompt == *question))
    {
        return Err(invalid(
            "Questions",
            "names a question that the bank does not ask",
        ));
    }
    card.answers.extend(given);
    line.acted = true;
    Ok(Answer::json(
        StatusCode::OK,
        &json!({"Message": "Answers updated"}),
    ))
}

/// Switches the refresh at night; the answer is a bare string.
pub(super) fn set_scheduled_refresh(
    state: &State,
    body: &[u8],
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    let fields = Fields::read(body)?;
    let login_id = fields.needed_text("LoginId")?;
    line.login_id = Some(login_id.clone());
    let activated = fields
        .flag("IsActivated")?
        .ok_or_else(|| invalid("IsActivated", "is required"))?;
    lock(&state.legacy).card(&login_id)?.scheduled = activated;
    line.acted = true;
    let word = if activated {
        "activated"
    } else {
        "deactivated"
    };
    Ok(Answer::json(
        StatusCode::OK,
        &format!("LoginId {login_id} has now been {word} for automatic refresh").into(),
    ))
}

/// The cards that a refresh at night would not get through with.
pub(super) fn nightly_status(state: &State) -> Answer {
    let mut store = lock(&state.legacy);
    let mut ineligible: Vec<(String, Option<&str>)> = store
        .cards
        .iter_mut()
        .filter(|(_, card)| {
            card.last_error.is_some() || (card.scheduled && card.user.needs_a_code())
        })
        .map(|(id, card)| (id.clone(), card.last_error))
        .collect();
    ineligible.sort();
    let cards: Vec<Value> = ineligible
        .into_iter()
        .map(|(login_id, error)| {
            json!({
                "LoginId": login_id,
                "LastRefreshDate": LAST_REFRESH,
                "LastRefreshState": "AnsweringSecurityChallenge",
                "LastRefreshErrorCode": error,
            })
        })
        .collect();
    Answer::json(
        StatusCode::OK,
        &json!({"HttpStatusCode": 200, "IneligibleCards": cards}),
    )
}
