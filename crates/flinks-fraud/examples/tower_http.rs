//! Layers of the ecosystem: tower's limits for each call, tower-http's tracing for each attempt, without ids in the log.

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flinks_fraud::{BoxError, LoginId, Transport};
use flinks_sandbox::{FLAGGED_LOGIN_ID, Sandbox, fraud_client};
use flinks_transport::request_span;
use tower::ServiceBuilder;
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_env_filter("info,tower_http=trace")
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let sandbox = Sandbox::start().await?;

    let limits = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(ConcurrencyLimitLayer::new(4))
        .into_inner();
    let transport = Transport::builder()
        .layer(limits)
        // The default span of `TraceLayer` has the URL, and the URL contains the LoginId.
        .attempt_layer(TraceLayer::new_for_http().make_span_with(request_span));
    let fraud = fraud_client!(sandbox, transport)?;
    let analysis = fraud.analysis(&LoginId::new(FLAGGED_LOGIN_ID)?).await?;
    println!("{}", analysis.verdict().as_str());

    let log = log.text();
    print!("{log}");
    assert!(log.contains("fraudanalysis/{loginId}"), "the route");
    assert!(!log.contains(FLAGGED_LOGIN_ID), "a LoginId in the log");
    Ok(())
}

/// Keeps what is logged, to look at it afterwards.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
