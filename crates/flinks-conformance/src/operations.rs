//! The registry: the name of an operation and its JSON input, made into the real call of the real client.

mod document;
mod fraud;
mod legacy;
mod outcome;
mod upload;

use bytes::Bytes;
use flinks_transport::{Body, DecodeError, Endpoint, Error, Operation, Replay, Transport};
use http::{Request, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use outcome::{Failure, Outcome, kind_word};

use crate::case::{Call, Credentials};
use crate::json;
use crate::keys::Keys;

/// Every operation that a case may call.
pub const OPERATIONS: [&str; 22] = [
    "auth.token",
    "upload.file",
    "upload.complete",
    "upload.session",
    "fraud.analysis",
    "fraud.wait",
    "auth.authorize_token",
    "legacy.authorize",
    "legacy.answer",
    "legacy.accounts_detail",
    "legacy.accounts_detail_async",
    "legacy.accounts_summary",
    "legacy.accounts_summary_async",
    "legacy.statements",
    "legacy.statements_async",
    "legacy.fetch",
    "legacy.mfa_questions",
    "legacy.answer_mfa_questions",
    "legacy.delete_card",
    "legacy.set_scheduled_refresh",
    "legacy.nightly_status",
    "legacy.institutions",
];

/// Whether an operation makes several calls: a case may say which of them failed.
pub(crate) fn is_flow(operation: &str) -> bool {
    matches!(
        operation,
        "upload.session" | "fraud.wait" | "legacy.answer" | "legacy.fetch"
    )
}

/// A call with its input read.
pub(crate) enum Parsed {
    Token(upload::TokenInput),
    File(upload::FileInput),
    Complete(upload::CompleteInput),
    Session(upload::SessionInput),
    Analysis(fraud::AnalysisInput),
    Wait(fraud::WaitInput),
    Legacy(Box<dyn legacy::LegacyCall>),
}

/// The hosts of the service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Host {
    /// Takes documents, and asks for a client certificate.
    Upload,
    /// Has the results and the legacy API.
    Results,
}

/// Where and through what a call is made.
pub(crate) struct Stack {
    pub(crate) transport: Transport,
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
    pub(crate) keys: Keys,
}

impl Stack {
    /// The transport with the case's credential layer, as the real clients put it in place.
    fn with_credentials(&self) -> Result<Transport, Error> {
        match self.credentials {
            Credentials::Oauth => {
                let client = upload::client(self, self.keys.paths.clone())?;
                Ok(client.transport().clone())
            }
            Credentials::ApiSecret => Ok(fraud::client(self)?.transport().clone()),
            Credentials::LegacyKeys => Ok(legacy::client(self)?.transport().clone()),
            Credentials::None => Ok(self.transport.clone()),
        }
    }
}

/// Whether a call names a known operation with an input that can be read.
pub(crate) fn check(call: &Call) -> Result<(), String> {
    parse(call).map(|_| ())
}

/// Reads a call.
pub(crate) fn parse(call: &Call) -> Result<Parsed, String> {
    match call.operation.as_str() {
        "auth.token" => input(call).map(Parsed::Token),
        "upload.file" => input(call).map(Parsed::File),
        "upload.complete" => input(call).map(Parsed::Complete),
        "upload.session" => input(call).map(Parsed::Session),
        "fraud.analysis" => input(call).map(Parsed::Analysis),
        "fraud.wait" => input(call).map(Parsed::Wait),
        _ => legacy::parse(call).map(Parsed::Legacy),
    }
}

fn input<T: DeserializeOwned>(call: &Call) -> Result<T, String> {
    json::read_value("call.input", &call.input)
}

impl Parsed {
    /// The credentials that the operation has unless the case says others.
    pub(crate) fn credentials(&self) -> Credentials {
        match self {
            Self::Token(_) => Credentials::None,
            Self::File(_) | Self::Complete(_) | Self::Session(_) => Credentials::Oauth,
            Self::Analysis(_) | Self::Wait(_) => Credentials::ApiSecret,
            Self::Legacy(call) => call.credentials(),
        }
    }

    /// Which of the two hosts serves it.
    pub(crate) fn host(&self) -> Host {
        match self {
            Self::Token(_) | Self::File(_) | Self::Complete(_) | Self::Session(_) => Host::Upload,
            Self::Analysis(_) | Self::Wait(_) | Self::Legacy(_) => Host::Results,
        }
    }

    /// The operation as a pure value; `None` for flows of several calls.
    pub(crate) fn codec(&self, endpoint: &Endpoint) -> Option<Result<Box<dyn Codec>, Error>> {
        match self {
            Self::Token(input) => Some(input.codec(endpoint)),
            Self::File(input) => Some(input.codec(endpoint)),
            Self::Complete(input) => Some(input.codec(endpoint)),
            Self::Analysis(input) => Some(input.codec(endpoint)),
            Self::Legacy(call) => call.codec(endpoint),
            Self::Session(_) | Self::Wait(_) => None,
        }
    }

    /// Makes the call.
    pub(crate) async fn run(&self, stack: &Stack) -> Outcome {
        match self {
            Self::Token(input) => input.run(stack).await,
            Self::File(input) => input.run(stack).await,
            Self::Complete(input) => input.run(stack).await,
            Self::Session(input) => input.run(stack).await,
            Self::Analysis(input) => input.run(stack).await,
            Self::Wait(input) => input.run(stack).await,
            Self::Legacy(call) => call.run(stack).await,
        }
    }

    /// Contents that must not leak.
    pub(crate) fn contents(&self) -> Vec<String> {
        match self {
            Self::File(input) => vec![input.content()],
            Self::Session(input) => input.contents(),
            Self::Legacy(call) => call.secrets(),
            Self::Token(_) | Self::Complete(_) | Self::Analysis(_) | Self::Wait(_) => Vec::new(),
        }
    }
}

/// An operation without its type: how it asks, and what it reads.
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

impl<O: Operation<Output: std::fmt::Debug>> Codec for Described<O> {
    fn replay(&self) -> Replay {
        self.operation.meta().replay()
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.operation.request()
    }

    fn accepts(&self, response: &Response<Bytes>) -> bool {
        let (parts, ()) = response.clone().map(|_| ()).into_parts();
        self.operation.accepts(&parts)
    }

    fn read(&self, response: Response<Bytes>) -> Result<Outcome, DecodeError> {
        let read = decode(&self.operation, response);
        read.map(|output| Outcome::ok((self.canonical)(&output), &output))
    }
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

fn described<O: Operation<Output: std::fmt::Debug> + 'static>(
    operation: O,
    canonical: fn(&O::Output) -> Value,
) -> Result<Box<dyn Codec>, Error> {
    Ok(Box::new(Described {
        operation,
        canonical,
    }))
}

/// Makes one call of a single operation.
async fn call<O>(transport: &Transport, operation: O, canonical: fn(&O::Output) -> Value) -> Outcome
where
    O: Operation<Output: Send + std::fmt::Debug> + Send + Sync + 'static,
{
    match transport.call(operation).await {
        Ok(output) => Outcome::ok(canonical(&output), &output),
        Err(error) => Outcome::failed(error),
    }
}
