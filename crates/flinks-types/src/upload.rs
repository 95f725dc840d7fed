//! The answers to an upload and to its completion, and the request that completes it.
//!
//! The request that uploads has no type here: `flinks-upload` streams it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::login::LoginRef;
use crate::wire::{Shown, wire_struct};
use crate::{AggregationId, LoginId};

wire_struct! {
    /// The answer to an uploaded file.
    ///
    /// Source: Upload guide, Step 1.
    pub strict struct UploadResponse {
        /// The status in the body.
        pub http_status_code: Option<u16> = "HttpStatusCode",
        /// The session that the file was added to: a new one if the request named none.
        pub aggregation_id: Option<AggregationId> = "AggregationId",
        /// The service's message; informational.
        pub message: Option<String> = "Message",
    }
}

/// The request that completes a session. *Effect:* the service starts to process the files.
///
/// Source: Upload guide, Step 2.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct CompleteRequest {
    /// The session to complete.
    pub aggregation_id: AggregationId,
}

impl CompleteRequest {
    /// Creates a request that completes this session.
    #[must_use]
    pub const fn new(aggregation_id: AggregationId) -> Self {
        Self { aggregation_id }
    }
}

/// The answer to a completed session.
///
/// Source: Upload guide, Step 2.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "CompleteWire", into = "CompleteWire")]
#[non_exhaustive]
pub struct CompleteResponse {
    /// The status in the body.
    pub http_status_code: Option<u16>,
    /// The session that was completed.
    pub aggregation_id: Option<AggregationId>,
    /// The id of the results: `Login.Id` or `Login.LoginId` on the wire.
    pub login_id: Option<LoginId>,
    /// The service's message; informational.
    pub message: Option<String>,
}

wire_struct! {
    strict struct CompleteWire {
        http_status_code: Option<u16> = "HttpStatusCode",
        aggregation_id: Option<AggregationId> = "AggregationId",
        login: Option<LoginRef> = "Login",
        message: Option<String> = "Message",
    }
}

impl From<CompleteWire> for CompleteResponse {
    fn from(wire: CompleteWire) -> Self {
        Self {
            http_status_code: wire.http_status_code,
            aggregation_id: wire.aggregation_id,
            login_id: wire.login.and_then(LoginRef::into_login_id),
            message: wire.message,
        }
    }
}

impl From<CompleteResponse> for CompleteWire {
    fn from(answer: CompleteResponse) -> Self {
        Self {
            http_status_code: answer.http_status_code,
            aggregation_id: answer.aggregation_id,
            login: answer.login_id.map(LoginRef::from),
            message: answer.message,
        }
    }
}

impl fmt::Debug for CompleteResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompleteResponse")
            .field("http_status_code", &self.http_status_code)
            .field("aggregation_id", &self.aggregation_id)
            .field("login_id", &self.login_id)
            .field("message", &Shown(&self.message))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_json;

    const ID: &str = "d521ae0d-9cf1-40e1-a1ee-474983800601";

    #[test]
    fn reads_the_examples_of_the_guide() {
        let upload: UploadResponse = from_json(
            br#"{ "HttpStatusCode": 200, "AggregationId": "d521ae0d-9cf1-40e1-a1ee-474983800601",
                  "Message": "The files were uploaded successfully. Please send the next file(s)." }"#,
        )
        .unwrap();
        assert_eq!(upload.http_status_code, Some(200));
        assert_eq!(upload.aggregation_id.unwrap().as_str(), ID);
        assert!(upload.message.unwrap().starts_with("The files"));

        let complete: CompleteResponse = from_json(
            br#"{ "HttpStatusCode": 200, "AggregationId": "d521ae0d-9cf1-40e1-a1ee-474983800601",
                  "Login": { "Id": "aabf32b7-2f4e-4248-8895-b47b7ebc5a3c" },
                  "Message": "All files were uploaded successfully. The OCR process will start shortly." }"#,
        )
        .unwrap();
        assert_eq!(complete.aggregation_id.unwrap().as_str(), ID);
        assert_eq!(
            complete.login_id.unwrap().as_str(),
            "aabf32b7-2f4e-4248-8895-b47b7ebc5a3c"
        );
    }

    #[test]
    fn writes_the_request_of_the_guide() {
        let request = CompleteRequest::new(AggregationId::new(ID).unwrap());
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(json, format!(r#"{{"AggregationId":"{ID}"}}"#));
    }

    #[test]
    fn the_login_id_has_two_names() {
        let logins = [
            (r#"{"Login":{"LoginId":"b"}}"#, Some("b")),
            (r#"{"Login":{"Id":"a","LoginId":"b"}}"#, Some("a")),
            (
                r#"{"Login":{"Id":"00000000-0000-0000-0000-000000000000","LoginId":"b"}}"#,
                Some("b"),
            ),
            (r#"{"Login":{"Id":null}}"#, None),
            (r#"{"Login":{"Id":47,"LoginId":".."}}"#, None),
            (r#"{"Login":null}"#, None),
            (r#"{"Login":["a"]}"#, None),
            ("{}", None),
        ];
        for (body, id) in logins {
            let answer: CompleteResponse = from_json(body.as_bytes()).unwrap();
            assert_eq!(answer.login_id.as_ref().map(LoginId::as_str), id, "{body}");
        }
    }

    #[test]
    fn surprises_read_as_absent() {
        let bodies = [
            "{}",
            r#"{"HttpStatusCode":null,"AggregationId":null,"Message":null}"#,
            r#"{"HttpStatusCode":{},"AggregationId":5,"Message":[],"New":{"a":[1]}}"#,
            r#"{"AggregationId":"00000000-0000-0000-0000-000000000000","Message":""}"#,
        ];
        for body in bodies {
            let answer: UploadResponse = from_json(body.as_bytes()).unwrap();
            assert_eq!(answer, UploadResponse::default(), "{body}");
        }
    }

    #[test]
    fn debug_shows_no_text() {
        let body = br#"{"AggregationId":"CANARY-4711","Login":{"Id":"CANARY-4711"},"Message":"CANARY-4711"}"#;
        let upload: UploadResponse = from_json(body).unwrap();
        let complete: CompleteResponse = from_json(body).unwrap();
        let request = CompleteRequest::new(upload.aggregation_id.clone().unwrap());
        let shown =
            format!("{upload:?}{upload:#?}{complete:?}{complete:#?}{request:?}{request:#?}");
        assert!(!shown.contains("CANARY-"), "{shown}");
    }
}
