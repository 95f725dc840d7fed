//! The accounts of a user, as GetAccountsDetail and GetAccountsSummary show them.

use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::calendar::DAYS;
use super::transactions::{Histories, History};
use super::users::User;
use crate::ids::uuid_of;

/// What a credit card may owe, in cents.
const CREDIT_LIMIT: i64 = 500_000;

/// An account with its history.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) id: String,
    pub(super) title: &'static str,
    pub(super) number: String,
    /// Different for each account; ids are derived from it.
    pub(super) seed: u64,
    category: &'static str,
    kind: &'static str,
    limit: Option<i64>,
    overdraft: i64,
    pub(super) history: History,
}

/// Returns a user's accounts: chequing, savings and credit card, the same each time.
pub(super) fn holdings(user: &User) -> Vec<Holding> {
    let name = format!("{}/{}", user.institution, user.name);
    let seed = u64::from(crc32fast::hash(name.as_bytes()));
    let all = Histories::new(seed);
    #[rustfmt::skip]
    let kinds = [
        ("Chequing Account", "Operations", "Chequing", all.chequing),
        ("High Interest Savings", "Operations", "Savings", all.savings),
        ("Cash Back Card", "Credits", "CreditCard", all.card),
    ];
    (1..)
        .zip(kinds)
        .map(|(place, (title, category, kind, history))| {
            let seed = seed << 8 | place;
            let mut random = fastrand::Rng::with_seed(seed);
            let is_card = kind == "CreditCard";
            Holding {
                id: uuid_of(random.u128(..)),
                title,
                number: if is_card {
                    format!("4500-****-****-{:04}", random.u16(0..10_000))
                } else {
                    format!("{:07}", random.u32(1_000_000..10_000_000))
                },
                seed,
                category,
                kind,
                limit: is_card.then_some(CREDIT_LIMIT),
                overdraft: if kind == "Chequing" { 50_000 } else { 0 },
                history,
            }
        })
        .collect()
}

/// The requested parts of an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub(super) identity: bool,
    pub(super) holder: bool,
    pub(super) balance: bool,
    /// Days back; `None` leaves the list empty.
    pub(super) transactions: Option<usize>,
    /// The summary has no list at all, and ratios instead.
    pub(super) summary: bool,
}

/// Cents, written as a JSON number with two decimal places.
#[derive(Clone, Copy, Debug)]
struct Money(i64);

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(decimal(self.0))
            .map_err(Error::custom)?
            .serialize(serializer)
    }
}

/// `-1234.50` for -123450 cents.
pub(super) fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// An account as it is sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Account {
    id: String,
    title: &'static str,
    account_number: Option<String>,
    last_four_digits: Option<String>,
    transit_number: Option<&'static str>,
    institution_number: Option<&'static str>,
    overdraft_limit: Money,
    category: &'static str,
    r#type: &'static str,
    account_type: Option<&'static str>,
    currency: &'static str,
    balance: Balance,
    holder: Option<Holder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transactions: Option<Vec<Entry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eft_eligible_ratio: Option<Money>,
    #[serde(
        rename = "ETransferEligibleRatio",
        skip_serializing_if = "Option::is_none"
    )]
    e_transfer_eligible_ratio: Option<Money>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Balance {
    available: Option<Money>,
    current: Option<Money>,
    limit: Option<Money>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Holder {
    name: &'static str,
    address: Address,
    email: &'static str,
    phone_number: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Address {
    civic_address: &'static str,
    city: &'static str,
    province: &'static str,
    postal_code: &'static str,
    #[serde(rename = "POBox")]
    po_box: Option<&'static str>,
    country: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    date: String,
    code: Option<&'static str>,
    description: &'static str,
    debit: Option<Money>,
    credit: Option<Money>,
    balance: Money,
}

impl Holding {
    pub(super) fn show(&self, parts: Parts) -> Account {
        let current = self.history.balance();
        let available = match self.limit {
            Some(limit) => limit - current,
            None => current,
        };
        let money = |cents| parts.balance.then_some(Money(cents));
        let last_four = self.number.len().saturating_sub(4);
        Account {
            id: self.id.clone(),
            title: self.title,
            account_number: parts.identity.then(|| self.number.clone()),
            last_four_digits: self.number.get(last_four..).map(str::to_owned),
            transit_number: parts.identity.then_some("77777"),
            institution_number: parts.identity.then_some("777"),
            overdraft_limit: Money(self.overdraft),
            category: self.category,
            r#type: self.kind,
            account_type: parts.summary.then_some("Personal"),
            currency: "CAD",
            balance: Balance {
                available: money(available),
                current: money(current),
                limit: self.limit.and_then(money),
            },
            holder: parts.holder.then(holder),
            transactions: (!parts.summary).then(|| self.entries(parts.transactions.unwrap_or(0))),
            eft_eligible_ratio: parts.summary.then_some(Money(100)),
            e_transfer_eligible_ratio: parts.summary.then_some(Money(87)),
        }
    }

    /// The transactions of the last `days` days, the newest first.
    fn entries(&self, days: usize) -> Vec<Entry> {
        let first = DAYS.saturating_sub(days);
        let newest = self.history.transactions.iter().rev();
        newest
            .take_while(|one| one.day.index >= first)
            .map(|one| Entry {
                id: uuid_of(one.id),
                date: one.day.date.clone(),
                code: None,
                description: one.description,
                debit: one.debit.map(Money),
                credit: one.credit.map(Money),
                balance: Money(one.balance),
            })
            .collect()
    }
}

fn holder() -> Holder {
    Holder {
        name: "Zoé Tremblay",
        address: Address {
            civic_address: "1275 avenue des Érables",
            city: "Montréal",
            province: "QC",
            postal_code: "H2K 3V8",
            po_box: None,
            country: "CA",
        },
        email: "zoe.tremblay@example.com",
        phone_number: "(514) 555-0123",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legacy::users;

    const ALL: Parts = Parts {
        identity: true,
        holder: true,
        balance: true,
        transactions: Some(365),
        summary: false,
    };

    fn greatday() -> Vec<Holding> {
        holdings(users::find("FlinksCapital", "Greatday").unwrap())
    }

    #[test]
    fn money_has_two_places() {
        for (cents, text) in [
            (0, "0.00"),
            (5, "0.05"),
            (-5, "-0.05"),
            (123_450, "1234.50"),
        ] {
            assert_eq!(serde_json::to_string(&Money(cents)).unwrap(), text);
        }
    }

    #[test]
    fn accounts_are_the_same_each_time_and_differ_between_users() {
        let show = |holdings: Vec<Holding>| -> Vec<_> {
            let accounts = holdings.iter().map(|one| one.show(ALL));
            accounts
                .map(|one| serde_json::to_string(&one).unwrap())
                .collect()
        };
        assert_eq!(show(greatday()), show(greatday()));
        let other = users::find("RBC", "Greatday").unwrap();
        assert_ne!(show(greatday())[0], show(holdings(other))[0]);
    }

    #[test]
    fn a_card_has_left_what_it_does_not_owe() {
        let json = serde_json::to_value(greatday()[2].show(ALL)).unwrap();
        let cents = |field: &str| (json["Balance"][field].as_f64().unwrap() * 100.0).round();
        assert_eq!(cents("Limit"), 500_000.0);
        assert_eq!(cents("Available") + cents("Current"), 500_000.0);
    }

    #[test]
    fn what_is_not_asked_for_is_left_out() {
        let none = Parts {
            identity: false,
            holder: false,
            balance: false,
            transactions: None,
            summary: false,
        };
        let json = serde_json::to_value(greatday()[0].show(none)).unwrap();
        assert!(json["AccountNumber"].is_null() && json["Holder"].is_null());
        assert!(json["Balance"]["Current"].is_null());
        assert_eq!(json["Transactions"], serde_json::json!([]));
        let summary = Parts {
            summary: true,
            ..ALL
        };
        let json = serde_json::to_value(greatday()[0].show(summary)).unwrap();
        assert_eq!(json.get("Transactions"), None);
        assert_eq!(json["ETransferEligibleRatio"], 0.87);
    }

    #[test]
    fn fewer_days_are_the_newest_ones() {
        let holding = &greatday()[0];
        let (year, quarter) = (holding.entries(365), holding.entries(90));
        assert_eq!(year.len(), holding.history.transactions.len());
        assert!(quarter.len() < year.len() / 2);
        assert_eq!(quarter[0].id, year[0].id);
        assert_eq!(
            quarter.last().unwrap().date.as_str().get(..7),
            Some("2025-11")
        );
    }
}
