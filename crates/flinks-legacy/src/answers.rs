//! The answers to one round: collected, checked as a whole, and then sent once.

use std::fmt;
use std::sync::Arc;

use flinks_auth::AuthorizeToken;
use flinks_transport::{Error, ErrorKind};
use flinks_types::{LoginId, RequestId, Secret, SecurityChallenge, SecurityResponses};

use crate::authorize::OPERATION;
use crate::question::Asked;

/// The answers to one round, while they are collected.
///
/// A question that is answered again has its new answer. `Debug` tells how many there are, and
/// nothing of them.
pub struct Answers {
    request_id: RequestId,
    round: Arc<[SecurityChallenge]>,
    given: Vec<Option<Given>>,
    token: AuthorizeToken,
    login_id: Option<LoginId>,
}

struct Given {
    key: String,
    values: Vec<Secret>,
}

impl Answers {
    pub(crate) fn new(
        request_id: RequestId,
        round: Arc<[SecurityChallenge]>,
        token: AuthorizeToken,
        login_id: Option<LoginId>,
    ) -> Self {
        let given = round.iter().map(|_| None).collect();
        Self {
            request_id,
            round,
            given,
            token,
            login_id,
        }
    }

    pub(crate) fn put(
        &mut self,
        asked: Asked<'_>,
        key: &str,
        values: Vec<Secret>,
    ) -> Result<(), Error> {
        if values.is_empty() {
            return Err(refused(asked.index, "has an answer without a value"));
        }
        let ours = Arc::ptr_eq(&self.round, asked.round);
        let place = self.given.get_mut(asked.index).filter(|_| ours);
        let place =
            place.ok_or_else(|| refused(asked.index, "is of another round than these answers"))?;
        *place = Some(Given {
            key: key.to_owned(),
            values,
        });
        Ok(())
    }

    /// Checks the answers as a whole: every question has one, and none would take another's place.
    ///
    /// # Errors
    /// [`ErrorKind::Input`], and nothing has been sent: a question has no answer, or two answers
    /// have the same key, because two questions have the same text or the same new question was
    /// chosen twice. The service would lose one of them.
    pub fn finish(self) -> Result<AnsweredRound, Error> {
        let mut responses = SecurityResponses::new(self.request_id);
        let mut keys: Vec<String> = Vec::new();
        for (index, given) in self.given.into_iter().enumerate() {
            let given = given.ok_or_else(|| refused(index, "has no answer"))?;
            if let Some(earlier) = keys.iter().position(|key| *key == given.key) {
                let both = format!(
                    "and question {} would be answered under the same text, and one answer lost: \
                     choose different ones, or start the session again if the bank asks the same twice",
                    earlier + 1
                );
                return Err(refused(index, &both));
            }
            keys.push(given.key.clone());
            responses.push(given.key, given.values);
        }
        Ok(AnsweredRound {
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
            .field("questions", &self.given.len())
            .field("given", &self.given.iter().flatten().count())
            .finish()
    }
}

/// The answers to a whole round, checked and ready to be sent: once, which is why it cannot be
/// cloned. A bank may take a code only once, and locks cards after wrong answers.
#[derive(Debug)]
pub struct AnsweredRound {
    pub(crate) responses: SecurityResponses,
    pub(crate) token: AuthorizeToken,
    pub(crate) login_id: Option<LoginId>,
}

impl AnsweredRound {
    /// Names the session.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        self.responses.request_id()
    }
}

/// An answer that is not sent. It names the question by its number from 1, never by its text.
pub(crate) fn refused(index: usize, why: &str) -> Error {
    let message = format!("question {} {why}", index + 1);
    Error::new(ErrorKind::Input, message).with_operation(OPERATION)
}
