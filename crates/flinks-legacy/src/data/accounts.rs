//! The accounts of a session: `legacy.accounts_detail` and `legacy.accounts_summary`.

use flinks_transport::Route;
use flinks_types::{AccountId, AccountsResponse, DaysOfTransactions, FlinksCode};
use serde::Serialize;

use super::call::Data;
use super::source::DataSource;
use super::wait::DataWait;
use crate::client::LegacyClient;
use crate::session::Session;

/// Enough for more than 100,000 transactions.
const MAX_RESPONSE_BYTES: usize = 64 << 20;

impl LegacyClient {
    /// Fetches the accounts with holders, balances and transactions of a session or of a LoginId, such
    /// as that of an upload: `legacy.accounts_detail`. The returned [`DataWait`] sends nothing until it
    /// is awaited.
    ///
    /// *Effect:* the service fetches them from the bank, unless the session is a cached one. That
    /// request is sent at most once in a session. Of a LoginId, a cached session is opened first.
    pub fn accounts_detail(&self, of: impl Into<DataSource>) -> DataWait<AccountsDetail> {
        DataWait::start(self.clone(), of)
    }

    /// Continues to wait for what [`accounts_detail`](Self::accounts_detail) started, in another
    /// process for example: `legacy.accounts_detail_async`.
    pub fn accounts_detail_async(&self, session: &Session) -> DataWait<AccountsDetail> {
        DataWait::resume(self.clone(), session)
    }

    /// Fetches the accounts of a session or a LoginId without transactions: `legacy.accounts_summary`.
    /// The returned [`DataWait`] sends nothing until it is awaited.
    ///
    /// *Effect:* that of [`accounts_detail`](Self::accounts_detail).
    pub fn accounts_summary(&self, of: impl Into<DataSource>) -> DataWait<AccountsSummary> {
        DataWait::start(self.clone(), of)
    }

    /// Continues to wait for what [`accounts_summary`](Self::accounts_summary) started:
    /// `legacy.accounts_summary_async`.
    pub fn accounts_summary_async(&self, session: &Session) -> DataWait<AccountsSummary> {
        DataWait::resume(self.clone(), session)
    }
}

fn status(response: &AccountsResponse) -> (Option<u16>, Option<&FlinksCode>) {
    (response.http_status_code, response.flinks_code.as_ref())
}

/// The options of GetAccountsDetail. What is not set is left to the service.
///
/// ```
/// use flinks_legacy::{AccountsDetail, DaysOfTransactions};
///
/// let options = AccountsDetail::new()
///     .with_days(DaysOfTransactions::Days365)
///     .with_kyc(false);
/// assert_ne!(options, AccountsDetail::new());
/// ```
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
    /// The service's defaults: everything, of every account, for 90 days.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether the answer has transit, institution and account numbers.
    #[must_use]
    pub fn with_account_identity(mut self, with: bool) -> Self {
        self.with_account_identity = Some(with);
        self
    }

    /// Sets whether the answer has the holders: `WithKYC` on the wire.
    #[must_use]
    pub fn with_kyc(mut self, with: bool) -> Self {
        self.with_kyc = Some(with);
        self
    }

    /// Sets whether the answer has the transactions.
    #[must_use]
    pub fn with_transactions(mut self, with: bool) -> Self {
        self.with_transactions = Some(with);
        self
    }

    /// Sets whether the answer has the balances.
    #[must_use]
    pub fn with_balance(mut self, with: bool) -> Self {
        self.with_balance = Some(with);
        self
    }

    /// Sets how far back the transactions go.
    #[must_use]
    pub fn with_days(mut self, days: DaysOfTransactions) -> Self {
        self.days_of_transactions = Some(days);
        self
    }

    /// Adds an account to the filter. With a filter, the answer has only its accounts.
    #[must_use]
    pub fn with_account(mut self, id: AccountId) -> Self {
        self.accounts_filter.push(id);
        self
    }
}

impl Data for AccountsDetail {
    type Response = AccountsResponse;

    const OPERATION: &'static str = "legacy.accounts_detail";
    const POLL_OPERATION: &'static str = "legacy.accounts_detail_async";
    const ROUTE: Route = Route::post("/v3/{customerId}/BankingServices/GetAccountsDetail");
    const POLL_ROUTE: Route =
        Route::get("/v3/{customerId}/BankingServices/GetAccountsDetailAsync/{requestId}");
    const MAX_RESPONSE_BYTES: usize = MAX_RESPONSE_BYTES;

    fn status(response: &AccountsResponse) -> (Option<u16>, Option<&FlinksCode>) {
        status(response)
    }
}

/// The options of GetAccountsSummary. What is not set is left to the service.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountsSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    with_balance: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with_account_identity: Option<bool>,
}

impl AccountsSummary {
    /// The service's defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether the answer has the balances.
    #[must_use]
    pub fn with_balance(mut self, with: bool) -> Self {
        self.with_balance = Some(with);
        self
    }

    /// Sets whether the answer has transit, institution and account numbers.
    #[must_use]
    pub fn with_account_identity(mut self, with: bool) -> Self {
        self.with_account_identity = Some(with);
        self
    }
}

impl Data for AccountsSummary {
    type Response = AccountsResponse;

    const OPERATION: &'static str = "legacy.accounts_summary";
    const POLL_OPERATION: &'static str = "legacy.accounts_summary_async";
    const ROUTE: Route = Route::post("/v3/{customerId}/BankingServices/GetAccountsSummary");
    const POLL_ROUTE: Route =
        Route::get("/v3/{customerId}/BankingServices/GetAccountsSummaryAsync/{requestId}");
    const MAX_RESPONSE_BYTES: usize = MAX_RESPONSE_BYTES;

    fn status(response: &AccountsResponse) -> (Option<u16>, Option<&FlinksCode>) {
        status(response)
    }
}
