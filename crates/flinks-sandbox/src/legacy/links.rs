//! The `Links` of answers.

use serde_json::{Value, json};

/// The link of a session that is not authorized.
pub(super) fn authorization() -> Value {
    json!([{"rel": "Authorization", "href": "/Authorize", "example": null}])
}

/// The links of an authorized session.
pub(super) fn data() -> Value {
    json!([
        {"rel": "AccountsDetail", "href": "/GetAccountsDetail", "example": null},
        {"rel": "AccountsSummary", "href": "/GetAccountsSummary", "example": null},
        {"rel": "Statements", "href": "/GetStatements", "example": null},
    ])
}
