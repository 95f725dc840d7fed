//! `auth.authorize_token`, `legacy.authorize` and the flow `legacy.answer`.

use flinks_auth::{AuthorizeTokenRequest, AuthorizeTokenSlot};
use flinks_legacy::{Authorize, AuthorizeCall, AuthorizeError, ChallengeRound};
use flinks_transport::{
    Body, DecodeError, Endpoint, Error, ErrorKind, Operation, Replay, Transport,
};
use flinks_types::{
    AuthorizeRequest, Credentials as BankCredentials, Language, LoginId, RequestId,
    SecurityResponses, StoredLogin,
};
use http::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::{self, Given};
use super::{
    CaseCall, Codec, Host, Outcome, Running, Single, Stack, accepts, answer, compact, decode,
    legacy_client, set,
};
use crate::keys::Keys;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenInput {}

impl Single for TokenInput {
    type Operation = AuthorizeTokenRequest;

    const IS_TOKEN: bool = true;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<AuthorizeTokenRequest, Error> {
        let no_key = || Error::new(ErrorKind::Config, "there is no auth key");
        let key = keys.auth_key.as_ref().ok_or_else(no_key)?;
        AuthorizeTokenRequest::new(endpoint, keys.customer_id.clone(), key)
    }

    fn transport(stack: &Stack) -> Result<Transport, Error> {
        Ok(stack.transport.clone())
    }

    /// Only the credential layer can read the token.
    fn canonical(_: &AuthorizeTokenSlot) -> Value {
        json!({})
    }
}

/// One of the three forms of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Form {
    Credentials(CredentialsInput),
    StoredLogin(StoredLoginInput),
    Answers(AnswersInput),
}

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct AuthorizeInput(Form);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsInput {
    institution: String,
    username: String,
    password: String,
    save: Option<bool>,
    language: Option<Language>,
    tag: Option<String>,
    schedule_refresh: Option<bool>,
    with_mfa_questions: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredLoginInput {
    login_id: LoginId,
    live: bool,
    language: Option<Language>,
    tag: Option<String>,
}

/// Answers as they are sent: for the codec, which asks nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswersInput {
    request_id: RequestId,
    responses: Vec<(String, Vec<String>)>,
}

impl AuthorizeInput {
    fn request(&self) -> AuthorizeRequest {
        match &self.0 {
            Form::Credentials(input) => {
                let (username, password) = (input.username.as_str(), input.password.as_str());
                let mut request = BankCredentials::new(&input.institution, username, password);
                request = set(request, &input.save, |request, save| request.save(save));
                request = set(request, &input.language, |request, language| {
                    request.language(language)
                });
                request = set(request, &input.tag, |request, tag| request.tag(tag));
                request = set(request, &input.schedule_refresh, |request, on| {
                    request.schedule_refresh(on)
                });
                request = set(request, &input.with_mfa_questions, |request, on| {
                    request.with_mfa_questions(on)
                });
                request.into()
            }
            Form::StoredLogin(input) => {
                let id = input.login_id.clone();
                let mut request = if input.live {
                    StoredLogin::live(id)
                } else {
                    StoredLogin::cached(id)
                };
                request = set(request, &input.language, |request, language| {
                    request.language(language)
                });
                request = set(request, &input.tag, |request, tag| request.tag(tag));
                request.into()
            }
            Form::Answers(input) => {
                let mut request = SecurityResponses::new(input.request_id.clone());
                for (key, values) in &input.responses {
                    let values = values.iter().map(|value| value.as_str().into());
                    request.push(key, values.collect());
                }
                request.into()
            }
        }
    }
}

impl CaseCall for AuthorizeInput {
    fn host(&self) -> Host {
        Host::Results
    }

    fn codec(&self, endpoint: &Endpoint) -> Option<Result<Box<dyn Codec>, Error>> {
        let request = self.request();
        let customer = Keys::standard().customer_at(endpoint.clone());
        let call = AuthorizeCall::new(customer, request.clone());
        Some(Ok(Box::new(Opened { call, request })))
    }

    fn secrets(&self) -> Vec<String> {
        match &self.0 {
            Form::Credentials(input) => vec![input.username.clone(), input.password.clone()],
            // A stored login alone does not give access to the bank: layers may see its body.
            Form::StoredLogin(input) if !input.live => Vec::new(),
            Form::StoredLogin(input) => vec![input.login_id.as_str().to_owned()],
            Form::Answers(input) => {
                let values = input.responses.iter().flat_map(|(_, values)| values);
                values.cloned().collect()
            }
        }
    }

    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c> {
        Box::pin(async move {
            let client = match legacy_client(stack) {
                Ok(client) => client,
                Err(error) => return Outcome::failed(error),
            };
            match &self.0 {
                // The client sends answers of a round only: that is `legacy.answer`.
                Form::Answers(_) => {
                    let customer = stack.keys.customer_at(stack.endpoint.clone());
                    let answers = AuthorizeCall::new(customer, self.request());
                    Outcome::of(client.transport().call(answers).await, authorize)
                }
                Form::Credentials(_) | Form::StoredLogin(_) => {
                    let request = self.request();
                    let shown = format!("{request:?} {request:#?} {client:?}");
                    ended(client.authorize(request).await).showing("the request's Debug", shown)
                }
            }
        })
    }
}

/// The call with the body that the transport alone may read.
struct Opened {
    call: AuthorizeCall,
    request: AuthorizeRequest,
}

impl Codec for Opened {
    fn replay(&self) -> Replay {
        self.call.meta().replay()
    }

    fn request(&self) -> Result<http::Request<Body>, Error> {
        let request = self.call.request()?;
        let json = self.request.to_json().map_err(|error| {
            Error::new(ErrorKind::Input, "this request cannot be written").with_source(error)
        })?;
        Ok(request.map(|_| Body::from(json)))
    }

    fn accepts(&self, response: &Response<bytes::Bytes>) -> bool {
        accepts(&self.call, response)
    }

    fn read(&self, response: Response<bytes::Bytes>) -> Result<Outcome, DecodeError> {
        let read = decode(&self.call, response);
        read.map(|step| ended(Ok(step)))
    }
}

/// The session or the questions, in the names of the service.
fn authorize(step: &Authorize) -> Value {
    match step {
        Authorize::Authorized(session) => json!({ "authorized": compact(json!({
            "RequestId": session.request_id(),
            "Login": session.login(),
            "Links": session.links(),
            "Institution": session.institution(),
            "Tag": session.tag(),
        })) }),
        Authorize::Challenged(round) => json!({ "challenged": compact(json!({
            "RequestId": round.request_id(),
            "FlinksCode": round.flinks_code(),
            "Institution": round.institution(),
            "Tag": round.tag(),
            "SecurityChallenges": round.questions().map(|question| answer(question.challenge())).collect::<Value>(),
            "answers_were_wrong": round.answers_were_wrong(),
        })) }),
        _ => Value::Null,
    }
}

fn ended(result: Result<Authorize, AuthorizeError>) -> Outcome {
    match result {
        Ok(step) => {
            let outcome = Outcome::ok(authorize(&step), &step);
            if let Authorize::Challenged(round) = &step {
                outcome.showing("the session file", file(round))
            } else {
                outcome
            }
        }
        Err(error) => Outcome::authorize_failed(&error),
    }
}

/// The serialized round, without what it may hold: the application's tag, and the bank's prompts and
/// choices, one of which is the right answer.
fn file(round: &ChallengeRound) -> String {
    let mut file = serde_json::to_value(round).unwrap_or_default();
    if let Value::Object(file) = &mut file {
        file.remove("tag");
        let questions = file.get_mut("questions").and_then(Value::as_array_mut);
        for question in questions.into_iter().flatten() {
            if let Value::Object(question) = question {
                question.retain(|key, _| key != "prompt" && key != "choices");
            }
        }
    }
    file.to_string()
}

/// A round as the service asks it, answered in the words of the program's answers file, and what
/// the service asks then answered too, round by round.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerInput {
    /// The body of the answer that asks.
    challenged: Value,
    /// One object a round, from prompt to answer.
    answers: Vec<Map<String, Value>>,
    /// The round is serialized and read back first, as for another process.
    #[serde(default)]
    serialized: bool,
}

impl CaseCall for AnswerInput {
    fn host(&self) -> Host {
        Host::Results
    }

    fn secrets(&self) -> Vec<String> {
        let answers = self.answers.iter().flat_map(Map::values);
        answers.flat_map(Given::texts).collect()
    }

    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c> {
        Box::pin(async move {
            match self.answer(stack).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::failed(error),
            }
        })
    }
}

impl AnswerInput {
    async fn answer(&self, stack: &Stack) -> Result<Outcome, Error> {
        let client = legacy_client(stack)?;
        let mut round = self.round()?;
        if self.serialized {
            let unreadable = |_| Error::new(ErrorKind::Input, "the round cannot be serialized");
            let text = serde_json::to_string(&round).map_err(unreadable)?;
            round = serde_json::from_str(&text).map_err(unreadable)?;
        }
        let mut files = file(&round);
        let mut shown = String::new();
        let mut left = self.answers.iter();
        let last = loop {
            let Some(given) = left.next() else {
                break Ok(Authorize::Challenged(round));
            };
            let answers = answers::of(&round, given)?;
            shown += &format!("{round:?} {answers:?} ");
            let answered = answers.finish()?;
            shown += &format!("{answered:?} ");
            match client.answer(answered).await {
                Ok(Authorize::Challenged(next)) => {
                    files += &file(&next);
                    round = next;
                }
                other => break other,
            }
        };
        if left.next().is_some() {
            let message = "the case has answers for more rounds than the bank asks";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(ended(last)
            .showing("the answers' Debug", shown)
            .showing("the session file", files))
    }

    fn round(&self) -> Result<ChallengeRound, Error> {
        match Authorize::from_json(self.challenged.to_string().as_bytes()) {
            Ok(Authorize::Challenged(round)) => Ok(round),
            _ => Err(Error::new(ErrorKind::Config, "challenged: asks nothing")),
        }
    }
}
