//! Adds durations to instants without overflow.

use std::time::Duration;

use tokio::time::Instant;

/// Thirty years: longer than any process runs, and far from overflow.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// Returns the instant `by` after `start`, capped at thirty years: callers use [`Duration::MAX`]
/// for "no limit", and a server may request any wait.
pub(crate) fn after(start: Instant, by: Duration) -> Instant {
    start + by.min(LONGEST)
}
