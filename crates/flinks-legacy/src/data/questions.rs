//! Security questions that are answered ahead, so that a nightly refresh can go on without anybody.

use std::fmt;

use bytes::Bytes;
use flinks_transport::{
    Body, CallMeta, Credential, DecodeError, Endpoint, Error, ErrorKind, Operation, Replay, Route,
};
use flinks_types::{CustomerId, LoginId, MfaQuestionsResponse, Secret, Subject, from_json};
use http::{Method, Request, Response};
use serde::Serialize;

use super::answer::about;
use super::card::{Acknowledgement, acknowledged, done};
use super::place::Place;

/// Asks for the questions that a login's bank may ask: `legacy.mfa_questions`.
///
/// *Effect:* none; it may be sent any number of times.
#[derive(Clone, Debug)]
pub struct MfaQuestions {
    place: Place,
    login_id: LoginId,
}

impl MfaQuestions {
    /// Asks `endpoint` for the questions of `login_id`.
    #[must_use]
    pub fn new(endpoint: Endpoint, customer_id: CustomerId, login_id: LoginId) -> Self {
        Self::at(Place::new(endpoint, customer_id), login_id)
    }

    pub(crate) fn at(place: Place, login_id: LoginId) -> Self {
        Self { place, login_id }
    }
}

impl Operation for MfaQuestions {
    type Output = MfaQuestionsResponse;

    fn meta(&self) -> CallMeta {
        let route = Route::get("/v3/{customerId}/BankingServices/GetMFAQuestions/{loginId}");
        CallMeta::new("legacy.mfa_questions", route, Replay::Safe)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let id = self.login_id.as_str();
        self.place.ask(Method::GET, "GetMFAQuestions", Some(id))
    }

    fn decode(&self, response: Response<Bytes>) -> Result<MfaQuestionsResponse, DecodeError> {
        let (parts, body) = response.into_parts();
        let read: MfaQuestionsResponse =
            from_json(&body).map_err(|error| DecodeError::json(&error))?;
        let code = read.flinks_code.as_ref();
        done(parts.status, read.http_status_code, code, &body)?;
        about(Subject::login(&self.login_id), &body)?;
        Ok(read)
    }
}

/// Stores the answers to such questions: `legacy.answer_mfa_questions`.
///
/// *Effect:* the service uses them when the bank asks next. The answers travel in a sealed body
/// and are never sent again by themselves.
#[derive(Clone)]
pub struct AnswerMfaQuestions {
    place: Place,
    login_id: LoginId,
    answers: Vec<(String, Secret)>,
}

impl AnswerMfaQuestions {
    /// Stores `answers` of `login_id` at `endpoint`, each a question with its answer.
    #[must_use]
    pub fn new<Q: Into<String>, A: Into<Secret>>(
        endpoint: Endpoint,
        customer_id: CustomerId,
        login_id: LoginId,
        answers: impl IntoIterator<Item = (Q, A)>,
    ) -> Self {
        Self::at(Place::new(endpoint, customer_id), login_id, answers)
    }

    pub(crate) fn at<Q: Into<String>, A: Into<Secret>>(
        place: Place,
        login_id: LoginId,
        answers: impl IntoIterator<Item = (Q, A)>,
    ) -> Self {
        let answers = answers
            .into_iter()
            .map(|(question, answer)| (question.into(), answer.into()))
            .collect();
        Self {
            place,
            login_id,
            answers,
        }
    }

    /// Nothing that the service would merge, or store as an answer that cannot be right.
    fn check(&self) -> Result<(), Error> {
        let mut questions: Vec<_> = self.answers.iter().map(|(question, _)| question).collect();
        questions.sort_unstable();
        let message = if questions.is_empty() {
            "there is no answer to store"
        } else if questions.windows(2).any(|two| two.first() == two.last()) {
            "a question is answered twice"
        } else if questions.iter().any(|question| question.is_empty()) {
            "an answer has no question"
        } else if self.answers.iter().any(|(_, answer)| answer.is_empty()) {
            "an answer is empty"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Input, message))
    }

    /// Room for every character escaped, so that the buffer never grows and leaves a copy behind.
    fn capacity(&self) -> usize {
        let texts = self.answers.iter();
        let texts = texts.map(|(question, answer)| question.len() + answer.expose().len() + 16);
        (texts.sum::<usize>() + self.login_id.as_str().len() + 16) * 6
    }
}

#[derive(Serialize)]
struct Wire<'r> {
    #[serde(rename = "loginId")]
    login_id: &'r LoginId,
    #[serde(rename = "Questions")]
    questions: Vec<AnswerWire<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerWire<'r> {
    question: &'r str,
    answer: &'r str,
}

impl Operation for AnswerMfaQuestions {
    type Output = Acknowledgement;

    fn meta(&self) -> CallMeta {
        let route = Route::patch("/v3/{customerId}/BankingServices/AnswerMFAQuestions");
        CallMeta::new("legacy.answer_mfa_questions", route, Replay::Never)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.check()?;
        let questions = self.answers.iter();
        let questions = questions.map(|(question, answer)| AnswerWire {
            question,
            answer: answer.expose(),
        });
        let wire = Wire {
            login_id: &self.login_id,
            questions: questions.collect(),
        };
        let mut bytes = Vec::with_capacity(self.capacity());
        serde_json::to_writer(&mut bytes, &wire)
            .map_err(|_| Error::new(ErrorKind::Input, "the answers cannot be written as JSON"))?;
        let secrets = self.answers.iter().map(|(_, answer)| answer.clone());
        let body = Body::sealed(bytes).with_secrets(secrets.collect());
        self.place.tell(Method::PATCH, "AnswerMFAQuestions", body)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Acknowledgement, DecodeError> {
        acknowledged(response, &self.login_id)
    }
}

impl fmt::Debug for AnswerMfaQuestions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerMfaQuestions")
            .field("login_id", &self.login_id)
            .field("answers", &self.answers.len())
            .finish_non_exhaustive()
    }
}
