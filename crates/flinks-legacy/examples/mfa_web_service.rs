//! A web service in which customers answer their bank's questions: a round is stored between two requests.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "an example reads its settings, shows its address and answers what is asked"
)]

use std::collections::HashMap;
use std::env::var;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use flinks_legacy::{
    Authorize, AuthorizeError, ChallengeRound, Channel, CompletedAnswers, Credentials, CustomerId,
    Endpoint, Error, LegacyClient, LegacyKeys, QuestionKind, Refusal, Roots, Transport,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The round that each customer has to answer, as JSON: it holds no credential.
///
/// In production this is a store that all processes share. The time to live is 8 minutes: Flinks ends
/// the session after that.
type Rounds = Arc<Mutex<HashMap<String, String>>>;

#[derive(Clone)]
struct App {
    legacy: LegacyClient,
    rounds: Rounds,
}

#[derive(Deserialize)]
struct Login {
    institution: String,
    username: String,
    password: String,
}

type Reply = Result<Json<Value>, (StatusCode, String)>;

/// `customer` is the customer that your own authentication found.
async fn connect(
    State(app): State<App>,
    Path(customer): Path<String>,
    Json(login): Json<Login>,
) -> Reply {
    let credentials = Credentials::new(login.institution, login.username, login.password);
    // Up to 210 s: keep the timeout of your web server above it. It is sent once, whatever happens.
    let step = app.legacy.authorize(credentials).await.map_err(refused)?;
    reply(&app, customer, step)
}

/// Takes the answers in the order of the questions.
async fn answer(
    State(app): State<App>,
    Path(customer): Path<String>,
    Json(given): Json<Vec<String>>,
) -> Reply {
    let stored = rounds(&app).get(&customer).cloned();
    let none = || (StatusCode::NOT_FOUND, "no question is open".to_owned());
    let stored = stored.ok_or_else(none)?;
    let round = serde_json::from_str(&stored).map_err(internal)?;
    // A missing answer, or one that is not among the choices: nothing is sent, and the round stays.
    let answers = completed(&round, &given)
        .map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    // The first of two requests takes the round: answers are sent at most once.
    if rounds(&app).remove(&customer).is_none() {
        return Err((StatusCode::CONFLICT, "answered already".to_owned()));
    }
    let step = app.legacy.answer(answers).await.map_err(refused)?;
    reply(&app, customer, step)
}

fn completed(round: &ChallengeRound, given: &[String]) -> Result<CompletedAnswers, Error> {
    let mut answers = round.answers();
    for (question, given) in round.questions().zip(given) {
        match question.kind() {
            QuestionKind::Approval(question) => question.approved(&mut answers)?,
            QuestionKind::Code(question) => question.enter(&mut answers, given)?,
            QuestionKind::Image(question) => question.choose(&mut answers, given)?,
            QuestionKind::Phone(question) => {
                question.send_to(&mut answers, given, Channel::Text)?;
            }
            QuestionKind::SingleChoice(question) => question.choose(&mut answers, given)?,
            QuestionKind::Text(question) => question.answer(&mut answers, given)?,
            other => other.answer_raw(&mut answers, [given])?,
        }
    }
    answers.finish()
}

/// What the browser shows next.
fn reply(app: &App, customer: String, step: Authorize) -> Reply {
    match step {
        // Store the LoginId of the session beside the customer, as safely as a password.
        Authorize::Authorized(_session) => Ok(Json(json!({ "connected": true }))),
        Authorize::Challenged(round) => {
            let questions: Vec<Value> = round
                .questions()
                .map(|question| {
                    let choices = &question.challenge().iterables;
                    json!({ "text": question.text(), "choices": choices })
                })
                .collect();
            let stored = serde_json::to_string(&round).map_err(internal)?;
            rounds(app).insert(customer, stored);
            let wrong = round.answers_were_wrong();
            Ok(Json(
                json!({ "questions": questions, "wrong_answer": wrong }),
            ))
        }
        _ => Err((StatusCode::BAD_GATEWAY, "an unknown answer".to_owned())),
    }
}

/// Says who must act; the details are for the log, not for the customer.
fn refused(error: AuthorizeError) -> (StatusCode, String) {
    println!("{}", error.error().report());
    let (status, text) = match error.refusal() {
        Some(Refusal::BankLogin) => (StatusCode::UNAUTHORIZED, "check your name and password"),
        Some(Refusal::BankDown) => (StatusCode::SERVICE_UNAVAILABLE, "try again later"),
        Some(Refusal::SessionOver | Refusal::WrongAnswer | Refusal::WrongAnswerFinal) => {
            (StatusCode::GONE, "start again")
        }
        _ => (StatusCode::BAD_GATEWAY, "your bank cannot be reached"),
    };
    (status, text.to_owned())
}

fn internal(error: impl std::error::Error) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn rounds(app: &App) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
    app.rounds.lock().unwrap_or_else(PoisonError::into_inner)
}

fn app(legacy: LegacyClient) -> Router {
    let rounds = Rounds::default();
    Router::new()
        .route("/customers/{customer}/connect", post(connect))
        .route("/customers/{customer}/answer", post(answer))
        .with_state(App { legacy, rounds })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut transport = Transport::builder();
    if let Ok(ca) = var("FLINKS_CA") {
        transport = transport.roots(Roots::pem_file(ca)?); // only for the sandbox
    }
    let legacy = LegacyClient::new(
        transport.build()?,
        Endpoint::new(&var("FLINKS_API_URL")?)?,
        CustomerId::new(var("FLINKS_CUSTOMER_ID")?)?,
        LegacyKeys::new(), // or the keys that Flinks gave you
    )?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app(legacy)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, header};
    use flinks_sandbox::{Sandbox, legacy_client};
    use tower::ServiceExt as _;

    use super::*;

    type TestResult<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

    async fn post(app: &Router, path: &str, body: Value) -> TestResult<(StatusCode, Vec<u8>)> {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))?;
        let response = app.clone().oneshot(request).await?;
        let status = response.status();
        Ok((
            status,
            to_bytes(response.into_body(), 1 << 20).await?.into(),
        ))
    }

    #[tokio::test]
    async fn a_customer_answers_three_questions() -> TestResult<()> {
        let sandbox = Sandbox::start().await?;
        let app = app(legacy_client!(sandbox)?);
        let login = json!({
            "institution": "FlinksCapital", "username": "greatday_together", "password": "Everyday"
        });
        let (status, body) = post(&app, "/customers/7/connect", login).await?;
        let asked: Value = serde_json::from_slice(&body)?;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(asked["questions"].as_array().map(Vec::len), Some(3));

        let path = "/customers/7/answer";
        let (status, _) = post(&app, path, json!(["Montreal"])).await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let answers = json!(["Montreal", "Canada", "Triangle"]);
        let (status, body) = post(&app, path, answers.clone()).await?;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            serde_json::from_slice::<Value>(&body)?,
            json!({ "connected": true })
        );
        let (status, _) = post(&app, path, answers).await?;
        assert_eq!(status, StatusCode::NOT_FOUND);
        Ok(())
    }
}
