//! Metrics of calls and attempts: a trait that receives each, and counters for Prometheus.

mod prometheus;

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::{CallMeta, Delivery};

pub use prometheus::Metrics;

/// Receives every call and every attempt of a transport, for metrics.
///
/// Token requests are calls too: their [`CallMeta::step`] is [`Step::Token`](crate::Step::Token).
/// The methods run on the tasks of the calls, also when a call's future is dropped, so they must
/// neither block nor panic. [`Metrics`] is a ready implementation.
///
/// ```
/// use flinks_transport::Transport;
/// use flinks_transport::metrics::{AttemptRecord, CallRecord, Recorder};
///
/// /// Hands on what the application's metrics library needs.
/// struct Forward;
///
/// impl Recorder for Forward {
///     fn call(&self, call: &CallRecord<'_>) {
///         let (operation, error) = (call.meta.operation(), call.error_type.unwrap_or("none"));
///         let seconds = call.elapsed.as_secs_f64();
///         # let _ = (operation, error, seconds);
///         // histogram!("flinks_call_seconds", "operation" => operation, …).record(seconds);
///     }
/// }
/// # fn main() -> Result<(), flinks_transport::Error> {
/// let builder = Transport::builder().metrics(Forward);
/// # let service = tower::service_fn(|_: http::Request<flinks_transport::Body>| async {
/// #     Ok::<_, flinks_transport::BoxError>(http::Response::new(flinks_transport::Body::empty()))
/// # });
/// # let builder = builder.service(service);
/// let transport = builder.build()?;
/// # Ok(())
/// # }
/// ```
pub trait Recorder: Send + Sync {
    /// A call begins; it ends with [`call`](Self::call).
    fn begin(&self, meta: &CallMeta) {
        let _ = meta;
    }

    /// An attempt ended.
    fn attempt(&self, attempt: &AttemptRecord<'_>) {
        let _ = attempt;
    }

    /// A call ended, or its future was dropped.
    fn call(&self, call: &CallRecord<'_>);
}

/// A call that ended. It contains no id: its texts come from the code, not from the call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallRecord<'a> {
    /// The operation, its route and its step.
    pub meta: &'a CallMeta,
    /// `None` after a success, else the word of the [`ErrorKind`](crate::ErrorKind), or `canceled`
    /// if the future was dropped.
    pub error_type: Option<&'static str>,
    /// Whether the service may have acted.
    pub delivery: Delivery,
    /// The status of the last answer.
    pub status: Option<StatusCode>,
    /// The number of attempts. Requests that were repeated after a refused token are not counted.
    pub attempts: u32,
    /// The duration, including waits between attempts.
    pub elapsed: Duration,
}

/// One HTTP request that ended: an attempt of a call, or its repetition after a refused token.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptRecord<'a> {
    /// The operation, its route and its step.
    pub meta: &'a CallMeta,
    /// The status of the answer, if it was read.
    pub status: Option<StatusCode>,
    /// `None` if an answer was read, whatever its status; else the word of the
    /// [`ErrorKind`](crate::ErrorKind), or `canceled` if the future was dropped.
    pub error_type: Option<&'static str>,
    /// Whether the service may have acted.
    pub delivery: Delivery,
    /// The duration, including the time to connect.
    pub elapsed: Duration,
    /// The bytes of the request body that were handed to the connection.
    pub sent: u64,
    /// The bytes of the answer's body that arrived.
    pub received: u64,
}

/// What [`error_type`](CallRecord::error_type) is when a future was dropped.
pub(crate) const CANCELED: &str = "canceled";

impl fmt::Debug for dyn Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}
