//! Stored security questions and the nightly refresh of saved logins.

use crate::open_enum::open_enum;
use crate::wire::wire_struct;
use crate::{FlinksCode, LoginId, Timestamp};

wire_struct! {
    /// What GetMFAQuestions answers: the questions that a bank may ask a login.
    pub strict struct MfaQuestionsResponse {
        /// The status that the body repeats, if it does.
        pub http_status_code: Option<u16>,
        /// The service's word for a failure.
        pub flinks_code: Option<FlinksCode>,
        /// The service's sentence, such as `SUCCESS`.
        pub message: Option<String>,
        /// The questions; `None` when the answer has no list.
        pub questions: Option<Vec<MfaQuestion>>,
    }
}

wire_struct! {
    /// A question that a bank may ask.
    pub strict struct MfaQuestion {
        /// The question, to be sent back byte for byte.
        pub question: Option<String>,
    }
}

wire_struct! {
    /// What GetNightlyRefreshStatus answers: the logins that are not refreshed any more.
    pub strict struct NightlyStatusResponse {
        /// The status that the body repeats.
        pub http_status_code: Option<u16>,
        /// The service's word for a failure; its own example has one beside a list.
        pub flinks_code: Option<FlinksCode>,
        /// The service's sentence.
        pub message: Option<String>,
        /// The logins; `None` when the answer has no list.
        pub ineligible_cards: Option<Vec<IneligibleCard>>,
    }
}

wire_struct! {
    /// A login that is not refreshed any more, and why. The service calls a login a card.
    pub strict struct IneligibleCard {
        /// Which login.
        pub login_id: Option<LoginId>,
        /// When it was refreshed last.
        pub last_refresh_date: Option<Timestamp>,
        /// How far that refresh came.
        pub last_refresh_state: Option<RefreshState>,
        /// Why it went no further.
        pub last_refresh_error_code: Option<FlinksCode>,
    }
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
