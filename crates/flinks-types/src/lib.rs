//! Wire types of the Flinks API: requests, answers, ids, open enums, secrets. No I/O.
//!
//! ```toml
//! [dependencies]
//! flinks-types = "0.1"
//! ```
//!
//! The API crates (`flinks-upload`, `flinks-fraud`, `flinks-legacy`) re-export the types that they
//! use; depend on this crate to read stored answers or webhooks without a client.
//!
//! # Reading and writing
//!
//! Every answer is read leniently: unknown fields are ignored, unknown enum text is kept, and nulls,
//! absent fields and fields of an unexpected type read as absent. So do the zero GUID and dates of
//! year 1, which the service prints for missing values. An amount that is not a number keeps its
//! text. Where absence would be misleading, another type is an error: an object in place of the list
//! of accounts must not read as "no accounts".
//!
//! Read with [`from_json`], or with `serde_json`'s `from_slice` or `from_str`: fields are read from
//! their raw text, which `from_reader` and `from_value` do not have.
//!
//! Every answer serializes with the service's field names, without absent fields; amounts become
//! texts. `Debug` of every type shows shape and length, never account data or the service's text.
//!
//! # Example
//!
//! ```
//! use flinks_types::{UploadResponse, from_json};
//!
//! let body = br#"{ "HttpStatusCode": 200, "AggregationId": "d521ae0d-9cf1-40e1-a1ee-474983800601" }"#;
//! let answer: UploadResponse = from_json(body)?;
//! let id = answer.aggregation_id.ok_or("the answer names no session")?;
//! assert_eq!(id.as_str(), "d521ae0d-9cf1-40e1-a1ee-474983800601");
//! assert_eq!(format!("{id:?}"), "AggregationId(d521ae0d…)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! Both are off by default; `flinks-legacy` and `flinks-webhook` forward them.
//!
//! - `jiff`: [`Date`] converts into `jiff::civil::Date`; [`Timestamp`] into that and `jiff::Timestamp`.
//! - `rust_decimal`: [`Decimal`] converts into `rust_decimal::Decimal`, exactly or not at all.

// Crates are documented in parallel: a link to one that has no local page yet leads there.
#![doc(html_root_url = "https://docs.rs/flinks-types/latest")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod api_error;
mod authorize;
mod challenge;
#[cfg(any(feature = "jiff", feature = "rust_decimal"))]
mod conversions;
mod decimal;
mod document;
mod find;
mod flinks_code;
mod fraud;
mod id;
mod institution;
mod json;
mod lenient;
mod link;
mod login;
mod open_enum;
mod outcome;
mod refresh;
mod secret;
mod shown;
mod signal;
mod statement;
mod status;
mod subject;
pub mod text;
mod time;
mod token;
mod upload;
mod webhook;
mod wire;

pub use account::{
    Account, AccountCategory, AccountKind, AccountsResponse, Address, Balance, Currency,
    DaysOfTransactions, Holder, Transaction,
};
pub use api_error::ApiError;
pub use authorize::{AuthorizeRequest, AuthorizeResponse, Credentials, Language, StoredLogin};
pub use challenge::{ChallengeType, SecurityChallenge, SecurityResponses};
#[cfg(any(feature = "jiff", feature = "rust_decimal"))]
pub use conversions::ConversionError;
pub use decimal::{Decimal, InvalidDecimal};
pub use document::{DocumentStatus, DocumentType};
pub use find::{find_aggregation_id, find_http_status_code, find_login_id, find_request_id};
pub use flinks_code::{FlinksCode, RetryClass};
pub use fraud::{
    Detail, DocumentAnalysis, FraudAnalysis, FraudSignal, FullAnalysis, SignalValue, UnderlyingData,
};
pub use id::{AccountId, AggregationId, CustomerId, InvalidId, LoginId, RequestId};
pub use institution::{
    Institution, InstitutionStatus, InstitutionUrl, InstitutionsResponse, Localization,
};
pub use json::from_json;
pub use link::{Link, LinkRel};
pub use login::{Login, LoginType};
pub use outcome::Outcome;
pub use refresh::{
    IneligibleCard, MfaQuestion, MfaQuestionsResponse, NightlyStatusResponse, RefreshState,
};
pub use secret::Secret;
pub use signal::{DataType, SignalType};
pub use statement::{
    AccountStatements, FileType, NumberOfStatements, Statement, StatementsResponse,
};
pub use status::http_status_code;
pub use subject::Subject;
pub use time::{Date, Timestamp};
pub use token::TokenResponse;
pub use upload::{CompleteRequest, CompleteResponse, UploadResponse};
pub use webhook::{KycResponse, WebhookEnvelope, WebhookType};
