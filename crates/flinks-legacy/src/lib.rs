//! Opens bank sessions through Flinks' legacy Authorize, answers every security challenge, and
//! fetches accounts, transactions and statements.
//!
//! **For existing integrations.** Flinks Connect replaces this flow (Legacy guide, disclaimer): a new
//! integration should use Connect, which also supports the banks' OAuth connections.
//!
//! ```toml
//! [dependencies]
//! flinks-legacy = "0.1"
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! ```
//! use flinks_legacy::{
//!     Authorize, Channel, Credentials, CustomerId, Endpoint, LegacyClient, LegacyKeys, QuestionKind,
//!     Transport,
//! };
//!
//! # fn type_in(_: &str) -> String { "Triangle".to_owned() }
//! # fn pick<'c>(mut choices: impl Iterator<Item = &'c str>) -> &'c str { choices.next().unwrap() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let asks = r#"{ "HttpStatusCode": 203, "RequestId": "9022abc2", "SecurityChallenges": [
//! #     { "Type": "QuestionAndAnswer", "Prompt": "What shape do people like most?" } ] }"#;
//! # let opens = r#"{ "HttpStatusCode": 200, "RequestId": "9022abc2", "Login": { "Id": "b0debb48" } }"#;
//! # use flinks_transport::testing::{Reply, ScriptedService};
//! # let service = ScriptedService::new([Reply::json(203, asks), Reply::json(200, opens)]);
//! let legacy = LegacyClient::new(
//!     Transport::builder()
//! #       .service(service)
//!         .build()?,
//!     Endpoint::instance("toolbox")?,
//!     CustomerId::new("43387ca6-0391-4c82-857d-70d95f087ecb")?,
//!     LegacyKeys::new(), // or the keys that Flinks gave you
//! )?;
//!
//! let mut step = legacy
//!     .authorize(Credentials::new("FlinksCapital", "Greatday", "the password"))
//!     .await?;
//! let session = loop {
//!     step = match step {
//!         Authorize::Authorized(session) => break session,
//!         Authorize::Challenged(round) => {
//!             let mut answers = round.answers();
//!             for question in round.questions() {
//!                 match question.kind() {
//!                     QuestionKind::Text(q) => q.answer(&mut answers, type_in(q.text()))?,
//!                     QuestionKind::SingleChoice(q) => q.choose(&mut answers, pick(q.choices()))?,
//!                     QuestionKind::Phone(q) => {
//!                         q.send_to(&mut answers, pick(q.numbers()), Channel::Text)?;
//!                     }
//!                     QuestionKind::Approval(q) => q.approved(&mut answers)?,
//!                     other => other.answer_raw(&mut answers, [type_in(question.text())])?,
//!                 }
//!             }
//!             // An unanswered question is refused here, before anything is sent.
//!             legacy.answer(answers.finish()?).await?
//!         }
//!         _ => return Err("a newer version of this crate knows what to do here".into()),
//!     };
//! };
//! assert_eq!(session.request_id().as_str(), "9022abc2");
//! # Ok(())
//! # }
//! ```
//!
//! # The data of an upload
//!
//! The LoginId of an upload (`flinks_upload::Completed::login_id`) takes the place of a session: the
//! call opens a cached session and waits until the service has read the documents. With
//! `flinks-upload` and `flinks-fraud`, from upload to verdict to transactions: the example
//! `upload_to_transactions`.
//!
//! ```
//! # use std::time::Duration;
//! # use flinks_legacy::*;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let opens = r#"{ "HttpStatusCode": 200, "RequestId": "9022abc2", "Login": { "Id": "b0debb48" } }"#;
//! # let data = r#"{ "HttpStatusCode": 200, "Accounts": [ { "Transactions": [ {} ] } ] }"#;
//! # use flinks_transport::testing::{Reply, ScriptedService};
//! # let service = ScriptedService::new([Reply::json(200, opens), Reply::json(200, data)]);
//! # let legacy = LegacyClient::new(
//! #     Transport::builder().service(service).build()?,
//! #     Endpoint::instance("toolbox")?,
//! #     CustomerId::new("43387ca6")?,
//! #     LegacyKeys::new(),
//! # )?;
//! let login_id = LoginId::new("b0debb48")?; // of the completed upload
//! let hours = Duration::from_secs(4 * 60 * 60);
//! let data = legacy.accounts_detail(&login_id).timeout(hours).await?;
//! let accounts = data.accounts.iter().flatten();
//! let count: usize = accounts.map(|account| account.transactions.iter().flatten().count()).sum();
//! # assert_eq!(count, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Transactions as CSV
//!
//! `flinks accounts --csv` writes every field. With columns of your own, amounts digit for digit:
//!
//! ```
//! use flinks_legacy::{AccountsResponse, Decimal};
//!
//! fn to_csv(data: &AccountsResponse, file: impl std::io::Write) -> csv::Result<()> {
//!     let amount = |amount: &Option<Decimal>| amount.as_ref().map(|amount| amount.as_str().to_owned());
//!     let mut csv = csv::Writer::from_writer(file);
//!     csv.write_record(["account", "date", "debit", "credit"])?;
//!     for account in data.accounts.iter().flatten() {
//!         for one in account.transactions.iter().flatten() {
//!             let date = one.date.as_ref().map(|date| date.as_str().to_owned());
//!             let row = [account.title.clone(), date, amount(&one.debit), amount(&one.credit)];
//!             csv.write_record(row.map(Option::unwrap_or_default))?;
//!         }
//!     }
//!     csv.flush()?;
//!     Ok(())
//! }
//! # let data = r#"{"Accounts":[{"Title":"Chequing","Transactions":[{"Date":"2025-01-31","Debit":-12.50}]}]}"#;
//! # let data = flinks_legacy::WithRawBody::<AccountsResponse>::from_json(data)?;
//! # let mut file = Vec::new();
//! # to_csv(&data, &mut file)?;
//! # assert_eq!(file, b"account,date,debit,credit\nChequing,2025-01-31,-12.50,\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A spreadsheet runs a text that begins with `=`, `+`, `-` or `@` as a formula. Put an apostrophe in
//! front of such a description before you add that column.
//!
//! # What is sent at most once
//!
//! Credentials and answers are sent at most once, even if the call fails and with any layers on the
//! transport: banks lock cards, and codes can be used once. Layers cannot read them either. The one
//! exception: if the service refuses the authorize token, before it has read the request, the request
//! is sent again with a new token.
//!
//! # Testing your code
//!
//! Results can be made without HTTP: [`Authorize::from_json`] reads a session or a round of questions
//! from an answer of the service, [`WithRawBody::from_json`] reads data, and `AuthorizeError` is
//! `From<Error>`. With the feature `testing` of `flinks-transport`, a scripted service replaces
//! the network.
//!
//! # Guide
//!
//! [Multi-factor authentication in a web service](guide::mfa_web_service).
//!
//! # Features
//!
//! Those of `flinks-transport`, forwarded: `ring` (default), `aws-lc-rs`, `platform-roots`
//! (default), `webpki-roots`, `pfx`. Those of `flinks-types`, forwarded: `jiff` converts its dates and
//! times into `jiff`'s, `rust_decimal` its amounts into `rust_decimal::Decimal`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod authorize;
mod calls;
mod challenge;
mod client;
mod data;
#[cfg(any(doc, doctest))]
pub mod guide;
mod refusal;
mod session;

pub use authorize::{Authorize, AuthorizeCall};
pub use calls::{
    Acknowledgement, AnswerMfaQuestions, DeleteCard, InstitutionStream, Institutions, MfaQuestions,
    NightlyStatus, SetScheduledRefresh,
};
pub use challenge::{
    Answers, ApprovalQuestion, ChallengeRound, Channel, CodeQuestion, CompletedAnswers,
    DateQuestion, ImageQuestion, MultipleChoiceQuestion, NewQuestion, OtherQuestion, PhoneQuestion,
    Question, QuestionKind, SingleChoiceQuestion, TextQuestion,
};
pub use client::LegacyClient;
pub use data::{
    AccountsDetail, AccountsSummary, Data, DataCall, DataSource, DataState, DataWait,
    StatementContent, Statements, WithRawBody,
};
pub use refusal::{AuthorizeError, Refusal};
pub use session::Session;

#[cfg(any(feature = "jiff", feature = "rust_decimal"))]
#[doc(no_inline)]
pub use flinks_types::ConversionError;
// What the constructors, answers and errors of this crate name, so that it can be used alone.
#[doc(no_inline)]
pub use flinks_auth::{ApiSecret, AuthorizeTokenSlot, LegacyKeys};
#[doc(no_inline)]
pub use flinks_transport::{
    Body, BoxError, Call, CallMeta, ClientIdentity, CustomerEndpoint, DecodeError, Delivery,
    Endpoint, Error, ErrorKind, HttpService, IdentityError, IdentityErrorKind, IdentityGeneration,
    IdentityPart, IdentitySnapshot, IntoHttpService, Operation, Proxy, Replay, RetryConfig, Roots,
    Step, TlsVersion, Transport, TransportBuilder,
};
#[doc(no_inline)]
pub use flinks_types::{
    Account, AccountCategory, AccountId, AccountKind, AccountStatements, AccountsResponse, Address,
    ApiError, AuthorizeRequest, Balance, ChallengeType, Credentials, Currency, CustomerId, Date,
    DaysOfTransactions, Decimal, FileType, FlinksCode, Holder, IneligibleCard, Institution,
    InstitutionStatus, InstitutionUrl, InstitutionsResponse, InvalidDecimal, InvalidId, Language,
    Link, LinkRel, Localization, Login, LoginId, LoginType, MfaQuestion, MfaQuestionsResponse,
    NightlyStatusResponse, NumberOfStatements, RefreshState, RequestId, RetryClass, Secret,
    SecurityChallenge, SecurityResponses, Statement, StatementsResponse, StoredLogin, Timestamp,
    Transaction,
};
