//! Uploads bank statements to Flinks: streamed files, sessions that complete exactly once, and a
//! ledger that survives a crash.
//!
//! ```toml
//! [dependencies]
//! flinks-upload = "0.1"
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! ```no_run
//! use flinks_upload::{ClientCredentials, ClientIdentity, Document, Transport, UploadClient};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let transport = Transport::builder()
//!     .identity(ClientIdentity::from_pem_files("client.pem", "client.key")?)
//!     .build()?;
//! let uploads = UploadClient::new(transport, ClientCredentials::new("client-id", "client-secret"))?;
//!
//! let done = uploads
//!     .session()
//!     .client_name("Zoë")
//!     .upload([Document::open("january.pdf")?, Document::open("february.pdf")?])
//!     .await?;
//! println!("read the fraud analysis of {}", done.login_id.as_str());
//! # Ok(())
//! # }
//! ```
//!
//! # Exactly once
//!
//! The service offers no idempotency key and no way to ask what it has. But processing starts only
//! at *complete* (Upload guide, Step 2), so a session that is never completed is inert. When the
//! outcome of a file is unknown, the session is therefore abandoned and its files go into a fresh
//! one ([`OnUnknown::Restart`]). *complete* itself is never sent again after an unknown outcome.
//!
//! # Features
//!
//! Those of `flinks-transport`, forwarded: `ring` (default), `aws-lc-rs`, `platform-roots`
//! (default), `webpki-roots`, `pfx`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod contents;
mod document;
mod error;
mod ledger;
mod limits;
mod operation;
mod paths;
mod session;
mod stream;

pub use client::UploadClient;
pub use document::Document;
pub use error::{UploadError, UploadErrorKind};
pub use ledger::{FileInfo, FileLedger, Ledger, LedgerEntry, SessionInfo};
pub use limits::Limits;
pub use operation::{Complete, UploadFile};
pub use paths::Paths;
pub use session::{Completed, OnUnknown, Progress, UploadSession};

// What the constructors, answers and errors of this crate need, so that it can be used alone.
#[doc(no_inline)]
pub use flinks_auth::{AccessToken, ClientCredentials, TokenRequest};
#[doc(no_inline)]
pub use flinks_transport::{
    Body, BoxError, Call, CallMeta, ClientIdentity, DecodeError, Delivery, Endpoint, Error,
    ErrorKind, HttpService, IdentityError, IdentityErrorKind, IdentityGeneration, IdentityPart,
    IntoHttpService, Operation, Replay, RetryConfig, Roots, Step, TlsVersion, Transport,
    TransportBuilder,
};
#[doc(no_inline)]
pub use flinks_types::{
    AggregationId, ApiError, CompleteResponse, FlinksCode, InvalidId, LoginId, RequestId,
    RetryClass, Secret, UploadResponse,
};
