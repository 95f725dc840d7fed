//! The answer of a data call: the data or its pending state, and the body as received.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use flinks_transport::DecodeError;
use flinks_types::{Outcome, Subject, from_json};
use http::{Response, StatusCode};
use serde::de::DeserializeOwned;

use super::call::Data;
use crate::answer::{check_subject, failure, outcome};

/// An answer together with the body that it was read from.
///
/// It dereferences to the answer. The body is the service's own: it has unknown fields and the exact
/// text of numbers. `Debug` shows shape and length.
///
/// ```
/// use flinks_legacy::{AccountsResponse, WithRawBody};
///
/// let body = r#"{ "Accounts": [{ "Title": "Chequing", "New": 1.10 }] }"#;
/// let answer = WithRawBody::<AccountsResponse>::from_json(body)?;
/// assert_eq!(answer.accounts.as_ref().map(Vec::len), Some(1));
/// assert_eq!(answer.raw(), body);
/// # Ok::<(), flinks_legacy::DecodeError>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct WithRawBody<T> {
    value: T,
    raw: Bytes,
}

impl<T: DeserializeOwned> WithRawBody<T> {
    /// Reads a body, such as one that a test provides in place of the service's.
    ///
    /// # Errors
    /// [`DecodeError`]: the body is not JSON, or a field has another type than documented.
    pub fn from_json(body: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let raw = body.into();
        let value = from_json(&raw).map_err(|error| DecodeError::json(&error))?;
        Ok(Self { value, raw })
    }
}

impl<T> WithRawBody<T> {
    /// Returns the body as it came. It stays in memory as long as this answer.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Returns the answer and drops the body.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for WithRawBody<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for WithRawBody<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithRawBody")
            .field("value", &self.value)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .finish()
    }
}

/// The answer of one data call: the data, or that it is not there yet.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DataState<T> {
    /// The service is still fetching: poll with the same RequestId. The answer may hold a part of
    /// the data.
    Pending(WithRawBody<T>),
    /// The data.
    Ready(WithRawBody<T>),
}

/// Reads the answer of a data call.
pub(super) fn read<D: Data>(
    response: Response<Bytes>,
    subject: Subject<'_>,
) -> Result<DataState<D::Response>, DecodeError> {
    let (parts, raw) = response.into_parts();
    let answer = match WithRawBody::from_json(raw.clone()) {
        Ok(answer) => answer,
        // A 202 is pending even without a body.
        Err(_) if parts.status == StatusCode::ACCEPTED => WithRawBody {
            value: D::Response::default(),
            raw,
        },
        Err(error) => return Err(error),
    };
    let (http_status_code, flinks_code) = D::status(&answer);
    let outcome = outcome(parts.status, http_status_code, flinks_code);
    if outcome != Outcome::Failed {
        check_subject(subject, &answer.raw)?;
    }
    match outcome {
        Outcome::Done => Ok(DataState::Ready(answer)),
        Outcome::Pending => Ok(DataState::Pending(answer)),
        Outcome::Failed => Err(failure(&answer.raw)),
    }
}

#[cfg(test)]
mod tests {
    use flinks_types::{AccountsResponse, FlinksCode};
    use proptest::prelude::*;

    use super::*;
    use crate::{AccountsDetail, Statements};

    fn read(status: u16, body: &[u8]) -> Result<DataState<AccountsResponse>, DecodeError> {
        let mut response = Response::new(Bytes::copy_from_slice(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        super::read::<AccountsDetail>(response, Subject::default())
    }

    fn word(status: u16, body: &str) -> &'static str {
        match read(status, body.as_bytes()) {
            Ok(DataState::Ready(_)) => "ready",
            Ok(DataState::Pending(_)) => "pending",
            Err(DecodeError::Api(_)) => "failed",
            Err(_) => "malformed",
        }
    }

    #[test]
    fn code_then_status_decide() {
        let answers = [
            (200, r#"{"Accounts":[]}"#, "ready"),
            (200, "{}", "ready"),
            (
                200,
                r#"{"HttpStatusCode":200,"FlinksCode":"BRAND_NEW"}"#,
                "ready",
            ),
            (200, r#"{"HttpStatusCode":200,"FlinksCode":"OK"}"#, "ready"),
            (200, r#"{"HttpStatusCode":202}"#, "pending"),
            (202, "", "pending"),
            (202, "<html>", "pending"),
            (202, r#"{"HttpStatusCode":200,"Accounts":[]}"#, "pending"),
            (
                200,
                r#"{"HttpStatusCode":200,"FlinksCode":"OPERATION_DISPATCHED"}"#,
                "pending",
            ),
            (202, r#"{"FlinksCode":"SESSION_NONEXISTENT"}"#, "failed"),
            (200, r#"{"HttpStatusCode":400,"Accounts":[]}"#, "failed"),
            (200, r#"{"HttpStatusCode":203}"#, "failed"),
            (203, r#"{"SecurityChallenges":[{}]}"#, "failed"),
            (200, "", "malformed"),
            (200, "<html>", "malformed"),
            (200, "[]", "malformed"),
            (200, r#"{"Accounts":["#, "malformed"),
        ];
        for (status, body, expected) in answers {
            assert_eq!(word(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn the_answer_is_kept_as_it_came() {
        let body = r#"{"Accounts":[{"New":1.10,"Balance":{"Current":1.10}}]}"#;
        let Ok(DataState::Ready(answer)) = read(200, body.as_bytes()) else {
            panic!("ready")
        };
        assert_eq!(answer.raw(), body);
        assert_eq!(answer.accounts.as_ref().unwrap().len(), 1);
        assert!(!format!("{answer:?}").contains("1.1"));
        assert_eq!(answer.into_inner().accounts.unwrap().len(), 1);
    }

    #[test]
    fn a_failure_says_what_the_body_says() {
        let body =
            br#"{"HttpStatusCode":400,"FlinksCode":"SESSION_NONEXISTENT","RequestId":"006fd2f3"}"#;
        let Err(DecodeError::Api(error)) = read(200, body) else {
            panic!("failed")
        };
        assert_eq!(error.flinks_code, Some(FlinksCode::SessionNonexistent));
        assert!(error.request_id.is_some());
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(
            status in 200u16..300,
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            drop(read(status, &body));
            let mut response = Response::new(Bytes::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            drop(super::read::<Statements>(response, Subject::default()));
        }
    }
}
