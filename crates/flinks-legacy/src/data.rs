//! The data of a session or a login: what can be requested, the call, its answer, and the wait for it.

mod accounts;
mod call;
mod response;
mod source;
mod statements;
mod wait;

pub use accounts::{AccountsDetail, AccountsSummary};
pub use call::{Data, DataCall};
pub use response::{DataState, WithRawBody};
pub use source::DataSource;
pub use statements::{StatementContent, Statements};
pub use wait::DataWait;
