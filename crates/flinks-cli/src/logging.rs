//! `-v`: shows the libraries' logs on standard error. They contain no secrets, documents or headers.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The crates whose logs are shown. Those of other crates, such as hyper, may contain headers.
const CRATES: [&str; 7] = [
    "flinks_cli",
    "flinks_transport",
    "flinks_auth",
    "flinks_upload",
    "flinks_fraud",
    "flinks_legacy",
    "flinks_sandbox",
];

/// Starts logging for `-v` (info), `-vv` (debug) and `-vvv` (trace).
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let targets = Targets::new().with_targets(CRATES.map(|name| (name, level)));
    // A call is a span, shown when it ends with its duration.
    let spans = if verbose == 1 {
        FmtSpan::CLOSE
    } else {
        FmtSpan::NEW | FmtSpan::CLOSE
    };
    let layer = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_span_events(spans);
    tracing_subscriber::registry()
        .with(targets)
        .with(layer)
        .init();
}
