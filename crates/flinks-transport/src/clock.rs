//! Instants that no duration overflows.

use std::time::Duration;

use tokio::time::Instant;

/// Thirty years: longer than anything here runs, and far from the end of any clock.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The instant that is `by` after `start`. [`Duration::MAX`] is what people write for "no limit",
/// and a server may ask for any wait: neither may overflow.
pub(crate) fn after(start: Instant, by: Duration) -> Instant {
    start + by.min(LONGEST)
}
