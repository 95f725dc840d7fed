//! The fixture format of flinks-rs, its runner, and the registry of operations: the specification
//! of the client crates, run.
//!
//! A case is one call: what the server must see, what it answers, and what must come of it. The
//! same case runs at three levels: the codec alone, the real stack over a scripted leaf in paused
//! time, and the real stack over mutual TLS on loopback. `fixtures/README.md` is the format's page.
//!
//! ```no_run
//! use flinks_conformance::{Level, Provider, TlsVersion, Verdict, Wire, load, run};
//!
//! let wire = Wire::new(TlsVersion::Tls13, Provider::Ring);
//! for fixture in load("fixtures".as_ref())? {
//!     if let Verdict::Failed(lines) = run(&fixture, Level::L2, &wire) {
//!         panic!("{}: {}", fixture.path(), lines.join("\n"));
//!     }
//! }
//! # Ok::<(), flinks_conformance::CorpusError>(())
//! ```

mod case;
mod certificates;
mod check;
mod corpus;
mod diff;
mod leaf;
mod leak;
mod logs;
mod matching;
mod operations;
mod run;
mod script;
mod server;
mod standard;
mod summary;
mod watch;

pub use case::{
    Call, Case, ClientCertificate, Credentials, Expect, Fault, Level, Levels, Reply,
    ServerCertificate, Span, Step, Tls, Want, WantError,
};
pub use corpus::{CorpusError, Fixture, load};
pub use flinks_transport::TlsVersion;
pub use run::{Provider, Verdict, Wire, run};
pub use summary::Summary;
