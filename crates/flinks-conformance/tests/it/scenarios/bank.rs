//! A bank's customer and the client of an application: what the legacy scenarios begin with.

use std::time::Duration;

use flinks_auth::{ApiSecret, LegacyKeys};
use flinks_legacy::{
    Authorize, AuthorizeError, ChallengeRound, CompletedAnswers, LegacyClient, Session,
};
use flinks_sandbox::{ApiOperation, Sandbox, SandboxBuilder, SandboxLogin};
use flinks_transport::{Endpoint, TransportBuilder};
use flinks_types::{Credentials, CustomerId, LoginId};

use super::{started, trusting};

/// The pause between two polls.
pub(super) const SOON: Duration = Duration::from_millis(20);

/// What `greatday_together` and `Greatday` answer.
pub(super) const RIGHT: [&str; 3] = ["Montreal", "Canada", "Triangle"];

/// A sandbox that asks for every key there is, and whose data are pending until the first poll.
pub(super) fn config(faults: &[&str]) -> SandboxBuilder {
    super::config(faults)
        .auth_key("the sandbox's auth key")
        .x_api_key("the sandbox's x-api-key")
        .data_pending(SOON / 2)
}

pub(super) async fn sandbox(faults: &[&str]) -> Sandbox {
    started(config(faults)).await
}

/// The keys that the sandbox asks for, each for its own calls.
pub(super) fn keys(sandbox: &Sandbox) -> LegacyKeys {
    LegacyKeys::new()
        .auth_key(sandbox.auth_key().expect("a key"))
        .x_api_key(sandbox.x_api_key().expect("a key"))
        .api_secret(ApiSecret::new(sandbox.api_secret()))
}

pub(super) fn client_over(
    sandbox: &Sandbox,
    transport: TransportBuilder,
    keys: LegacyKeys,
) -> LegacyClient {
    let endpoint = Endpoint::new(sandbox.results_url()).expect("a URL");
    let customer = CustomerId::new(sandbox.customer_id()).expect("an id");
    let transport = transport.build().expect("a transport");
    LegacyClient::new(transport, endpoint, customer, keys).expect("a client")
}

pub(super) fn client(sandbox: &Sandbox) -> LegacyClient {
    client_over(sandbox, trusting(sandbox), keys(sandbox))
}

/// A customer of FlinksCapital.
pub(super) fn customer(username: &str) -> Credentials {
    Credentials::new("FlinksCapital", username, "Everyday")
}

pub(super) fn asked(outcome: Result<Authorize, AuthorizeError>) -> ChallengeRound {
    match outcome.expect("an answer") {
        Authorize::Challenged(round) => round,
        other => panic!("the bank has to ask: {other:?}"),
    }
}

pub(super) fn opened(outcome: Result<Authorize, AuthorizeError>) -> Session {
    match outcome.expect("an answer") {
        Authorize::Authorized(session) => session,
        other => panic!("the session has to be open: {other:?}"),
    }
}

/// Opens a session of a customer who is not asked anything.
pub(super) async fn open(client: &LegacyClient, username: &str) -> Session {
    opened(client.authorize(customer(username)).await)
}

/// Answers questions of a round in their order, each under its own text.
pub(super) fn answers<const N: usize>(
    round: &ChallengeRound,
    texts: [&str; N],
) -> CompletedAnswers {
    assert_eq!(round.questions().len(), N);
    let mut answers = round.answers();
    for (question, text) in round.questions().zip(texts) {
        let answered = question.kind().answer_raw(&mut answers, [text]);
        answered.expect("a question of this round");
    }
    answers.finish().expect("an answer to each")
}

/// What the sandbox keeps under a LoginId.
pub(super) fn kept(sandbox: &Sandbox, login_id: &LoginId) -> Option<SandboxLogin> {
    let mut logins = sandbox.logins().into_iter();
    logins.find(|login| login.login_id == login_id.as_str())
}

/// How many requests changed anything at the sandbox, of those that ask for `operation`.
pub(super) fn acted(sandbox: &Sandbox, operation: ApiOperation) -> usize {
    let log = sandbox.log().into_iter();
    log.filter(|line| line.operation == operation && line.acted)
        .count()
}
