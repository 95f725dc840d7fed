//! Whether an answer means that its call is done, is pending, or failed: one rule for all calls.

use crate::{FlinksCode, RetryClass};

/// The outcome of a call according to its answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a call is done, failed or pending: callers handle all three"
)]
pub enum Outcome {
    /// The call is finished: the answer holds its result.
    Done,
    /// The call failed, or the service refused it.
    Failed,
    /// The service works on in the background: ask again later.
    Pending,
}

impl Outcome {
    /// Decides from the status of the answer, and from the `HttpStatusCode` and `FlinksCode` in its
    /// body.
    ///
    /// The FlinksCode decides first: `OPERATION_PENDING` and `OPERATION_DISPATCHED` are pending,
    /// every other code of a failure is one. Codes of success and unknown codes decide nothing. Then
    /// either status outside 200 to 299 is a failure, and 202 in either is pending.
    ///
    /// Without a status in the body, only the status of the answer counts. Two answers need
    /// more than this rule: one to `/Authorize` that holds challenges, and `ALREADY_AUTHORIZED`,
    /// which is a success there with any status.
    ///
    /// ```
    /// use flinks_types::{FlinksCode, Outcome};
    ///
    /// assert_eq!(Outcome::of(200, None, None), Outcome::Done);
    /// assert_eq!(Outcome::of(200, Some(401), None), Outcome::Failed);
    /// let code = FlinksCode::OperationPending;
    /// assert_eq!(Outcome::of(200, Some(202), Some(&code)), Outcome::Pending);
    /// ```
    #[must_use]
    pub fn of(
        status: u16,
        http_status_code: Option<u16>,
        flinks_code: Option<&FlinksCode>,
    ) -> Self {
        match flinks_code.and_then(FlinksCode::retry_class) {
            Some(RetryClass::Poll) => return Self::Pending,
            Some(_) => return Self::Failed,
            None => {}
        }
        let statuses = [status, http_status_code.unwrap_or(status)];
        if !statuses.iter().all(|status| (200..300).contains(status)) {
            Self::Failed
        } else if statuses.contains(&202) {
            Self::Pending
        } else {
            Self::Done
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Done, Failed, Pending};
    use super::*;

    #[test]
    fn the_code_decides_before_the_statuses() {
        let answers = [
            (200, None, None, Done),
            (200, Some(200), Some("OK"), Done),
            (201, Some(200), Some("CREATED"), Done),
            (203, Some(203), None, Done),
            (200, Some(200), Some("ALREADY_AUTHORIZED"), Done),
            (200, Some(200), Some("A_NEW_CODE"), Done),
            (202, None, None, Pending),
            (200, Some(202), None, Pending),
            (202, Some(203), Some("OK"), Pending),
            (202, Some(202), Some("A_NEW_CODE"), Pending),
            (200, Some(200), Some("OPERATION_PENDING"), Pending),
            (200, Some(400), Some("OPERATION_DISPATCHED"), Pending),
            (200, Some(200), Some("INVALID_LOGIN"), Failed),
            (202, Some(202), Some("SESSION_EXPIRED"), Failed),
            (200, Some(401), None, Failed),
            (200, Some(500), Some("OK"), Failed),
            (200, Some(302), Some("A_NEW_CODE"), Failed),
            (202, Some(199), None, Failed),
            (401, None, None, Failed),
            (500, Some(200), None, Failed),
            (401, Some(401), Some("ALREADY_AUTHORIZED"), Failed),
        ];
        for (status, inner, code, outcome) in answers {
            let flinks_code = code.map(FlinksCode::from);
            assert_eq!(
                Outcome::of(status, inner, flinks_code.as_ref()),
                outcome,
                "{status} {inner:?} {code:?}"
            );
        }
    }
}
