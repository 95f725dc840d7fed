//! What the service calls `Login`: whose accounts or documents an answer is about.

use serde::{Serialize, Serializer};

use crate::open_enum::open_enum;
use crate::wire::wire_struct;
use crate::{LoginId, RequestId, Timestamp};

open_enum! {
    /// Whose login it is.
    pub LoginType {
        /// A company's.
        Business = "Business",
        /// A person's.
        Personal = "Personal",
    }
}

wire_struct! {
    /// What the service keeps of a login at a bank.
    ///
    /// `Debug` gives only the length of the user name.
    ///
    /// Source: Legacy guide, Authorize.
    pub loose struct Login {
        /// Names the login from now on. It lives until the card is deleted.
        pub id: Option<LoginId>,
        /// The user name at the bank.
        pub username: Option<String>,
        /// Whether it is refreshed every night.
        pub is_scheduled_refresh: Option<bool>,
        /// When the bank was last asked, in UTC.
        pub last_refresh: Option<Timestamp>,
        /// Whose login it is; older answers do not say.
        pub r#type: Option<LoginType>,
    }
}

wire_struct! {
    /// What an answer about documents says of a login.
    ///
    /// The LoginId is named `Id` in one answer and `LoginId` in the next. The place of the tag is not
    /// published, so it is looked for here as well as beside.
    pub(crate) loose struct LoginRef {
        id: Option<LoginId>,
        login_id: Option<LoginId>,
        pub(crate) request_id: Option<RequestId>,
        pub(crate) tag: Option<String>,
    }
}

impl LoginRef {
    pub(crate) fn into_login_id(self) -> Option<LoginId> {
        self.id.or(self.login_id)
    }
}

impl From<LoginId> for LoginRef {
    fn from(id: LoginId) -> Self {
        Self {
            id: Some(id),
            ..Self::default()
        }
    }
}

/// Writes a LoginId as the `Login` it belongs to.
pub(crate) fn write_id<S: Serializer>(
    id: &Option<LoginId>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    id.clone().map(LoginRef::from).serialize(serializer)
}
