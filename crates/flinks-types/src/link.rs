//! `Links`: the calls that the service offers next.

use crate::open_enum::open_enum;
use crate::wire::wire_struct;

open_enum! {
    /// The call that a link leads to: its `rel`.
    pub LinkRel {
        /// The accounts with transactions.
        AccountsDetail = "AccountsDetail" | "GetAccountsDetail",
        /// The poll for the accounts with transactions.
        AccountsDetailAsync = "AccountsDetailAsync" | "GetAccountsDetailAsync",
        /// The accounts without transactions.
        AccountsSummary = "AccountsSummary" | "GetAccountsSummary",
        /// The poll for the accounts without transactions.
        AccountsSummaryAsync = "AccountsSummaryAsync" | "GetAccountsSummaryAsync",
        /// Authorize, which opens sessions and takes answers.
        Authorization = "Authorization" | "Authorize",
        /// The bank statements.
        Statements = "Statements" | "GetStatements",
        /// The poll for the bank statements.
        StatementsAsync = "StatementsAsync" | "GetStatementsAsync",
    }
}

wire_struct! {
    /// A call that the service offers next. Informational: the client never follows links, because
    /// requests go to the configured endpoint only.
    pub loose struct Link {
        /// The call that the link leads to.
        pub rel: Option<LinkRel> = "rel" | "Rel",
        /// The path, such as `/GetAccountsDetail`.
        pub href: Option<String> = "href" | "Href",
        /// An example of the path, which can contain an id.
        pub example: Option<String> = "example" | "Example",
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
}
