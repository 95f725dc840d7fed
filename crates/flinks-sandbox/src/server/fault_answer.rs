//! The answers of faults, in the format of the operation's own errors.

use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::answer::Answer;
use crate::fault::{Kind, Odd};
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
    } else if let Some(Kind::Code(status, code)) = kind {
        Some(Answer::error(*status, code, MESSAGE))
    } else if let Some(Kind::Body(status, text)) = kind {
        Some(Answer::json(*status, text.clone()))
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

/// Changes the form of an answer.
pub(super) fn distort(mut answer: Answer, odd: Odd) -> Answer {
    let body = answer.body;
    answer.body = match odd {
        Odd::Bom => [b"\xef\xbb\xbf", body.as_ref()].concat().into(),
        Odd::Truncated => body.slice(..body.len() / 2),
        Odd::Gzip => {
            let encoding = HeaderValue::from_static("gzip");
            answer.headers.push((header::CONTENT_ENCODING, encoding));
            gzip(&body).into()
        }
        Odd::Charset => {
            let kind = HeaderValue::from_static("application/json; charset=utf-16");
            answer
                .headers
                .retain(|(name, _)| name != header::CONTENT_TYPE);
            answer.headers.push((header::CONTENT_TYPE, kind));
            let text = String::from_utf8_lossy(&body);
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect()
        }
    };
    answer
}

/// Wraps bytes as gzip without compressing them (RFC 1951, 3.2.4; RFC 1952).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut all = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let blocks = bytes.chunks(usize::from(u16::MAX));
    for block in blocks {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        all.push(0);
        all.extend(length.to_le_bytes());
        all.extend((!length).to_le_bytes());
        all.extend(block);
    }
    // An empty last block.
    all.extend([1, 0, 0, 0xff, 0xff]);
    all.extend(crc32fast::hash(bytes).to_le_bytes());
    all.extend((bytes.len() as u32).to_le_bytes());
    all
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
