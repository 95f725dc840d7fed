//! What an answer says of its call: its outcome, and the login and session that it is about.

use flinks_transport::DecodeError;
use flinks_types::{ApiError, FlinksCode, Outcome, Subject};
use http::StatusCode;

/// The [`Outcome`] of any call but Authorize: 203 requires an answer to the bank, which no other
/// call can give.
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

/// Refuses an answer that says its call failed or continues.
pub(crate) fn require_done(
    status: StatusCode,
    http_status_code: Option<u16>,
    flinks_code: Option<&FlinksCode>,
    body: &[u8],
) -> Result<(), DecodeError> {
    match outcome(status, http_status_code, flinks_code) {
        Outcome::Done => Ok(()),
        Outcome::Failed | Outcome::Pending => Err(failure(body)),
    }
}

/// The failure that a body describes.
pub(crate) fn failure(body: &[u8]) -> DecodeError {
    DecodeError::api(ApiError::from_body(body).unwrap_or_default())
}

/// Refuses an answer that names another login or session than its call.
pub(crate) fn check_subject(subject: Subject<'_>, body: &[u8]) -> Result<(), DecodeError> {
    subject.contradicted_by(body).map_or(Ok(()), |id| {
        Err(DecodeError::Malformed(format!("it is about another {id}")))
    })
}
