//! The operations of the legacy host: their names, the one trait that runs them, and its client.

mod answers;
mod authorize;
mod canonical;
mod card;
mod data;

use std::future::Future;
use std::pin::Pin;

use flinks_auth::LegacyKeys;
use flinks_legacy::LegacyClient;
use flinks_transport::{CustomerEndpoint, Endpoint, Error, Operation};
use serde_json::Value;

use super::{Codec, OPERATIONS, Outcome, Stack, call, described, input};
use crate::case::{Call, Credentials};
use crate::keys::Keys;

/// A call with its input read, without its type.
pub(crate) trait LegacyCall: Send + Sync {
    /// The credentials that it has unless the case says others.
    fn credentials(&self) -> Credentials {
        Credentials::LegacyKeys
    }

    /// The operation as a pure value; `None` for flows, and for bodies that only the transport reads.
    fn codec(&self, _: &Endpoint) -> Option<Result<Box<dyn Codec>, Error>> {
        None
    }

    /// What must not leak.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// Makes the call.
    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c>;
}

pub(crate) type Running<'c> = Pin<Box<dyn Future<Output = Outcome> + Send + 'c>>;

/// A call that is one operation, and nothing more.
trait Single: Send + Sync {
    type Operation: Operation<Output: Send + std::fmt::Debug> + Send + Sync + 'static;

    fn operation(&self, endpoint: CustomerEndpoint) -> Result<Self::Operation, Error>;

    fn canonical(output: &<Self::Operation as Operation>::Output) -> Value;
}

impl<S: Single> LegacyCall for S {
    fn codec(&self, endpoint: &Endpoint) -> Option<Result<Box<dyn Codec>, Error>> {
        let endpoint = Keys::standard().customer_endpoint(endpoint);
        let operation = endpoint.and_then(|endpoint| self.operation(endpoint));
        Some(operation.and_then(|operation| described(operation, S::canonical)))
    }

    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c> {
        Box::pin(async move {
            let endpoint = stack.keys.customer_endpoint(&stack.endpoint);
            let operation = endpoint.and_then(|endpoint| self.operation(endpoint));
            match operation.and_then(|operation| Ok((operation, client(stack)?))) {
                Ok((operation, client)) => call(client.transport(), operation, S::canonical).await,
                Err(error) => Outcome::failed(error),
            }
        })
    }
}

/// Reads a call of the legacy host.
pub(super) fn parse(call: &Call) -> Result<Box<dyn LegacyCall>, String> {
    Ok(match call.operation.as_str() {
        "auth.authorize_token" => Box::new(input::<authorize::TokenInput>(call)?),
        "legacy.authorize" => Box::new(input::<authorize::AuthorizeInput>(call)?),
        "legacy.answer" => Box::new(input::<authorize::AnswerInput>(call)?),
        "legacy.accounts_detail" => Box::new(input::<data::DetailInput>(call)?),
        "legacy.accounts_detail_async" => Box::new(input::<data::DetailPoll>(call)?),
        "legacy.accounts_summary" => Box::new(input::<data::SummaryInput>(call)?),
        "legacy.accounts_summary_async" => Box::new(input::<data::SummaryPoll>(call)?),
        "legacy.statements" => Box::new(input::<data::StatementsInput>(call)?),
        "legacy.statements_async" => Box::new(input::<data::StatementsPoll>(call)?),
        "legacy.fetch" => Box::new(input::<data::FetchInput>(call)?),
        "legacy.mfa_questions" => Box::new(input::<card::QuestionsInput>(call)?),
        "legacy.answer_mfa_questions" => Box::new(input::<card::AnswersInput>(call)?),
        "legacy.delete_card" => Box::new(input::<card::DeleteInput>(call)?),
        "legacy.set_scheduled_refresh" => Box::new(input::<card::RefreshInput>(call)?),
        "legacy.nightly_status" => Box::new(input::<card::NightlyInput>(call)?),
        "legacy.institutions" => Box::new(input::<card::InstitutionsInput>(call)?),
        other => {
            let names = OPERATIONS.join(", ");
            return Err(format!("call.operation: {other:?} is none of {names}"));
        }
    })
}

/// The real client of the legacy host, with all keys or with none.
pub(super) fn client(stack: &Stack) -> Result<LegacyClient, Error> {
    let keys = match stack.credentials {
        Credentials::LegacyKeys => stack.keys.legacy(),
        Credentials::Oauth | Credentials::ApiSecret | Credentials::None => LegacyKeys::new(),
    };
    let (transport, endpoint) = (stack.transport.clone(), stack.endpoint.clone());
    LegacyClient::new(transport, endpoint, stack.keys.customer()?, keys)
}
