//! `fraud.analysis` and the flow `fraud.wait`: inputs, calls, canonical output.

use flinks_auth::ApiSecret;
use flinks_fraud::{Analysis, AnalysisRequest, FraudClient, Verdict};
use flinks_transport::{Endpoint, Error};
use flinks_types::{
    CustomerId, DataType, Detail, DocumentAnalysis, DocumentStatus, DocumentType, FlinksCode,
    FraudSignal, FullAnalysis, LoginId, RequestId, SignalType,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Duration;

use super::{Codec, Described, Outcome, Stack, call};
use crate::keys::Keys;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(crate) struct AnalysisInput {
    login_id: LoginId,
    #[serde(default)]
    customer_id: Option<CustomerId>,
}

impl AnalysisInput {
    fn operation(&self, endpoint: &Endpoint, keys: &Keys) -> Result<AnalysisRequest, Error> {
        let customer = self
            .customer_id
            .clone()
            .map_or_else(|| keys.customer(), Ok)?;
        Ok(AnalysisRequest::new(
            endpoint.clone(),
            customer,
            self.login_id.clone(),
        ))
    }

    pub(super) fn codec(&self, endpoint: &Endpoint) -> Result<Box<dyn Codec>, Error> {
        let operation = self.operation(endpoint, &Keys::standard())?;
        Ok(Box::new(Described {
            operation,
            canonical: analysis,
        }))
    }

    pub(super) async fn run(&self, stack: &Stack) -> Outcome {
        let transport = stack.with_credentials();
        let operation = self.operation(&stack.endpoint, &stack.keys);
        match transport.and_then(|transport| Ok((transport, operation?))) {
            Ok((transport, operation)) => call(&transport, operation, analysis).await,
            Err(error) => Outcome::failed(error),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(crate) struct WaitInput {
    login_id: LoginId,
    #[serde(default)]
    files: Option<usize>,
    #[serde(default)]
    interval_ms: Option<u64>,
    #[serde(default)]
    deadline_s: Option<u64>,
}

impl WaitInput {
    pub(super) async fn run(&self, stack: &Stack) -> Outcome {
        let client = match client(stack) {
            Ok(client) => client,
            Err(error) => return Outcome::failed(error),
        };
        let mut wait = client.wait(&self.login_id).files(self.files);
        if let Some(interval) = self.interval_ms {
            wait = wait.interval(Duration::from_millis(interval));
        }
        if let Some(deadline) = self.deadline_s {
            wait = wait.timeout(Duration::from_secs(deadline));
        }
        match wait.await {
            Ok(read) => Outcome::ok(analysis(&read), &read),
            Err(error) => Outcome::failed(error),
        }
    }
}

/// The real client of the results host.
pub(super) fn client(stack: &Stack) -> Result<FraudClient, Error> {
    let secret = ApiSecret::new(stack.keys.api_secret.clone());
    let (transport, endpoint) = (stack.transport.clone(), stack.endpoint.clone());
    FraudClient::new(transport, endpoint, stack.keys.customer()?, &secret)
}

/// What was read, how far it is, and what it says. Keys of absent values are left out, but for
/// lists, where absent is null: the verdict depends on it.
fn analysis(analysis: &Analysis) -> Value {
    let raw = analysis.raw();
    let mut object = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        object.extend(value.map(|value| (key.to_owned(), value)));
    };
    put("http_status_code", raw.http_status_code.map(Value::from));
    put("message", raw.message.as_deref().map(Value::from));
    put(
        "flinks_code",
        raw.flinks_code
            .as_ref()
            .map(FlinksCode::as_str)
            .map(Value::from),
    );
    put(
        "login_id",
        raw.login_id.as_ref().map(LoginId::as_str).map(Value::from),
    );
    put(
        "request_id",
        raw.request_id
            .as_ref()
            .map(RequestId::as_str)
            .map(Value::from),
    );
    put("tag", raw.tag.as_deref().map(Value::from));
    put("pending", Some(analysis.is_pending().into()));
    let verdict = analysis.verdict();
    put("verdict", Some(verdict.as_str().into()));
    if let Verdict::Undetermined(reason) = &verdict {
        put("reason", Some(reason.to_string().into()));
    }
    put(
        "documents",
        Some(analysis.documents().iter().map(document).collect()),
    );
    Value::Object(object)
}

fn document(document: &DocumentAnalysis) -> Value {
    let analyses = document.full_analysis.as_ref();
    json!({
        "status": document.status.as_ref().map(DocumentStatus::as_str),
        "analyses": analyses.map(|forms| forms.iter().map(form).collect::<Value>()),
    })
}

fn form(form: &FullAnalysis) -> Value {
    let signals = form.fraud_signals.as_ref();
    json!({
        "document_type": form.document_type.as_ref().map(DocumentType::as_str),
        "signals": signals.map(|signals| signals.iter().map(signal).collect::<Value>()),
    })
}

fn signal(signal: &FraudSignal) -> Value {
    let details = signal.underlying_data.iter().flat_map(|data| &data.details);
    json!({
        "type": signal.signal_type.as_ref().map(SignalType::as_str),
        "page": signal.page_number,
        "count": signal.count,
        "details": details.map(detail).collect::<Value>(),
    })
}

fn detail(detail: &Detail) -> Value {
    json!({
        "specific_type": detail.specific_type,
        "value": detail.value,
        "data_type": detail.data_type.as_ref().map(DataType::as_str),
    })
}
