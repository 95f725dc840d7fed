//! Answers, in the forms of the service, of OAuth and of a gateway.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};

/// The answer to a request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Answers 200 with JSON.
    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body.to_string())
    }

    /// Answers with JSON text.
    pub(crate) fn json(status: StatusCode, body: String) -> Self {
        Self::new(status, "application/json; charset=utf-8", body)
    }

    /// Answers with a JSON object, to which `HttpStatusCode` is added; fields that are `null` are
    /// left out.
    pub(crate) fn with_status_code(status: StatusCode, mut body: Value) -> Self {
        if let Some(fields) = body.as_object_mut() {
            fields.insert("HttpStatusCode".to_owned(), status.as_u16().into());
            fields.retain(|_, value| !value.is_null());
        }
        Self::json(status, body.to_string())
    }

    /// Answers with the service's own error body.
    pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Self {
        Self::with_status_code(status, json!({"FlinksCode": code, "Message": message}))
    }

    /// Answers 400 `INVALID_REQUEST`.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, "INVALID_REQUEST", message)
    }

    /// Answers 401 `ACCESS_DENIED`.
    pub(crate) fn denied(message: &str) -> Self {
        Self::error(StatusCode::UNAUTHORIZED, "ACCESS_DENIED", message)
    }

    /// Answers 403 `ACCESS_DENIED`.
    pub(crate) fn forbidden(message: &str) -> Self {
        Self::error(StatusCode::FORBIDDEN, "ACCESS_DENIED", message)
    }

    /// Answers 413.
    pub(crate) fn too_large(message: &str) -> Self {
        Self::error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
    }

    /// Answers 415.
    pub(crate) fn not_json() -> Self {
        let message = "The Content-Type has to be application/json.";
        Self::error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
        )
    }

    /// Answers with the error body of RFC 6749, section 5.2.
    pub(crate) fn oauth(status: StatusCode, error: &str, description: &str) -> Self {
        let body = json!({"error": error, "error_description": description});
        Self::json(status, body.to_string())
    }

    /// Answers with the page of a gateway in front of the service.
    pub(crate) fn html(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or("Error");
        let title = format!("{} {reason}", status.as_u16());
        let page = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
             <center><h1>{title}</h1></center>\r\n<hr><center>gateway</center>\r\n\
             </body>\r\n</html>\r\n"
        );
        Self::new(status, "text/html", page)
    }

    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        let body = body.into();
        Self {
            status,
            headers,
            body,
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Announces that the connection ends with this answer.
    pub(crate) fn closing(self) -> Self {
        self.with(header::CONNECTION, HeaderValue::from_static("close"))
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }

    /// Returns the head with its full `Content-Length`, and half of the body.
    pub(crate) fn torn(&self) -> Vec<u8> {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let (code, length) = (self.status.as_u16(), self.body.len());
        let mut bytes =
            format!("HTTP/1.1 {code} {reason}\r\ncontent-length: {length}\r\n").into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend(self.body.iter().take(length / 2));
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
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.unwrap().parse().unwrap();
        assert!(!body.is_empty() && body.len() < length);
    }
}
