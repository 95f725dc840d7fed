//! The 365 days that the accounts know: February 2025 to January 2026.

use std::fmt;

/// Year, month, days.
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

/// How many days there are.
pub(super) const DAYS: usize = 365;
/// How many months there are.
pub(super) const MONTH_COUNT: usize = MONTHS.len();

/// One day. Its text is `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// From 0, the oldest.
    pub(super) index: usize,
    /// From 0, the oldest.
    pub(super) month: usize,
    /// Day of the month, from 1.
    pub(super) of_month: u8,
    pub(super) is_last_of_month: bool,
    year: u16,
    month_of_year: u8,
}

/// All days, the oldest first.
pub(super) fn days() -> impl Iterator<Item = Day> {
    let days = MONTHS
        .iter()
        .enumerate()
        .flat_map(|(month, &(year, month_of_year, length))| {
            (1..=length).map(move |of_month| Day {
                index: 0,
                month,
                of_month,
                is_last_of_month: of_month == length,
                year,
                month_of_year,
            })
        });
    days.enumerate().map(|(index, day)| Day { index, ..day })
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{:04}-{:02}-{:02}",
            self.year, self.month_of_year, self.of_month
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_365_days_in_a_row() {
        let days: Vec<_> = days().collect();
        assert_eq!(days.len(), DAYS);
        assert_eq!(days[0].to_string(), "2025-02-01");
        assert_eq!(days[27].to_string(), "2025-02-28");
        assert_eq!(days[28].to_string(), "2025-03-01");
        assert_eq!(days[364].to_string(), "2026-01-31");
        assert!(days.iter().enumerate().all(|(at, day)| day.index == at));
        let ends = days.iter().filter(|day| day.is_last_of_month).count();
        assert_eq!(ends, MONTH_COUNT);
    }
}
