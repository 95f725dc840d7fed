//! `Login`: the login that the accounts or documents of an answer belong to.

use serde::{Serialize, Serializer};

use crate::open_enum::open_enum;
use crate::wire::wire_struct;
use crate::{LoginId, RequestId, Timestamp};

open_enum! {
    /// Whether a login belongs to a person or a company.
    pub LoginType {
        /// The login of a company.
        Business = "Business",
        /// The login of a person.
        Personal = "Personal",
    }
}

wire_struct! {
    /// A login at a bank, as the service stores it.
    ///
    /// `Debug` shows only the length of the user name.
    ///
    /// Source: Legacy guide, Authorize.
    pub loose struct Login {
        /// The id of the login. It is valid until the card is deleted.
        pub id: Option<LoginId> = "Id",
        /// The user name at the bank.
        pub username: Option<String> = "Username",
        /// Whether the login is refreshed every night.
        pub is_scheduled_refresh: Option<bool> = "IsScheduledRefresh",
        /// The time of the last refresh, in UTC.
        pub last_refresh: Option<Timestamp> = "LastRefresh",
        /// Whether the login is personal or of a business. Newer answers only.
        pub r#type: Option<LoginType> = "Type",
    }
}

wire_struct! {
    /// The `Login` of an answer about documents.
    ///
    /// The LoginId is named `Id` in one answer and `LoginId` in the next. The position of the tag is
    /// not documented, so it is read both here and next to it.
    pub(crate) loose struct LoginRef {
        id: Option<LoginId> = "Id",
        login_id: Option<LoginId> = "LoginId",
        pub(crate) request_id: Option<RequestId> = "RequestId",
        pub(crate) tag: Option<String> = "Tag",
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
