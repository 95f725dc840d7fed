//! Bank statements as files, as GetStatements answers them.

use crate::open_enum::open_enum;
use crate::wire::wire_struct;
use crate::{FlinksCode, Login, RequestId};

wire_struct! {
    /// What GetStatements answers, finished or not.
    pub strict struct StatementsResponse {
        /// The status that the body repeats.
        pub http_status_code: Option<u16>,
        /// `OPERATION_PENDING` or `OPERATION_DISPATCHED` when there is more to come.
        pub flinks_code: Option<FlinksCode>,
        /// The service's name for the session.
        pub request_id: Option<RequestId>,
        /// Whose statements these are.
        pub login: Option<Login>,
        /// The institution, by the name that requests use.
        pub institution: Option<String>,
        /// One element per account: `StatementsByAccount` on the wire. `None` when the answer has no
        /// list, which says nothing about them.
        #[serde(rename = "StatementsByAccount")]
        pub accounts: Option<Vec<AccountStatements>>,
    }
}

wire_struct! {
    /// The statements of one account.
    pub strict struct AccountStatements {
        /// The account's number, the only thing that tells whose statements these are.
        pub account_number: Option<String>,
        /// The statements, in the service's order.
        pub statements: Vec<Statement>,
    }
}

wire_struct! {
    /// One statement, as a file.
    pub strict struct Statement {
        /// The service's name for the statement: hexadecimal digits in every example, but others'
        /// text all the same. Check it before it becomes part of a path.
        pub unique_id: Option<String>,
        /// What kind of file it is.
        pub file_type: Option<FileType>,
        /// The file's contents in base64.
        pub base64_bytes: Option<String>,
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
