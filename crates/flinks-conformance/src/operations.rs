//! The registry: the name of an operation and its JSON input, made into a call of the real client.

mod answers;
mod authorize;
mod data;
mod document;
mod fraud;
mod login;
mod outcome;
mod upload;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use flinks_auth::LegacyKeys;
use flinks_legacy::LegacyClient;
use flinks_transport::{Body, DecodeError, Endpoint, Error, Operation, Replay, Transport};
use http::{Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use outcome::{Failure, Outcome, kind_word};

use crate::case::{Call, Credentials};
use crate::json;
use crate::keys::Keys;

/// Every operation that a case may call, with the reader of its input.
const REGISTRY: [(&str, Parse); 22] = [
    ("auth.token", read::<upload::TokenInput>),
    ("upload.file", read::<upload::FileInput>),
    ("upload.complete", read::<upload::CompleteInput>),
    ("upload.session", read::<upload::SessionInput>),
    ("fraud.analysis", read::<fraud::AnalysisInput>),
    ("fraud.wait", read::<fraud::WaitInput>),
    ("auth.authorize_token", read::<authorize::TokenInput>),
    ("legacy.authorize", read::<authorize::AuthorizeInput>),
    ("legacy.answer", read::<authorize::AnswerInput>),
    ("legacy.accounts_detail", read::<data::DetailInput>),
    ("legacy.accounts_detail_async", read::<data::DetailPoll>),
    ("legacy.accounts_summary", read::<data::SummaryInput>),
    ("legacy.accounts_summary_async", read::<data::SummaryPoll>),
    ("legacy.statements", read::<data::StatementsInput>),
    ("legacy.statements_async", read::<data::StatementsPoll>),
    ("legacy.fetch", read::<data::FetchInput>),
    ("legacy.mfa_questions", read::<login::QuestionsInput>),
    ("legacy.answer_mfa_questions", read::<login::AnswersInput>),
    ("legacy.delete_card", read::<login::DeleteInput>),
    ("legacy.set_scheduled_refresh", read::<login::RefreshInput>),
    ("legacy.nightly_status", read::<login::NightlyInput>),
    ("legacy.institutions", read::<login::InstitutionsInput>),
];

type Parse = fn(&Call) -> Result<Box<dyn CaseCall>, String>;

/// The name of every operation that a case may call.
pub fn operations() -> impl Iterator<Item = &'static str> {
    REGISTRY.into_iter().map(|(name, _)| name)
}

/// Returns whether an operation makes several calls: a case may say which of them failed.
pub(crate) fn is_flow(operation: &str) -> bool {
    matches!(
        operation,
        "upload.session" | "fraud.wait" | "legacy.answer" | "legacy.fetch"
    )
}

/// Reads a call.
pub(crate) fn parse(call: &Call) -> Result<Box<dyn CaseCall>, String> {
    let name = &call.operation;
    match REGISTRY.iter().find(|(known, _)| known == name) {
        Some((_, parse)) => parse(call),
        None => {
            let names: Vec<_> = operations().collect();
            let names = names.join(", ");
            Err(format!("call.operation: {name:?} is none of {names}"))
        }
    }
}

fn read<T: CaseCall + DeserializeOwned + 'static>(
    call: &Call,
) -> Result<Box<dyn CaseCall>, String> {
    let input: T = json::read_value("call.input", &call.input)?;
    Ok(Box::new(input))
}

/// The hosts of the service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Host {
    /// Takes documents, and requires a client certificate.
    Upload,
    /// Has the results and the legacy API.
    Results,
}

/// A call with its input read, without its type.
pub(crate) trait CaseCall: Send + Sync {
    /// The host that serves it.
    fn host(&self) -> Host;

    /// Whether it fetches a token, with credentials that it brings itself.
    fn is_token(&self) -> bool {
        false
    }

    /// The operation as a pure value; `None` for flows, and for bodies that only the transport reads.
    fn codec(&self, _: &Endpoint) -> Option<Result<Box<dyn Codec>, Error>> {
        None
    }

    /// Inputs that must not leak.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// Makes the call.
    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c>;
}

pub(crate) type Running<'c> = Pin<Box<dyn Future<Output = Outcome> + Send + 'c>>;

/// Where and through what a call is made.
pub(crate) struct Stack {
    pub(crate) transport: Transport,
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
    pub(crate) keys: Keys,
}

/// A call that is one operation.
trait Single: Send + Sync {
    type Operation: Operation<Output: Debug + Send> + Send + Sync + 'static;

    const HOST: Host = Host::Results;
    const IS_TOKEN: bool = false;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<Self::Operation, Error>;

    /// The transport with the credentials that the real client adds.
    fn transport(stack: &Stack) -> Result<Transport, Error> {
        Ok(legacy_client(stack)?.transport().clone())
    }

    fn canonical(output: &<Self::Operation as Operation>::Output) -> Value;

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

impl<S: Single> CaseCall for S {
    fn host(&self) -> Host {
        S::HOST
    }

    fn is_token(&self) -> bool {
        S::IS_TOKEN
    }

    fn codec(&self, endpoint: &Endpoint) -> Option<Result<Box<dyn Codec>, Error>> {
        let operation = self.operation(endpoint.clone(), &Keys::standard());
        Some(operation.map(|operation| {
            let codec: Box<dyn Codec> = Box::new(Described {
                operation,
                canonical: S::canonical,
            });
            codec
        }))
    }

    fn secrets(&self) -> Vec<String> {
        Single::secrets(self)
    }

    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c> {
        Box::pin(async move {
            let transport = match stack.credentials {
                Credentials::None => Ok(stack.transport.clone()),
                Credentials::Standard => S::transport(stack),
            };
            let operation = self.operation(stack.endpoint.clone(), &stack.keys);
            let called = match transport.and_then(|transport| Ok((transport, operation?))) {
                Ok((transport, operation)) => transport.call(operation).await,
                Err(error) => Err(error),
            };
            Outcome::of(called, S::canonical)
        })
    }
}

/// An operation without its type: its request, and the reading of its answer.
pub(crate) trait Codec {
    fn replay(&self) -> Replay;
    fn request(&self) -> Result<Request<Body>, Error>;
    fn accepts(&self, response: &Response<Bytes>) -> bool;
    fn read(&self, response: Response<Bytes>) -> Result<Outcome, DecodeError>;
}

struct Described<O: Operation> {
    operation: O,
    canonical: fn(&O::Output) -> Value,
}

impl<O: Operation<Output: Debug>> Codec for Described<O> {
    fn replay(&self) -> Replay {
        self.operation.meta().replay()
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.operation.request()
    }

    fn accepts(&self, response: &Response<Bytes>) -> bool {
        accepts(&self.operation, response)
    }

    fn read(&self, response: Response<Bytes>) -> Result<Outcome, DecodeError> {
        let read = decode(&self.operation, response);
        read.map(|output| Outcome::ok((self.canonical)(&output), &output))
    }
}

fn accepts(operation: &impl Operation, response: &Response<Bytes>) -> bool {
    let (parts, ()) = response.clone().map(|_| ()).into_parts();
    operation.accepts(&parts)
}

/// Reads an answer as the transport does: a success that cannot be decoded may still be recovered.
fn decode<O: Operation>(
    operation: &O,
    response: Response<Bytes>,
) -> Result<O::Output, DecodeError> {
    let (status, body) = (response.status(), response.body().clone());
    match operation.decode(response) {
        Err(DecodeError::Malformed(what)) if status.is_success() => {
            let recovered = operation.recover(&body);
            recovered.ok_or(DecodeError::Malformed(what))
        }
        read => read,
    }
}

/// The real client of the legacy host, with all keys or with none.
fn legacy_client(stack: &Stack) -> Result<LegacyClient, Error> {
    let keys = match stack.credentials {
        Credentials::Standard => stack.keys.legacy(),
        Credentials::None => LegacyKeys::new(),
    };
    let (transport, endpoint) = (stack.transport.clone(), stack.endpoint.clone());
    LegacyClient::new(transport, endpoint, stack.keys.customer_id.clone(), keys)
}

/// The canonical form of what the service answers: its own names, without what is absent.
fn answer(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

/// An object without the keys whose value is null.
fn compact(value: Value) -> Value {
    let Value::Object(mut object) = value else {
        return value;
    };
    object.retain(|_, value| !value.is_null());
    Value::Object(object)
}

/// Sets an option of a request, if the case gives it.
fn set<R, V: Clone>(request: R, value: &Option<V>, set: impl FnOnce(R, V) -> R) -> R {
    match value {
        Some(value) => set(request, value.clone()),
        None => request,
    }
}
