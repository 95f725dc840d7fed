//! Security questions answered in advance, for the nightly refresh: `legacy.mfa_questions` and
//! `legacy.answer_mfa_questions`.

use std::fmt;

use bytes::Bytes;
use flinks_transport::{
    Body, Call, CallMeta, Credential, CustomerEndpoint, DecodeError, Error, ErrorKind, Operation,
    Replay, Route,
};
use flinks_types::{LoginId, MfaQuestionsResponse, Secret, Subject, from_json};
use http::{Request, Response};
use serde::Serialize;

use super::acknowledgement::{self, Acknowledgement};
use crate::answer::{check_subject, require_done};
use crate::client::LegacyClient;

const LIST_ROUTE: Route = Route::get("/v3/{customerId}/BankingServices/GetMFAQuestions/{loginId}");
const ANSWER_ROUTE: Route = Route::patch("/v3/{customerId}/BankingServices/AnswerMFAQuestions");

impl LegacyClient {
    /// Lists the questions that the bank of a login may ask: `legacy.mfa_questions`.
    ///
    /// *Effect:* none. There are questions only if the session was opened with
    /// [`with_mfa_questions`](flinks_types::Credentials::with_mfa_questions).
    pub fn mfa_questions(&self, login_id: &LoginId) -> Call<MfaQuestions> {
        self.transport()
            .call(MfaQuestions::new(self.endpoint().clone(), login_id.clone()))
    }

    /// Stores the answers to such questions, as pairs of question and answer:
    /// `legacy.answer_mfa_questions`.
    ///
    /// *Effect:* the service uses the answers when the bank asks next, and deletes wrong ones. They
    /// are sent in a sealed body, at most once.
    pub fn answer_mfa_questions<Q: Into<String>, A: Into<Secret>>(
        &self,
        login_id: &LoginId,
        answers: impl IntoIterator<Item = (Q, A)>,
    ) -> Call<AnswerMfaQuestions> {
        let (endpoint, login_id) = (self.endpoint().clone(), login_id.clone());
        self.transport()
            .call(AnswerMfaQuestions::new(endpoint, login_id, answers))
    }
}

/// Lists the questions that the bank of a login may ask: `legacy.mfa_questions`.
///
/// *Effect:* none; it may be sent any number of times.
#[derive(Clone, Debug)]
pub struct MfaQuestions {
    endpoint: CustomerEndpoint,
    login_id: LoginId,
}

impl MfaQuestions {
    /// Creates a call that lists the questions of `login_id`.
    #[must_use]
    pub fn new(endpoint: CustomerEndpoint, login_id: LoginId) -> Self {
        Self { endpoint, login_id }
    }
}

impl Operation for MfaQuestions {
    type Output = MfaQuestionsResponse;

    fn meta(&self) -> CallMeta {
        CallMeta::new("legacy.mfa_questions", LIST_ROUTE, Replay::Safe)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.endpoint.request(LIST_ROUTE, &[self.login_id.as_str()])
    }

    fn decode(&self, response: Response<Bytes>) -> Result<MfaQuestionsResponse, DecodeError> {
        let (parts, body) = response.into_parts();
        let answer: MfaQuestionsResponse =
            from_json(&body).map_err(|error| DecodeError::json(&error))?;
        let code = answer.flinks_code.as_ref();
        require_done(parts.status, answer.http_status_code, code, &body)?;
        check_subject(Subject::login(&self.login_id), &body)?;
        Ok(answer)
    }
}

/// Stores the answers to security questions: `legacy.answer_mfa_questions`.
///
/// *Effect:* the service uses the answers when the bank asks next. They are sent in a sealed body,
/// at most once.
#[derive(Clone)]
pub struct AnswerMfaQuestions {
    endpoint: CustomerEndpoint,
    login_id: LoginId,
    answers: Vec<(String, Secret)>,
}

impl AnswerMfaQuestions {
    /// Creates a call that stores `answers` of `login_id`, as pairs of question and answer.
    #[must_use]
    pub fn new<Q: Into<String>, A: Into<Secret>>(
        endpoint: CustomerEndpoint,
        login_id: LoginId,
        answers: impl IntoIterator<Item = (Q, A)>,
    ) -> Self {
        let answers = answers.into_iter();
        Self {
            endpoint,
            login_id,
            answers: answers.map(|(q, a)| (q.into(), a.into())).collect(),
        }
    }

    /// Refuses what the service would merge, and answers that cannot be right.
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

    /// Enough if every character is escaped, so that the buffer never grows and leaves a copy behind.
    fn capacity(&self) -> usize {
        let texts = self.answers.iter();
        let texts = texts.map(|(question, answer)| question.len() + answer.expose().len() + 16);
        (texts.sum::<usize>() + self.login_id.as_str().len() + 16) * 6
    }
}

#[derive(Serialize)]
struct AnswersRequest<'r> {
    #[serde(rename = "loginId")]
    login_id: &'r LoginId,
    #[serde(rename = "Questions")]
    questions: Vec<QuestionWithAnswer<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct QuestionWithAnswer<'r> {
    question: &'r str,
    answer: &'r str,
}

impl Operation for AnswerMfaQuestions {
    type Output = Acknowledgement;

    fn meta(&self) -> CallMeta {
        CallMeta::new("legacy.answer_mfa_questions", ANSWER_ROUTE, Replay::Never)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.check()?;
        let questions = self.answers.iter();
        let questions = questions.map(|(question, answer)| QuestionWithAnswer {
            question,
            answer: answer.expose(),
        });
        let request = AnswersRequest {
            login_id: &self.login_id,
            questions: questions.collect(),
        };
        let mut bytes = Vec::with_capacity(self.capacity());
        serde_json::to_writer(&mut bytes, &request)
            .map_err(|_| Error::new(ErrorKind::Input, "the answers cannot be written as JSON"))?;
        let secrets = self.answers.iter().map(|(_, answer)| answer.clone());
        let body = Body::sealed(bytes).with_secrets(secrets.collect());
        self.endpoint.json_request(ANSWER_ROUTE, &[], body)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Acknowledgement, DecodeError> {
        acknowledgement::read(response, &self.login_id)
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
