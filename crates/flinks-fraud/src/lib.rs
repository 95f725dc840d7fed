//! Reads the fraud analysis of documents that were uploaded to Flinks, with a verdict that never
//! calls "unknown" clean.
//!
//! ```toml
//! [dependencies]
//! flinks-fraud = "0.1"
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! ```
//! use flinks_fraud::{
//!     ApiSecret, CustomerId, Endpoint, FraudClient, LoginId, Transport, Verdict,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let clean = r#"{ "HttpStatusCode": 200, "Message": "No Fraud Signal Detected",
//! #     "DocumentAnalysis": [ { "Status": "COMPLETED", "FullAnalysis": [
//! #         { "DocumentType": "BANK_STATEMENT", "FraudSignals": [] } ] } ] }"#;
//! # let answering = tower::service_fn(move |_: http::Request<flinks_fraud::Body>| async move {
//! #     let body = flinks_fraud::Body::from(clean.to_owned());
//! #     Ok::<_, std::convert::Infallible>(http::Response::new(body))
//! # });
//! // The results host needs no client certificate.
//! let transport = Transport::builder()
//! #   .service(answering)
//!     .build()?;
//! let fraud = FraudClient::new(
//!     transport,
//!     Endpoint::instance("toolbox")?,
//!     CustomerId::new("43387ca6-0391-4c82-857d-70d95f087ecb")?,
//!     ApiSecret::new("the key that Flinks sent"),
//! )?;
//!
//! let login_id = LoginId::new("aabf32b7-2f4e-4248-8895-b47b7ebc5a3c")?;
//! let analysis = fraud.wait(&login_id).expected_documents(1).await?;
//! match analysis.verdict() {
//!     Verdict::Clean => println!("no fraud signal"),
//!     Verdict::Flagged(flags) => println!("{} signals to review", flags.len()),
//!     Verdict::Undetermined(reason) => println!("needs a manual review: {reason}"),
//!     other => println!("needs a manual review: {}", other.as_str()),
//! }
//! # assert_eq!(analysis.verdict(), Verdict::Clean);
//! # Ok(())
//! # }
//! ```
//!
//! # What is clean
//!
//! [`Verdict::Clean`] requires at least one document (and no fewer than were uploaded, when that number
//! is known), all of them bank statements, which are the only documents that are checked for fraud, all
//! completed, and all with an analysis whose lists of signals are present and empty. One signal anywhere
//! is [`Verdict::Flagged`]. Everything else is [`Verdict::Undetermined`] with a [`Reason`]: also an
//! answer that repeats a field, contradicts itself, is not complete (203, 206), or has an unknown field
//! that may hold signals. An answer about another LoginId is an error.
//!
//! # What follows
//!
//! With the same LoginId, `flinks_legacy::LegacyClient::accounts_detail` fetches the accounts and
//! transactions that the service reads from the documents.
//!
//! # Guide
//!
//! [Waiting and webhooks](guide::waiting).
//!
//! # Features
//!
//! Those of `flinks-transport`, forwarded: `ring` (default), `aws-lc-rs`, `platform-roots`
//! (default), `webpki-roots`, `pfx`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod analysis;
mod client;
#[cfg(any(doc, doctest))]
pub mod guide;
mod operation;
mod unknown_fields;
mod verdict;
mod wait;

pub use analysis::Analysis;
pub use client::FraudClient;
pub use operation::AnalysisRequest;
pub use verdict::{Flag, Reason, Verdict};
pub use wait::AnalysisWait;

// What the constructors, answers and errors of this crate need, so that it can be used alone.
#[doc(no_inline)]
pub use flinks_auth::ApiSecret;
#[doc(no_inline)]
pub use flinks_transport::{
    Body, BoxError, Call, CallMeta, ClientIdentity, CustomerEndpoint, DecodeError, Delivery,
    Endpoint, Error, ErrorKind, HttpService, IdentityError, IdentityErrorKind, IdentityGeneration,
    IdentityPart, IdentitySnapshot, IntoHttpService, Operation, Proxy, Replay, RetryConfig, Roots,
    Step, TlsVersion, Transport, TransportBuilder,
};
#[doc(no_inline)]
pub use flinks_types::{
    ApiError, CustomerId, DataType, Detail, DocumentAnalysis, DocumentStatus, DocumentType,
    FlinksCode, FraudAnalysis, FraudSignal, FullAnalysis, InvalidId, LoginId, RequestId,
    RetryClass, Secret, SignalType, SignalValue, UnderlyingData,
};
