//! A stateful test server for the Flinks API, on loopback.
//!
//! [`Sandbox`] serves what the Upload guide and the legacy guide document: the upload host, which
//! requires a client certificate, and the results host, with the fraud analysis and the legacy API.
//! It makes its own throw-away authority, keeps tokens and sessions, refuses what the guides forbid,
//! plays the fraud analysis that a document's markers ask for, and makes requests go wrong as a
//! [`Fault`] says. It shares no code with the client crates, so that a mistake cannot pass on both
//! sides. [`ConnectProxy`] is a forward proxy for tests of clients that need one.
//!
//! ```
//! use flinks_sandbox::{ApiOperation, Config, Sandbox};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let mut config = Config::default();
//! config.faults.push("upload@2=reset-after".parse()?);
//! let sandbox = Sandbox::start(config).await?;
//!
//! // Here a client uploads to `sandbox.upload_url()`, trusting `sandbox.ca_pem()`.
//! assert_eq!(sandbox.requests(ApiOperation::Upload), 0);
//! assert!(sandbox.sessions().is_empty());
//! sandbox.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
//! # Analyses
//!
//! For [`Config::processing`] after *complete* the analysis is first an empty list, then
//! `PENDING`, then `PROCESSING`; then `COMPLETED`. Four LoginIds have a fixed answer:
//! [`CLEAN_LOGIN_ID`], [`FLAGGED_LOGIN_ID`], [`PENDING_LOGIN_ID`] and [`FAILED_LOGIN_ID`].
//!
//! # The legacy API
//!
//! The results host also serves `/v3/{customerId}/BankingServices/{Endpoint}`: *Authorize*
//! with its challenges, the data calls with their `…Async` companions, and the calls for
//! cards, questions, refreshes and institutions. The password of every user is `Everyday`. Names,
//! passwords and answers to text questions may be in any casing.
//!
//! | Institution | Username | What happens, and the right answers |
//! |---|---|---|
//! | `FlinksCapital` | `Greatday` | three questions, one after another: `Montreal`, `Canada`, `Triangle`; in French with `Language` `fr` |
//! | | `greatday_together` | the same three at once |
//! | | `greatday_nomfa` | authorized at once |
//! | | `greatday_noretry` | one question, `Triangle`; a wrong answer ends the session with `INVALID_SECURITY_RESPONSE_NO_RETRY` |
//! | | `greatday_other_types` | `OneTimeVerification` `123456`, `Date` `1990-01-31`, and the undocumented `PaperToken` `maple`, at once |
//! | | `test_disabled_account` | 401 `DISABLED_LOGIN` |
//! | | `test_service_unavailable` | 401 `RETRY_LATER` |
//! | | `test_already_authorized` | 401 `ALREADY_AUTHORIZED`, with a RequestId that is authorized |
//! | | `test_concurrent_session` | authorized; further live sessions get 401 `CONCURRENT_SESSION` as long as the first one lives |
//! | | `test_dispatched` | authorized; data calls answer `OPERATION_DISPATCHED` first |
//! | | `test_pending` | authorized; data stay pending |
//! | `RBC` | `rbc_triple` | the dog's name, `Wouf`; after a wrong answer three questions at once: mother `Louise`, father `Paul`, dog `Wouf` |
//! | | `rbc_new_questions` | three new questions to choose, all three lists alike; any text answers them |
//! | | `rbc_device` | `WaitUntilEUAccept`: `VERIFIED`, once [`Config::device_approval`] is over; before that it is asked again |
//! | `Laurentienne` | `laurentienne_image` | `Wouf`, then one of sixteen pictures: the fourth |
//! | `National` | `national_securid` | SecurID `123456`, then `Wouf` |
//! | `Scotia` | `scotia_reset` | `None of the above`, and purchases 1 and 3; then three new questions |
//! | `TD` | `td_code` | any of the numbers by `Text` or `Call`, then the code `123456`; a wrong code ends the session |
//! | `RBC`, `National`, `TD` | `Greatday` | authorized at once |
//!
//! A wrong answer is otherwise 401 `INVALID_SECURITY_RESPONSE` with the challenges again; a
//! missing one `SECURITYRESPONSES_INCOMPLETE`, one for another key
//! `UNKNOWN_CHALLENGE_KEY`, and after both the session waits on. Without any answers the
//! challenge is repeated. An unknown RequestId is 400 `SESSION_NONEXISTENT`, one that has
//! expired 401 `SESSION_EXPIRED`; the data calls say 400 `SESSION_NONEXISTENT` for both.
//!
//! Without `Save` there is no LoginId. Three are there from the start: [`CACHED_LOGIN_ID`],
//! [`DEVICE_LOGIN_ID`] and [`REFUSED_LOGIN_ID`]. Authorize tokens and the `x-api-key` are required
//! once [`SandboxCredentials::auth_key`] and [`SandboxCredentials::x_api_key`] are set. A token serves
//! the one session that used it first, for all its rounds.
//!
//! Each user has a chequing account, a savings account and a credit card, the same each time,
//! with transactions from 2025-02-01 to 2026-01-31 and one PDF statement a month.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::disallowed_methods,
    reason = "a server owns the tasks of its connections; the rule is for the client crates"
)]

mod answer;
pub mod certificates;
mod client_files;
mod config;
mod connect_proxy;
mod fault;
mod fraud;
mod ids;
mod legacy;
mod lock;
mod log;
mod operation;
mod request;
mod routes;
mod sandbox;
mod server;
mod state;
mod upload;

pub use crate::client_files::ClientFiles;
pub use crate::config::{Config, SandboxCredentials, TlsVersions};
pub use crate::connect_proxy::{ConnectProxy, ProxyConfig, ProxyFault};
pub use crate::fault::{FAULT_GRAMMAR, Fault, FaultError};
pub use crate::fraud::{CLEAN_LOGIN_ID, FAILED_LOGIN_ID, FLAGGED_LOGIN_ID, PENDING_LOGIN_ID};
pub use crate::legacy::{CACHED_LOGIN_ID, DEVICE_LOGIN_ID, REFUSED_LOGIN_ID, SandboxLogin};
pub use crate::log::{LogLine, OnRequest};
pub use crate::operation::{ApiOperation, Host};
pub use crate::sandbox::Sandbox;
pub use crate::upload::{SandboxSession, StoredFile};
