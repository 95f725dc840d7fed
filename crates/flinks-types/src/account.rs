//! Accounts with their holders, balances and transactions: the answers of the data calls.

use crate::open_enum::open_enum;
use crate::wire::wire_struct;
use crate::{AccountId, Decimal, FlinksCode, Link, Login, RequestId, Timestamp};

wire_struct! {
    /// The answer of GetAccountsDetail and GetAccountsSummary, finished or not.
    ///
    /// A summary has no transactions and no holders; its accounts have the two ratios instead.
    pub strict struct AccountsResponse {
        /// The status that the body repeats.
        pub http_status_code: Option<u16> = "HttpStatusCode",
        /// `OPERATION_PENDING` or `OPERATION_DISPATCHED` if the answer is not complete.
        pub flinks_code: Option<FlinksCode> = "FlinksCode",
        /// The id of the session.
        pub request_id: Option<RequestId> = "RequestId",
        /// The login of the accounts; absent if the session was opened without `Save`.
        pub login: Option<Login> = "Login",
        /// The institution, by its name in requests.
        pub institution: Option<String> = "Institution",
        /// The institution's display name. Newer answers only.
        pub institution_name: Option<String> = "InstitutionName",
        /// The institution's number in the list of institutions. Newer answers only.
        pub institution_id: Option<u32> = "InstitutionId",
        /// The tag given when the session was opened.
        pub tag: Option<String> = "Tag",
        /// The calls that the service offers next.
        pub links: Vec<Link> = "Links",
        /// The accounts; `None` if the answer has no list, which does not mean that there are none.
        pub accounts: Option<Vec<Account>> = "Accounts",
    }
}

wire_struct! {
    /// One account. Any field may be absent, depending on the bank and on the options of the call.
    pub strict struct Account {
        /// The id of the account.
        pub id: Option<AccountId> = "Id",
        /// The bank's name of the product.
        pub title: Option<String> = "Title",
        /// The account number.
        pub account_number: Option<String> = "AccountNumber",
        /// The last four digits of the card number.
        pub last_four_digits: Option<String> = "LastFourDigits",
        /// The transit number of the branch (Canada).
        pub transit_number: Option<String> = "TransitNumber",
        /// The institution number of the bank (Canada).
        pub institution_number: Option<String> = "InstitutionNumber",
        /// The overdraft limit.
        pub overdraft_limit: Option<Decimal> = "OverdraftLimit",
        /// The category of the account.
        pub category: Option<AccountCategory> = "Category",
        /// The type of the account.
        pub r#type: Option<AccountKind> = "Type",
        /// Whether the account is personal or of a business, such as `Personal`.
        pub account_type: Option<String> = "AccountType",
        /// The currency of all amounts.
        pub currency: Option<Currency> = "Currency",
        /// The balances.
        pub balance: Option<Balance> = "Balance",
        /// The owner of the account.
        pub holder: Option<Holder> = "Holder",
        /// The transactions; `None` if the answer has no list, as in a summary.
        pub transactions: Option<Vec<Transaction>> = "Transactions",
        /// How suitable the account is for electronic fund transfers, from 0 to 1. Summaries only.
        pub eft_eligible_ratio: Option<Decimal> = "EftEligibleRatio",
        /// How suitable the account is for Interac e-Transfers, from 0 to 1. Summaries only.
        pub e_transfer_eligible_ratio: Option<Decimal> = "ETransferEligibleRatio",
    }
}

open_enum! {
    /// The category of an account: the service's `Category`.
    pub AccountCategory {
        /// Credit cards, lines of credit, loans, mortgages.
        Credits = "Credits",
        /// Chequing and savings accounts.
        Operations = "Operations",
        /// Any other category.
        OtherCategory = "Other",
        /// Investments, insurance.
        Products = "Products",
    }
}

open_enum! {
    /// The type of an account: the service's `Type`.
    pub AccountKind {
        /// A chequing account.
        Chequing = "Chequing" | "Checking",
        /// A credit card.
        CreditCard = "CreditCard",
        /// A registered retirement savings plan.
        Rrsp = "RRSP",
        /// A savings account.
        Savings = "Savings",
        /// A tax-free savings account.
        Tfsa = "TFSA",
        /// The service does not know.
        Unknown = "Unknown",
    }
}

open_enum! {
    /// A currency, by its ISO 4217 code.
    pub Currency {
        /// Canadian dollars.
        Cad = "CAD",
        /// US dollars.
        Usd = "USD",
    }
}

wire_struct! {
    /// The balances of an account, each in the account's currency.
    pub strict struct Balance {
        /// The available balance.
        pub available: Option<Decimal> = "Available",
        /// The current balance.
        pub current: Option<Decimal> = "Current",
        /// The credit limit.
        pub limit: Option<Decimal> = "Limit",
    }
}

wire_struct! {
    /// The owner of an account.
    pub strict struct Holder {
        /// The owner's name; a joint account may have several in one text.
        pub name: Option<String> = "Name",
        /// The owner's address.
        pub address: Option<Address> = "Address",
        /// The owner's email address.
        pub email: Option<String> = "Email",
        /// The owner's telephone number.
        pub phone_number: Option<String> = "PhoneNumber",
    }
}

wire_struct! {
    /// A postal address.
    pub strict struct Address {
        /// The number and street.
        pub civic_address: Option<String> = "CivicAddress",
        /// The city.
        pub city: Option<String> = "City",
        /// The province or state.
        pub province: Option<String> = "Province",
        /// The postal code.
        pub postal_code: Option<String> = "PostalCode",
        /// The post-office box: `POBox` on the wire.
        pub po_box: Option<String> = "POBox",
        /// The country, such as `CA`.
        pub country: Option<String> = "Country",
    }
}

wire_struct! {
    /// One transaction of an account.
    pub strict struct Transaction {
        /// The id of the transaction.
        pub id: Option<String> = "Id",
        /// The day of the transaction.
        pub date: Option<Timestamp> = "Date",
        /// The bank's code of the transaction. Deprecated by the service.
        pub code: Option<String> = "Code",
        /// The bank's description.
        pub description: Option<String> = "Description",
        /// The amount withdrawn. An answer may have a debit and a credit.
        pub debit: Option<Decimal> = "Debit",
        /// The amount deposited.
        pub credit: Option<Decimal> = "Credit",
        /// The balance after the transaction.
        pub balance: Option<Decimal> = "Balance",
    }
}

open_enum! {
    /// How many days of transactions GetAccountsDetail returns: the service's `DaysOfTransactions`.
    pub DaysOfTransactions {
        /// 90 days, the service's default.
        Days90 = "Days90",
        /// 360 days, which older instances accept in place of 365.
        Days360 = "Days360",
        /// 365 days.
        Days365 = "Days365",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{InstitutionsResponse, NightlyStatusResponse, StatementsResponse, from_json};

    const DETAIL: &str = r#"{"HttpStatusCode":200,
     "Accounts":[{"Id":"a1b2c3d4-0000-4000-8000-000000000001","Title":"CANARY","AccountNumber":"CANARY","LastFourDigits":null,
       "TransitNumber":"CANARY","InstitutionNumber":"777","OverdraftLimit":0,"Category":"Operations","Type":"Chequing",
       "AccountType":null,"Currency":"CAD","Balance":{"Available":1.10,"Current":-0.00,"Limit":null},
       "Holder":{"Name":"CANARY","Address":{"CivicAddress":"CANARY","City":"CANARY","Province":"CANARY",
         "PostalCode":"CANARY","POBox":null,"Country":"CA"},"Email":"CANARY","PhoneNumber":"CANARY"},
       "Transactions":[{"Id":"CANARY","Date":"2025-01-31","Code":42,"Description":"CANARY","Debit":null,"Credit":4711.0000,"Balance":"4711.1"},
         null, 7, {"Date":"0001-01-01","Debit":{"a":1}}],"Unknown":[{}]}],
     "Login":{"Id":"b0debb48-f9f1-46c6-80a4-08d7dd88d478"},"Institution":"FlinksCapital","InstitutionName":"Flinks Capital",
     "InstitutionId":14,"RequestId":"006fd2f3","Tag":"CANARY"}"#;

    #[test]
    fn reads_a_detail() {
        let answer: AccountsResponse = from_json(DETAIL.as_bytes()).unwrap();
        assert_eq!(answer.http_status_code, Some(200));
        assert_eq!(answer.institution_id, Some(14));
        assert!(answer.login.unwrap().id.is_some() && answer.request_id.is_some());
        let accounts = answer.accounts.unwrap();
        let [account] = accounts.as_slice() else {
            panic!("one account")
        };
        assert_eq!(account.r#type, Some(AccountKind::Chequing));
        assert_eq!(account.category, Some(AccountCategory::Operations));
        assert_eq!(account.currency, Some(Currency::Cad));
        assert_eq!(account.overdraft_limit, Some("0".parse().unwrap()));
        let balance = account.balance.as_ref().unwrap();
        assert_eq!(balance.available.as_ref().unwrap().as_str(), "1.10");
        assert_eq!(balance.current.as_ref().unwrap().as_str(), "-0.00");
        assert_eq!(balance.limit, None);
        let address = account.holder.as_ref().unwrap().address.as_ref().unwrap();
        assert_eq!(address.country.as_deref(), Some("CA"));
        let transactions = account.transactions.as_deref().unwrap();
        assert_eq!(transactions.len(), 4);
        let first = &transactions[0];
        assert_eq!(first.code.as_deref(), Some("42"));
        assert_eq!(first.date.as_ref().unwrap().as_str(), "2025-01-31");
        assert_eq!(first.credit.as_ref().unwrap().as_str(), "4711.0000");
        assert_eq!(first.balance.as_ref().unwrap().as_str(), "4711.1");
        assert_eq!(transactions[2], Transaction::default());
        let odd = transactions[3].debit.as_ref().unwrap();
        assert_eq!((odd.as_str(), odd.is_number()), (r#"{"a":1}"#, false));
    }

    #[test]
    fn reads_a_summary() {
        let answer: AccountsResponse = from_json(
            br#"{"Accounts":[{"EftEligibleRatio":0,"ETransferEligibleRatio":0.95,"AccountType":"Personal","Type":"Margin"}]}"#,
        )
        .unwrap();
        let account = &answer.accounts.unwrap()[0];
        assert_eq!(account.eft_eligible_ratio.as_ref().unwrap().as_str(), "0");
        assert_eq!(
            account.e_transfer_eligible_ratio.as_ref().unwrap().as_str(),
            "0.95"
        );
        assert_eq!(account.account_type.as_deref(), Some("Personal"));
        assert_eq!(account.r#type, Some(AccountKind::from("Margin")));
        assert_eq!((&account.transactions, &account.holder), (&None, &None));
    }

    #[test]
    fn nulls_and_surprises_are_absent() {
        for body in [
            "{}",
            r#"{"Accounts":null,"Login":null,"InstitutionId":null,"Links":null}"#,
            r#"{"Login":[],"InstitutionId":{},"Tag":[],"Links":{}}"#,
        ] {
            let answer: AccountsResponse = from_json(body.as_bytes()).unwrap();
            assert_eq!(answer, AccountsResponse::default(), "{body}");
        }
        for account in [
            "null",
            "{}",
            r#"{"Balance":null,"Holder":null,"Transactions":null,"Id":"","Type":""}"#,
        ] {
            let body = format!(r#"{{"Accounts":[{account}]}}"#);
            let answer: AccountsResponse = from_json(body.as_bytes()).unwrap();
            assert_eq!(answer.accounts, Some(vec![Account::default()]), "{body}");
        }
    }

    #[test]
    fn what_is_no_list_or_no_object_is_not_read_as_absent() {
        for body in [
            r#"{"Accounts":{}}"#,
            r#"{"Accounts":7}"#,
            r#"{"Accounts":""}"#,
            r#"{"Accounts":false}"#,
            r#"{"Accounts":[{"Transactions":{}}]}"#,
            r#"{"Accounts":[{"Transactions":"none"}]}"#,
            r#"{"Accounts":[{"Balance":5.10}]}"#,
            r#"{"Accounts":[{"Holder":[]}]}"#,
            r#"{"Accounts":[{"Holder":{"Address":"x"}}]}"#,
            r#"{"Accounts":[{"Transactions":[{"Debit":1,"Debit":2}]}]}"#,
        ] {
            let read = from_json::<AccountsResponse>(body.as_bytes());
            assert!(read.is_err(), "{body}: {read:?}");
        }
        for body in [
            r#"{"StatementsByAccount":{}}"#,
            r#"{"StatementsByAccount":[{"Statements":{}}]}"#,
        ] {
            assert!(from_json::<StatementsResponse>(body.as_bytes()).is_err());
        }
        assert!(from_json::<InstitutionsResponse>(br#"{"Data":{}}"#).is_err());
        assert!(from_json::<NightlyStatusResponse>(br#"{"IneligibleCards":"all"}"#).is_err());
    }

    /// With anything quadratic in it, this test takes minutes.
    #[test]
    fn fifty_thousand_transactions_are_read() {
        let transaction = r#"{"Id":"t","Date":"2025-01-31","Code":null,"Description":"A description of the usual length","Debit":null,"Credit":1.00,"Balance":12345.67}"#;
        let body = format!(
            r#"{{"Accounts":[{{"Transactions":[{}]}}]}}"#,
            vec![transaction; 50_000].join(",")
        );
        let answer: AccountsResponse = from_json(body.as_bytes()).unwrap();
        let transactions = answer.accounts.unwrap().remove(0).transactions.unwrap();
        assert_eq!(transactions.len(), 50_000);
        assert_eq!(
            transactions[49_999].balance,
            Some("12345.67".parse().unwrap())
        );
    }

    /// The words that this module and its neighbours look for.
    const WORDS: &[&str] = &[
        "AccountNumber",
        "Accounts",
        "Address",
        "Available",
        "Balance",
        "Base64Bytes",
        "Category",
        "Code",
        "Count",
        "Credit",
        "Currency",
        "Data",
        "Date",
        "FileType",
        "FlinksCode",
        "Holder",
        "HttpStatusCode",
        "Id",
        "IneligibleCards",
        "Institution",
        "InstitutionId",
        "LastRefreshDate",
        "Limit",
        "Links",
        "Localizations",
        "Login",
        "LoginId",
        "Name",
        "OverdraftLimit",
        "POBox",
        "RequestId",
        "Statements",
        "StatementsByAccount",
        "Tag",
        "Transactions",
        "Type",
        "UniqueId",
        "Urls",
        "rel",
    ];

    /// Objects of those words with anything in them, some way down.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            Just(json!("0001-01-01T00:00:00")),
        ];
        leaf.prop_recursive(4, 64, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(prop::sample::select(WORDS), inner, 0..6)
                    .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_object_is_read_or_refused(
            top in proptest::collection::hash_map(prop::sample::select(WORDS), anything(), 0..12),
        ) {
            let body = serde_json::to_vec(&top).unwrap();
            let given = top.get("Accounts").and_then(Value::as_array).map(Vec::len);
            if let Ok(answer) = from_json::<AccountsResponse>(&body) {
                prop_assert_eq!(answer.accounts.map(|accounts| accounts.len()), given);
            }
            drop(from_json::<StatementsResponse>(&body));
            drop(from_json::<InstitutionsResponse>(&body));
            drop(from_json::<NightlyStatusResponse>(&body));
        }
    }
}
