//! Stored security questions and the nightly refresh of saved logins.

use crate::open_enum::open_enum;
use crate::wire::wire_struct;
use crate::{FlinksCode, LoginId, Timestamp};

wire_struct! {
    /// The answer of GetMFAQuestions: the questions that the bank of a login may ask.
    pub strict struct MfaQuestionsResponse {
        /// The status in the body.
        pub http_status_code: Option<u16> = "HttpStatusCode",
        /// The service's code of a failure.
        pub flinks_code: Option<FlinksCode> = "FlinksCode",
        /// The service's message, such as `SUCCESS`.
        pub message: Option<String> = "Message",
        /// The questions; `None` if the answer has no list.
        pub questions: Option<Vec<MfaQuestion>> = "Questions",
    }
}

wire_struct! {
    /// A question that a bank may ask.
    pub strict struct MfaQuestion {
        /// The question, to be sent back unchanged.
        pub question: Option<String> = "Question",
    }
}

wire_struct! {
    /// The answer of GetNightlyRefreshStatus: the logins that are no longer refreshed.
    pub strict struct NightlyStatusResponse {
        /// The status in the body.
        pub http_status_code: Option<u16> = "HttpStatusCode",
        /// The service's code of a failure. The published example has one next to the list.
        pub flinks_code: Option<FlinksCode> = "FlinksCode",
        /// The service's message.
        pub message: Option<String> = "Message",
        /// The logins; `None` if the answer has no list.
        pub ineligible_cards: Option<Vec<IneligibleCard>> = "IneligibleCards",
    }
}

wire_struct! {
    /// A login that is no longer refreshed, and why. The service calls a login a card.
    pub strict struct IneligibleCard {
        /// The id of the login.
        pub login_id: Option<LoginId> = "LoginId",
        /// The time of the last refresh.
        pub last_refresh_date: Option<Timestamp> = "LastRefreshDate",
        /// The state of the last refresh.
        pub last_refresh_state: Option<RefreshState> = "LastRefreshState",
        /// The error of the last refresh.
        pub last_refresh_error_code: Option<FlinksCode> = "LastRefreshErrorCode",
    }
}

open_enum! {
    /// The state of a refresh. Only one value is documented.
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
