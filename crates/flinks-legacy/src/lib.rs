//! Opens a bank session through Flinks' legacy Authorize, answers every challenge, and fetches what is behind it.

mod answers;
mod authorize;
mod challenge;
mod client;
mod data;
mod question;
mod session;

pub use answers::{AnsweredRound, Answers};
pub use authorize::{Authorize, AuthorizeCall, AuthorizeError, Refusal};
pub use challenge::Round;
pub use client::LegacyClient;
pub use data::{
    AccountsDetail, AccountsSummary, Acknowledgement, AnswerMfaQuestions, Collected, Data,
    DataPoll, DataRequest, DataResponse, DeleteCard, Fetch, Fetched, Institutions, MfaQuestions,
    NightlyStatus, SetScheduledRefresh, StatementContent, Statements,
};
pub use question::{
    ApprovalQuestion, Ask, Channel, CodeQuestion, DateQuestion, ImageQuestion, NewQuestion,
    OneOfQuestion, OtherQuestion, PhoneQuestion, Question, SeveralOfQuestion, TextQuestion,
};
pub use session::Session;
