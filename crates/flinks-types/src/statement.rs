//! Bank statements as files, as GetStatements answers them.

use std::fmt;

use serde::Deserialize;

use crate::open_enum::open_enum;
use crate::shown::Length;
use crate::status::http_status_code;
use crate::{FlinksCode, Login, RequestId, lenient};

/// What GetStatements answers, finished or not.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct StatementsResponse {
    /// The status that the body repeats.
    #[serde(deserialize_with = "http_status_code")]
    pub http_status_code: Option<u16>,
    /// `OPERATION_PENDING` or `OPERATION_DISPATCHED` when there is more to come.
    #[serde(deserialize_with = "lenient::word")]
    pub flinks_code: Option<FlinksCode>,
    /// The service's name for the session.
    #[serde(deserialize_with = "lenient::id")]
    pub request_id: Option<RequestId>,
    /// Whose statements these are.
    #[serde(deserialize_with = "lenient::loose_part")]
    pub login: Option<Login>,
    /// The institution, by the name that requests use.
    #[serde(deserialize_with = "lenient::text")]
    pub institution: Option<String>,
    /// One element per account: `StatementsByAccount` on the wire. `None` when the answer has no
    /// list, which says nothing about them.
    #[serde(rename = "StatementsByAccount", deserialize_with = "lenient::list")]
    pub accounts: Option<Vec<AccountStatements>>,
}

impl fmt::Debug for StatementsResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementsResponse")
            .field("http_status_code", &self.http_status_code)
            .field("flinks_code", &self.flinks_code)
            .field("request_id", &self.request_id)
            .field("login", &self.login)
            .field("institution", &Length::of(&self.institution))
            .field("accounts", &self.accounts)
            .finish()
    }
}

/// The statements of one account.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct AccountStatements {
    /// The account's number, the only thing that tells whose statements these are.
    #[serde(deserialize_with = "lenient::text")]
    pub account_number: Option<String>,
    /// The statements, in the service's order.
    #[serde(deserialize_with = "lenient::elements")]
    pub statements: Vec<Statement>,
}

impl fmt::Debug for AccountStatements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountStatements")
            .field("account_number", &Length::of(&self.account_number))
            .field("statements", &self.statements)
            .finish()
    }
}

/// One statement, as a file.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct Statement {
    /// The service's name for the statement: hexadecimal digits in every example, but others'
    /// text all the same. Check it before it becomes part of a path.
    #[serde(deserialize_with = "lenient::text")]
    pub unique_id: Option<String>,
    /// What kind of file it is.
    #[serde(deserialize_with = "lenient::word")]
    pub file_type: Option<FileType>,
    /// The file's contents in base64.
    #[serde(deserialize_with = "lenient::text")]
    pub base64_bytes: Option<String>,
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("unique_id", &Length::of(&self.unique_id))
            .field("file_type", &self.file_type)
            .field("base64_bytes", &Length::of(&self.base64_bytes))
            .finish()
    }
}

open_enum! {
    /// What kind of file a statement is.
    pub FileType {
        /// A PDF document.
        Pdf = "PDF",
    }
}

open_enum! {
    /// How many statements of each account to ask for: the service's `NumberOfStatements`.
    pub NumberOfStatements {
        /// The latest one, the service's default.
        MostRecent = "MostRecent",
        /// Those of three months.
        Months3 = "Months3",
        /// Those of twelve months, for one account at a time.
        Months12 = "Months12",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_json;

    const STATEMENTS: &str = r#"{"HttpStatusCode":200,"StatementsByAccount":[{"AccountNumber":"CANARY","Statements":
        [{"UniqueId":"CANARY","FileType":"PDF","Base64Bytes":"JVBER\u002Bo="},null]},{"Statements":null}],
        "Login":{"Id":"b0debb48"},"Institution":"CANARY","RequestId":"006fd2f3"}"#;

    #[test]
    fn reads_statements() {
        let answer: StatementsResponse = from_json(STATEMENTS.as_bytes()).unwrap();
        assert_eq!(answer.http_status_code, Some(200));
        assert!(answer.login.unwrap().id.is_some() && answer.request_id.is_some());
        let accounts = answer.accounts.unwrap();
        assert_eq!(accounts[1], AccountStatements::default());
        let [statement, none] = accounts[0].statements.as_slice() else {
            panic!("two statements")
        };
        assert_eq!(statement.file_type, Some(FileType::Pdf));
        assert_eq!(statement.base64_bytes.as_deref(), Some("JVBER+o="));
        assert_eq!(none, &Statement::default());
    }

    #[test]
    fn an_answer_without_a_list_says_nothing() {
        for body in ["{}", r#"{"StatementsByAccount":null}"#] {
            let answer: StatementsResponse = from_json(body.as_bytes()).unwrap();
            assert_eq!(answer.accounts, None);
        }
    }

    #[test]
    fn debug_tells_nothing_of_a_statement() {
        let answer: StatementsResponse = from_json(STATEMENTS.as_bytes()).unwrap();
        let text = format!("{answer:?} {answer:#?}");
        assert!(
            !text.contains("CANARY") && !text.contains("JVBER"),
            "{text}"
        );
    }
}
