//! The 365 days of the accounts: February 2025 to January 2026.

/// Year, month, number of days.
const MONTHS: [(u16, u8, u8); 12] = [
    (2025, 2, 28),
    (2025, 3, 31),
    (2025, 4, 30),
    (2025, 5, 31),
    (2025, 6, 30),
    (2025, 7, 31),
    (2025, 8, 31),
    (2025, 9, 30),
    (2025, 10, 31),
    (2025, 11, 30),
    (2025, 12, 31),
    (2026, 1, 31),
];

/// The number of days.
pub(super) const DAYS: usize = 365;
/// The number of months.
pub(super) const MONTH_COUNT: usize = MONTHS.len();

/// One day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// From 0, the oldest.
    pub(super) index: usize,
    /// From 0, the oldest.
    pub(super) month: usize,
    /// Day of the month, from 1.
    pub(super) of_month: u8,
    pub(super) is_last_of_month: bool,
    /// `YYYY-MM-DD`.
    pub(super) date: String,
}

/// Returns all days, the oldest first.
pub(super) fn days() -> Vec<Day> {
    let mut days = Vec::new();
    for (month, (year, month_of_year, length)) in MONTHS.into_iter().enumerate() {
        for of_month in 1..=length {
            days.push(Day {
                index: days.len(),
                month,
                of_month,
                is_last_of_month: of_month == length,
                date: format!("{year}-{month_of_year:02}-{of_month:02}"),
            });
        }
    }
    days
}

/// Returns whether a text is a date, as `YYYY-MM-DD`.
pub(super) fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let number = |part: &str, length: usize| {
        let is_plain = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u16>().ok().filter(|_| is_plain)
    };
    let last = match number(month, 2) {
        Some(2) => 29,
        Some(4 | 6 | 9 | 11) => 30,
        Some(1..=12) => 31,
        Some(_) | None => return false,
    };
    number(year, 4).is_some() && number(day, 2).is_some_and(|day| (1..=last).contains(&day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_ten_digits_and_dashes() {
        for (text, expected) in [
            ("2026-01-31", true),
            ("2024-02-29", true),
            ("2026-04-31", false),
            ("2026-13-01", false),
            ("2026-1-31", false),
            ("2026-01-+1", false),
            ("31/01/2026", false),
            ("2026-01-31T00:00:00", false),
        ] {
            assert_eq!(is_date(text), expected, "{text}");
        }
    }

    #[test]
    fn there_are_365_days_in_a_row() {
        let days = days();
        assert_eq!(days.len(), DAYS);
        assert_eq!(days[0].date, "2025-02-01");
        assert_eq!(days[27].date, "2025-02-28");
        assert_eq!(days[28].date, "2025-03-01");
        assert_eq!(days[364].date, "2026-01-31");
        let ends = days.iter().filter(|day| day.is_last_of_month).count();
        assert_eq!(ends, MONTH_COUNT);
    }
}
