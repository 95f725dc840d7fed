//! How the peak memory of this SDK's library depends on the size of a file and on the files sent at once.

use crate::Result;
use crate::peers::Peer;
use crate::run::Hosts;
use crate::scenarios::{scenario, spread};

/// Each row: what was sent, and the median of the peak in MB.
pub type Rows = Vec<(String, f64)>;

pub fn measure(ours: &Peer, hosts: &Hosts, rounds: usize) -> Result<Rows> {
    let peak = |files, count, link, concurrency| -> Result<f64> {
        let scenario = scenario("memory", files, count, link, rounds);
        let costs: Result<Vec<_>> = (0..rounds)
            .map(|_| hosts.session(ours, &scenario, concurrency))
            .collect();
        Ok(spread(costs?.iter().map(|cost| cost.peak).collect()).median)
    };
    let small = peak("1-KiB", 1, false, 1)?;
    let large = peak("18-MB", 1, false, 1)?;
    let session = peak("18-MB", 10, false, 1)?;
    let mut rows = vec![
        ("one file of 1 KiB".to_owned(), small),
        ("one file of 18 MB: more by".to_owned(), large - small),
        ("ten files of 18 MB: more by".to_owned(), session - small),
    ];
    for (link, way) in [(false, "directly"), (true, "over 40 ms")] {
        let (one, eight) = (peak("18-MB", 10, link, 1)?, peak("18-MB", 10, link, 8)?);
        rows.push((
            format!("each further file of 18 MB at once, {way}"),
            (eight - one) / 7.0,
        ));
    }
    hosts.counts()?;
    Ok(rows)
}
