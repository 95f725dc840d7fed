//! What the data calls can be asked for.

use flinks_transport::{Error, ErrorKind, Route};
use flinks_types::{
    AccountId, AccountsResponse, DaysOfTransactions, NumberOfStatements, StatementsResponse,
};
use serde::Serialize;

use super::fetch::Data;

/// More than a hundred thousand transactions.
const ACCOUNTS_BYTES: usize = 64 << 20;
/// Twelve months of statements of several megabytes each.
const STATEMENTS_BYTES: usize = 256 << 20;

/// What to ask of the accounts' details. What is not said is left to the service.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountsDetail {
    #[serde(skip_serializing_if = "Option::is_none")]
    with_account_identity: Option<bool>,
    #[serde(rename = "WithKYC", skip_serializing_if = "Option::is_none")]
    with_kyc: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with_transactions: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with_balance: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_of_transactions: Option<DaysOfTransactions>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts_filter: Vec<AccountId>,
}

impl AccountsDetail {
    /// What the service gives by default: everything, of every account, for 90 days.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to give transit, institution and account numbers.
    #[must_use]
    pub fn with_account_identity(mut self, with: bool) -> Self {
        self.with_account_identity = Some(with);
        self
    }

    /// Whether to give the holders: `WithKYC` on the wire.
    #[must_use]
    pub fn with_kyc(mut self, with: bool) -> Self {
        self.with_kyc = Some(with);
        self
    }

    /// Whether to give the transactions.
    #[must_use]
    pub fn with_transactions(mut self, with: bool) -> Self {
        self.with_transactions = Some(with);
        self
    }

    /// Whether to give the balances.
    #[must_use]
    pub fn with_balance(mut self, with: bool) -> Self {
        self.with_balance = Some(with);
        self
    }

    /// How far back the transactions go.
    #[must_use]
    pub fn days(mut self, days: DaysOfTransactions) -> Self {
        self.days_of_transactions = Some(days);
        self
    }

    /// Gives this account, and others only if they are named too.
    #[must_use]
    pub fn account(mut self, id: AccountId) -> Self {
        self.accounts_filter.push(id);
        self
    }
}

impl Data for AccountsDetail {
    type Response = AccountsResponse;

    const CALL: &'static str = "legacy.accounts_detail";
    const POLL: &'static str = "legacy.accounts_detail_async";
    const ROUTE: Route = Route::post("/v3/{customerId}/BankingServices/GetAccountsDetail");
    const POLL_ROUTE: Route =
        Route::get("/v3/{customerId}/BankingServices/GetAccountsDetailAsync/{requestId}");
    const PATH: &'static str = "GetAccountsDetail";
    const POLL_PATH: &'static str = "GetAccountsDetailAsync";
    const MAX_RESPONSE_BYTES: usize = ACCOUNTS_BYTES;
}

/// What to ask of the accounts in short. What is not said is left to the service.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountsSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    with_balance: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with_account_identity: Option<bool>,
}

impl AccountsSummary {
    /// What the service gives by default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to give the balances.
    #[must_use]
    pub fn with_balance(mut self, with: bool) -> Self {
        self.with_balance = Some(with);
        self
    }

    /// Whether to give transit, institution and account numbers.
    #[must_use]
    pub fn with_account_identity(mut self, with: bool) -> Self {
        self.with_account_identity = Some(with);
        self
    }
}

impl Data for AccountsSummary {
    type Response = AccountsResponse;

    const CALL: &'static str = "legacy.accounts_summary";
    const POLL: &'static str = "legacy.accounts_summary_async";
    const ROUTE: Route = Route::post("/v3/{customerId}/BankingServices/GetAccountsSummary");
    const POLL_ROUTE: Route =
        Route::get("/v3/{customerId}/BankingServices/GetAccountsSummaryAsync/{requestId}");
    const PATH: &'static str = "GetAccountsSummary";
    const POLL_PATH: &'static str = "GetAccountsSummaryAsync";
    const MAX_RESPONSE_BYTES: usize = ACCOUNTS_BYTES;
}

/// Which statements to ask for. What is not said is left to the service.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statements {
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_statements: Option<NumberOfStatements>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts_filter: Vec<AccountId>,
}

impl Statements {
    /// What the service gives by default: the latest statement of every account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many statements to give. Those of twelve months need exactly one
    /// [`account`](Self::account).
    #[must_use]
    pub fn number(mut self, number: NumberOfStatements) -> Self {
        self.number_of_statements = Some(number);
        self
    }

    /// Gives the statements of this account, and of others only if they are named too.
    #[must_use]
    pub fn account(mut self, id: AccountId) -> Self {
        self.accounts_filter.push(id);
        self
    }
}

impl Data for Statements {
    type Response = StatementsResponse;

    const CALL: &'static str = "legacy.statements";
    const POLL: &'static str = "legacy.statements_async";
    const ROUTE: Route = Route::post("/v3/{customerId}/BankingServices/GetStatements");
    const POLL_ROUTE: Route =
        Route::get("/v3/{customerId}/BankingServices/GetStatementsAsync/{requestId}");
    const PATH: &'static str = "GetStatements";
    const POLL_PATH: &'static str = "GetStatementsAsync";
    const MAX_RESPONSE_BYTES: usize = STATEMENTS_BYTES;

    fn check(&self) -> Result<(), Error> {
        let is_year = self.number_of_statements == Some(NumberOfStatements::Months12);
        if is_year && self.accounts_filter.len() != 1 {
            return Err(Error::new(
                ErrorKind::Input,
                "twelve months of statements are given for one account at a time: name one account",
            ));
        }
        Ok(())
    }
}
