//! What the service calls `FlinksCode`: why a call did not simply succeed.

use crate::open_enum::open_enum;

open_enum! {
    /// The service's word for what happened; more telling than the HTTP status, which differs
    /// between its pages for the same code.
    pub FlinksCode {
        /// The API credentials are not accepted.
        AccessDenied = "ACCESS_DENIED",
        /// Something unexpected failed on the service's side.
        AggregationError = "AGGREGATION_ERROR",
        /// The session is open already.
        AlreadyAuthorized = "ALREADY_AUTHORIZED",
        /// The bank is under maintenance.
        BankMaintenanceRetryLater = "BANK_MAINTENANCE_RETRY_LATER",
        /// The card is still being processed.
        CardInUse = "CARD_IN_USE",
        /// Another session is open for this LoginId.
        ConcurrentSession = "CONCURRENT_SESSION",
        /// Something was created.
        Created = "CREATED",
        /// The institution is switched off.
        DisabledInstitution = "DISABLED_INSTITUTION",
        /// The bank has locked the login; its owner must contact the bank.
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
        /// The owner must first do something in online banking.
        NewAccount = "NEW_ACCOUNT",
        /// There are no transactions, or too few for the operation.
        NoTransaction = "NO_TRANSACTION",
        /// All is well.
        Ok = "OK",
        /// The work goes on in the background: ask again.
        OperationDispatched = "OPERATION_DISPATCHED",
        /// The work is not finished: ask again.
        OperationPending = "OPERATION_PENDING",
        /// The bank asked a question that has no stored answer.
        QuestionNotFound = "QUESTION_NOT_FOUND",
        /// The bank cannot be reached just now.
        RetryLater = "RETRY_LATER",
        /// Not every prompt of the round was answered.
        SecurityResponsesIncomplete = "SECURITYRESPONSES_INCOMPLETE" | "SECURITY_RESPONSES_INCOMPLETE",
        /// The RequestId's session is over.
        SessionExpired = "SESSION_EXPIRED",
        /// The RequestId is unknown or its session is over.
        SessionNonexistent = "SESSION_NONEXISTENT",
        /// Too many requests were made.
        TooManyRequests = "TOO_MANY_REQUESTS",
        /// A secret or token is not accepted, or the bank refused.
        Unauthorized = "UNAUTHORIZED",
        /// An answer was given to a prompt that was not asked.
        UnknownChallengeKey = "UNKNOWN_CHALLENGE_KEY",
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
}
