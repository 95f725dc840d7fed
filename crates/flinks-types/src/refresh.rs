//! Stored security questions and the nightly refresh of saved logins.

use std::fmt;

use serde::Deserialize;

use crate::open_enum::open_enum;
use crate::shown::Length;
use crate::status::http_status_code;
use crate::{FlinksCode, LoginId, Timestamp, lenient, time};

/// What GetMFAQuestions answers: the questions that a bank may ask a login.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct MfaQuestionsResponse {
    /// The status that the body repeats, if it does.
    #[serde(deserialize_with = "http_status_code")]
    pub http_status_code: Option<u16>,
    /// The service's word for a failure.
    #[serde(deserialize_with = "lenient::word")]
    pub flinks_code: Option<FlinksCode>,
    /// The service's sentence, such as `SUCCESS`.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// The questions; `None` when the answer has no list.
    #[serde(deserialize_with = "lenient::list")]
    pub questions: Option<Vec<MfaQuestion>>,
}

impl fmt::Debug for MfaQuestionsResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MfaQuestionsResponse")
            .field("http_status_code", &self.http_status_code)
            .field("flinks_code", &self.flinks_code)
            .field("message", &Length::of(&self.message))
            .field("questions", &self.questions)
            .finish()
    }
}

/// A question that a bank may ask.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct MfaQuestion {
    /// The question, to be sent back byte for byte.
    #[serde(deserialize_with = "lenient::text")]
    pub question: Option<String>,
}

impl fmt::Debug for MfaQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MfaQuestion")
            .field("question", &Length::of(&self.question))
            .finish()
    }
}

/// What GetNightlyRefreshStatus answers: the logins that are not refreshed any more.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct NightlyStatusResponse {
    /// The status that the body repeats.
    #[serde(deserialize_with = "http_status_code")]
    pub http_status_code: Option<u16>,
    /// The service's word for a failure; its own example has one beside a list.
    #[serde(deserialize_with = "lenient::word")]
    pub flinks_code: Option<FlinksCode>,
    /// The service's sentence.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// The logins; `None` when the answer has no list.
    #[serde(deserialize_with = "lenient::list")]
    pub ineligible_cards: Option<Vec<IneligibleCard>>,
}

impl fmt::Debug for NightlyStatusResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NightlyStatusResponse")
            .field("http_status_code", &self.http_status_code)
            .field("flinks_code", &self.flinks_code)
            .field("message", &Length::of(&self.message))
            .field("ineligible_cards", &self.ineligible_cards)
            .finish()
    }
}

/// A login that is not refreshed any more, and why. The service calls a login a card.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct IneligibleCard {
    /// Which login.
    #[serde(deserialize_with = "lenient::id")]
    pub login_id: Option<LoginId>,
    /// When it was refreshed last.
    #[serde(deserialize_with = "time::read")]
    pub last_refresh_date: Option<Timestamp>,
    /// How far that refresh came.
    #[serde(deserialize_with = "lenient::word")]
    pub last_refresh_state: Option<RefreshState>,
    /// Why it went no further.
    #[serde(deserialize_with = "lenient::word")]
    pub last_refresh_error_code: Option<FlinksCode>,
}

open_enum! {
    /// How far a refresh came. Only one word is documented.
    pub RefreshState {
        /// The bank asked a question.
        AnsweringSecurityChallenge = "AnsweringSecurityChallenge",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_json;

    #[test]
    fn reads_questions() {
        let answer: MfaQuestionsResponse = from_json(
            r#"{"Message":"SUCCESS","Questions":[{"Question":"Où êtes-vous né?"},{}]}"#.as_bytes(),
        )
        .unwrap();
        let questions = answer.questions.as_deref().unwrap();
        assert_eq!(questions[0].question.as_deref(), Some("Où êtes-vous né?"));
        assert_eq!(questions[1], MfaQuestion::default());
        let text = format!("{answer:?}");
        assert!(!text.contains("SUCCESS") && !text.contains("né"), "{text}");
    }

    #[test]
    fn reads_a_nightly_status() {
        let answer: NightlyStatusResponse = from_json(
            br#"{"HttpStatusCode":200,"IneligibleCards":[{"LoginId":"b0debb48","LastRefreshDate":"2025-10-01T04:00:00.1234567",
                "LastRefreshState":"AnsweringSecurityChallenge","LastRefreshErrorCode":null},
                {"LastRefreshDate":"0001-01-01T00:00:00","LastRefreshErrorCode":"QUESTION_NOT_FOUND"}],"Message":"CANARY"}"#,
        )
        .unwrap();
        assert!(!format!("{answer:?}").contains("CANARY"));
        let cards = answer.ineligible_cards.unwrap();
        assert_eq!(
            cards[0].last_refresh_state,
            Some(RefreshState::AnsweringSecurityChallenge)
        );
        assert!(
            cards[0]
                .last_refresh_date
                .as_ref()
                .unwrap()
                .date()
                .is_some()
        );
        assert_eq!(cards[1].last_refresh_date, None);
        assert_eq!(
            cards[1].last_refresh_error_code,
            Some(FlinksCode::QuestionNotFound)
        );
    }
}
