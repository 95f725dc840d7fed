//! `fraud.analysis` as a value: its request, and how its answer is read.

use bytes::Bytes;
use flinks_transport::{
    Body, CallMeta, Credential, CustomerEndpoint, DecodeError, Error, Operation, Replay, Route,
};
use flinks_types::{ApiError, FlinksCode, FraudAnalysis, LoginId, Outcome, Subject, from_json};
use http::{Request, Response};

use crate::analysis::Analysis;
use crate::unknown_fields::{Node, has_odd_outcome, is_about_another, unclear};
use crate::verdict::Reason;

const ROUTE: Route = Route::get("/v3/{customerId}/upload/fraudanalysis/{loginId}");

/// Reads the fraud analysis of a LoginId: `fraud.analysis`.
///
/// *Effect:* none; it may be sent any number of times. An analysis that is not final is an answer,
/// not an error: see [`Analysis::is_pending`].
///
/// Source: Upload guide, Fraud Analysis Endpoint.
#[derive(Clone, Debug)]
pub struct AnalysisRequest {
    customer: CustomerEndpoint,
    login_id: LoginId,
}

impl AnalysisRequest {
    /// Reads the analysis of the documents that were uploaded as `login_id`.
    #[must_use]
    pub fn new(customer: CustomerEndpoint, login_id: LoginId) -> Self {
        Self { customer, login_id }
    }
}

impl Operation for AnalysisRequest {
    type Output = Analysis;

    fn meta(&self) -> CallMeta {
        CallMeta::new("fraud.analysis", ROUTE, Replay::Safe).with_credential(Credential::ApiSecret)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.customer.request(ROUTE, &[self.login_id.as_str()])
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Analysis, DecodeError> {
        let status = response.status().as_u16();
        decode(status, response.body(), Some(&self.login_id))
    }
}

/// Reads an answer with a 2xx status; one that is about another LoginId is an error.
pub(crate) fn decode(
    status: u16,
    body: &[u8],
    login_id: Option<&LoginId>,
) -> Result<Analysis, DecodeError> {
    let (raw, error) = match from_json::<FraudAnalysis>(body) {
        Ok(raw) => (raw, None),
        Err(error) => (FraudAnalysis::default(), Some(error)),
    };
    let answer: Node<'_> = from_json(body).unwrap_or_default();
    // What an answer says of a failure is read only where it may be one.
    let mut said = (raw.http_status_code, raw.flinks_code.clone());
    let is_odd = error.is_some() || has_odd_outcome(&answer, &raw);
    if is_odd || Outcome::of(status, said.0, said.1.as_ref()) == Outcome::Failed {
        let api = ApiError::from_body(body).unwrap_or_default();
        said = (api.http_status_code, api.flinks_code.clone());
        if Outcome::of(status, said.0, said.1.as_ref()) == Outcome::Failed {
            return Err(DecodeError::api(api));
        }
    }
    let (http_status_code, code) = (said.0, said.1.as_ref());
    // A 202 needs no body.
    if let Some(error) = error.filter(|_| status != 202) {
        return Err(DecodeError::json(&error));
    }
    let is_another = |login_id: &LoginId| {
        let subject = Subject::login(login_id);
        subject.contradicted_by(body).is_some() || is_about_another(&answer, login_id)
    };
    if login_id.is_some_and(is_another) {
        let message = "it is about another LoginId".to_owned();
        return Err(DecodeError::Malformed(message));
    }
    let unfinished = if code.is_some_and(is_pending) {
        Some(Reason::StillProcessing)
    } else {
        reason_of(status).or_else(|| http_status_code.and_then(reason_of))
    };
    let unclear = unclear(&answer, &raw);
    Ok(Analysis::new(raw, unfinished, unclear))
}

/// Only a 200 is a complete answer: a proxy changed a 203, and a 206 is a part.
const fn reason_of(status: u16) -> Option<Reason> {
    match status {
        200 => None,
        202 => Some(Reason::StillProcessing),
        status => Some(Reason::PartialAnswer { status }),
    }
}

/// Whether a code says that the service is still processing.
pub(crate) fn is_pending(code: &FlinksCode) -> bool {
    matches!(
        code,
        FlinksCode::OperationDispatched | FlinksCode::OperationPending
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verdict::Verdict;

    const CLEAN: &str = r#"{"HttpStatusCode":200,"DocumentAnalysis":[{"Status":"COMPLETED",
        "FullAnalysis":[{"DocumentType":"BANK_STATEMENT","FraudSignals":[]}]}]}"#;

    fn read(status: u16, body: &[u8]) -> Result<Analysis, DecodeError> {
        decode(status, body, Some(&LoginId::new("aabf32b7").unwrap()))
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused_but_not_clean(
            status in 200u16..300,
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            if let Ok(analysis) = read(status, &body) {
                prop_assert_eq!(analysis.verdict().as_str(), "undetermined");
            }
        }

        #[test]
        fn an_answer_that_was_cut_is_not_clean(
            status in 200u16..300,
            kept in 0..=CLEAN.len(),
        ) {
            let analysis = read(status, &CLEAN.as_bytes()[..kept]);
            let clean = analysis.is_ok_and(|analysis| analysis.verdict() == Verdict::Clean);
            prop_assert_eq!(clean, kept == CLEAN.len() && status == 200);
        }

        #[test]
        fn only_200_in_the_body_is_clean(status in 100u16..=999) {
            let body = CLEAN.replace("200", &status.to_string());
            let analysis = read(200, body.as_bytes());
            let clean = analysis.is_ok_and(|analysis| analysis.verdict() == Verdict::Clean);
            prop_assert_eq!(clean, status == 200);
        }
    }
}
