//! An open session: what the data calls need, and what the answer said of it.

use std::fmt;

use flinks_types::{AuthorizeResponse, Link, Login, LoginId, RequestId};

/// An open session with a bank, or with the data that was kept of one.
///
/// It takes the next call within 8 minutes, and lives 30 minutes once data is being fetched; then
/// the service answers `SESSION_EXPIRED` or `SESSION_NONEXISTENT`. **The LoginId outlives it**:
/// the service keeps login and data until the card is deleted.
///
/// The RequestId is all that a session needs to go on in another process: see
/// [`Session::of_request`].
///
/// Source: Legacy guide, Generating a new requestId, and LoginId.
#[derive(Clone, Eq, PartialEq)]
pub struct Session {
    request_id: RequestId,
    login: Option<Login>,
    /// The login that the session was asked for.
    asked: Option<LoginId>,
    links: Vec<Link>,
    institution: Option<String>,
    tag: Option<String>,
}

impl Session {
    /// The session that `request_id` names, as one that was opened by another process.
    #[must_use]
    pub fn of_request(request_id: RequestId) -> Self {
        Self {
            request_id,
            login: None,
            asked: None,
            links: Vec::new(),
            institution: None,
            tag: None,
        }
    }

    /// The same session, of a login that is known: data of another login is refused.
    #[must_use]
    pub fn of_login(mut self, login_id: LoginId) -> Self {
        self.asked = Some(login_id);
        self
    }

    pub(crate) fn new(
        request_id: RequestId,
        answer: AuthorizeResponse,
        asked: Option<LoginId>,
    ) -> Self {
        Self {
            request_id,
            login: answer.login,
            asked,
            links: answer.links,
            institution: answer.institution.or(answer.institution_name),
            tag: answer.tag,
        }
    }

    /// Names the session in every data call.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// Names the login from now on; absent when the service was told not to save it. Keep it
    /// safe: whoever has it and the API's keys can read the account.
    #[must_use]
    pub fn login_id(&self) -> Option<&LoginId> {
        self.login.as_ref()?.id.as_ref()
    }

    /// The login that data of this session must be of, if it is known.
    pub(crate) fn expected_login(&self) -> Option<&LoginId> {
        self.asked.as_ref().or_else(|| self.login_id())
    }

    /// Whose session it is, and when the bank was last asked.
    #[must_use]
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// What the service offers next. It tells what there is; the client follows none of it.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The bank.
    #[must_use]
    pub fn institution(&self) -> Option<&str> {
        self.institution.as_deref()
    }

    /// The label that the request brought.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("request_id", &self.request_id)
            .field("login", &self.login)
            .field("links", &self.links)
            .finish_non_exhaustive()
    }
}
