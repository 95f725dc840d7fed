//! A stateful test server for the Flinks API, on loopback.
//!
//! [`Sandbox`] serves what the Upload guide and the legacy guide document: the upload host, which
//! requires a client certificate, and the results host, with the fraud analysis and the legacy API.
//! It makes its own throw-away authority, keeps tokens and sessions, refuses what the guides forbid,
//! plays the fraud analysis that a document's markers describe, and makes requests go wrong as a
//! [`Fault`] says. It shares no code with the client crates, so that a mistake cannot pass on both
//! sides. [`ConnectProxy`] is a forward proxy for tests of clients that need one.
//!
//! ```
//! use flinks_sandbox::{ApiOperation, Sandbox};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let sandbox = Sandbox::builder()
//!     .fault("upload@2=reset-after".parse()?)
//!     .start()
//!     .await?;
//!
//! // Here a client uploads to `sandbox.upload_url()`, trusting `sandbox.ca_pem()`.
//! assert_eq!(sandbox.requests(ApiOperation::Upload), 0);
//! assert!(sandbox.sessions().is_empty());
//! sandbox.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [guide to testing](guide::testing) compares the ways to test your code.
//!
#![doc = include_str!("../README.md")]
//!
//! # Where the Upload guide is silent
//!
//! The sandbox is strict, so that mistakes of a client show: an unknown or completed
//! AggregationId is refused with 400, so is *complete* for a second time; the same file may
//! be sent twice, and is then stored twice; a token works with the certificate it was issued
//! to and is refused with 403 on another. Errors of the token endpoint have OAuth's form
//! (`error`, `error_description`), all others have the service's (`HttpStatusCode`,
//! `FlinksCode`, `Message`). Both path presets are served: `/api/v1/upload` and `/upload`.
//!
//! Authorize tokens and the `x-api-key` are required with [`SandboxBuilder::check_keys`], or once
//! [`SandboxCredentials::auth_key`] and [`SandboxCredentials::x_api_key`] are set. A token serves the
//! one session that used it first, for all its rounds.
//!
#![doc = include_str!("../GUIDE.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::disallowed_methods,
    reason = "a server owns the tasks of its connections; the rule is for the client crates"
)]

mod answer;
mod builder;
pub mod certificates;
mod client_files;
mod clients;
mod config;
mod connect_proxy;
mod control;
mod fault;
mod fraud;
#[cfg(any(doc, doctest))]
pub mod guide;
mod ids;
mod json_fields;
mod legacy;
mod lock;
mod log;
mod operation;
mod request;
mod routes;
mod sandbox;
mod server;
mod state;
mod timestamp;
mod upload;
mod webhook;

pub use crate::builder::SandboxBuilder;
pub use crate::client_files::ClientFiles;
pub use crate::config::{OnUntrusted, SandboxCredentials, TlsVersions};
pub use crate::connect_proxy::{ConnectProxy, ProxyConfig, ProxyFault};
pub use crate::fault::{FAULT_GRAMMAR, Fault, FaultError};
pub use crate::fraud::{
    Analysis, CLEAN_LOGIN_ID, FAILED_LOGIN_ID, FLAGGED_LOGIN_ID, PENDING_LOGIN_ID, Signal,
};
pub use crate::legacy::{
    CACHED_LOGIN_ID, DEVICE_LOGIN_ID, REFUSED_LOGIN_ID, SandboxLogin, SandboxUser,
};
pub use crate::log::LogLine;
pub use crate::operation::{ApiOperation, Host};
pub use crate::sandbox::Sandbox;
pub use crate::state::SandboxState;
pub use crate::upload::{SandboxSession, StoredFile};
