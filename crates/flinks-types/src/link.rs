//! What the service calls `Links`: which calls it offers next.

use crate::open_enum::open_enum;
use crate::wire::wire_struct;

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

wire_struct! {
    /// A call that the service offers next. It tells what there is, and is never followed: requests
    /// go where the endpoint says, whatever an answer names.
    pub loose struct Link {
        /// What it leads to.
        #[serde(rename = "rel", alias = "Rel")]
        pub rel: Option<LinkRel>,
        /// A path such as `/GetAccountsDetail`, in the service's own writing.
        #[serde(rename = "href", alias = "Href")]
        pub href: Option<String>,
        /// The path as it might be called; it can hold an id.
        #[serde(rename = "example", alias = "Example")]
        pub example: Option<String>,
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
