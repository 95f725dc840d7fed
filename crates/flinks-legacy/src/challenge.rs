//! A round of challenges: a session that waits for answers, here or in another process.

use std::fmt;
use std::sync::Arc;

use flinks_auth::AuthorizeToken;
use flinks_types::{
    AuthorizeResponse, ChallengeType, FlinksCode, InvalidId, LoginId, RequestId, SecurityChallenge,
};
use serde::{Deserialize, Serialize};

use crate::answers::Answers;
use crate::question::{Asked, Question};

/// A session that waits for answers to a bank's questions.
///
/// It waits 8 minutes. Serialised, it can be answered in another process: what is written holds
/// the RequestId and the bank's questions, which may name phone numbers or purchases, but neither
/// credentials nor answers nor keys.
///
/// `Debug` gives only the lengths of texts.
///
/// Source: Legacy guide, Multi-Factor Authentication, and MFA Types.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "Waiting", into = "Waiting")]
pub struct Round {
    request_id: RequestId,
    challenges: Arc<[SecurityChallenge]>,
    flinks_code: Option<FlinksCode>,
    institution: Option<String>,
    tag: Option<String>,
    token: AuthorizeToken,
    /// The login that the session was asked for. It is a key to account data, so it is not written
    /// down with the rest.
    login_id: Option<LoginId>,
}

impl Round {
    pub(crate) fn new(
        request_id: RequestId,
        answer: AuthorizeResponse,
        token: AuthorizeToken,
        login_id: Option<LoginId>,
    ) -> Self {
        Self {
            request_id,
            challenges: answer.security_challenges.into(),
            flinks_code: answer.flinks_code,
            institution: answer.institution.or(answer.institution_name),
            tag: answer.tag,
            token,
            login_id,
        }
    }

    /// Names the session.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// Whether the bank asks because the answers before were wrong.
    #[must_use]
    pub fn answers_were_wrong(&self) -> bool {
        self.flinks_code == Some(FlinksCode::InvalidSecurityResponse)
    }

    /// Why the bank asks, when the service says so.
    #[must_use]
    pub fn flinks_code(&self) -> Option<&FlinksCode> {
        self.flinks_code.as_ref()
    }

    /// The bank.
    #[must_use]
    pub fn institution(&self) -> Option<&str> {
        self.institution.as_deref()
    }

    /// The label that the request brought.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The questions; all of them are answered together.
    #[must_use]
    pub fn questions(&self) -> impl ExactSizeIterator<Item = Question<'_>> {
        let round = &self.challenges;
        round.iter().enumerate().map(|(index, challenge)| {
            Question(Asked {
                round,
                index,
                challenge,
            })
        })
    }

    /// An empty set of answers to these questions.
    #[must_use]
    pub fn answers(&self) -> Answers {
        Answers::new(
            self.request_id.clone(),
            Arc::clone(&self.challenges),
            self.token.clone(),
            self.login_id.clone(),
        )
    }
}

impl fmt::Debug for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Round")
            .field("request_id", &self.request_id)
            .field("challenges", &self.challenges)
            .field("flinks_code", &self.flinks_code)
            .finish_non_exhaustive()
    }
}

/// What is written of a waiting session. The names are this crate's own, not the service's.
#[derive(Deserialize, Serialize)]
struct Waiting {
    request_id: String,
    questions: Vec<WaitingQuestion>,
    #[serde(default)]
    flinks_code: Option<FlinksCode>,
    #[serde(default)]
    institution: Option<String>,
    #[serde(default)]
    tag: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct WaitingQuestion {
    r#type: Option<ChallengeType>,
    prompt: Option<String>,
    choices: Vec<String>,
}

impl From<Round> for Waiting {
    fn from(round: Round) -> Self {
        let questions = round.challenges.iter().cloned();
        Self {
            request_id: round.request_id.as_str().to_owned(),
            questions: questions
                .map(|challenge| WaitingQuestion {
                    r#type: challenge.r#type,
                    prompt: challenge.prompt,
                    choices: challenge.iterables,
                })
                .collect(),
            flinks_code: round.flinks_code,
            institution: round.institution,
            tag: round.tag,
        }
    }
}

impl TryFrom<Waiting> for Round {
    type Error = InvalidId;

    fn try_from(waiting: Waiting) -> Result<Self, InvalidId> {
        let questions = waiting.questions.into_iter();
        Ok(Self {
            request_id: RequestId::new(waiting.request_id)?,
            challenges: questions
                .map(|asked| SecurityChallenge::new(asked.r#type, asked.prompt, asked.choices))
                .collect(),
            flinks_code: waiting.flinks_code,
            institution: waiting.institution,
            tag: waiting.tag,
            token: AuthorizeToken::new(),
            login_id: None,
        })
    }
}
