//! The fixture format of flinks-rs, its runner, and the registry of operations: the specification
//! of the client crates, run.
//!
//! A case is one call: what the server must see, what it answers, and what must come of it. The
//! same case runs at three levels: the codec alone, the real stack over a scripted leaf in paused
//! time, and the real stack over mutual TLS on loopback; those marked for it also against a host
//! and with credentials of an environment ([`Pass::Live`]). `fixtures/README.md` is the format's page.
//!
//! [`Suite::through`] runs the corpus through an application's transport, which shows whether its
//! layers break anything. As a Git dependency the crate finds its fixtures in
//! its own checkout.
//!
//! ```
//! # use tower_layer::Identity as MyLayer;
//! use flinks_conformance::Suite;
//!
//! let suite = Suite::new()?
//!     .matching("complete/") // leave this out to run them all
//!     .through(|builder| builder.layer(MyLayer::new()).build());
//! let summary = suite.run(&Suite::LAYERS);
//! assert_eq!(summary.failed(), 0, "{summary}");
//! # Ok::<(), flinks_conformance::CorpusError>(())
//! ```

mod bless;
mod case;
mod check;
mod corpus;
mod coverage;
mod diff;
mod json;
mod keys;
mod layer_probes;
mod leaf;
mod leak;
mod logs;
mod matching;
mod operations;
mod requirements;
mod run;
mod script;
mod server;
mod standard;
mod suite;
mod summary;

pub use bless::Blessed;
pub use case::{
    Call, Case, ClientCertificate, Compare, Credentials, Expect, Fault, Level, Levels, Live, Reply,
    ServerCertificate, Shows, Span, Step, Tls, Want, WantError,
};
pub use corpus::{CorpusError, Fixture, load};
pub use coverage::Coverage;
pub use flinks_cli::settings::Settings;
pub use flinks_transport::TlsVersion;
pub use operations::operations;
pub use requirements::{Requirement, Requirements};
pub use run::{CaseResult, Pass, Provider, Wire, run};
pub use suite::{Suite, fixtures};
pub use summary::Summary;
