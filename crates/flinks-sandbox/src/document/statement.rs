//! Bank statements: whether each balance follows from the one before.

use super::{Detail, Signal};

/// A place where the balances do not add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Break {
    /// From 1.
    page: usize,
    /// What the rows promise, less the balance that is printed; in cents.
    delta: i64,
}

/// What a line means for the balance. All amounts are in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    /// A balance to start from.
    Opening(i64),
    /// A balance carried from one page to the next: has to be the one before.
    Forward(i64),
    /// The balance at the end.
    Closing(i64),
    /// One or two amounts and the balance after them.
    Row(Vec<i64>, i64),
    /// A row that shows no balance: what follows cannot be checked against what was before.
    Unknown,
}

/// Every break, in the order of the pages, given as lines of text.
pub(super) fn breaks(pages: &[Vec<String>]) -> Vec<Break> {
    let lines: Vec<(usize, Line)> = (1..)
        .zip(pages)
        .flat_map(|(page, lines)| {
            lines
                .iter()
                .filter_map(move |line| Some((page, Line::read(line)?)))
        })
        .collect();
    let signed = amounts_are_signed(&lines);
    let mut found = Vec::new();
    let mut balance = None;
    let mut rows = 0_usize;
    for (page, line) in &lines {
        let (promised, printed) = match line {
            Line::Opening(printed) => {
                rows = 0;
                (None, Some(*printed))
            }
            Line::Forward(printed) => (balance, Some(*printed)),
            // A summary above the rows names it too early.
            Line::Closing(_) if rows == 0 => continue,
            Line::Closing(printed) => (balance, Some(*printed)),
            Line::Row(amounts, printed) => {
                rows += 1;
                let promised = balance.map(|before| nearest(before, amounts, *printed, signed));
                (promised, Some(*printed))
            }
            Line::Unknown => (None, None),
        };
        if let (Some(promised), Some(printed)) = (promised, printed)
            && promised != printed
        {
            found.push(Break {
                page: *page,
                delta: promised - printed,
            });
        }
        balance = printed;
    }
    found
}

/// Of the balances that the amounts can lead to, the one nearest to what is printed. A
/// column of withdrawals and one of deposits look alike, so both directions are tried.
fn nearest(before: i64, amounts: &[i64], printed: i64, signed: bool) -> i64 {
    let candidates = match amounts {
        [amount] if signed => vec![before + amount],
        [amount] => vec![before + amount, before - amount],
        [one, other] => vec![
            before + one - other,
            before - one + other,
            before + one + other,
        ],
        _ => vec![printed],
    };
    candidates
        .into_iter()
        .min_by_key(|candidate| (candidate - printed).abs())
        .unwrap_or(printed)
}

/// Whether withdrawals carry a minus: most rows that lower the balance do then.
fn amounts_are_signed(lines: &[(usize, Line)]) -> bool {
    let mut balance = None;
    let (mut falls, mut negatives) = (0_usize, 0_usize);
    for (_, line) in lines {
        balance = match line {
            Line::Opening(printed) | Line::Forward(printed) | Line::Closing(printed) => {
                Some(*printed)
            }
            Line::Row(amounts, printed) => {
                if balance.is_some_and(|before| *printed < before) {
                    falls += 1;
                    negatives += usize::from(matches!(amounts[..], [amount] if amount < 0));
                }
                Some(*printed)
            }
            Line::Unknown => None,
        };
    }
    negatives > 0 && negatives * 2 >= falls
}

/// One signal a page.
pub(super) fn signals(breaks: &[Break]) -> Vec<Signal> {
    breaks
        .chunk_by(|one, other| one.page == other.page)
        .map(|breaks| Signal {
            kind: "UNRECONCILED_BALANCES",
            page: breaks.first().map(|first| first.page),
            occurrences: breaks
                .iter()
                .map(|one| vec![Detail::new("delta", decimal(one.delta), "float")])
                .collect(),
        })
        .collect()
}

impl Line {
    fn read(line: &str) -> Option<Self> {
        let mut words: Vec<&str> = line
            .split_whitespace()
            .filter(|word| *word != "$")
            .collect();
        let mut amounts = Vec::new();
        while let Some(amount) = words.last().and_then(|word| cents(word)) {
            amounts.push(amount);
            words.pop();
        }
        let (&last, earlier) = amounts.split_first()?;
        let label = words.join(" ").to_lowercase();
        let says = |options: &[&str]| options.iter().any(|option| label.contains(option));
        if earlier.is_empty() && says(&["balance"]) {
            let opening = says(&["opening", "beginning", "starting", "previous"]);
            let closing = says(&["closing", "ending"]);
            return match (opening, closing) {
                (true, false) => Some(Self::Opening(last)),
                (false, true) => Some(Self::Closing(last)),
                (false, false) if says(&["forward"]) => Some(Self::Forward(last)),
                _ => None,
            };
        }
        if !starts_with_date(&words) {
            return None;
        }
        match earlier {
            [] => Some(Self::Unknown),
            [_] | [_, _] => Some(Self::Row(earlier.to_vec(), last)),
            _ => None,
        }
    }
}

/// An amount such as `1,234.56`, `-12.00`, `$5.00`, `(5.00)` or `5.00-`, in cents.
fn cents(word: &str) -> Option<i64> {
    let (negative, word) = match word
        .strip_prefix('(')
        .and_then(|word| word.strip_suffix(')'))
    {
        Some(inner) => (true, inner),
        None => match (word.strip_prefix('-'), word.strip_suffix('-')) {
            (Some(inner), _) | (None, Some(inner)) => (true, inner),
            (None, None) => (false, word.strip_prefix('+').unwrap_or(word)),
        },
    };
    let word = word.strip_prefix('$').unwrap_or(word);
    let (units, hundredths) = word.split_once('.')?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if hundredths.len() != 2 || !is_digits(hundredths) {
        return None;
    }
    let mut groups = units.split(',');
    let first = groups
        .next()
        .filter(|first| !first.is_empty() && is_digits(first))?;
    if !groups
        .clone()
        .all(|group| group.len() == 3 && is_digits(group))
        || (groups.next().is_some() && first.len() > 3)
    {
        return None;
    }
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    // Far below the range of i64, so that sums cannot leave it.
    let value: i64 = (digits.len() <= 15).then(|| digits.parse().ok())??;
    Some(if negative { -value } else { value })
}

fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// `2026-01-31`, `01/31`, `31.01.2026`, `Jan 31`, `31 Jan`, `31JAN`.
fn starts_with_date(words: &[&str]) -> bool {
    let Some(first) = words.first() else {
        return false;
    };
    let numeric = first.split(['-', '/', '.']).collect::<Vec<_>>();
    if matches!(numeric.len(), 2 | 3)
        && numeric.iter().all(|part| {
            matches!(part.len(), 1 | 2 | 4) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    {
        return true;
    }
    let joined: String = words.iter().take(2).copied().collect();
    is_day_and_month(first) || is_day_and_month(&joined)
}

fn is_day_and_month(word: &str) -> bool {
    let (digits, letters): (String, String) = word
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .partition(char::is_ascii_digit);
    let letters = letters.to_lowercase();
    matches!(digits.len(), 1 | 2)
        && MONTHS
            .iter()
            .any(|month| letters == *month || month.get(..3) == Some(&letters))
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pages(texts: &[&str]) -> Vec<Vec<String>> {
        texts
            .iter()
            .map(|text| text.lines().map(str::to_owned).collect())
            .collect()
    }

    fn found(texts: &[&str]) -> Vec<(usize, i64)> {
        breaks(&pages(texts))
            .iter()
            .map(|one| (one.page, one.delta))
            .collect()
    }

    #[test]
    fn a_statement_that_adds_up_has_no_break() {
        assert_eq!(
            found(&[
                "Northern Birch  2026\nOpening balance  100.00  Closing balance  9.00\n\
                 Opening balance  100.00\n2026-01-02  RENT 45 ELM  60.00  40.00\n\
                 Balance carried forward  40.00",
                "Balance brought forward  40.00\n2026-01-03  PAY  1,000.00  1,040.00\n\
                 Closing balance  1,040.00\nMinimum balance  7.00\nPage 2 of 2",
            ]),
            []
        );
    }

    #[test]
    fn each_kind_of_line_can_break() {
        assert_eq!(
            found(&["Opening balance 1.00\n2026-01-02 A 5.00 5.15"]),
            [(1, 85)]
        );
        assert_eq!(
            found(&[
                "2026-01-02 A 5.00 5.00\nBalance carried forward 5.00",
                "Balance brought forward 6.00"
            ]),
            [(2, -100)]
        );
        assert_eq!(
            found(&["2026-01-02 A 5.00 5.00\nClosing balance $4.00"]),
            [(1, 100)]
        );
        // After a break the printed balance counts: one change is one break.
        assert_eq!(
            found(&[
                "Opening balance 0.00\nJan 2 A 5.00 5.00\nJan 3 B 3.00 9.00\nJan 4 C 1.00 10.00"
            ]),
            [(1, -100)]
        );
    }

    #[test]
    fn signs_are_believed_where_the_statement_uses_them() {
        let text = "Opening balance 10.00\n2026-01-02 A -4.00 6.00\n2026-01-03 B 2.00 4.00";
        assert_eq!(found(&[text]), [(1, 400)]);
        let text = "Opening balance 10.00\n2026-01-02 A 4.00 6.00\n2026-01-03 B 2.00 4.00";
        assert_eq!(found(&[text]), []);
        let both = "Opening balance 10.00\n01/02 A 4.00 0.00 6.00\n01/03 B 0.00 2.00 8.00";
        assert_eq!(found(&[both]), []);
    }

    #[test]
    fn what_shows_no_balance_is_not_judged() {
        let text = "Opening balance 10.00\n2026-01-02 A 4.00\n2026-01-02 B 1.00 5.00";
        assert_eq!(found(&[text]), []);
        assert_eq!(found(&["Total fees 4.00 9.00", "Transfer 1.00 2.00"]), []);
        // Another account begins.
        let text = "2026-01-02 A 4.00 4.00\nClosing balance 4.00\nOpening balance 99.00";
        assert_eq!(found(&[text]), []);
    }

    #[test]
    fn amounts_are_read_in_their_usual_spellings() {
        for (word, value) in [
            ("0.00", 0),
            ("12,345.67", 1_234_567),
            ("1234.50", 123_450),
            ("-1.05", -105),
            ("1.05-", -105),
            ("(1.05)", -105),
            ("$2.00", 200),
            ("-$2.00", -200),
            ("+3.00", 300),
        ] {
            assert_eq!(cents(word), Some(value), "{word}");
        }
        for word in [
            "12",
            "1.5",
            "1.234",
            "1,23.00",
            ",123.00",
            "1234,567.00",
            ".50",
            "1.x0",
            "",
            "99999999999999999.00",
        ] {
            assert_eq!(cents(word), None, "{word}");
        }
    }

    #[test]
    fn dates_are_told_from_other_beginnings() {
        for line in [
            "2026-01-31",
            "01/31",
            "31.01.2026",
            "Jan 31",
            "31 Jan",
            "31JAN RENT",
            "January 3",
            "3 May RENT",
        ] {
            assert!(
                starts_with_date(&line.split(' ').collect::<Vec<_>>()),
                "{line}"
            );
        }
        for line in [
            "RENT",
            "Marble 3",
            "3 apples",
            "1,234.56",
            "000-00000-0000000",
            "",
        ] {
            assert!(
                !starts_with_date(&line.split(' ').collect::<Vec<_>>()),
                "{line}"
            );
        }
    }

    proptest! {
        #[test]
        fn exactly_the_changed_row_is_found(
            amounts in prop::collection::vec(-1_000_000_i64..1_000_000, 1..60),
            changed: prop::sample::Index,
            raised in 1_i64..1000,
        ) {
            // Two withdrawals before show that this statement uses signs.
            let mut text = "Opening balance 600.00\n2026-01-01 A -50.00 550.00\n\
                            2026-01-01 B -50.00 500.00"
                .to_owned();
            let mut balance = 50_000;
            let changed = changed.index(amounts.len());
            for (index, amount) in amounts.iter().enumerate() {
                balance += amount;
                let shown = amount + if index == changed { raised } else { 0 };
                text += &format!("\n2026-01-02 X {} {}", decimal(shown), decimal(balance));
            }
            prop_assert_eq!(found(&[&text]), [(1, raised)]);
        }
    }
}
