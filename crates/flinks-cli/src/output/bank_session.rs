//! Prints a bank session: an open one, or one that waits for answers.

use std::path::Path;

use flinks_legacy::{ChallengeRound, Session};
use flinks_types::text::escaped;
use flinks_types::{ChallengeType, SecurityChallenge};
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::output::error::{CliError, SESSION};
use crate::output::exit_status::Exit;
use crate::output::text::{counted, labeled, shell_word};

/// Prints the ids of an open session.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn print_authorized(session: &Session, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    let bank = session.institution().map(escaped);
    let bank = bank.map_or_else(String::new, |bank| format!(" ({bank})"));
    let request_id = escaped(session.request_id().as_str());
    let columns = output.columns().unwrap_or(usize::MAX);
    let line = |label, value: &str| labeled(label, 11, value, columns);
    let mut text = format!("{}{bank}\n\n", output.bold("Authorized"));
    text.push_str(&line("RequestId", &output.bold(&request_id)));
    if let Some(login_id) = session.login_id() {
        text.push_str(&line("LoginId", &escaped(login_id.as_str())));
    }
    if !context.sandbox {
        let word = shell_word(session.request_id().as_str().as_ref());
        let next = format!("\nNext, within 8 minutes:\n  flinks accounts --request-id {word}\n");
        text.push_str(&output.faint(&next));
    }
    output.text(&text)?;
    let mut object = base_object(
        "authorized",
        session.request_id().as_str(),
        session.institution(),
    );
    if let Some(login_id) = session.login_id() {
        object.insert("login_id".to_owned(), json!(login_id.as_str()));
    }
    output.object(&Value::Object(object))?;
    Ok(Exit::Done)
}

/// Prints the questions of a waiting session, and how to continue.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn print_challenged(
    round: &ChallengeRound,
    file: Option<&Path>,
    context: &Context,
) -> Result<Exit, CliError> {
    let output = context.output;
    let count = counted(round.questions().len(), "question");
    let title = format!("The bank waits for answers to {count}");
    let mut text = format!("{}\n", output.bold(&title));
    for (index, question) in round.questions().enumerate() {
        let challenge = question.challenge();
        let kind = challenge.r#type.as_ref().map_or("", ChallengeType::as_str);
        text.push_str(&format!(
            "  {:>2}  {} [{}]\n",
            index + 1,
            escaped(question.text()),
            escaped(kind)
        ));
        for choice in choices(challenge).unwrap_or_default() {
            let choice = choice
                .as_str()
                .map_or_else(|| choice.to_string(), |text| escaped(text).into_owned());
            text.push_str(&format!("        - {choice}\n"));
        }
    }
    text.push_str(&format!(
        "\nRequestId  {}\n",
        escaped(round.request_id().as_str())
    ));
    if let Some(file) = file {
        let path = shell_word(file);
        text.push_str(&format!(
            "Session    {path}\n\nNext, within 8 minutes:\n  flinks authorize --session {path}\n"
        ));
    }
    output.text(&text)?;
    let mut object = challenged_object(round);
    if let Some(file) = file {
        object.insert(SESSION.to_owned(), json!(file.to_string_lossy()));
    }
    output.object(&Value::Object(object))?;
    Ok(Exit::Waiting)
}

/// Returns the JSON fields of a waiting session.
pub(crate) fn challenged_object(round: &ChallengeRound) -> Map<String, Value> {
    let mut object = base_object(
        "challenged",
        round.request_id().as_str(),
        round.institution(),
    );
    let challenges = round.questions().map(|question| {
        let challenge = question.challenge();
        let kind = challenge.r#type.as_ref().map(ChallengeType::as_str);
        let mut object = json!({ "type": kind, "prompt": challenge.prompt });
        if let (Some(choices), Some(object)) = (choices(challenge), object.as_object_mut()) {
            object.insert("choices".to_owned(), Value::Array(choices));
        }
        object
    });
    object.insert("challenges".to_owned(), challenges.collect());
    object
}

/// Returns the choices of a challenge; an image is its index, as in the answers file.
fn choices(challenge: &SecurityChallenge) -> Option<Vec<Value>> {
    if challenge.iterables.is_empty() {
        return None;
    }
    let image = challenge.r#type == Some(ChallengeType::ImageSelection);
    let choices = challenge.iterables.iter().enumerate();
    Some(
        choices
            .map(|(index, choice)| if image { json!(index) } else { json!(choice) })
            .collect(),
    )
}

fn base_object(status: &str, request_id: &str, institution: Option<&str>) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("status".to_owned(), json!(status));
    object.insert("request_id".to_owned(), json!(request_id));
    if let Some(institution) = institution {
        object.insert("institution".to_owned(), json!(institution));
    }
    object
}
