//! What goes wrong in a schedule: what happens to requests, and a ledger that can fail.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use flinks_upload::{BoxError, Ledger, LedgerEntry};

use crate::service::{Ask, Fate, Host};

/// What a fault of the seed's choice does to a request.
fn draw(rng: &mut Rng, ask: Ask) -> Fate {
    if ask == Ask::Token {
        return match rng.u8(..50) {
            0 => Fate::Refused,
            1 => Fate::CutAfter,
            2 => Fate::Silent { acts: false },
            3 => Fate::Gateway(pick(rng, &[401, 403, 500, 503])),
            _ => Fate::Good,
        };
    }
    const BEFORE: &[u16] = &[
        100, 101, 103, 199, 200, 204, 300, 302, 303, 304, 307, 399, 400, 403, 404, 408, 409, 413,
        422, 451, 499, 500, 501, 502, 503, 504, 599, 600, 999,
    ];
    const AFTER: &[u16] = &[
        100, 101, 103, 200, 204, 301, 303, 308, 500, 502, 503, 504, 599, 600, 777, 999,
    ];
    const LATER: &[&str] = &["0", "1", "30", "61", "9000000000", "soon", ""];
    match rng.u8(..27) {
        0 => Fate::Refused,
        1 => Fate::CutBefore,
        2 => Fate::CutAt(rng.usize(..4)),
        3..=5 => Fate::CutAfter,
        6 => Fate::Silent { acts: rng.bool() },
        7 => Fate::Gateway(pick(rng, BEFORE)),
        8..=9 => Fate::GatewayAfter(pick(rng, AFTER)),
        10..=12 => Fate::Early {
            frames: rng.usize(1..4),
            keeps: rng.bool(),
        },
        13 => Fate::Split,
        14 => Fate::Nameless,
        15 => Fate::Extra,
        16 => Fate::Garbled,
        17..=19 => Fate::Torn {
            share: rng.u8(..),
            error: rng.bool(),
        },
        20 => Fate::Zipped,
        21..=22 => {
            let (status, inner) = (pick(rng, AFTER), pick(rng, AFTER));
            if rng.bool() {
                Fate::Odd { status, inner: 200 }
            } else {
                Fate::Odd { status: 200, inner }
            }
        }
        23 => Fate::InnerRefusal(pick(rng, &[400, 401, 403, 429])),
        24 => Fate::Stale,
        25 => Fate::Throttled(pick(rng, LATER)),
        _ => Fate::Busy(pick(rng, LATER)),
    }
}

pub(crate) fn never(_: &mut Rng, _: Ask) -> Fate {
    Fate::Good
}
pub(crate) fn seldom(rng: &mut Rng, ask: Ask) -> Fate {
    if rng.u8(..8) == 0 {
        draw(rng, ask)
    } else {
        Fate::Good
    }
}
pub(crate) fn often(rng: &mut Rng, ask: Ask) -> Fate {
    if rng.u8(..3) == 0 {
        draw(rng, ask)
    } else {
        Fate::Good
    }
}

pub(crate) fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

/// A ledger in memory, which survives its process and can fail.
#[derive(Clone)]
pub(crate) struct Book {
    pub(crate) host: Host,
    pub(crate) rng: Rng,
    pub(crate) pages: Arc<Mutex<Pages>>,
}

#[derive(Default)]
pub(crate) struct Pages {
    pub(crate) entries: Vec<LedgerEntry>,
    pub(crate) writes: usize,
    /// At this write: after it is durable (`true`) or before; and all later ones of the process too (`true`).
    pub(crate) fails: Option<(usize, bool, bool)>,
    /// The entry whose writing failed in the present call.
    pub(crate) lost: Option<LedgerEntry>,
}

impl Ledger for Book {
    fn append<'a>(
        &'a mut self,
        entries: &'a [LedgerEntry],
    ) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>> {
        Box::pin(async move {
            // A process that dies between two moments leaves the entries before them: its death may be
            // a power loss, of which any of the entries of this call survive, from the first on.
            for entry in entries {
                self.write(entry).await?;
            }
            Ok(())
        })
    }
}

impl Book {
    async fn write(&mut self, entry: &LedgerEntry) -> Result<(), BoxError> {
        self.host
            .moment(&mut self.rng, || format!("ledger: {entry:?}"))
            .await;
        let failed = {
            let mut pages = self.pages.lock().unwrap();
            let (turn, fails) = (pages.writes, pages.fails);
            pages.writes += 1;
            let fails = fails.filter(|(at, _, ever)| turn == *at || (*ever && turn > *at));
            if fails.is_none_or(|(_, after, _)| after) {
                pages.entries.push(entry.clone());
            }
            if fails.is_some() {
                pages.lost = Some(entry.clone());
            } else if matches!(entry, LedgerEntry::Abandoned { .. }) {
                // With its session, what became of a file is of no interest any more.
                pages.lost = None;
            }
            fails
        };
        self.host
            .moment(&mut self.rng, || match failed {
                Some((_, durable, _)) => format!("    the write fails, durable: {durable}"),
                None => "    is durable".to_owned(),
            })
            .await;
        match failed {
            Some(_) => Err("the disk is full".into()),
            None => Ok(()),
        }
    }
}
