//! What the service calls `Links`: which calls it offers next.

use std::fmt;

use serde::Deserialize;

use crate::lenient;
use crate::open_enum::open_enum;
use crate::shown::Length;

open_enum! {
    /// What a link leads to: its `rel`.
    pub LinkRel {
        /// All there is of the accounts.
        AccountsDetail = "AccountsDetail" | "GetAccountsDetail",
        /// Where to ask again for the accounts' details.
        AccountsDetailAsync = "AccountsDetailAsync" | "GetAccountsDetailAsync",
        /// The accounts in short.
        AccountsSummary = "AccountsSummary" | "GetAccountsSummary",
        /// Where to ask again for the accounts in short.
        AccountsSummaryAsync = "AccountsSummaryAsync" | "GetAccountsSummaryAsync",
        /// Where challenges are answered, and sessions opened.
        Authorization = "Authorization" | "Authorize",
        /// The banks' statements.
        Statements = "Statements" | "GetStatements",
        /// Where to ask again for the banks' statements.
        StatementsAsync = "StatementsAsync" | "GetStatementsAsync",
    }
}

/// A call that the service offers next. It tells what there is, and is never followed: requests
/// go where the endpoint says, whatever an answer names.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct Link {
    /// What it leads to.
    #[serde(alias = "Rel", deserialize_with = "lenient::word")]
    pub rel: Option<LinkRel>,
    /// A path such as `/GetAccountsDetail`, in the service's own writing.
    #[serde(alias = "Href", deserialize_with = "lenient::text")]
    pub href: Option<String>,
    /// The path as it might be called; it can hold an id.
    #[serde(alias = "Example", deserialize_with = "lenient::text")]
    pub example: Option<String>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("rel", &self.rel)
            .field("href", &Length::of(&self.href))
            .field("example", &Length::of(&self.example))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_json;

    #[test]
    fn links_are_read_in_any_writing() {
        let link: Link =
            from_json(br#"{"rel":"AccountsDetail","href":"/GetAccountsDetail","example":null}"#)
                .unwrap();
        assert_eq!(link.rel, Some(LinkRel::AccountsDetail));
        assert_eq!(link.href.as_deref(), Some("/GetAccountsDetail"));
        assert_eq!(link.example, None);
        let link: Link = from_json(br#"{"Rel":"Loans","Href":7}"#).unwrap();
        assert_eq!(link.rel.as_ref().map(LinkRel::as_str), Some("Loans"));
        assert_eq!(link.href.as_deref(), Some("7"));
        assert_eq!(from_json::<Link>(b"{}").unwrap(), Link::default());
    }

    #[test]
    fn debug_tells_no_text() {
        let link: Link =
            from_json(br#"{"rel":"CANARY","href":"CANARY","example":"CANARY"}"#).unwrap();
        assert!(!format!("{link:?}").contains("CANARY"));
    }
}
