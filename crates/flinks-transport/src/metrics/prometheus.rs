//! Counters by operation and route in memory, and their Prometheus text.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::CallMeta;

use super::{AttemptRecord, CallRecord, Recorder};

/// Upper bounds of the histogram's buckets in seconds: those that OpenTelemetry recommends, and more
/// for uploads.
const BUCKETS: [f64; 18] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0,
    120.0, 300.0,
];

/// Counts calls, attempts, bytes and durations by operation and route.
///
/// Clones share the counters, so that several transports can use one. The number of series is
/// bounded: no label depends on an id.
///
/// ```
/// use flinks_transport::Transport;
/// use flinks_transport::metrics::Metrics;
/// # use flinks_transport::{Body, CallMeta, Replay, Route};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), flinks_transport::Error> {
/// let metrics = Metrics::new();
/// let builder = Transport::builder().metrics(metrics.clone());
/// # let service = tower::service_fn(|_: http::Request<Body>| async {
/// #     Ok::<_, flinks_transport::BoxError>(http::Response::new(Body::empty()))
/// # });
/// # let transport = builder.service(service).build()?;
/// # let meta = CallMeta::new("example.status", Route::get("/status"), Replay::Safe);
/// # transport.send(meta, http::Request::new(Body::empty())).await?;
///
/// // The answer to GET /metrics, as text/plain; version=0.0.4:
/// let text = metrics.to_prometheus();
/// assert!(text.contains("# TYPE flinks_client_calls_total counter"));
/// # assert!(text.contains(r#"{operation="example.status",route="GET /status",outcome="ok",delivery="delivered"} 1"#));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Metrics(Arc<Mutex<BTreeMap<Key, Series>>>);

/// Operation, method and path template.
type Key = (&'static str, &'static str, &'static str);

#[derive(Default)]
struct Series {
    in_flight: u64,
    /// By outcome and delivery.
    calls: BTreeMap<(&'static str, &'static str), u64>,
    /// By status, or by what failed instead.
    attempts: BTreeMap<Answer, u64>,
    sent: u64,
    received: u64,
    /// Calls by bucket of their duration; those above the last bound are only in the count.
    durations: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum Answer {
    Status(u16),
    None(&'static str),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::None(failure) => f.write_str(failure),
        }
    }
}

impl Metrics {
    /// Creates counters that are all zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Series>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, meta: &CallMeta, change: impl FnOnce(&mut Series)) {
        let route = meta.route();
        let key = (meta.operation(), route.method(), route.path());
        change(self.lock().entry(key).or_default());
    }

    /// Returns all counters in the Prometheus text format, version 0.0.4.
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        self.write(&mut text).unwrap_or_default();
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let all = self.lock();
        let each = || all.iter().map(|(key, series)| (labels(*key), series));

        head(out, "calls_total", "counter", "Calls that ended.")?;
        for (labels, series) in each() {
            for ((outcome, delivery), count) in &series.calls {
                let labels = format!(r#"{labels},outcome="{outcome}",delivery="{delivery}""#);
                writeln!(out, "flinks_client_calls_total{{{labels}}} {count}")?;
            }
        }
        head(out, "calls_in_flight", "gauge", "Calls that are running.")?;
        for (labels, series) in each() {
            let count = series.in_flight;
            writeln!(out, "flinks_client_calls_in_flight{{{labels}}} {count}")?;
        }
        let help = "Duration of calls, including waits between attempts.";
        head(out, "call_duration_seconds", "histogram", help)?;
        for (labels, series) in each() {
            let name = "flinks_client_call_duration_seconds";
            let mut below = 0;
            for (bound, calls) in BUCKETS.iter().zip(series.durations) {
                below += calls;
                writeln!(out, r#"{name}_bucket{{{labels},le="{bound}"}} {below}"#)?;
            }
            let (count, seconds) = (series.count, series.seconds);
            writeln!(out, r#"{name}_bucket{{{labels},le="+Inf"}} {count}"#)?;
            writeln!(out, "{name}_sum{{{labels}}} {seconds}")?;
            writeln!(out, "{name}_count{{{labels}}} {count}")?;
        }
        let help = "HTTP requests, by status or by what failed.";
        head(out, "attempts_total", "counter", help)?;
        for (labels, series) in each() {
            for (answer, count) in &series.attempts {
                let labels = format!(r#"{labels},status="{answer}""#);
                writeln!(out, "flinks_client_attempts_total{{{labels}}} {count}")?;
            }
        }
        let help = "Bytes of request bodies that were sent.";
        head(out, "request_body_bytes_total", "counter", help)?;
        for (labels, series) in each() {
            let sent = series.sent;
            writeln!(
                out,
                "flinks_client_request_body_bytes_total{{{labels}}} {sent}"
            )?;
        }
        let help = "Bytes of answers that arrived.";
        head(out, "response_body_bytes_total", "counter", help)?;
        for (labels, series) in each() {
            let received = series.received;
            writeln!(
                out,
                "flinks_client_response_body_bytes_total{{{labels}}} {received}"
            )?;
        }
        Ok(())
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP flinks_client_{name} {help}")?;
    writeln!(out, "# TYPE flinks_client_{name} {kind}")
}

/// The labels that all series have. An application may name its own operations as it likes.
fn labels((operation, method, path): Key) -> String {
    let escape = |text: &str| text.replace('\\', r"\\").replace('"', r#"\""#);
    let (operation, path) = (escape(operation), escape(path));
    format!(r#"operation="{operation}",route="{method} {path}""#).replace('\n', r"\n")
}

impl Recorder for Metrics {
    fn begin(&self, meta: &CallMeta) {
        self.with(meta, |series| series.in_flight += 1);
    }

    fn attempt(&self, attempt: &AttemptRecord<'_>) {
        let answer = match attempt.status {
            Some(status) => Answer::Status(status.as_u16()),
            None => Answer::None(attempt.error_type.unwrap_or("ok")),
        };
        self.with(attempt.meta, |series| {
            *series.attempts.entry(answer).or_default() += 1;
            series.sent += attempt.sent;
            series.received += attempt.received;
        });
    }

    fn call(&self, call: &CallRecord<'_>) {
        let outcome = (call.error_type.unwrap_or("ok"), call.delivery.as_str());
        let seconds = call.elapsed.as_secs_f64();
        let bucket = BUCKETS.iter().position(|bound| seconds <= *bound);
        self.with(call.meta, |series| {
            series.in_flight = series.in_flight.saturating_sub(1);
            *series.calls.entry(outcome).or_default() += 1;
            if let Some(calls) = bucket.and_then(|bucket| series.durations.get_mut(bucket)) {
                *calls += 1;
            }
            series.count += 1;
            series.seconds += seconds;
        });
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("series", &self.lock().len())
            .finish_non_exhaustive()
    }
}
