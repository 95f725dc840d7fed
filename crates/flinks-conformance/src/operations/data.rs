//! The data calls, the polls that follow them, and the flow `legacy.fetch`.

use std::marker::PhantomData;

use flinks_legacy::{
    AccountsDetail, AccountsSummary, Data, DataCall, DataSource, DataState, DataWait, Session,
    StatementContent as _, Statements,
};
use flinks_transport::{Endpoint, Error, ErrorKind};
use flinks_types::{
    AccountId, AccountsResponse, DaysOfTransactions, LoginId, NumberOfStatements, RequestId,
    Statement, StatementsResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Duration;

use super::{CaseCall, Host, Outcome, Running, Single, Stack, answer, legacy_client, set};
use crate::keys::Keys;

/// Data with its canonical form.
pub(super) trait Shown: Data<Response: std::fmt::Debug> {
    fn canonical(answer: &Self::Response) -> Value;
}

impl Shown for AccountsDetail {
    fn canonical(accounts: &AccountsResponse) -> Value {
        answer(accounts)
    }
}

impl Shown for AccountsSummary {
    fn canonical(accounts: &AccountsResponse) -> Value {
        answer(accounts)
    }
}

/// With the decoded content of each file as text, or null.
impl Shown for Statements {
    fn canonical(statements: &StatementsResponse) -> Value {
        let accounts = statements.accounts.iter().flatten();
        let files = accounts.flat_map(|account| &account.statements);
        let text = |file: &Statement| {
            let bytes = file.to_bytes().ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let files: Vec<_> = files.map(text).collect();
        json!({ "answer": answer(statements), "files": files })
    }
}

fn fetched<D: Shown>(fetched: &DataState<D::Response>) -> Value {
    match fetched {
        DataState::Ready(answer) => json!({ "ready": D::canonical(answer) }),
        DataState::Pending(answer) => json!({ "pending": D::canonical(answer) }),
        _ => Value::Null,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DetailInput {
    request_id: RequestId,
    with_account_identity: Option<bool>,
    with_kyc: Option<bool>,
    with_transactions: Option<bool>,
    with_balance: Option<bool>,
    days: Option<DaysOfTransactions>,
    #[serde(default)]
    accounts: Vec<AccountId>,
}

impl Single for DetailInput {
    type Operation = DataCall<AccountsDetail>;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<Self::Operation, Error> {
        let mut data = AccountsDetail::new();
        data = set(data, &self.with_account_identity, |data, with| {
            data.with_account_identity(with)
        });
        data = set(data, &self.with_kyc, |data, with| data.with_kyc(with));
        data = set(data, &self.with_transactions, |data, with| {
            data.with_transactions(with)
        });
        data = set(data, &self.with_balance, |data, with| {
            data.with_balance(with)
        });
        data = set(data, &self.days, |data, days| data.with_days(days));
        let data = self
            .accounts
            .iter()
            .cloned()
            .fold(data, AccountsDetail::with_account);
        let id = self.request_id.clone();
        Ok(DataCall::start(keys.customer_at(endpoint), id, data))
    }

    fn canonical(answer: &DataState<AccountsResponse>) -> Value {
        fetched::<AccountsDetail>(answer)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SummaryInput {
    request_id: RequestId,
    with_balance: Option<bool>,
    with_account_identity: Option<bool>,
}

impl Single for SummaryInput {
    type Operation = DataCall<AccountsSummary>;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<Self::Operation, Error> {
        let mut data = AccountsSummary::new();
        data = set(data, &self.with_balance, |data, with| {
            data.with_balance(with)
        });
        data = set(data, &self.with_account_identity, |data, with| {
            data.with_account_identity(with)
        });
        let id = self.request_id.clone();
        Ok(DataCall::start(keys.customer_at(endpoint), id, data))
    }

    fn canonical(answer: &DataState<AccountsResponse>) -> Value {
        fetched::<AccountsSummary>(answer)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatementsInput {
    request_id: RequestId,
    number: Option<NumberOfStatements>,
    #[serde(default)]
    accounts: Vec<AccountId>,
}

impl Single for StatementsInput {
    type Operation = DataCall<Statements>;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<Self::Operation, Error> {
        let mut data = Statements::new();
        data = set(data, &self.number, |data, number| data.with_number(number));
        let data = self
            .accounts
            .iter()
            .cloned()
            .fold(data, Statements::with_account);
        let id = self.request_id.clone();
        Ok(DataCall::start(keys.customer_at(endpoint), id, data))
    }

    fn canonical(answer: &DataState<StatementsResponse>) -> Value {
        fetched::<Statements>(answer)
    }
}

pub(super) type DetailPoll = PollInput<AccountsDetail>;
pub(super) type SummaryPoll = PollInput<AccountsSummary>;
pub(super) type StatementsPoll = PollInput<Statements>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PollInput<D> {
    request_id: RequestId,
    #[serde(skip)]
    data: PhantomData<fn() -> D>,
}

impl<D: Shown> Single for PollInput<D> {
    type Operation = DataCall<D>;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<DataCall<D>, Error> {
        let endpoint = keys.customer_at(endpoint);
        Ok(DataCall::poll(endpoint, self.request_id.clone()))
    }

    fn canonical(answer: &DataState<D::Response>) -> Value {
        fetched::<D>(answer)
    }
}

/// Fetches data of a session or a login, or waits for data whose call was started before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FetchInput {
    data: Wanted,
    request_id: Option<RequestId>,
    login_id: Option<LoginId>,
    #[serde(default)]
    resume: bool,
    allow_stale: Option<bool>,
    interval_ms: Option<u64>,
    deadline_s: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    AccountsDetail,
    AccountsSummary,
    Statements,
}

impl CaseCall for FetchInput {
    fn host(&self) -> Host {
        Host::Results
    }

    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c> {
        Box::pin(async move {
            let client = match legacy_client(stack) {
                Ok(client) => client,
                Err(error) => return Outcome::failed(error),
            };
            let session = self.request_id.clone().map(Session::from_request_id);
            if self.resume {
                return match (self.data, &session) {
                    (_, None) => input("request_id is missing"),
                    (Wanted::AccountsDetail, Some(session)) => {
                        self.wait(client.accounts_detail_async(session)).await
                    }
                    (Wanted::AccountsSummary, Some(session)) => {
                        self.wait(client.accounts_summary_async(session)).await
                    }
                    (Wanted::Statements, Some(session)) => {
                        self.wait(client.statements_async(session)).await
                    }
                };
            }
            let of = match (&session, &self.login_id) {
                (Some(session), None) => DataSource::from(session),
                (None, Some(login_id)) => DataSource::from(login_id),
                _ => return input("give either request_id or login_id"),
            };
            match self.data {
                Wanted::AccountsDetail => self.wait(client.accounts_detail(of)).await,
                Wanted::AccountsSummary => self.wait(client.accounts_summary(of)).await,
                Wanted::Statements => self.wait(client.statements(of)).await,
            }
        })
    }
}

fn input(message: &'static str) -> Outcome {
    Outcome::failed(Error::new(ErrorKind::Input, message))
}

impl FetchInput {
    async fn wait<D: Shown>(&self, mut fetch: DataWait<D>) -> Outcome {
        fetch = set(fetch, &self.interval_ms, |fetch, interval| {
            fetch.interval(Duration::from_millis(interval))
        });
        fetch = set(fetch, &self.deadline_s, |fetch, deadline| {
            fetch.timeout(Duration::from_secs(deadline))
        });
        fetch = set(fetch, &self.allow_stale, DataWait::allow_stale);
        match fetch.await {
            Ok(read) => Outcome::ok(D::canonical(&read), &read),
            Err(error) => Outcome::failed(error),
        }
    }
}
