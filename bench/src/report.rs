//! BENCHMARKS.md: ratios, megabytes and counts; no times, which say more of the machine than of the clients.

use std::fmt::Write as _;
use std::fs;

use crate::Result;
use crate::machine;
use crate::measure::Cost;
use crate::peers::Peer;
use crate::relay::ROUND_TRIP;
use crate::scenarios::{Spread, Table};
use crate::{instructions, memory};

const HEAD: &str = "\
# Benchmarks

Uploads by this SDK and by other clients, side by side. `cargo xtask bench` measured this and wrote this file.

    cargo xtask bench              # about ten minutes; leave the machine alone meanwhile
    cargo xtask bench --quick      # one round of the small ones, printed only
    cargo xtask bench \"10 × 18 MB\" # one scenario, or one client (`Node`), printed only

It needs Rust and a C compiler. Clients whose runtime is missing are left out, and so are the instructions without valgrind.

## How to read it

Every client fetches a token, uploads the documents in one session, and completes it, over mutual TLS 1.3 with the same
certificates, as a process of its own. The server is fast and throws the documents away; before anything is timed, it
compares each byte that each client sends with the files. The clients run in turn, in another order each round, after a
round that warms up.

**Ratios** are a client's cost divided by that of `flinks-upload` in the same round: 6.0 is six times as much. Given are
the median of the rounds, and the least and the greatest. CPU is the user and system time of the client's process and of
those that it started. On loopback the sender's CPU also does the receiver's part of TCP, and the wall time depends on
where the system runs the server: judge by CPU, and by the wall time over the link. Peak memory is that of the largest
process. Connections and tokens are counted by the server. A session of this SDK has two connections: *complete* must not
be repeated, so it opens its own and never uses one that the server may be closing just then. Over a link that is two
round trips more than one connection takes.

**The link** delays each direction by 20 ms, with TCP's slow start but without loss or a limit of bandwidth
(`bench/src/relay.rs` says what it plays). *Round trips* is the wall time divided by 40 ms.
";

pub fn write(
    peers: &[Peer],
    tables: &[Table],
    memory: &memory::Rows,
    micro: &instructions::Rows,
) -> Result {
    let mut text = HEAD.to_owned();
    text.push_str("\n## Machine and versions\n\n");
    for line in machine::lines() {
        writeln!(text, "- {line}")?;
    }
    text.push_str("\n| client | | made of |\n|---|---|---|\n");
    for peer in peers {
        writeln!(text, "| {} | {} | {} |", peer.name, peer.way, peer.version)?;
    }
    text.push_str("\n## Uploads\n");
    for measured in tables {
        write!(text, "\n{}", table(measured, peers))?;
    }
    text.push_str("\n## Memory of `flinks-upload`\n\n| sent | peak MB |\n|---|---|\n");
    for (sent, peak) in memory {
        writeln!(text, "| {sent} | {peak:.1} |")?;
    }
    if !micro.is_empty() {
        text.push_str(&instructions_table(micro));
    }
    fs::write("BENCHMARKS.md", text)?;
    println!("BENCHMARKS.md is written");
    Ok(())
}

/// A scenario's table.
pub fn table(table: &Table, peers: &[Peer]) -> String {
    let scenario = table.scenario;
    let mut text = format!(
        "### {}\n\nRounds: {}.\n\n",
        scenario.title,
        table.costs[0].len()
    );
    let (head, rule) = if scenario.link {
        (" round trips |", "---|")
    } else {
        ("", "")
    };
    text += &format!(
        "| client | CPU | wall | peak MB | connections | tokens |{head}\n|---|---|---|---|---|---|{rule}\n"
    );
    for (at, peer) in peers.iter().enumerate() {
        let (cpu, wall) = (
            table.ratio(at, |cost| cost.cpu),
            table.ratio(at, |cost| cost.wall),
        );
        let peak = table.median(at, |cost: &Cost| cost.peak);
        let (connections, tokens) = (table.connections[at], table.tokens[at]);
        text += &format!(
            "| {} | {} | {} | {peak:.1} | {connections} | {tokens} |",
            peer.name,
            ratio(cpu),
            ratio(wall)
        );
        if scenario.link {
            let trips = table.median(at, |cost| cost.wall) / ROUND_TRIP.as_secs_f64();
            text += &format!(" {trips:.1} |");
        }
        text.push('\n');
    }
    text
}

fn ratio(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    format!("{median:.2} ({min:.2}–{max:.2})")
}

fn instructions_table(rows: &instructions::Rows) -> String {
    let mut text = "\n## Instructions\n\nCounted by valgrind, in thousands; the ratio is to the SDK's. The SDK's reading is lenient as the service requires: \
                    unknown words, nulls, absent fields, and a look for an error in the answer. The structs have none of that.\n\n\
                    | work | by | thousands | ratio |\n|---|---|---|---|\n"
        .to_owned();
    let mut first: Option<&(String, String, f64)> = None;
    for row in rows {
        let base = first.filter(|first| first.0 == row.0).unwrap_or(row);
        let (work, by, count) = row;
        text += &format!(
            "| {work} | {by} | {:.1} | {:.2} |\n",
            count / 1e3,
            count / base.2
        );
        first = Some(base);
    }
    text
}
