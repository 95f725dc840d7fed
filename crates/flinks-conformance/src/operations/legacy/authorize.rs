//! `auth.authorize_token`, `legacy.authorize` and the flow `legacy.answer`: inputs and calls.

use flinks_auth::{AuthorizeToken, AuthorizeTokenRequest};
use flinks_legacy::{Authorize, AuthorizeCall, AuthorizeError, ChallengeRound};
use flinks_transport::{Body, DecodeError, Endpoint, Error, ErrorKind, Operation, Replay};
use flinks_types::{
    AuthorizeRequest, Credentials as BankCredentials, Language, LoginId, RequestId,
    SecurityResponses, StoredLogin,
};
use http::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::{self, Given};
use super::{LegacyCall, Running, canonical, client};
use crate::case::Credentials;
use crate::keys::Keys;
use crate::operations::{Codec, Outcome, Stack, call, decode, described};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct TokenInput {}

impl LegacyCall for TokenInput {
    /// The call brings its own.
    fn credentials(&self) -> Credentials {
        Credentials::None
    }

    fn codec(&self, endpoint: &Endpoint) -> Option<Result<Box<dyn Codec>, Error>> {
        let operation = Self::operation(endpoint, &Keys::standard());
        Some(operation.and_then(|operation| described(operation, fetched)))
    }

    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c> {
        Box::pin(async move {
            match Self::operation(&stack.endpoint, &stack.keys) {
                Ok(operation) => call(&stack.transport, operation, fetched).await,
                Err(error) => Outcome::failed(error),
            }
        })
    }
}

impl TokenInput {
    fn operation(endpoint: &Endpoint, keys: &Keys) -> Result<AuthorizeTokenRequest, Error> {
        let no_key = || Error::new(ErrorKind::Config, "there is no auth key");
        let key = keys.auth_key.as_ref().ok_or_else(no_key)?;
        AuthorizeTokenRequest::new(endpoint.clone(), keys.customer()?, key)
    }
}

/// Nobody but the credentials layer can read a token: that there is one is all there is to say.
fn fetched(_: &AuthorizeToken) -> Value {
    json!({})
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
#[serde(deny_unknown_fields, expecting = "an object")]
struct CredentialsInput {
    institution: String,
    username: String,
    password: String,
    #[serde(default)]
    save: Option<bool>,
    #[serde(default)]
    language: Option<Language>,
    #[serde(default)]
    tag: Option<String>,
    #[serde(default)]
    schedule_refresh: Option<bool>,
    #[serde(default)]
    with_mfa_questions: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct StoredLoginInput {
    login_id: LoginId,
    live: bool,
    #[serde(default)]
    language: Option<Language>,
    #[serde(default)]
    tag: Option<String>,
}

/// Answers as they are sent: for the codec, which asks nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
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
                if let Some(save) = input.save {
                    request = request.save(save);
                }
                if let Some(language) = &input.language {
                    request = request.language(language.clone());
                }
                if let Some(tag) = &input.tag {
                    request = request.tag(tag);
                }
                if let Some(on) = input.schedule_refresh {
                    request = request.schedule_refresh(on);
                }
                if let Some(on) = input.with_mfa_questions {
                    request = request.with_mfa_questions(on);
                }
                request.into()
            }
            Form::StoredLogin(input) => {
                let id = input.login_id.clone();
                let mut request = if input.live {
                    StoredLogin::live(id)
                } else {
                    StoredLogin::cached(id)
                };
                if let Some(language) = &input.language {
                    request = request.language(language.clone());
                }
                if let Some(tag) = &input.tag {
                    request = request.tag(tag);
                }
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

impl LegacyCall for AuthorizeInput {
    fn codec(&self, endpoint: &Endpoint) -> Option<Result<Box<dyn Codec>, Error>> {
        let request = self.request();
        let endpoint = Keys::standard().customer_endpoint(endpoint);
        let call = endpoint.map(|endpoint| AuthorizeCall::new(endpoint, request.clone()));
        Some(call.map(|call| {
            let opened: Box<dyn Codec> = Box::new(Opened { call, request });
            opened
        }))
    }

    fn secrets(&self) -> Vec<String> {
        match &self.0 {
            Form::Credentials(input) => vec![input.username.clone(), input.password.clone()],
            // A kept login opens nothing at the bank: its body is no secret to layers.
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
            let endpoint = stack.keys.customer_endpoint(&stack.endpoint);
            let made = endpoint.and_then(|endpoint| Ok((client(stack)?, endpoint)));
            let (client, endpoint) = match made {
                Ok(made) => made,
                Err(error) => return Outcome::failed(error),
            };
            match &self.0 {
                // The client sends answers of a round only: that is `legacy.answer`.
                Form::Answers(_) => {
                    let answers = AuthorizeCall::new(endpoint, self.request());
                    call(client.transport(), answers, canonical::authorize).await
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
        let (parts, ()) = response.clone().map(|_| ()).into_parts();
        self.call.accepts(&parts)
    }

    fn read(&self, response: Response<bytes::Bytes>) -> Result<Outcome, DecodeError> {
        let read = decode(&self.call, response);
        read.map(|step| ended(Ok(step)))
    }
}

fn ended(result: Result<Authorize, AuthorizeError>) -> Outcome {
    match result {
        Ok(step) => {
            let outcome = Outcome::ok(canonical::authorize(&step), &step);
            if let Authorize::Challenged(round) = &step {
                outcome.showing("the session file", file(round))
            } else {
                outcome
            }
        }
        Err(error) => Outcome::authorize_failed(&error),
    }
}

/// What a round is put away as, for another process to go on with, but for what it may hold: the
/// application's tag, the bank's prompts, and its choices, one of which is the right answer.
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
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct AnswerInput {
    /// The body of the answer that asks.
    challenged: Value,
    /// One object a round, from prompt to answer.
    answers: Vec<Map<String, Value>>,
    /// The round is put away as JSON and read again first, as for another process.
    #[serde(default)]
    put_away: bool,
}

impl LegacyCall for AnswerInput {
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
        let client = client(stack)?;
        let mut round = self.round()?;
        if self.put_away {
            let unreadable = |_| Error::new(ErrorKind::Input, "the round cannot be put away");
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
