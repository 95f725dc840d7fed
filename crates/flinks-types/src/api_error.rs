//! The error that the service describes in the body of an answer.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::lenient::is_placeholder;
use crate::shown::{Length, cut};
use crate::status::status_of;
use crate::text::escaped;
use crate::wire::is_absent;
use crate::{FlinksCode, LoginId, RequestId, login};

/// The longest text that is kept, in characters.
const MAX_CHARS: usize = 1000;

/// An error as the body of an answer describes it. Any part may be missing.
///
/// `Display` is meant for people and logs: the message, the FlinksCode and the RequestId, with
/// control characters escaped. `Debug` shows only the lengths of texts.
#[derive(Clone, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ApiError {
    /// The status in the body, which may differ from the HTTP status.
    #[serde(skip_serializing_if = "is_absent")]
    pub http_status_code: Option<u16>,
    /// The service's code of the error.
    #[serde(skip_serializing_if = "is_absent")]
    pub flinks_code: Option<FlinksCode>,
    /// The service's message, cut to 1,000 characters. Its wording may change at any time.
    #[serde(skip_serializing_if = "is_absent")]
    pub message: Option<String>,
    /// The id of the request, which Flinks' support asks for.
    #[serde(skip_serializing_if = "is_absent")]
    pub request_id: Option<RequestId>,
    /// The `error` of OAuth, such as `invalid_client`, from a token endpoint.
    #[serde(rename = "error", skip_serializing_if = "is_absent")]
    pub oauth_error: Option<String>,
    /// The `error_description` of OAuth, cut to 1,000 characters.
    #[serde(rename = "error_description", skip_serializing_if = "is_absent")]
    pub oauth_description: Option<String>,
    /// The errors of each field of the request; each text is cut to 1,000 characters. They can
    /// repeat what was sent, so `Display` omits them.
    #[serde(skip_serializing_if = "is_absent")]
    pub validation_details: BTreeMap<String, Vec<String>>,
    /// The login that the answer is about; `Display` omits it.
    #[serde(
        rename = "Login",
        serialize_with = "login::write_id",
        skip_serializing_if = "is_absent"
    )]
    pub login_id: Option<LoginId>,
}

impl ApiError {
    /// Reads a body that has any of `HttpStatusCode`, `FlinksCode`, `Message`, `RequestId` (also in
    /// `Login`), `error`, `error_description` and `ValidationDetails`, their names in any case.
    ///
    /// Returns `None` if it has none of them or is not a JSON object, such as a gateway's page.
    ///
    /// ```
    /// use flinks_types::{ApiError, FlinksCode};
    ///
    /// let body = br#"{ "HttpStatusCode": 401, "FlinksCode": "INVALID_LOGIN", "Message": "Invalid." }"#;
    /// let error = ApiError::from_body(body).unwrap();
    /// assert_eq!(error.flinks_code, Some(FlinksCode::InvalidLogin));
    /// assert_eq!(error.to_string(), "Invalid. (FlinksCode INVALID_LOGIN)");
    /// ```
    #[must_use]
    pub fn from_body(body: &[u8]) -> Option<Self> {
        let body: Map<String, Value> = crate::from_json(body).ok()?;
        let login = field(&body, "Login").and_then(Value::as_object);
        let error = Self {
            http_status_code: text(&body, "HttpStatusCode").and_then(|text| status_of(&text)),
            flinks_code: text(&body, "FlinksCode").map(FlinksCode::from),
            message: text(&body, "Message"),
            request_id: request_id(&body).or_else(|| login.and_then(request_id)),
            oauth_error: text(&body, "error"),
            oauth_description: text(&body, "error_description"),
            validation_details: field(&body, "ValidationDetails")
                .map_or_else(BTreeMap::new, details),
            login_id: None,
        };
        // A login by itself says nothing about a failure.
        (error != Self::default()).then(|| Self {
            login_id: login.and_then(login_id),
            ..error
        })
    }
}

fn field<'b>(body: &'b Map<String, Value>, name: &str) -> Option<&'b Value> {
    body.get(name).or_else(|| {
        body.iter()
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    })
}

fn text(body: &Map<String, Value>, name: &str) -> Option<String> {
    match field(body, name)? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(cut(text, MAX_CHARS)),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Object(_) => None,
    }
}

/// A map from a field to its errors: a list of them, or a single one.
fn details(value: &Value) -> BTreeMap<String, Vec<String>> {
    let fields = value.as_object().into_iter().flatten();
    let said = |value: &Value| value.as_str().map(|text| cut(text, MAX_CHARS));
    fields
        .map(|(field, value)| {
            let texts = value.as_array().map_or_else(
                || said(value).into_iter().collect(),
                |list| list.iter().filter_map(said).collect(),
            );
            (field.clone(), texts)
        })
        .collect()
}

fn login_id(login: &Map<String, Value>) -> Option<LoginId> {
    ["Id", "LoginId"].into_iter().find_map(|name| {
        let id = field(login, name)?.as_str();
        LoginId::new(id.filter(|id| !is_placeholder(id))?).ok()
    })
}

fn request_id(body: &Map<String, Value>) -> Option<RequestId> {
    let id = field(body, "RequestId")?
        .as_str()
        .filter(|id| !is_placeholder(id))?;
    RequestId::new(id).ok()
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.message.as_ref().or(self.oauth_description.as_ref());
        match said {
            Some(said) => write!(f, "{}", escaped(said))?,
            None => f.write_str("no message")?,
        }
        let mut marks = vec![];
        if let Some(code) = &self.flinks_code {
            marks.push(format!("FlinksCode {}", escaped(code.as_str())));
        }
        if let Some(error) = &self.oauth_error {
            marks.push(format!("error {}", escaped(error)));
        }
        if let Some(id) = &self.request_id {
            marks.push(format!("request id {id}"));
        }
        if said.is_none()
            && let Some(status) = self.http_status_code
        {
            marks.push(format!("HttpStatusCode {status}"));
        }
        if marks.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", marks.join(", "))
        }
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("http_status_code", &self.http_status_code)
            .field("flinks_code", &self.flinks_code)
            .field("message", &Length::of(&self.message))
            .field("request_id", &self.request_id)
            .field("oauth_error", &Length::of(&self.oauth_error))
            .field("oauth_description", &Length::of(&self.oauth_description))
            .field("validation_details", &self.validation_details.len())
            .field("login_id", &self.login_id.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_house_style() {
        let error = ApiError::from_body(
            br#"{"HttpStatusCode":"Unauthorized","FlinksCode":"INVALID_LOGIN","Message":"No.\nSuch login","Login":{"RequestId":"c3d4e5f6"},"Links":[]}"#,
        )
        .unwrap();
        assert_eq!(error.http_status_code, Some(401));
        assert_eq!(error.flinks_code, Some(FlinksCode::InvalidLogin));
        assert_eq!(
            error.to_string(),
            r"No.\nSuch login (FlinksCode INVALID_LOGIN, request id c3d4e5f6)"
        );
    }

    #[test]
    fn reads_oauth_and_gateways() {
        let error = ApiError::from_body(
            br#"{"error":"invalid_client","error_description":"Wrong secret"}"#,
        )
        .unwrap();
        assert_eq!(error.to_string(), "Wrong secret (error invalid_client)");
        let error = ApiError::from_body(br#"{"message":"Forbidden"}"#).unwrap();
        assert_eq!(error.to_string(), "Forbidden");
        let error = ApiError::from_body(br#"{"HttpStatusCode":500}"#).unwrap();
        assert_eq!(error.to_string(), "no message (HttpStatusCode 500)");
    }

    #[test]
    fn a_body_that_says_nothing_is_none() {
        let bodies = [
            "",
            "<html>",
            "[]",
            "null",
            "{}",
            r#"{"Message":"","FlinksCode":null}"#,
            r#"{"error":{"code":1},"HttpStatusCode":"?","Login":[]}"#,
            r#"{"RequestId":"00000000-0000-0000-0000-000000000000"}"#,
            r#"{"RequestId":".."}"#,
        ];
        for body in bodies {
            assert_eq!(ApiError::from_body(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn reads_validation_details_and_the_login() {
        let error = ApiError::from_body(
            br#"{"FlinksCode":"INVALID_REQUEST","ValidationDetails":{"Save":["CANARY-a","b",1],"Tag":"c","X":null},
                 "Login":{"LoginId":"CANARY-4711"}}"#,
        )
        .unwrap();
        let said = |field: &str| error.validation_details[field].join("|");
        assert_eq!(
            (said("Save"), said("Tag"), said("X")),
            ("CANARY-a|b".to_owned(), "c".to_owned(), String::new())
        );
        assert_eq!(
            error.login_id.as_ref().map(LoginId::as_str),
            Some("CANARY-4711")
        );
        assert!(!format!("{error}{error:?}").contains("CANARY"));
        assert_eq!(ApiError::from_body(br#"{"Login":{"Id":"a"}}"#), None);
    }

    #[test]
    fn long_texts_are_cut() {
        let body = format!(r#"{{"Message":"{}"}}"#, "é".repeat(1001));
        let error = ApiError::from_body(body.as_bytes()).unwrap();
        assert_eq!(error.message.unwrap().chars().count(), 1001);
        let bomb = format!(r#"{{"Message":{}"#, "[".repeat(100_000));
        assert_eq!(ApiError::from_body(bomb.as_bytes()), None);
    }

    #[test]
    fn debug_shows_no_text() {
        let error = ApiError::from_body(
            br#"{"FlinksCode":"CANARY-4711","Message":"CANARY-4711","RequestId":"CANARY-4711","error":"CANARY-4711","error_description":"CANARY-4711"}"#,
        )
        .unwrap();
        assert!(!format!("{error:?}{error:#?}").contains("CANARY-4711"));
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_none(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(ApiError::from_body(&body));
        }

        #[test]
        fn what_is_displayed_has_no_control_characters(text in any::<String>()) {
            let body = serde_json::json!({ "Message": text, "FlinksCode": text, "error": text });
            if let Some(error) = ApiError::from_body(body.to_string().as_bytes()) {
                prop_assert!(!error.to_string().contains(char::is_control));
            }
        }
    }
}
