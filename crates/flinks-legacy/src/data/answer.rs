//! Answers of the data calls: read once, kept as they came, and told apart by what they say.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use flinks_transport::DecodeError;
use flinks_types::{ApiError, FlinksCode, Outcome, Subject, from_json};
use http::{Response, StatusCode};

use super::fetch::DataResponse;

/// An answer that was read, beside the bytes that came.
///
/// It dereferences to what was read. The bytes are the service's own: unknown fields and the exact
/// text of numbers are in them. `Debug` shows shape and length.
#[derive(Clone, Eq, PartialEq)]
pub struct Collected<T> {
    value: T,
    raw: Bytes,
}

impl<T> Collected<T> {
    /// The body as it came. It is as large as it was, and held as long as this answer is.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// What was read, without the body.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Collected<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Collected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collected")
            .field("value", &self.value)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .finish()
    }
}

/// What a data call answered: the data, or that there is more to come.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fetched<T> {
    /// The data.
    Ready(Collected<T>),
    /// The service is at work: ask the asynchronous call with the same RequestId. The answer may
    /// hold a part of the data.
    Pending(Collected<T>),
}

/// The [`Outcome`] of a data call: 203 requires an answer to the bank, which no data call can give.
pub(crate) fn outcome(
    status: StatusCode,
    http_status_code: Option<u16>,
    flinks_code: Option<&FlinksCode>,
) -> Outcome {
    let outcome = Outcome::of(status.as_u16(), http_status_code, flinks_code);
    let is_challenge = status.as_u16() == 203 || http_status_code == Some(203);
    if outcome == Outcome::Done && is_challenge {
        Outcome::Failed
    } else {
        outcome
    }
}

/// Refuses an answer that names another login or session than its call.
pub(crate) fn about(subject: Subject<'_>, body: &[u8]) -> Result<(), DecodeError> {
    subject.contradicted_by(body).map_or(Ok(()), |id| {
        Err(DecodeError::Malformed(format!("it is about another {id}")))
    })
}

/// Reads the answer of a data call.
pub(crate) fn fetched<T: DataResponse>(
    response: Response<Bytes>,
    subject: Subject<'_>,
) -> Result<Fetched<T>, DecodeError> {
    let (parts, raw) = response.into_parts();
    let value = match from_json::<T>(&raw) {
        Ok(value) => value,
        // A 202 needs no body to say that the work goes on.
        Err(_) if parts.status == StatusCode::ACCEPTED => T::default(),
        Err(error) => return Err(DecodeError::json(&error)),
    };
    let outcome = outcome(parts.status, value.http_status_code(), value.flinks_code());
    if outcome != Outcome::Failed {
        about(subject, &raw)?;
    }
    let answer = Collected { value, raw };
    match outcome {
        Outcome::Done => Ok(Fetched::Ready(answer)),
        Outcome::Pending => Ok(Fetched::Pending(answer)),
        Outcome::Failed => Err(failed(&answer.raw)),
    }
}

/// The failure that a body tells.
pub(crate) fn failed(body: &[u8]) -> DecodeError {
    DecodeError::api(ApiError::from_body(body).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use flinks_types::{AccountsResponse, StatementsResponse};
    use proptest::prelude::*;

    use super::*;

    fn read(status: u16, body: &[u8]) -> Result<Fetched<AccountsResponse>, DecodeError> {
        let mut response = Response::new(Bytes::copy_from_slice(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        fetched(response, Subject::default())
    }

    fn word(status: u16, body: &str) -> &'static str {
        match read(status, body.as_bytes()) {
            Ok(Fetched::Ready(_)) => "ready",
            Ok(Fetched::Pending(_)) => "pending",
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
        let Ok(Fetched::Ready(answer)) = read(200, body.as_bytes()) else {
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
            drop(fetched::<StatementsResponse>(response, Subject::default()));
        }
    }
}
