//! Receives the webhooks of Flinks: verifies the signature over the raw bytes, reads the event, and
//! handles each webhook once.
//!
//! ```toml
//! [dependencies]
//! flinks-webhook = "0.1"
//! axum = "0.8"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! ```
//!
//! ```
//! use axum::Router;
//! use flinks_webhook::{Event, Secret, Verifier, Webhook, WebhookService};
//!
//! async fn handle(webhook: Webhook) -> Result<(), std::io::Error> {
//!     if let Event::AccountsDetail(answer) = webhook.event() {
//!         println!("{} accounts", answer.accounts.as_deref().unwrap_or_default().len());
//!     }
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::new(Secret::new("the secret that Flinks sent"))?;
//! let app = Router::new().route_service("/flinks", WebhookService::new(verifier, handle));
//! # let body = r#"{"ResponseType":"GetAccountsDetail","Accounts":[]}"#;
//! # let signature = flinks_webhook::sign(&Secret::new("the secret that Flinks sent"), body.as_bytes());
//! # let request = http::Request::post("/flinks")
//! #     .header(flinks_webhook::FLINKS_AUTHENTICITY_KEY, signature)
//! #     .body(axum::body::Body::from(body))?;
//! # let answer = tower::ServiceExt::oneshot(app.clone(), request).await?;
//! # assert_eq!(answer.status(), 200);
//! # drop(async {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app).await?;
//! # Ok::<(), std::io::Error>(()) });
//! # Ok(())
//! # }
//! ```
//!
//! # Replays
//!
//! A delivery has no time and no number, and the signature covers the body alone. So Flinks' own
//! repeated delivery and a recorded one that a stranger sends again are the same bytes: a
//! [`SeenStore`] answers both with 200, without calling the handler. What it has forgotten would be
//! handled again; [`WebhookService::with_max_age`] refuses that for bodies that have a date.
//!
//! # Where the documents are silent or disagree
//!
//! The signature is read from both documented headers, and every one that is there must be right. The
//! form of the Upload fraud alert is not published: it arrives as [`Event::Unknown`], with its
//! LoginId. The KYC sample that is printed is not valid JSON; a body like it arrives as
//! [`Event::Unreadable`], because its signature is right and nothing else has it.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod seen;
mod service;
mod signature;
mod webhook;

pub use seen::{Claim, MemoryStore, SeenStore};
pub use service::WebhookService;
pub use signature::{
    FLINKS_AUTHENTICITY_KEY, SignatureError, SignatureErrorKind, Verifier, X_FLINKS_SIGNATURE, sign,
};
pub use webhook::{BodyHash, Event, Unreadable, Webhook};

#[cfg(any(feature = "jiff", feature = "rust_decimal"))]
#[doc(no_inline)]
pub use flinks_types::ConversionError;
// What the items of this crate need, so that it can be used alone.
#[doc(no_inline)]
pub use flinks_types::{
    Account, AccountsResponse, Holder, KycResponse, LoginId, RequestId, Secret, Timestamp,
    WebhookType,
};
