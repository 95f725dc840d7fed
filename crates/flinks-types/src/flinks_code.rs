//! The service's error codes: `FlinksCode`, and what can be done about each.

use crate::open_enum::open_enum;

open_enum! {
    /// The service's code of a result. Rely on it rather than on the HTTP status, which the
    /// documents give differently for the same code.
    pub FlinksCode {
        /// The API credentials were not accepted.
        AccessDenied = "ACCESS_DENIED",
        /// An internal error of the service.
        AggregationError = "AGGREGATION_ERROR",
        /// The session is already open.
        AlreadyAuthorized = "ALREADY_AUTHORIZED",
        /// The bank is under maintenance.
        BankMaintenanceRetryLater = "BANK_MAINTENANCE_RETRY_LATER",
        /// The card is still being processed.
        CardInUse = "CARD_IN_USE",
        /// Another session is open for this LoginId.
        ConcurrentSession = "CONCURRENT_SESSION",
        /// A resource was created.
        Created = "CREATED",
        /// The institution is disabled.
        DisabledInstitution = "DISABLED_INSTITUTION",
        /// The bank has locked the login: the customer must contact the bank.
        DisabledLogin = "DISABLED_LOGIN",
        /// A document cannot be processed. Final.
        DocumentProcessingFailed = "Document_Processing_Failed",
        /// The product is not enabled on the instance.
        FeatureDisabled = "FEATURE_DISABLED",
        /// The LoginId is unknown to this customer, or the bank credentials are wrong.
        InvalidLogin = "INVALID_LOGIN",
        /// The bank password is wrong.
        InvalidPassword = "INVALID_PASSWORD",
        /// The request is malformed or lacks a field.
        InvalidRequest = "INVALID_REQUEST",
        /// An answer to a security challenge is wrong.
        InvalidSecurityResponse = "INVALID_SECURITY_RESPONSE",
        /// An answer to a security challenge is wrong, and the session is over.
        InvalidSecurityResponseNoRetry = "INVALID_SECURITY_RESPONSE_NO_RETRY",
        /// The bank user name is wrong.
        InvalidUsername = "INVALID_USERNAME",
        /// The feature is not enabled on the instance.
        MethodNotAvailable = "METHOD_NOT_AVAILABLE",
        /// The customer must first complete a step in online banking.
        NewAccount = "NEW_ACCOUNT",
        /// There are no transactions, or too few for the call.
        NoTransaction = "NO_TRANSACTION",
        /// Success.
        Ok = "OK",
        /// The service continues in the background: poll for the result.
        OperationDispatched = "OPERATION_DISPATCHED",
        /// The service has not finished: poll for the result.
        OperationPending = "OPERATION_PENDING",
        /// The bank asked a question for which no answer is stored.
        QuestionNotFound = "QUESTION_NOT_FOUND",
        /// The bank cannot be reached at the moment.
        RetryLater = "RETRY_LATER",
        /// Not every prompt of the round was answered.
        SecurityResponsesIncomplete = "SECURITYRESPONSES_INCOMPLETE" | "SECURITY_RESPONSES_INCOMPLETE",
        /// The session has ended.
        SessionExpired = "SESSION_EXPIRED",
        /// The RequestId is unknown or its session has ended.
        SessionNonexistent = "SESSION_NONEXISTENT",
        /// Too many requests were made.
        TooManyRequests = "TOO_MANY_REQUESTS",
        /// A secret or token was not accepted, or the bank refused.
        Unauthorized = "UNAUTHORIZED",
        /// An answer names a prompt that was not asked.
        UnknownChallengeKey = "UNKNOWN_CHALLENGE_KEY",
    }
}

/// What can be done about a [`FlinksCode`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RetryClass {
    /// The same request may succeed later.
    Later,
    /// The request or the API credentials are wrong: fix the program or its settings.
    Mistake,
    /// A new session is required.
    NewSession,
    /// The service continues in the background: poll the asynchronous call.
    Poll,
    /// The call cannot succeed.
    Terminal,
    /// The bank's customer must act: enter something else, or contact the bank. The same request
    /// again can lock the card.
    UserAction,
}

impl FlinksCode {
    /// Returns what can be done about the code; `None` for success and for unknown codes.
    ///
    /// `UNAUTHORIZED` is a [`Mistake`](RetryClass::Mistake), although with a RequestId beside it the
    /// refusal came from the bank.
    #[must_use]
    pub const fn retry_class(&self) -> Option<RetryClass> {
        Some(match self {
            Self::AggregationError
            | Self::BankMaintenanceRetryLater
            | Self::CardInUse
            | Self::ConcurrentSession
            | Self::DisabledInstitution
            | Self::RetryLater
            | Self::TooManyRequests => RetryClass::Later,
            Self::AccessDenied
            | Self::InvalidRequest
            | Self::SecurityResponsesIncomplete
            | Self::Unauthorized
            | Self::UnknownChallengeKey => RetryClass::Mistake,
            Self::InvalidSecurityResponseNoRetry
            | Self::SessionExpired
            | Self::SessionNonexistent => RetryClass::NewSession,
            Self::OperationDispatched | Self::OperationPending => RetryClass::Poll,
            Self::DocumentProcessingFailed
            | Self::FeatureDisabled
            | Self::MethodNotAvailable
            | Self::NoTransaction => RetryClass::Terminal,
            Self::DisabledLogin
            | Self::InvalidLogin
            | Self::InvalidPassword
            | Self::InvalidSecurityResponse
            | Self::InvalidUsername
            | Self::NewAccount
            | Self::QuestionNotFound => RetryClass::UserAction,
            Self::AlreadyAuthorized | Self::Created | Self::Ok | Self::Other(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_known_in_the_spellings_of_the_documents() {
        let known = [
            ("OPERATION_PENDING", FlinksCode::OperationPending),
            (
                "document_processing_failed",
                FlinksCode::DocumentProcessingFailed,
            ),
            (
                "Document_Processing_Failed",
                FlinksCode::DocumentProcessingFailed,
            ),
            (
                "SECURITYRESPONSES_INCOMPLETE",
                FlinksCode::SecurityResponsesIncomplete,
            ),
        ];
        for (text, code) in known {
            assert_eq!(FlinksCode::from(text), code);
        }
        assert_eq!(FlinksCode::from("BRAND_NEW").as_str(), "BRAND_NEW");
    }

    #[test]
    fn codes_know_what_can_be_done() {
        let classes = [
            ("OPERATION_DISPATCHED", Some(RetryClass::Poll)),
            ("CONCURRENT_SESSION", Some(RetryClass::Later)),
            ("SESSION_NONEXISTENT", Some(RetryClass::NewSession)),
            ("INVALID_PASSWORD", Some(RetryClass::UserAction)),
            ("UNKNOWN_CHALLENGE_KEY", Some(RetryClass::Mistake)),
            ("METHOD_NOT_AVAILABLE", Some(RetryClass::Terminal)),
            ("ALREADY_AUTHORIZED", None),
            ("BRAND_NEW", None),
        ];
        for (code, class) in classes {
            assert_eq!(FlinksCode::from(code).retry_class(), class, "{code}");
        }
    }
}
