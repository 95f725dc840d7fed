//! The timeout of an attempt, and the stall clock of a long upload.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::attempt::AttemptState;
use crate::clock::after;
use crate::{Error, ErrorKind};

/// How one attempt is timed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Timing {
    /// The transport's attempt timeout.
    Default,
    /// A limit of its own for the whole attempt.
    Attempt(Duration),
    /// A limit on silence: `idle` while the body is sent, `answer` after its last byte.
    Stall { idle: Duration, answer: Duration },
}

/// Runs an exchange until it ends or nothing moves any more.
pub(crate) async fn timed<T>(
    exchange: impl Future<Output = T>,
    state: &AttemptState,
    timing: Timing,
    default: Duration,
) -> Option<T> {
    let mut exchange = pin!(exchange);
    loop {
        let mut alarm = pin!(sleep_until(limit(state, timing, default)));
        let finished = poll_fn(|cx| match exchange.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => alarm.as_mut().poll(cx).map(|()| None),
        })
        .await;
        if finished.is_some() {
            return finished;
        }
        // Bytes may have moved since the alarm was set: then there is a new limit.
        if limit(state, timing, default) <= Instant::now() {
            return None;
        }
    }
}

pub(crate) fn stalled(state: &AttemptState, timing: Timing, default: Duration) -> Error {
    let (sent, length) = state.sent();
    let mut message = match timing {
        Timing::Default => no_answer(default),
        Timing::Attempt(limit) => no_answer(limit),
        Timing::Stall { answer, .. } if state.is_sent() => {
            format!("no answer within {} after the last byte", seconds(answer))
        }
        Timing::Stall { idle, .. } => format!(
            "the server took no byte for {}, after {sent} of {} bytes",
            seconds(idle),
            length.map_or_else(|| "?".to_owned(), |length| length.to_string())
        ),
    };
    if let Some(stats) = state.stats() {
        message.push_str(stats.certificate_note());
    }
    Error::new(ErrorKind::Timeout, message).with_delivery(state.delivery_if_dropped())
}

fn no_answer(limit: Duration) -> String {
    format!("no complete answer within {}", seconds(limit))
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

/// When the attempt ends if no more bytes move.
fn limit(state: &AttemptState, timing: Timing, default: Duration) -> Instant {
    let (idle, answer) = match timing {
        Timing::Default => return after(state.start(), default),
        Timing::Attempt(limit) => return after(state.start(), limit),
        Timing::Stall { idle, answer } => (idle, answer),
    };
    if state.is_body_pending() {
        return after(Instant::now(), idle);
    }
    let limit = if state.is_sent() { answer } else { idle };
    after(state.last_progress(), limit)
}
