//! A stateful test server for the Flinks API, on loopback.
//!
//! [`Sandbox`] serves what the Upload guide documents: the upload host, which demands a
//! client certificate, and the results host. It makes its own throw-away authority,
//! remembers tokens and sessions, refuses what the guide forbids, finds simple signs of
//! fraud in the documents themselves, and makes requests go wrong as a [`Fault`] says.
//! It is for tests, in any language: it shares no code with the client crates, and
//! [`Sandbox::write_dir`] leaves files that other programs can use.
//!
//! ```
//! use flinks_sandbox::{Config, Operation, Sandbox};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let mut config = Config::default();
//! config.faults.push("upload@2=reset-after".parse()?);
//! let sandbox = Sandbox::start(config).await?;
//!
//! // Here a client uploads to `sandbox.upload_url()`, trusting `sandbox.ca_pem()`.
//! assert_eq!(sandbox.requests(Operation::Upload), 0);
//! assert!(sandbox.sessions().is_empty());
//! sandbox.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where the guide is silent
//!
//! The sandbox decides, strictly, so that a client's mistakes show: an unknown or completed
//! AggregationId is refused with 400, so is *complete* for a second time; the same file may
//! be sent twice and is then there twice; a token works with the certificate it was issued
//! to and is refused with 403 on another. Errors of the token endpoint have OAuth's form
//! (`error`, `error_description`), all others the service's (`HttpStatusCode`,
//! `FlinksCode`, `Message`). Both path presets are served: `/api/v1/upload` and `/upload`.
//!
//! # Analyses
//!
//! For [`Config::processing`] after *complete* the analysis is first an empty list, then
//! `PENDING`, then `PROCESSING`; then `COMPLETED`. Four LoginIds always answer alike:
//! [`CLEAN_LOGIN_ID`], [`FLAGGED_LOGIN_ID`], [`PENDING_LOGIN_ID`] and [`FAILED_LOGIN_ID`].
//!
//! Signals come from the content of a document, never from its name. The guide publishes no
//! values of `Type`; these are the sandbox's own:
//!
//! - `EDITING_SOFTWARE_DETECTED`: the metadata of a PDF, PNG, JPEG or TIFF names a program
//!   that edits documents or pictures;
//! - `UNRECONCILED_BALANCES`: in a PDF bank statement with rows of date, description, amounts
//!   and balance, a balance does not follow from the one before. One signal a page, one
//!   `delta` each: what the rows promise less what is printed.
//!
//! What cannot be read gives no signal.

#![allow(
    clippy::disallowed_methods,
    reason = "a server owns the tasks of its connections; the rule is for the client crates"
)]

mod answer;
mod bearer;
mod certificates;
mod complete;
mod config;
mod directory;
mod document;
mod exchange;
mod fault;
mod fraud;
mod legacy;
mod log;
mod media;
mod operation;
mod sandbox;
mod server;
mod state;
mod token;
mod upload;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use crate::{
    certificates::{ClientCertificate, Identity},
    config::{Config, Credentials, TlsVersions},
    directory::Directory,
    fault::{FAULT_GRAMMAR, Fault, FaultError},
    fraud::{CLEAN_LOGIN_ID, FAILED_LOGIN_ID, FLAGGED_LOGIN_ID, PENDING_LOGIN_ID},
    legacy::{CACHED_LOGIN_ID, DEVICE_LOGIN_ID, REFUSED_LOGIN_ID},
    log::{LogLine, OnRequest},
    operation::{Host, Operation},
    sandbox::Sandbox,
    state::{Session, StoredFile},
};

/// Locks; what a panicking holder left is still the state that tests want to see.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
