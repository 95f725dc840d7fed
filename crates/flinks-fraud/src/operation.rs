//! `fraud.analysis` as a value: what is asked, and how the answer is read.

use bytes::Bytes;
use flinks_transport::{
    Body, CallMeta, Credential, DecodeError, Endpoint, Error, Operation, Replay, Route,
};
use flinks_types::{ApiError, CustomerId, FlinksCode, FraudAnalysis, LoginId, Subject, from_json};
use http::{Request, Response, StatusCode};

use crate::analysis::Analysis;
use crate::doubt::{Node, doubt, is_about_another};
use crate::verdict::Reason;

const ROUTE: Route = Route::get("/v3/{customerId}/upload/fraudanalysis/{loginId}");

/// Asks for the fraud analysis of a LoginId: `fraud.analysis`.
///
/// *Effect:* none; it may be sent any number of times. An analysis that is not finished is an
/// answer, not an error: [`Analysis::is_pending`].
///
/// Source: Upload guide, Fraud Analysis Endpoint.
#[derive(Clone, Debug)]
pub struct AnalysisRequest {
    endpoint: Endpoint,
    customer_id: CustomerId,
    login_id: LoginId,
}

impl AnalysisRequest {
    /// Asks `endpoint` for the analysis of the documents behind `login_id`.
    #[must_use]
    pub fn new(endpoint: Endpoint, customer_id: CustomerId, login_id: LoginId) -> Self {
        Self {
            endpoint,
            customer_id,
            login_id,
        }
    }
}

impl Operation for AnalysisRequest {
    type Output = Analysis;

    fn meta(&self) -> CallMeta {
        CallMeta::new("fraud.analysis", ROUTE, Replay::Safe).with_credential(Credential::ApiSecret)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let (customer, login) = (self.customer_id.as_str(), self.login_id.as_str());
        let mut request = Request::new(Body::empty());
        *request.uri_mut() =
            self.endpoint
                .join(["v3", customer, "upload", "fraudanalysis", login])?;
        Ok(request)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Analysis, DecodeError> {
        let (parts, body) = response.into_parts();
        let accepted = parts.status == StatusCode::ACCEPTED;
        let said = ApiError::from_body(&body).unwrap_or_default();
        if is_failure(&said) {
            return Err(DecodeError::api(said));
        }
        let raw = match from_json::<FraudAnalysis>(&body) {
            Ok(raw) => raw,
            // A 202 needs no body to say that the work goes on.
            Err(_) if accepted => FraudAnalysis::default(),
            Err(error) => return Err(DecodeError::json(&error)),
        };
        let answer: Node = from_json(&body).unwrap_or_default();
        let subject = Subject::login(&self.login_id);
        if subject.contradicted_by(&body).is_some() || is_about_another(&answer, &self.login_id) {
            let message = "it is about another LoginId".to_owned();
            return Err(DecodeError::Malformed(message));
        }
        let unfinished = if said.flinks_code.as_ref().is_some_and(is_at_work) {
            Some(Reason::AtWork)
        } else {
            [Some(parts.status.as_u16()), said.http_status_code]
                .into_iter()
                .flatten()
                .find_map(of_status)
        };
        let doubt = doubt(&answer, &raw);
        Ok(Analysis::new(raw, unfinished, doubt))
    }
}

/// Only 200 is a whole answer: 203 is one that a proxy changed, 206 a part of one.
const fn of_status(status: u16) -> Option<Reason> {
    match status {
        200 => None,
        202 => Some(Reason::AtWork),
        status => Some(Reason::NotWhole { status }),
    }
}

/// The body outranks the status that it came with, and a status that it does not repeat is 2xx.
fn is_failure(said: &ApiError) -> bool {
    let refused = said
        .http_status_code
        .is_some_and(|status| !(200..300).contains(&status));
    let failed = said.flinks_code.as_ref().is_some_and(|code| {
        !is_at_work(code)
            && !matches!(
                code,
                FlinksCode::AlreadyAuthorized
                    | FlinksCode::Created
                    | FlinksCode::Ok
                    | FlinksCode::Other(_)
            )
    });
    refused || failed
}

/// Whether a code says that the work goes on in the background.
pub(crate) fn is_at_work(code: &FlinksCode) -> bool {
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
        let operation = AnalysisRequest::new(
            Endpoint::instance("toolbox").unwrap(),
            CustomerId::new("43387ca6").unwrap(),
            LoginId::new("aabf32b7").unwrap(),
        );
        let mut response = Response::new(Bytes::copy_from_slice(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        operation.decode(response)
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
