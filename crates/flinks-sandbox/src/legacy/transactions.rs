//! A year of transactions, the same for a user each time, with balances that add up.

use fastrand::Rng;

use super::calendar::{Day, days};

#[rustfmt::skip]
const ERRANDS: [&str; 4] = ["GROCERY MARKET", "PHARMACY", "E-TRANSFER SENT", "ATM WITHDRAWAL"];
#[rustfmt::skip]
const PURCHASES: [&str; 5] = [
    "COFFEE HOUSE", "GAS STATION", "ONLINE STORE", "RESTAURANT", "TRANSIT PASS",
];

/// One transaction; amounts are in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transaction {
    pub(super) id: u128,
    pub(super) day: Day,
    pub(super) description: &'static str,
    pub(super) debit: Option<i64>,
    pub(super) credit: Option<i64>,
    /// After it. On a credit card this is what is owed.
    pub(super) balance: i64,
}

/// The transactions of one account, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct History {
    pub(super) opening: i64,
    pub(super) transactions: Vec<Transaction>,
    /// Whether the balance is a debt, which a debit raises.
    owed: bool,
}

/// The three accounts of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Histories {
    pub(super) chequing: History,
    pub(super) savings: History,
    pub(super) card: History,
}

impl History {
    fn new(opening: i64, owed: bool) -> Self {
        Self {
            opening,
            transactions: Vec::new(),
            owed,
        }
    }

    pub(super) fn balance(&self) -> i64 {
        self.transactions
            .last()
            .map_or(self.opening, |last| last.balance)
    }

    fn debit(&mut self, id: u128, day: &Day, description: &'static str, cents: i64) {
        let change = if self.owed { cents } else { -cents };
        self.transactions.push(Transaction {
            id,
            day: day.clone(),
            description,
            debit: Some(cents),
            credit: None,
            balance: self.balance() + change,
        });
    }

    fn credit(&mut self, id: u128, day: &Day, description: &'static str, cents: i64) {
        let change = if self.owed { -cents } else { cents };
        self.transactions.push(Transaction {
            id,
            day: day.clone(),
            description,
            debit: None,
            credit: Some(cents),
            balance: self.balance() + change,
        });
    }
}

impl Histories {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let salary = random.i64(210_000..260_000);
        let rent = random.i64(135_000..165_000);
        let mut chequing = History::new(random.i64(300_000..500_000), false);
        let mut savings = History::new(random.i64(500_000..900_000), false);
        let mut card = History::new(random.i64(10_000..60_000), true);
        for day in &days() {
            let mut id = || random.u128(..);
            if day.index % 14 == 4 {
                chequing.credit(id(), day, "PAYROLL DEPOSIT", salary);
            }
            match day.of_month {
                1 => chequing.debit(id(), day, "RENT", rent),
                12 => chequing.debit(id(), day, "MOBILE PHONE", 6_825),
                15 => {
                    chequing.debit(id(), day, "TRANSFER TO SAVINGS", 50_000);
                    savings.credit(id(), day, "TRANSFER FROM CHEQUING", 50_000);
                }
                20 => {
                    let owed = card.balance();
                    chequing.debit(id(), day, "CREDIT CARD PAYMENT", owed);
                    card.credit(id(), day, "PAYMENT - THANK YOU", owed);
                }
                _ => {}
            }
            if random.u8(0..4) == 0 {
                let what = random.choice(ERRANDS).unwrap_or("GROCERY MARKET");
                let cents = random.i64(1_000..12_000);
                chequing.debit(random.u128(..), day, what, cents);
            }
            if random.bool() {
                let what = random.choice(PURCHASES).unwrap_or("COFFEE HOUSE");
                let cents = random.i64(325..15_000);
                card.debit(random.u128(..), day, what, cents);
            }
            if day.is_last_of_month {
                // A yearly rate of 2.4 %.
                let interest = savings.balance() * 2 / 1_000;
                savings.credit(random.u128(..), day, "INTEREST", interest);
            }
        }
        Self {
            chequing,
            savings,
            card,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_balance_follows_from_the_one_before(seed: u64) {
            let all = Histories::new(seed);
            for (history, sign) in [(&all.chequing, 1), (&all.savings, 1), (&all.card, -1)] {
                let mut balance = history.opening;
                prop_assert!(history.transactions.len() >= 12);
                for one in &history.transactions {
                    let change = one.credit.unwrap_or(0) - one.debit.unwrap_or(0);
                    balance += sign * change;
                    prop_assert_eq!(one.balance, balance);
                    prop_assert!(one.debit.is_some() != one.credit.is_some());
                    prop_assert!(balance >= 0, "{:?}", one);
                }
            }
            prop_assert_eq!(&Histories::new(seed), &all);
        }
    }
}
