//! What is measured: each scenario runs every client in turn, in another order each round.

use crate::Result;
use crate::measure::Cost;
use crate::peers::Peer;
use crate::run::Hosts;

pub struct Scenario {
    pub title: &'static str,
    /// The folder of its documents.
    pub files: &'static str,
    pub count: usize,
    /// Over the link with its round trip of 40 ms.
    pub link: bool,
    pub rounds: usize,
}

impl Scenario {
    /// Whether a smoke run has time for it.
    pub fn is_quick(&self) -> bool {
        self.files != "18-MB"
    }
}

pub const fn scenario(
    title: &'static str,
    files: &'static str,
    count: usize,
    link: bool,
    rounds: usize,
) -> Scenario {
    Scenario {
        title,
        files,
        count,
        link,
        rounds,
    }
}

pub const SCENARIOS: [Scenario; 7] = [
    scenario("10 × 18 MB", "18-MB", 10, false, 5),
    scenario("10 × 1 MB", "1-MB", 10, false, 7),
    scenario("10 × 1 KiB", "1-KiB", 10, false, 7),
    scenario("1 × 1 KiB", "1-KiB", 1, false, 7),
    scenario("10 × 1 MB over 40 ms", "1-MB", 10, true, 5),
    scenario("10 × 1 KiB over 40 ms", "1-KiB", 10, true, 5),
    scenario("1 × 1 KiB over 40 ms", "1-KiB", 1, true, 5),
];

/// The costs of each client, by rounds, and what the server counted.
pub struct Table {
    pub scenario: &'static Scenario,
    pub costs: Vec<Vec<Cost>>,
    pub connections: Vec<u64>,
    pub tokens: Vec<u64>,
}

pub fn measure(
    scenario: &'static Scenario,
    rounds: usize,
    peers: &[Peer],
    hosts: &Hosts,
) -> Result<Table> {
    let mut table = Table {
        scenario,
        costs: vec![Vec::new(); peers.len()],
        connections: vec![0; peers.len()],
        tokens: vec![0; peers.len()],
    };
    // The first round warms up.
    for round in 0..=rounds {
        for turn in 0..peers.len() {
            let at = (turn + round) % peers.len();
            let cost = hosts.session(&peers[at], scenario, 1)?;
            let [connections, tokens, files, ..] = hosts.counts()?;
            if files != scenario.count as u64 {
                return Err(format!("{}: {files} files arrived", peers[at].name).into());
            }
            (table.connections[at], table.tokens[at]) = (connections, tokens);
            if round > 0 {
                table.costs[at].push(cost);
            }
        }
    }
    Ok(table)
}

/// A median with its least and its greatest value.
#[derive(Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

pub fn spread(mut values: Vec<f64>) -> Spread {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let last = values.len().saturating_sub(1);
    Spread {
        median: (at(last / 2) + at(last.div_ceil(2))) / 2.0,
        min: at(0),
        max: at(last),
    }
}

impl Table {
    /// A client's cost as a multiple of the first client's in the same round.
    pub fn ratio(&self, peer: usize, of: fn(&Cost) -> f64) -> Spread {
        let rounds = self.costs[peer].iter().zip(&self.costs[0]);
        spread(rounds.map(|(other, first)| of(other) / of(first)).collect())
    }

    pub fn median(&self, peer: usize, of: fn(&Cost) -> f64) -> f64 {
        spread(self.costs[peer].iter().map(of).collect()).median
    }
}
