//! `-v`: shows the libraries' logs on standard error. They contain no secrets, ids or documents.

mod lines;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use self::lines::Lines;

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

/// Starts logging: with `-v` a line for each call, with `-vv` also for each attempt and connection, and
/// with `-vvv` every span and event with all its fields.
pub(crate) fn start(verbose: u8) {
    let (level, layer) = match verbose {
        0 => return,
        1 => (LevelFilter::INFO, Lines { attempts: false }.boxed()),
        2 => (LevelFilter::DEBUG, Lines { attempts: true }.boxed()),
        _ => {
            let all = fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(false)
                .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE);
            (LevelFilter::TRACE, all.boxed())
        }
    };
    let targets = Targets::new().with_targets(CRATES.map(|name| (name, level)));
    tracing_subscriber::registry()
        .with(targets)
        .with(layer)
        .init();
}
