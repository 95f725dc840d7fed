//! What a data call requests, and the progress of gathering it.

use tokio::time::Instant;

use super::accounts::{Parts, Selection};
use super::calendar;
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
    /// When the data are ready; `None` is never.
    pub(super) ready: Option<Instant>,
}

impl Work {
    pub(super) fn is_ready(&self) -> bool {
        self.ready.is_some_and(|ready| ready <= Instant::now())
    }
}

/// What to gather.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) accounts: Option<Parts>,
    /// The number of statements of each account.
    pub(super) statements: Option<usize>,
    pub(super) filter: Filter,
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
            let months = months(fields, "NumberOfStatements", &filter)?;
            return Ok(Order {
                accounts: None,
                statements: Some(months),
                filter,
            });
        }
        if flag("GetMFAQuestionsAnswers", false)? {
            return Err(invalid("GetMFAQuestionsAnswers", "is not supported here"));
        }
        // The sandbox has only its most recent data.
        for name in ["MostRecent", "MostRecentCached", "DirectRefresh"] {
            flag(name, false)?;
        }
        let summary = self == Self::AccountsSummary;
        let number = months(fields, "NumberOfBankingStatements", &filter)?;
        let with_statements = flag("WithDetailsAndBankingStatements", false)? && !summary;
        let selection = selection(fields)?;
        let parts = Parts {
            identity: flag("WithAccountIdentity", true)?,
            holder: flag("WithKYC", true)? && !summary,
            balance: flag("WithBalance", true)?,
            transactions: flag("WithTransactions", true)?.then_some(selection),
            summary,
        };
        Ok(Order {
            accounts: Some(parts),
            statements: with_statements.then_some(number),
            filter,
        })
    }
}

/// The number of statements that a field requests.
fn months(fields: &Fields, name: &str, filter: &Filter) -> Result<usize, Answer> {
    match fields.text(name)?.as_deref() {
        None | Some("MostRecent") => Ok(1),
        Some("Months3") => Ok(3),
        Some("Months12") if filter.as_ref().is_some_and(|ids| ids.len() == 1) => Ok(12),
        Some("Months12") => Err(invalid("AccountsFilter", "has to name one account")),
        Some(_) => Err(invalid(name, "has to be MostRecent, Months3 or Months12")),
    }
}

fn selection(fields: &Fields) -> Result<Selection, Answer> {
    let date = |name| match fields.text(name)? {
        Some(date) if !calendar::is_date(&date) => Err(invalid(name, "has to be YYYY-MM-DD")),
        date => Ok(date),
    };
    let (from, to) = (date("DateFrom")?, date("DateTo")?);
    if from.is_some() && to.is_some() && from > to {
        return Err(invalid("DateTo", "is before DateFrom"));
    }
    let days = match fields.text("DaysOfTransactions")?.as_deref() {
        None if from.is_some() || to.is_some() => None,
        None | Some("Days90") => Some(90),
        Some("Days360") => Some(360),
        Some("Days365") => Some(365),
        Some(_) => {
            return Err(invalid("DaysOfTransactions", "has to be Days90 or Days365"));
        }
    };
    let delta = fields.objects("RefreshDelta")?.unwrap_or_default();
    let known = delta.iter().map(|one| {
        let account = one.required_text("AccountId")?;
        Ok((account, one.required_text("TransactionId")?))
    });
    Ok(Selection {
        days,
        from,
        to,
        known: known.collect::<Result<_, Answer>>()?,
    })
}
