//! An open session: the id that the data calls need, and what the answer said about it.

use std::fmt;

use flinks_types::{AuthorizeResponse, Link, Login, LoginId, RequestId};

/// An open session, with a bank or with the data that the service stored of one.
///
/// It accepts the next call within 8 minutes and ends 30 minutes after a data call began; from then
/// on the service answers `SESSION_EXPIRED` or `SESSION_NONEXISTENT`. **The LoginId outlives it**:
/// the service keeps the login and its data until the card is deleted.
///
/// To continue in another process, store the RequestId and use [`Session::from_request_id`].
///
/// Source: Legacy guide, Generating a new requestId, and LoginId.
#[derive(Clone, Eq, PartialEq)]
pub struct Session {
    request_id: RequestId,
    login: Option<Login>,
    /// The login that the session was requested for.
    expected_login_id: Option<LoginId>,
    links: Vec<Link>,
    institution: Option<String>,
    tag: Option<String>,
}

impl Session {
    /// Creates a session from its id, such as one that another process opened.
    #[must_use]
    pub fn from_request_id(request_id: RequestId) -> Self {
        Self {
            request_id,
            login: None,
            expected_login_id: None,
            links: Vec::new(),
            institution: None,
            tag: None,
        }
    }

    /// Sets the login of the session: data of another login is then an error.
    #[must_use]
    pub fn with_login_id(mut self, login_id: LoginId) -> Self {
        self.expected_login_id = Some(login_id);
        self
    }

    pub(crate) fn new(
        request_id: RequestId,
        answer: AuthorizeResponse,
        expected_login_id: Option<LoginId>,
    ) -> Self {
        Self {
            request_id,
            login: answer.login,
            expected_login_id,
            links: answer.links,
            institution: answer.institution.or(answer.institution_name),
            tag: answer.tag,
        }
    }

    /// Returns the id of the session, which every data call sends.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// Returns the id of the login, or `None` if the session was opened without saving it. Keep it
    /// secret: with it and the API's keys the account can be read.
    #[must_use]
    pub fn login_id(&self) -> Option<&LoginId> {
        self.login.as_ref()?.id.as_ref()
    }

    /// Returns the login that the data of this session must belong to, if it is known.
    pub(crate) fn expected_login_id(&self) -> Option<&LoginId> {
        self.expected_login_id.as_ref().or_else(|| self.login_id())
    }

    /// Returns the login, with the time of its last refresh.
    #[must_use]
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Returns the calls that the service offers next. The client never follows these links.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Returns the name of the bank.
    #[must_use]
    pub fn institution(&self) -> Option<&str> {
        self.institution.as_deref()
    }

    /// Returns the tag given in the request.
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
