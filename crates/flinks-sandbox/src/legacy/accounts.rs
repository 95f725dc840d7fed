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

/// Returns a user's accounts: chequing, savings and credit card, the same each time. An upload has
/// the first one only.
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
    let count = if user.is_upload() { 1 } else { kinds.len() };
    (1..)
        .zip(kinds)
        .take(count)
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) identity: bool,
    pub(super) holder: bool,
    pub(super) balance: bool,
    /// `None` leaves the list empty.
    pub(super) transactions: Option<Selection>,
    /// The summary has no list at all, and ratios instead.
    pub(super) summary: bool,
}

/// The requested transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Days back from the last one.
    pub(super) days: Option<usize>,
    /// The first date and the last, both included, as `YYYY-MM-DD`.
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    /// The newest transaction that the client has of an account: the ids of both.
    pub(super) known: Vec<(String, String)>,
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
    name: String,
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
    pub(super) fn show(&self, parts: &Parts, holder_name: Option<&str>) -> Account {
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
            holder: parts.holder.then(|| holder(holder_name)),
            transactions: (!parts.summary).then(|| self.entries(parts.transactions.as_ref())),
            eft_eligible_ratio: parts.summary.then_some(Money(100)),
            e_transfer_eligible_ratio: parts.summary.then_some(Money(87)),
        }
    }

    /// The selected transactions, the newest first.
    fn entries(&self, selection: Option<&Selection>) -> Vec<Entry> {
        let Some(selection) = selection else {
            return Vec::new();
        };
        let first = DAYS.saturating_sub(selection.days.unwrap_or(DAYS));
        let known = selection.known.iter().find(|(id, _)| *id == self.id);
        let is_known = |id| known.is_some_and(|(_, known)| *known == uuid_of(id));
        let newest = self.history.transactions.iter().rev();
        newest
            .take_while(|one| one.day.index >= first && !is_known(one.id))
            .filter(|one| {
                let date = &one.day.date;
                selection.from.as_ref().is_none_or(|from| from <= date)
                    && selection.to.as_ref().is_none_or(|to| date <= to)
            })
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

fn holder(name: Option<&str>) -> Holder {
    Holder {
        name: name.unwrap_or("Zoé Tremblay").to_owned(),
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

    fn all() -> Parts {
        Parts {
            identity: true,
            holder: true,
            balance: true,
            transactions: Some(Selection::default()),
            summary: false,
        }
    }

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
            let accounts = holdings.iter().map(|one| one.show(&all(), None));
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
        let json = serde_json::to_value(greatday()[2].show(&all(), None)).unwrap();
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
        let json = serde_json::to_value(greatday()[0].show(&none, None)).unwrap();
        assert!(json["AccountNumber"].is_null() && json["Holder"].is_null());
        assert!(json["Balance"]["Current"].is_null());
        assert_eq!(json["Transactions"], serde_json::json!([]));
        let summary = Parts {
            summary: true,
            ..all()
        };
        let json = serde_json::to_value(greatday()[0].show(&summary, None)).unwrap();
        assert_eq!(json.get("Transactions"), None);
        assert_eq!(json["ETransferEligibleRatio"], 0.87);
    }

    #[test]
    fn transactions_are_selected_by_days_dates_and_what_is_known() {
        let holding = &greatday()[0];
        let entries = |selection: Selection| holding.entries(Some(&selection));
        let year = entries(Selection::default());
        assert_eq!(year.len(), holding.history.transactions.len());
        let quarter = entries(Selection {
            days: Some(90),
            ..Selection::default()
        });
        assert!(quarter.len() < year.len() / 2);
        assert_eq!(quarter[0].id, year[0].id);
        assert!(quarter.iter().all(|one| *one.date >= *"2025-11"));
        let july = entries(Selection {
            from: Some("2025-07-01".to_owned()),
            to: Some("2025-07-31".to_owned()),
            ..Selection::default()
        });
        let in_july = year.iter().filter(|one| one.date.starts_with("2025-07"));
        assert_eq!((july.len(), july.len() > 3), (in_july.count(), true));
        let newer = entries(Selection {
            known: vec![(holding.id.clone(), year[3].id.clone())],
            ..Selection::default()
        });
        assert_eq!(newer.len(), 3);
    }

    #[test]
    fn an_upload_has_one_account_of_its_client() {
        let [account] = &holdings(&users::UPLOAD)[..] else {
            panic!("one account")
        };
        let shown = serde_json::to_value(account.show(&all(), Some("A Client"))).unwrap();
        assert_eq!(
            (&shown["Type"], &shown["Holder"]["Name"]),
            (&"Chequing".into(), &"A Client".into())
        );
    }
}
