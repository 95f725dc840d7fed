//! The answer of calls that change something: a sentence of the service.

use std::fmt;

use bytes::Bytes;
use flinks_transport::DecodeError;
use flinks_types::{ApiError, LoginId, Outcome, Subject, from_json, http_status_code};
use http::Response;
use serde::{Deserialize, Serialize};

use crate::answer::{check_subject, outcome};

/// The service's confirmation that a call took effect.
///
/// `Debug` gives only the length of the sentence, which can hold a LoginId.
#[derive(Clone, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Acknowledgement {
    /// The service's sentence about it; informational.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl fmt::Debug for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acknowledgement")
            .field("message", &self.message.as_ref().map(String::len))
            .finish()
    }
}

/// DeleteCard's answer names its status `StatusCode`, others `HttpStatusCode`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Status {
    #[serde(deserialize_with = "http_status_code")]
    status_code: Option<u16>,
}

/// Reads an object, or the single string that some of these calls answer.
pub(super) fn read(
    response: Response<Bytes>,
    login_id: &LoginId,
) -> Result<Acknowledgement, DecodeError> {
    let (parts, body) = response.into_parts();
    let subject = Subject::login(login_id);
    if let Ok(message) = serde_json::from_slice::<String>(&body) {
        check_subject(subject, &body)?;
        let message = Some(message).filter(|message| !message.is_empty());
        return Ok(Acknowledgement { message });
    }
    let status: Status = from_json(&body).map_err(|error| DecodeError::json(&error))?;
    let error = ApiError::from_body(&body).unwrap_or_default();
    let code = error.flinks_code.as_ref();
    let is_done = [error.http_status_code, status.status_code]
        .into_iter()
        .all(|status| outcome(parts.status, status, code) == Outcome::Done);
    if !is_done {
        return Err(DecodeError::api(error));
    }
    check_subject(subject, &body)?;
    Ok(Acknowledgement {
        message: error.message,
    })
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response
    }

    fn acknowledged(response: Response<Bytes>) -> Result<Acknowledgement, DecodeError> {
        read(response, &LoginId::new("b0debb48").unwrap())
    }

    #[test]
    fn an_acknowledgement_of_another_login_is_none() {
        for body in [
            r#"{"StatusCode":200,"LoginId":"another"}"#,
            r#"{"StatusCode":200,"Login":{"Id":"another"}}"#,
            r#""LoginId 11111111-2222-3333-4444-555555555555 has now been activated""#,
        ] {
            let error = acknowledged(answer(200, body)).unwrap_err();
            assert!(
                error.to_string().contains("about another LoginId"),
                "{body}"
            );
        }
        for body in [r#"{"StatusCode":200,"LoginId":"b0debb48"}"#, "{}"] {
            assert!(acknowledged(answer(200, body)).is_ok(), "{body}");
        }
    }

    #[test]
    fn an_acknowledgement_is_an_object_or_a_bare_string() {
        for (body, message) in [
            (
                r#""LoginId X has been activated""#,
                Some("LoginId X has been activated"),
            ),
            (r#" "ACTIVATED" "#, Some("ACTIVATED")),
            (r#""""#, None),
            (r#"{"StatusCode":200,"Message":"Deleted"}"#, Some("Deleted")),
            ("{}", None),
        ] {
            let read = acknowledged(answer(200, body)).unwrap();
            assert_eq!(read.message.as_deref(), message, "{body}");
            assert!(!format!("{read:?}").contains("activated"));
        }
        for body in [
            r#"{"StatusCode":400,"Message":"No"}"#,
            r#"{"HttpStatusCode":400,"FlinksCode":"CARD_IN_USE"}"#,
            r#"{"FlinksCode":"CARD_IN_USE"}"#,
        ] {
            let error = acknowledged(answer(200, body)).unwrap_err();
            assert!(matches!(error, DecodeError::Api(_)), "{body}");
        }
        for body in ["", "<html>", "[]", "null", "7"] {
            let error = acknowledged(answer(200, body)).unwrap_err();
            assert!(matches!(error, DecodeError::Malformed(_)), "{body}");
        }
    }
}
