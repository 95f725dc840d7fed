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
//! # What follows
//!
//! The [`login_id`](Completed::login_id) is the key to the fraud analysis of the documents
//! (`flinks_fraud::FraudClient::wait`) and to the accounts and transactions that the service reads from
//! them (`flinks_legacy::LegacyClient::accounts_detail`). Protect it like a password.
//!
//! # Exactly once
//!
//! The service has no idempotency key, and no call that lists what it has received. But processing
//! starts only at *complete* (Upload guide, Step 2), so a session that is never completed has no
//! effect. When the outcome of a file is unknown, the session is therefore abandoned, and its files
//! are sent again in a new one ([`OnUnknown::Restart`]). *complete* itself is never repeated after an
//! unknown outcome.
//!
//! With a [`Ledger`], another process can resume an upload that was interrupted at any moment:
//! [`UploadSession::ledger`], [`UploadClient::resume`].
//!
//! # Guide
//!
//! [Sessions, documents and ledgers](guide::sessions), [blocking programs](guide::blocking),
//! [migrating from the guide's Python or C#](guide::migrating).
//!
//! # Features
//!
//! Those of `flinks-transport`, forwarded: `ring` (default), `aws-lc-rs`, `platform-roots`
//! (default), `webpki-roots`, `pfx`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod document;
mod error;
mod file_type;
#[cfg(any(doc, doctest))]
pub mod guide;
mod ledger;
mod limits;
mod operation;
mod paths;
mod session;
mod upload_body;

pub use client::UploadClient;
pub use document::Document;
pub use error::{UploadError, UploadErrorKind};
pub use ledger::{FileInfo, FileLedger, Ledger, LedgerEntry, SessionInfo};
pub use limits::Limits;
pub use operation::{Complete, UploadFile};
pub use paths::Paths;
pub use session::{Completed, OnUnknown, Phase, Progress, UploadSession};

// What the constructors, answers and errors of this crate need, so that it can be used alone.
#[doc(no_inline)]
pub use flinks_auth::{AccessToken, ClientCredentials, TokenRequest};
#[doc(no_inline)]
pub use flinks_transport::{
    Body, BoxError, Call, CallMeta, ClientIdentity, DecodeError, Delivery, Endpoint, Error,
    ErrorKind, HttpService, IdentityError, IdentityErrorKind, IdentityGeneration, IdentityPart,
    IdentitySnapshot, IntoHttpService, Operation, Proxy, Replay, RetryConfig, Roots, Step,
    TlsVersion, Transport, TransportBuilder,
};
#[doc(no_inline)]
pub use flinks_types::{
    AggregationId, ApiError, CompleteResponse, FlinksCode, InvalidId, LoginId, RequestId,
    RetryClass, Secret, UploadResponse,
};
