//! The calls that need an open session or a LoginId: what they fetch, change and delete.

mod answer;
mod card;
mod content;
mod fetch;
mod institutions;
mod options;
mod place;
mod questions;
mod stream;
mod wait;

use flinks_transport::Call;
use flinks_types::{LoginId, Secret};

use crate::{LegacyClient, Session};

pub(crate) use answer::about;
pub use answer::{Collected, Fetched};
pub use card::{Acknowledgement, DeleteCard, NightlyStatus, SetScheduledRefresh};
pub use content::StatementContent;
pub use fetch::{Data, DataPoll, DataRequest, DataResponse};
pub use institutions::Institutions;
pub use options::{AccountsDetail, AccountsSummary, Statements};
pub use questions::{AnswerMfaQuestions, MfaQuestions};
pub use stream::InstitutionStream;
pub use wait::Fetch;

use place::Place;

/// The data calls.
impl LegacyClient {
    /// The accounts with holders, balances and transactions, once they are there:
    /// `legacy.accounts_detail`. Nothing is sent until this is awaited.
    ///
    /// *Effect:* the service fetches them from the bank, unless the session is a cached one. It is
    /// asked for that once; see [`Fetch`].
    pub fn accounts_detail(&self, session: &Session) -> Fetch<AccountsDetail> {
        Fetch::starting(self.clone(), session)
    }

    /// Goes on waiting for what [`accounts_detail`](Self::accounts_detail) began, perhaps in
    /// another process: `legacy.accounts_detail_async`.
    pub fn accounts_detail_async(&self, session: &Session) -> Fetch<AccountsDetail> {
        Fetch::polling(self.clone(), session)
    }

    /// The accounts without transactions, once they are there: `legacy.accounts_summary`.
    /// Nothing is sent until this is awaited.
    ///
    /// *Effect:* as that of [`accounts_detail`](Self::accounts_detail).
    pub fn accounts_summary(&self, session: &Session) -> Fetch<AccountsSummary> {
        Fetch::starting(self.clone(), session)
    }

    /// Goes on waiting for what [`accounts_summary`](Self::accounts_summary) began:
    /// `legacy.accounts_summary_async`.
    pub fn accounts_summary_async(&self, session: &Session) -> Fetch<AccountsSummary> {
        Fetch::polling(self.clone(), session)
    }

    /// The bank's own statements, once they are there: `legacy.statements`. Nothing is sent until
    /// this is awaited; [`StatementContent`] writes them to files.
    ///
    /// Canada only, and Flinks must have enabled it. *Effect:* as that of
    /// [`accounts_detail`](Self::accounts_detail).
    pub fn statements(&self, session: &Session) -> Fetch<Statements> {
        Fetch::starting(self.clone(), session)
    }

    /// Goes on waiting for what [`statements`](Self::statements) began: `legacy.statements_async`.
    pub fn statements_async(&self, session: &Session) -> Fetch<Statements> {
        Fetch::polling(self.clone(), session)
    }

    /// Deletes a login with everything that the service keeps of it: `legacy.delete_card`.
    ///
    /// *Effect:* the LoginId is gone for good. Sent again by itself only if it provably had no
    /// effect. `CARD_IN_USE` says that the login is still being fetched: try again in a minute.
    pub fn delete_card(&self, login_id: &LoginId) -> Call<DeleteCard> {
        self.transport()
            .call(DeleteCard::at(self.place(), login_id.clone()))
    }

    /// Turns the nightly refresh of a login on or off: `legacy.set_scheduled_refresh`.
    ///
    /// *Effect:* as said; asking twice is the same as asking once.
    pub fn set_scheduled_refresh(&self, login_id: &LoginId, on: bool) -> Call<SetScheduledRefresh> {
        self.transport()
            .call(SetScheduledRefresh::at(self.place(), login_id.clone(), on))
    }

    /// The logins that are not refreshed every night any more: `legacy.nightly_status`.
    ///
    /// *Effect:* none. The only call here that wants the API secret.
    pub fn nightly_status(&self) -> Call<NightlyStatus> {
        self.transport().call(NightlyStatus::at(self.place()))
    }

    /// The questions that a login's bank may ask: `legacy.mfa_questions`.
    ///
    /// *Effect:* none. There are some only if the session was opened with
    /// [`with_mfa_questions`](flinks_types::Credentials::with_mfa_questions).
    pub fn mfa_questions(&self, login_id: &LoginId) -> Call<MfaQuestions> {
        self.transport()
            .call(MfaQuestions::at(self.place(), login_id.clone()))
    }

    /// Stores the answers to such questions, each a question with its answer:
    /// `legacy.answer_mfa_questions`.
    ///
    /// *Effect:* the service uses them when the bank asks next, and forgets those that are wrong.
    /// The answers travel sealed and are never sent again by themselves.
    pub fn answer_mfa_questions<Q: Into<String>, A: Into<Secret>>(
        &self,
        login_id: &LoginId,
        answers: impl IntoIterator<Item = (Q, A)>,
    ) -> Call<AnswerMfaQuestions> {
        self.transport().call(AnswerMfaQuestions::at(
            self.place(),
            login_id.clone(),
            answers,
        ))
    }

    /// One page of the institutions, `take` of them after the first `skip`: `legacy.institutions`.
    ///
    /// *Effect:* none. The service gives at most [`Institutions::PAGE`] a page.
    pub fn institutions(&self, skip: u32, take: u32) -> Call<Institutions> {
        self.transport()
            .call(Institutions::at(self.place(), skip, take))
    }

    pub(crate) fn place(&self) -> Place {
        Place::new(self.endpoint().clone(), self.customer_id().clone())
    }
}
