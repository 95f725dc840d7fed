//! What the service calls `Login`: whose accounts or documents an answer is about.

use std::fmt;

use serde::Deserialize;

use crate::lenient;
use crate::open_enum::open_enum;
use crate::shown::Length;
use crate::{LoginId, RequestId, Timestamp, time};

open_enum! {
    /// Whose login it is.
    pub LoginType {
        /// A company's.
        Business = "Business",
        /// A person's.
        Personal = "Personal",
    }
}

/// What the service keeps of a login at a bank.
///
/// `Debug` gives only the length of the user name.
///
/// Source: Legacy guide, Authorize.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct Login {
    /// Names the login from now on. It lives until the card is deleted.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Option<LoginId>,
    /// The user name at the bank.
    #[serde(deserialize_with = "lenient::text")]
    pub username: Option<String>,
    /// Whether it is refreshed every night.
    #[serde(deserialize_with = "lenient::flag")]
    pub is_scheduled_refresh: Option<bool>,
    /// When the bank was last asked, in UTC.
    #[serde(deserialize_with = "time::read")]
    pub last_refresh: Option<Timestamp>,
    /// Whose login it is; older answers do not say.
    #[serde(deserialize_with = "lenient::word")]
    pub r#type: Option<LoginType>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("id", &self.id)
            .field("username", &Length::of(&self.username))
            .field("is_scheduled_refresh", &self.is_scheduled_refresh)
            .field("last_refresh", &self.last_refresh)
            .field("type", &self.r#type)
            .finish()
    }
}

/// What an answer about documents says of a login.
///
/// The LoginId is named `Id` in one answer and `LoginId` in the next. The place of the tag is not
/// published, so it is looked for here as well as beside.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct LoginRef {
    #[serde(deserialize_with = "lenient::id")]
    id: Option<LoginId>,
    #[serde(deserialize_with = "lenient::id")]
    login_id: Option<LoginId>,
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) request_id: Option<RequestId>,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) tag: Option<String>,
}

impl LoginRef {
    pub(crate) fn take_login_id(&mut self) -> Option<LoginId> {
        self.id.take().or_else(|| self.login_id.take())
    }
}
