//! The answers to one round: collected, checked as a whole, and then sent once.

use std::fmt;
use std::sync::Arc;

use flinks_auth::AuthorizeTokenSlot;
use flinks_transport::{Error, ErrorKind};
use flinks_types::{LoginId, RequestId, Secret, SecurityChallenge, SecurityResponses};

/// The call that sends answers, which is also the one that opens sessions.
pub(crate) const OPERATION: &str = "legacy.authorize";

/// The answers to one round, while they are collected.
///
/// Answering a question again replaces its answer. `Debug` shows how many answers there are, and
/// nothing of them.
pub struct Answers {
    request_id: RequestId,
    round: Arc<[SecurityChallenge]>,
    answers: Vec<Option<Answer>>,
    token: AuthorizeTokenSlot,
    login_id: Option<LoginId>,
}

struct Answer {
    key: String,
    values: Vec<Secret>,
}

impl Answers {
    pub(super) fn new(
        request_id: RequestId,
        round: Arc<[SecurityChallenge]>,
        token: AuthorizeTokenSlot,
        login_id: Option<LoginId>,
    ) -> Self {
        let answers = round.iter().map(|_| None).collect();
        Self {
            request_id,
            round,
            answers,
            token,
            login_id,
        }
    }

    /// Answers question `index` of `round`, which must be the round of these answers.
    pub(super) fn insert(
        &mut self,
        round: &Arc<[SecurityChallenge]>,
        index: usize,
        key: &str,
        values: Vec<Secret>,
    ) -> Result<(), Error> {
        if values.is_empty() {
            return Err(invalid(index, "has an answer without a value"));
        }
        let is_same_round = Arc::ptr_eq(&self.round, round);
        let Some(answer) = self.answers.get_mut(index).filter(|_| is_same_round) else {
            return Err(invalid(
                index,
                "belongs to another round than these answers",
            ));
        };
        *answer = Some(Answer {
            key: key.to_owned(),
            values,
        });
        Ok(())
    }

    /// Checks that every question has an answer and that no answer would overwrite another.
    ///
    /// # Errors
    /// [`ErrorKind::Input`], and nothing has been sent: a question has no answer, or two answers
    /// have the same key, because two questions have the same text or the same new question was
    /// chosen twice. The service would lose one of them.
    pub fn finish(self) -> Result<CompletedAnswers, Error> {
        let mut responses = SecurityResponses::new(self.request_id);
        let mut keys: Vec<String> = Vec::new();
        for (index, answer) in self.answers.into_iter().enumerate() {
            let answer = answer.ok_or_else(|| invalid(index, "has no answer"))?;
            if let Some(earlier) = keys.iter().position(|key| *key == answer.key) {
                let both = format!(
                    "and question {} would be answered under the same text, and one answer lost: \
                     choose different ones, or start the session again if the bank asks the same twice",
                    earlier + 1
                );
                return Err(invalid(index, &both));
            }
            keys.push(answer.key.clone());
            responses.push(answer.key, answer.values);
        }
        Ok(CompletedAnswers {
            responses,
            token: self.token,
            login_id: self.login_id,
        })
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers")
            .field("request_id", &self.request_id)
            .field("questions", &self.answers.len())
            .field("answered", &self.answers.iter().flatten().count())
            .finish()
    }
}

/// The answers to a whole round, checked and ready for
/// [`LegacyClient::answer`](crate::LegacyClient::answer).
///
/// They can be sent once and cannot be cloned: a bank may accept a code only once, and locks cards
/// after wrong answers.
#[derive(Debug)]
pub struct CompletedAnswers {
    pub(crate) responses: SecurityResponses,
    pub(crate) token: AuthorizeTokenSlot,
    pub(crate) login_id: Option<LoginId>,
}

impl CompletedAnswers {
    /// The session that the answers belong to.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        self.responses.request_id()
    }
}

/// An answer that is not sent. The message gives the question's number from 1, never its text.
pub(super) fn invalid(index: usize, reason: &str) -> Error {
    let message = format!("question {} {reason}", index + 1);
    Error::new(ErrorKind::Input, message).with_operation(OPERATION)
}
