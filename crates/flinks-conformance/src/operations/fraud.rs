//! `fraud.analysis` and the flow `fraud.wait`.

use flinks_auth::ApiSecret;
use flinks_fraud::{Analysis, AnalysisRequest, FraudClient};
use flinks_transport::{CustomerEndpoint, Endpoint, Error, Transport};
use flinks_types::{CustomerId, LoginId};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Duration;

use super::{CaseCall, Host, Outcome, Running, Single, Stack, answer, set};
use crate::keys::Keys;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnalysisInput {
    login_id: LoginId,
    customer_id: Option<CustomerId>,
}

impl Single for AnalysisInput {
    type Operation = AnalysisRequest;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<AnalysisRequest, Error> {
        let customer = self.customer_id.as_ref().unwrap_or(&keys.customer_id);
        let customer = CustomerEndpoint::new(endpoint, customer.clone());
        Ok(AnalysisRequest::new(customer, self.login_id.clone()))
    }

    fn transport(stack: &Stack) -> Result<Transport, Error> {
        Ok(client(stack)?.transport().clone())
    }

    fn canonical(read: &Analysis) -> Value {
        analysis(read)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitInput {
    login_id: LoginId,
    files: Option<usize>,
    interval_ms: Option<u64>,
    deadline_s: Option<u64>,
}

impl CaseCall for WaitInput {
    fn host(&self) -> Host {
        Host::Results
    }

    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c> {
        Box::pin(async move {
            let client = match client(stack) {
                Ok(client) => client,
                Err(error) => return Outcome::failed(error),
            };
            let mut wait = client.wait(&self.login_id).expected_documents(self.files);
            wait = set(wait, &self.interval_ms, |wait, interval| {
                wait.interval(Duration::from_millis(interval))
            });
            wait = set(wait, &self.deadline_s, |wait, deadline| {
                wait.timeout(Duration::from_secs(deadline))
            });
            Outcome::of(wait.await, analysis)
        })
    }
}

/// The real client of the fraud analysis.
fn client(stack: &Stack) -> Result<FraudClient, Error> {
    let secret = ApiSecret::new(stack.keys.api_secret.clone());
    let (transport, endpoint) = (stack.transport.clone(), stack.endpoint.clone());
    FraudClient::new(transport, endpoint, stack.keys.customer_id.clone(), secret)
}

/// What was read, whether it is not final yet, and the verdict.
fn analysis(analysis: &Analysis) -> Value {
    json!({
        "answer": answer(analysis.raw()),
        "pending": analysis.is_pending(),
        "verdict": analysis.verdict().as_str(),
    })
}
