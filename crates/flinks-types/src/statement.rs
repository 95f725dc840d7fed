//! Bank statements as files: the answer of GetStatements.

use crate::open_enum::open_enum;
use crate::wire::wire_struct;
use crate::{FlinksCode, Login, RequestId};

wire_struct! {
    /// The answer of GetStatements, finished or not.
    pub strict struct StatementsResponse {
        /// The status in the body.
        pub http_status_code: Option<u16> = "HttpStatusCode",
        /// `OPERATION_PENDING` or `OPERATION_DISPATCHED` if the answer is not complete.
        pub flinks_code: Option<FlinksCode> = "FlinksCode",
        /// The id of the session.
        pub request_id: Option<RequestId> = "RequestId",
        /// The login of the statements.
        pub login: Option<Login> = "Login",
        /// The institution, by its name in requests.
        pub institution: Option<String> = "Institution",
        /// The statements of each account: `StatementsByAccount` on the wire. `None` if the answer has
        /// no list, which does not mean that there are none.
        pub accounts: Option<Vec<AccountStatements>> = "StatementsByAccount",
    }
}

wire_struct! {
    /// The statements of one account.
    pub strict struct AccountStatements {
        /// The account number, the only link to the account.
        pub account_number: Option<String> = "AccountNumber",
        /// The statements, in the service's order.
        pub statements: Vec<Statement> = "Statements",
    }
}

wire_struct! {
    /// One statement, as a file.
    pub strict struct Statement {
        /// The id of the statement: hexadecimal digits in every example. Check it before using it in a
        /// path.
        pub unique_id: Option<String> = "UniqueId",
        /// The type of the file.
        pub file_type: Option<FileType> = "FileType",
        /// The contents in base64.
        pub base64_bytes: Option<String> = "Base64Bytes",
    }
}

open_enum! {
    /// The file type of a statement.
    pub FileType {
        /// A PDF document.
        Pdf = "PDF",
    }
}

open_enum! {
    /// How many statements of each account to return: the service's `NumberOfStatements`.
    pub NumberOfStatements {
        /// The latest one, the service's default.
        MostRecent = "MostRecent",
        /// The statements of three months.
        Months3 = "Months3",
        /// The statements of twelve months, for one account at a time.
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
}
