//! What the service calls `Login`: whose accounts or documents an answer is about.

use serde::Deserialize;

use crate::lenient;
use crate::{LoginId, RequestId};

/// The LoginId is named `Id` in one answer and `LoginId` in the next. The place of the tag is not
/// published, so it is looked for here as well as beside.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Login {
    #[serde(deserialize_with = "lenient::id")]
    id: Option<LoginId>,
    #[serde(deserialize_with = "lenient::id")]
    login_id: Option<LoginId>,
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) request_id: Option<RequestId>,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) tag: Option<String>,
}

impl Login {
    pub(crate) fn take_login_id(&mut self) -> Option<LoginId> {
        self.id.take().or_else(|| self.login_id.take())
    }
}
