//! One round of challenges: a session that waits for answers, in this process or another.

use std::fmt;
use std::sync::Arc;

use flinks_auth::AuthorizeTokenSlot;
use flinks_types::{
    AuthorizeResponse, ChallengeType, FlinksCode, InvalidId, LoginId, RequestId, SecurityChallenge,
};
use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::kinds::Position;
use super::question::Question;

/// A session that waits for the answers to a bank's questions.
///
/// It waits 8 minutes. Serialized, it can be answered in another process: the JSON holds the
/// RequestId and the bank's questions, which may name phone numbers or purchases, but neither
/// credentials nor answers nor keys.
///
/// `Debug` shows only the lengths of texts.
///
/// ```
/// use flinks_legacy::{Authorize, ChallengeRound, QuestionKind};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let body = br#"{ "RequestId": "9022abc2", "SecurityChallenges": [
/// #     { "Type": "MultipleChoice", "Prompt": "Where?", "Iterables": ["Laval", "Lachine"] }] }"#;
/// # let Authorize::Challenged(round) = Authorize::from_json(body)? else { panic!() };
/// let json = serde_json::to_string(&round)?; // store it; another process can continue with it
///
/// let round: ChallengeRound = serde_json::from_str(&json)?;
/// let mut answers = round.answers();
/// for question in round.questions() {
///     match question.kind() {
///         QuestionKind::SingleChoice(choice) => choice.choose(&mut answers, "Lachine")?,
///         other => other.answer_raw(&mut answers, ["an answer"])?,
///     }
/// }
/// let completed = answers.finish()?; // for `LegacyClient::answer`
/// assert_eq!(completed.request_id().as_str(), "9022abc2");
/// # Ok(())
/// # }
/// ```
///
/// Source: Legacy guide, Multi-Factor Authentication, and MFA Types.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "StoredRound", into = "StoredRound")]
pub struct ChallengeRound {
    request_id: RequestId,
    challenges: Arc<[SecurityChallenge]>,
    flinks_code: Option<FlinksCode>,
    institution: Option<String>,
    tag: Option<String>,
    token: AuthorizeTokenSlot,
    /// The login that the session was requested for. It is a key to account data, so it is not
    /// serialized.
    login_id: Option<LoginId>,
}

impl ChallengeRound {
    pub(crate) fn new(
        request_id: RequestId,
        answer: AuthorizeResponse,
        token: AuthorizeTokenSlot,
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

    /// Returns the id of the session.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// Returns whether the bank asks again because the previous answers were wrong.
    #[must_use]
    pub fn answers_were_wrong(&self) -> bool {
        self.flinks_code == Some(FlinksCode::InvalidSecurityResponse)
    }

    /// Returns the FlinksCode of the answer that asked, if it has one.
    #[must_use]
    pub fn flinks_code(&self) -> Option<&FlinksCode> {
        self.flinks_code.as_ref()
    }

    /// Returns the name of the bank.
    #[must_use]
    pub fn institution(&self) -> Option<&str> {
        self.institution.as_deref()
    }

    /// Returns the tag given in the request.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the questions. All of them are answered together.
    #[must_use]
    pub fn questions(&self) -> impl ExactSizeIterator<Item = Question<'_>> {
        let round = &self.challenges;
        round.iter().enumerate().map(|(index, challenge)| {
            Question(Position {
                round,
                index,
                challenge,
            })
        })
    }

    /// Returns an empty set of answers to these questions.
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

impl fmt::Debug for ChallengeRound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChallengeRound")
            .field("request_id", &self.request_id)
            .field("challenges", &self.challenges)
            .field("flinks_code", &self.flinks_code)
            .finish_non_exhaustive()
    }
}

/// The serialized form of a round. The names are this crate's own, not the service's.
#[derive(Deserialize, Serialize)]
struct StoredRound {
    request_id: String,
    questions: Vec<StoredQuestion>,
    #[serde(default)]
    flinks_code: Option<FlinksCode>,
    #[serde(default)]
    institution: Option<String>,
    #[serde(default)]
    tag: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct StoredQuestion {
    r#type: Option<ChallengeType>,
    prompt: Option<String>,
    choices: Vec<String>,
}

impl From<ChallengeRound> for StoredRound {
    fn from(round: ChallengeRound) -> Self {
        let questions = round.challenges.iter().cloned();
        Self {
            request_id: round.request_id.as_str().to_owned(),
            questions: questions
                .map(|challenge| StoredQuestion {
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

impl TryFrom<StoredRound> for ChallengeRound {
    type Error = InvalidId;

    fn try_from(stored: StoredRound) -> Result<Self, InvalidId> {
        let questions = stored.questions.into_iter();
        Ok(Self {
            request_id: RequestId::new(stored.request_id)?,
            challenges: questions
                .map(|asked| SecurityChallenge::new(asked.r#type, asked.prompt, asked.choices))
                .collect(),
            flinks_code: stored.flinks_code,
            institution: stored.institution,
            tag: stored.tag,
            token: AuthorizeTokenSlot::new(),
            login_id: None,
        })
    }
}
