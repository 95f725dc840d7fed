//! The answers of faults, in the format of the operation's own errors.

use http::{StatusCode, header};
use serde_json::json;

use crate::answer::Answer;
use crate::fault::Kind;
use crate::legacy::{NO_AUTH_KEY, NO_AUTHORIZE_TOKEN};
use crate::operation::ApiOperation;

const MESSAGE: &str = "A fault of the sandbox sends this answer.";

/// Returns the answer that a fault sends instead of acting.
pub(super) fn instead_of_acting(operation: ApiOperation, kind: Option<&Kind>) -> Option<Answer> {
    if let Some(Kind::Status(status, retry_after)) = kind {
        let mut answer = with_status(operation, *status);
        answer.headers.extend(
            retry_after
                .clone()
                .map(|value| (header::RETRY_AFTER, value)),
        );
        Some(answer)
    } else if kind == Some(&Kind::Unauthorized) {
        Some(with_status(operation, StatusCode::UNAUTHORIZED))
    } else if let Some(Kind::Html(status)) = kind {
        Some(Answer::html(*status))
    } else {
        None
    }
}

/// Returns an answer with this status.
pub(super) fn with_status(operation: ApiOperation, status: StatusCode) -> Answer {
    let is_unauthorized = status == StatusCode::UNAUTHORIZED;
    if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
        let (headers, body) = Default::default();
        return Answer {
            status,
            headers,
            body,
        };
    }
    if operation == ApiOperation::Token {
        let error = match status {
            StatusCode::UNAUTHORIZED => "invalid_client",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        };
        return Answer::oauth(status, error, MESSAGE);
    }
    // Only these texts say that the token was refused, and not the user.
    if is_unauthorized && operation == ApiOperation::AuthorizeToken {
        Answer::error(status, "UNAUTHORIZED", NO_AUTH_KEY)
    } else if is_unauthorized && operation == ApiOperation::Authorize {
        Answer::error(status, "UNAUTHORIZED", NO_AUTHORIZE_TOKEN)
    } else if is_unauthorized {
        Answer::denied(MESSAGE)
    } else if status.is_success() {
        Answer::with_status_code(status, json!({"Message": MESSAGE}))
    } else {
        Answer::error(status, "SANDBOX_FAULT", MESSAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_have_the_form_of_their_operations_errors() {
        let body = |operation| with_status(operation, StatusCode::UNAUTHORIZED).body;
        assert!(body(ApiOperation::Token).starts_with(br#"{"error":"invalid_client""#));
        assert!(body(ApiOperation::Upload).starts_with(br#"{"FlinksCode":"ACCESS_DENIED""#));
        assert!(body(ApiOperation::Data).starts_with(br#"{"FlinksCode":"ACCESS_DENIED""#));
        for operation in [ApiOperation::AuthorizeToken, ApiOperation::Authorize] {
            assert!(body(operation).starts_with(br#"{"FlinksCode":"UNAUTHORIZED""#));
        }
        let empty = with_status(ApiOperation::Upload, StatusCode::NO_CONTENT);
        assert!(empty.body.is_empty());
    }
}
