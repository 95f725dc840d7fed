//! What a data call requests, and the progress of gathering it.

use super::accounts::Parts;
use crate::answer::Answer;
use crate::json_fields::{Fields, invalid};

/// The data that a call requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Dataset {
    AccountsDetail,
    AccountsSummary,
    Statements,
}

/// Data that are being gathered, or are ready.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) order: Order,
    /// How many more times the answer is 202; the largest number means always.
    pub(super) pending: u32,
    pub(super) done: bool,
}

/// What to gather.
#[derive(Clone, Debug)]
pub(super) enum Order {
    Accounts { parts: Parts, filter: Filter },
    Statements { months: usize, filter: Filter },
}

/// The ids of the requested accounts; `None` means all.
pub(super) type Filter = Option<Vec<String>>;

impl Dataset {
    /// Returns the data of an endpoint, and whether it is the asynchronous companion.
    pub(super) fn with_endpoint(endpoint: &str) -> Option<(Self, bool)> {
        let all = [
            Self::AccountsDetail,
            Self::AccountsSummary,
            Self::Statements,
        ];
        let (name, is_poll) = match endpoint.strip_suffix("Async") {
            Some(name) => (name, true),
            None => (endpoint, false),
        };
        let found = all.into_iter().find(|dataset| dataset.endpoint() == name);
        found.map(|dataset| (dataset, is_poll))
    }

    pub(super) fn endpoint(self) -> &'static str {
        match self {
            Self::AccountsDetail => "GetAccountsDetail",
            Self::AccountsSummary => "GetAccountsSummary",
            Self::Statements => "GetStatements",
        }
    }

    /// Reads the body of the call.
    pub(super) fn order(self, fields: &Fields) -> Result<Order, Answer> {
        let flag = |name, default| Ok::<_, Answer>(fields.flag(name)?.unwrap_or(default));
        let filter = fields
            .texts("AccountsFilter")?
            .filter(|ids| !ids.is_empty());
        if self == Self::Statements {
            let months = match fields.text("NumberOfStatements")?.as_deref() {
                None | Some("MostRecent") => 1,
                Some("Months3") => 3,
                Some("Months12") if filter.as_ref().is_some_and(|ids| ids.len() == 1) => 12,
                Some("Months12") => {
                    return Err(invalid("AccountsFilter", "has to name one account"));
                }
                Some(_) => {
                    let form = "has to be MostRecent, Months3 or Months12";
                    return Err(invalid("NumberOfStatements", form));
                }
            };
            return Ok(Order::Statements { months, filter });
        }
        let days = match fields.text("DaysOfTransactions")?.as_deref() {
            None | Some("Days90") => 90,
            Some("Days360") => 360,
            Some("Days365") => 365,
            Some(_) => {
                return Err(invalid("DaysOfTransactions", "has to be Days90 or Days365"));
            }
        };
        let summary = self == Self::AccountsSummary;
        let parts = Parts {
            identity: flag("WithAccountIdentity", true)?,
            holder: flag("WithKYC", true)? && !summary,
            balance: flag("WithBalance", true)?,
            transactions: flag("WithTransactions", true)?.then_some(days),
            summary,
        };
        Ok(Order::Accounts { parts, filter })
    }
}
