//! Answers: the documented bodies, the house error bodies, OAuth's, and a gateway's page.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::json;

use crate::{legacy, operation::ApiOperation};

/// What goes back to the client.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        Self::json_text(status, body.to_string())
    }

    /// A body that is JSON already.
    pub(crate) fn json_text(status: StatusCode, body: String) -> Self {
        Self::new(status, "application/json; charset=utf-8", body)
    }

    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    /// The service's own error body.
    pub(crate) fn house(status: StatusCode, code: &str, message: &str) -> Self {
        Self::json(
            status,
            &json!({"HttpStatusCode": status.as_u16(), "FlinksCode": code, "Message": message}),
        )
    }

    /// The error body of RFC 6749, section 5.2.
    pub(crate) fn oauth(status: StatusCode, error: &str, description: &str) -> Self {
        Self::json(
            status,
            &json!({"error": error, "error_description": description}),
        )
    }

    /// A refusal that a fault makes, in the form that the operation's errors have.
    pub(crate) fn fault(operation: ApiOperation, status: StatusCode) -> Self {
        if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
            return Self {
                status,
                headers: Vec::new(),
                body: Bytes::new(),
            };
        }
        let message = "The sandbox was asked for this answer.";
        if operation == ApiOperation::Token {
            let error = match status {
                StatusCode::UNAUTHORIZED => "invalid_client",
                status if status.is_server_error() => "server_error",
                _ => "invalid_request",
            };
            return Self::oauth(status, error, message);
        }
        // The one text that a client may read: it says that a token, not a person, is refused.
        let token = if operation == ApiOperation::AuthorizeToken {
            Some(legacy::NO_AUTH_KEY)
        } else {
            (operation == ApiOperation::Authorize).then_some(legacy::NO_AUTHORIZE_TOKEN)
        };
        if let (StatusCode::UNAUTHORIZED, Some(message)) = (status, token) {
            return Self::house(status, "UNAUTHORIZED", message);
        }
        let code = match status {
            StatusCode::UNAUTHORIZED => "ACCESS_DENIED",
            status if status.is_success() => {
                return Self::json(
                    status,
                    &json!({"HttpStatusCode": status.as_u16(), "Message": message}),
                );
            }
            _ => "SANDBOX_FAULT",
        };
        Self::house(status, code, message)
    }

    /// What a gateway in front of the service would say.
    pub(crate) fn html(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or("Error");
        let title = format!("{} {reason}", status.as_u16());
        Self::new(
            status,
            "text/html",
            format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
                 <center><h1>{title}</h1></center>\r\n<hr><center>gateway</center>\r\n\
                 </body>\r\n</html>\r\n"
            ),
        )
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says that the connection ends with this answer.
    pub(crate) fn closing(self) -> Self {
        self.with(header::CONNECTION, HeaderValue::from_static("close"))
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }

    /// The head with its full `Content-Length`, and half of the body.
    pub(crate) fn torn(&self) -> Vec<u8> {
        let mut bytes = format!(
            "HTTP/1.1 {} {}\r\ncontent-length: {}\r\n",
            self.status.as_u16(),
            self.status.canonical_reason().unwrap_or(""),
            self.body.len()
        )
        .into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend(self.body.iter().take(self.body.len() / 2));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_answer_promises_more_than_it_holds() {
        let text = String::from_utf8(Answer::html(StatusCode::BAD_GATEWAY).torn()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{head}");
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap()
            .parse()
            .unwrap();
        assert!(!body.is_empty() && body.len() < length);
    }

    #[test]
    fn faults_have_the_form_of_their_operations_errors() {
        let body = |operation| Answer::fault(operation, StatusCode::UNAUTHORIZED).body;
        assert!(body(ApiOperation::Token).starts_with(br#"{"error":"invalid_client""#));
        assert!(body(ApiOperation::Upload).starts_with(br#"{"FlinksCode":"ACCESS_DENIED""#));
        assert!(body(ApiOperation::Data).starts_with(br#"{"FlinksCode":"ACCESS_DENIED""#));
        for operation in [ApiOperation::AuthorizeToken, ApiOperation::Authorize] {
            assert!(body(operation).starts_with(br#"{"FlinksCode":"UNAUTHORIZED""#));
        }
        assert!(
            Answer::fault(ApiOperation::Upload, StatusCode::NO_CONTENT)
                .body
                .is_empty()
        );
    }
}
