//! Data of open sessions, and what is kept under a LoginId.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use flinks_sandbox::{ApiOperation, CACHED_LOGIN_ID, DEVICE_LOGIN_ID, REFUSED_LOGIN_ID, Sandbox};
use http::Method;
use serde_json::{Value, json};

use crate::legacy::{Legacy, code};

#[tokio::test]
async fn pending_data_are_polled_or_requested_again() {
    let slow = Sandbox::builder().data_pending(Duration::from_secs(3600));
    let (sandbox, mut legacy) = Legacy::start(slow).await;
    let id = legacy.open("greatday_nomfa").await;
    for endpoint in ["GetAccountsDetail", "GetAccountsSummary", "GetStatements"] {
        let poll = format!("{endpoint}Async/{id}");
        let early = legacy.get(&poll).await;
        assert_eq!(
            (early.status, code(&early)),
            (400, json!("INVALID_REQUEST"))
        );
        let pending = legacy.post(endpoint, &json!({"RequestId": id})).await;
        assert_eq!(pending.status, 202);
        assert_eq!(
            pending.json(),
            json!({
                "HttpStatusCode": 202,
                "FlinksCode": "OPERATION_PENDING",
                "Message": "Your operation is still processing",
                "Links": [{
                    "rel": format!("{endpoint}Async"),
                    "href": format!("/{endpoint}Async"),
                    "example": format!("/{endpoint}Async/{id}"),
                }],
                "RequestId": id,
            })
        );
        assert_eq!(legacy.get(&poll).await.body, pending.body);
        assert_eq!(legacy.post(&poll, &json!({})).await.body, pending.body);
        let again = legacy.post(endpoint, &json!({"RequestId": id})).await;
        assert_eq!(again.body, pending.body);
    }
    assert_eq!(sandbox.requests(ApiOperation::Data), 6);
    assert_eq!(sandbox.requests(ApiOperation::DataAsync), 9);
    let log = sandbox.log();
    let acted = log.iter().filter(|line| line.acted);
    assert_eq!(acted.count(), 4, "authorized, and each data requested once");
    assert!(log.iter().all(|line| line.request_id.as_ref() == Some(&id)));
    assert!(
        log.iter()
            .all(|line| line.login_id.as_deref() == Some(CACHED_LOGIN_ID))
    );
}

#[tokio::test]
async fn two_users_wait_longer() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let id = legacy.open("test_dispatched").await;
    let body = json!({"RequestId": id});
    let first = legacy.post("GetAccountsDetail", &body).await;
    assert_eq!(
        (first.status, code(&first)),
        (202, json!("OPERATION_DISPATCHED"))
    );
    let ready = legacy.post("GetAccountsDetail", &body).await;
    assert_eq!(ready.status, 200);
    let poll = format!("GetAccountsDetailAsync/{id}");
    assert_eq!(legacy.get(&poll).await.body, ready.body);

    let id = legacy.open("test_pending").await;
    for _ in 0..3 {
        let answer = legacy
            .post("GetAccountsDetail", &json!({"RequestId": id}))
            .await;
        assert_eq!(code(&answer), "OPERATION_PENDING");
        let poll = format!("GetAccountsDetailAsync/{id}");
        assert_eq!(code(&legacy.get(&poll).await), "OPERATION_PENDING");
    }
}

#[tokio::test]
async fn only_an_authorized_session_has_data() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let challenged = legacy
        .login("FlinksCapital", "Greatday")
        .await
        .text("RequestId");
    for (id, status, expected) in [
        (challenged.as_str(), 401, "UNAUTHORIZED"),
        ("unknown", 400, "SESSION_NONEXISTENT"),
        ("", 400, "INVALID_REQUEST"),
    ] {
        let answer = legacy
            .post("GetAccountsDetail", &json!({"requestId": id}))
            .await;
        assert_eq!((answer.status, code(&answer)), (status, json!(expected)));
    }
    let answer = legacy
        .get(&format!("GetStatementsAsync/{challenged}"))
        .await;
    assert_eq!(code(&answer), "UNAUTHORIZED");
}

/// The cents of an amount, from its text.
fn cents(amount: &str) -> i64 {
    let (units, cents) = amount.split_once('.').unwrap();
    assert_eq!(cents.len(), 2, "{amount}");
    format!("{units}{cents}").parse().unwrap()
}

#[tokio::test]
async fn a_year_of_accounts_adds_up_to_the_cent() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let id = legacy.open("greatday_nomfa").await;
    let body = json!({"RequestId": id, "DaysOfTransactions": "Days365"});
    let answer = legacy.post("GetAccountsDetail", &body).await;
    let json = answer.json();
    let accounts = json["Accounts"].as_array().unwrap();
    let types: Vec<_> = accounts.iter().map(|one| one["Type"].clone()).collect();
    assert_eq!(types, ["Chequing", "Savings", "CreditCard"]);
    assert_eq!(json["Login"]["Id"], CACHED_LOGIN_ID);
    assert_eq!(accounts[0]["Holder"]["Address"]["City"], "Montréal");

    // The text, since a parser would lose the second decimal place.
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let (_, chequing) = text.split_once(r#""Transactions":["#).unwrap();
    let (chequing, _) = chequing.split_once(']').unwrap();
    let field = |entry: &str, name: &str| -> Option<i64> {
        let (_, rest) = entry.split_once(&format!("\"{name}\":"))?;
        let amount = rest.split([',', '}']).next()?;
        (amount != "null").then(|| cents(amount))
    };
    let entries: Vec<_> = chequing.split("},{").collect();
    assert!(entries.len() > 100);
    for pair in entries.windows(2) {
        let change = field(pair[0], "Credit").unwrap_or(0) - field(pair[0], "Debit").unwrap_or(0);
        let (after, before) = (field(pair[0], "Balance"), field(pair[1], "Balance"));
        assert_eq!(after.unwrap(), before.unwrap() + change, "{}", pair[0]);
    }

    let again = legacy.post("GetAccountsDetail", &body).await;
    assert_eq!(again.body, answer.body);
    let body = json!({
        "RequestId": id, "DaysOfTransactions": "Days90", "WithKYC": "false",
        "AccountsFilter": [accounts[1]["Id"]],
    });
    let answer = legacy.post("GetAccountsDetail", &body).await.json();
    let [savings] = &answer["Accounts"].as_array().unwrap()[..] else {
        panic!("{answer}")
    };
    assert_eq!(
        (&savings["Id"], &savings["Holder"]),
        (&accounts[1]["Id"], &Value::Null)
    );
    let count = |account: &Value| account["Transactions"].as_array().unwrap().len();
    assert!(count(savings) < count(&accounts[1]));
}

#[tokio::test]
async fn options_are_honored_or_refused_by_name() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let id = legacy.open("greatday_nomfa").await;
    for (field, value) in [
        ("DaysOfTransactions", json!("Days400")),
        ("DateFrom", json!("01/07/2025")),
        ("DateTo", json!("2025-02-31")),
        ("NumberOfBankingStatements", json!("Months2")),
        ("GetMFAQuestionsAnswers", json!(true)),
        ("MostRecentCached", json!("maybe")),
        ("RefreshDelta[0].TransactionId", json!(null)),
    ] {
        let mut body = json!({"RequestId": id, field: value});
        if field.starts_with("RefreshDelta") {
            body["RefreshDelta"] = json!([{"AccountId": "a"}]);
        }
        let answer = legacy.post("GetAccountsDetail", &body).await;
        assert_eq!(answer.status, 400, "{field}");
        assert!(
            answer.json()["ValidationDetails"][field].is_array(),
            "{field}"
        );
    }
    let body = json!({
        "RequestId": id, "DateFrom": "2025-07-01", "DateTo": "2025-07-31",
        "WithDetailsAndBankingStatements": true, "NumberOfBankingStatements": "Months3",
    });
    let json = legacy.post("GetAccountsDetail", &body).await.json();
    let transactions = json["Accounts"][0]["Transactions"].as_array().unwrap();
    assert!(!transactions.is_empty());
    assert!(
        transactions
            .iter()
            .all(|one| one["Date"].as_str().unwrap().starts_with("2025-07"))
    );
    let statements = json["StatementsByAccount"][0]["Statements"].as_array();
    assert_eq!(statements.unwrap().len(), 3);
}

#[tokio::test]
async fn the_summary_has_ratios_and_no_transactions() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let id = legacy.open("greatday_nomfa").await;
    let json = legacy
        .post("GetAccountsSummary", &json!({"RequestId": id}))
        .await
        .json();
    assert_eq!(json["Links"][2]["rel"], "Statements");
    let account = &json["Accounts"][0];
    assert_eq!(
        (&account["AccountType"], &account["EftEligibleRatio"]),
        (&json!("Personal"), &json!(1.0))
    );
    assert_eq!(account.get("Transactions"), None);
}

#[tokio::test]
async fn statements_are_pdf_files() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let id = legacy.open("greatday_nomfa").await;
    let json = legacy
        .post("GetStatements", &json!({"RequestId": id}))
        .await
        .json();
    let accounts = json["StatementsByAccount"].as_array().unwrap();
    assert_eq!(accounts.len(), 3);
    for account in accounts {
        let [statement] = &account["Statements"].as_array().unwrap()[..] else {
            panic!("{account}")
        };
        assert_eq!(statement["FileType"], "PDF");
        let file = BASE64_STANDARD
            .decode(statement["Base64Bytes"].as_str().unwrap())
            .unwrap();
        assert!(file.starts_with(b"%PDF-1.4") && file.ends_with(b"%%EOF\n"));
    }
    let year = json!({"RequestId": id, "NumberOfStatements": "Months12"});
    assert_eq!(legacy.post("GetStatements", &year).await.status, 400);
    let summary = legacy
        .post("GetAccountsSummary", &json!({"RequestId": id}))
        .await
        .json();
    let year = json!({
        "RequestId": id, "NumberOfStatements": "Months12",
        "AccountsFilter": [summary["Accounts"][0]["Id"]],
    });
    let json = legacy.post("GetStatements", &year).await.json();
    let [account] = &json["StatementsByAccount"].as_array().unwrap()[..] else {
        panic!("{json}")
    };
    assert_eq!(account["Statements"].as_array().unwrap().len(), 12);
}

#[tokio::test]
async fn a_card_is_deleted_unless_it_is_in_use() {
    let (sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let pending = legacy.login("FlinksCapital", "test_pending").await.json();
    let body = json!({"RequestId": pending["RequestId"]});
    legacy.post("GetAccountsDetail", &body).await;
    let used = format!("DeleteCard/{}", pending["Login"]["Id"].as_str().unwrap());
    let used = legacy.call(Method::DELETE, &used, "").await;
    assert_eq!((used.status, code(&used)), (400, json!("CARD_IN_USE")));

    let id = legacy.open("greatday_nomfa").await;
    legacy
        .post("GetAccountsDetail", &json!({"RequestId": id}))
        .await;
    let rest = format!("DeleteCard/{CACHED_LOGIN_ID}");
    let deleted = legacy.call(Method::DELETE, &rest, "").await;
    assert_eq!(
        (deleted.status, &deleted.json()["StatusCode"]),
        (200, &json!(200))
    );
    let again = legacy.call(Method::DELETE, &rest, "").await;
    assert_eq!((again.status, code(&again)), (401, json!("INVALID_LOGIN")));
    let cached = json!({"LoginId": CACHED_LOGIN_ID, "MostRecentCached": true});
    assert_eq!(
        code(&legacy.post("Authorize", &cached).await),
        "INVALID_LOGIN"
    );
    let ended = legacy
        .post("GetAccountsDetail", &json!({"RequestId": id}))
        .await;
    assert_eq!(code(&ended), "SESSION_NONEXISTENT");
    assert_eq!(sandbox.requests(ApiOperation::DeleteCard), 3);
}

#[tokio::test]
async fn questions_answered_beforehand_are_not_asked_unless_wrong() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let rest = format!("GetMFAQuestions/{REFUSED_LOGIN_ID}");
    let json = legacy.get(&rest).await.json();
    assert_eq!(json["Message"], "SUCCESS");
    let questions: Vec<_> = json["Questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["Question"].clone())
        .collect();
    assert_eq!(questions.len(), 3);
    for (shape, status) in [("Triangle", 200), ("Circle", 203)] {
        let given: Vec<_> = questions
            .iter()
            .zip(["Montreal", "Canada", shape])
            .map(|(question, answer)| json!({"Question": question, "Answer": answer}))
            .collect();
        let body = json!({"loginId": REFUSED_LOGIN_ID, "Questions": given}).to_string();
        let answer = legacy
            .call(Method::PATCH, "AnswerMFAQuestions", &body)
            .await;
        assert_eq!(answer.json(), json!({"Message": "Answers updated"}));
        let live = json!({"LoginId": REFUSED_LOGIN_ID, "MostRecentCached": false});
        assert_eq!(legacy.post("Authorize", &live).await.status, status);
    }
    let wrong =
        json!({"LoginId": REFUSED_LOGIN_ID, "Questions": [{"Question": "?", "Answer": "!"}]});
    let answer = legacy
        .call(Method::PATCH, "AnswerMFAQuestions", &wrong.to_string())
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn the_refresh_at_night_is_switched_and_told() {
    let (sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let body = json!({"loginId": DEVICE_LOGIN_ID, "isActivated": true}).to_string();
    let answer = legacy
        .call(Method::PATCH, "SetScheduledRefresh", &body)
        .await;
    let text = format!("LoginId {DEVICE_LOGIN_ID} has now been activated for automatic refresh");
    assert_eq!(answer.json(), text);
    let cached = json!({"LoginId": DEVICE_LOGIN_ID, "MostRecentCached": true});
    let login = legacy.post("Authorize", &cached).await.json()["Login"].clone();
    assert_eq!(login["IsScheduledRefresh"], true);

    let refused = legacy.get("GetNightlyRefreshStatus").await;
    assert_eq!(
        (refused.status, code(&refused)),
        (401, json!("ACCESS_DENIED"))
    );
    legacy.headers = vec![("authorization", format!("Bearer {}", sandbox.api_secret()))];
    let json = legacy.get("GetNightlyRefreshStatus").await.json();
    let ids: Vec<_> = json["IneligibleCards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["LoginId"].clone())
        .collect();
    assert_eq!(ids, [DEVICE_LOGIN_ID, REFUSED_LOGIN_ID]);
    assert_eq!(
        json["IneligibleCards"][1]["LastRefreshErrorCode"],
        "QUESTION_NOT_FOUND"
    );
}

#[tokio::test]
async fn institutions_come_in_pages() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let json = legacy.get("Institutions?skip=3&take=2").await.json();
    assert_eq!(json["Count"], 12);
    let names: Vec<_> = json["Data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["Localizations"][0]["Name"].clone())
        .collect();
    assert_eq!(names, ["TD", "Scotia"]);
    assert_eq!(legacy.get("Institutions?take=1001").await.status, 400);
}

#[tokio::test]
async fn check_keys_requires_keys_with_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let config = Sandbox::builder().check_keys(true).dir(folder.path());
    let (sandbox, mut legacy) = Legacy::start(config).await;
    let refused = legacy.login("FlinksCapital", "greatday_nomfa").await;
    assert_eq!(
        (refused.status, code(&refused)),
        (401, json!("UNAUTHORIZED"))
    );
    let (auth_key, x_api_key) = (sandbox.auth_key().unwrap(), sandbox.x_api_key().unwrap());
    legacy.headers = vec![("flinks-auth-key", auth_key.to_owned())];
    let token = legacy.post("GenerateAuthorizeToken", &json!({})).await;
    legacy.headers = vec![("flinks-auth-key", token.text("Token"))];
    let body = json!({"RequestId": legacy.open("greatday_nomfa").await});
    assert_eq!(legacy.post("GetStatements", &body).await.status, 401);
    legacy.headers = vec![("x-api-key", x_api_key.to_owned())];
    assert_eq!(legacy.post("GetStatements", &body).await.status, 200);
    let env = std::fs::read_to_string(folder.path().join("env")).unwrap();
    assert!(env.contains(auth_key) && env.contains(x_api_key));
}

#[tokio::test]
async fn the_x_api_key_is_checked_once_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = Sandbox::builder().x_api_key("key").dir(folder.path());
    let (_sandbox, mut legacy) = Legacy::start(config).await;
    let id = legacy.open("greatday_nomfa").await;
    let body = json!({"RequestId": id});
    for wrong in [vec![], vec![("x-api-key", "other".to_owned())]] {
        legacy.headers = wrong;
        let answer = legacy.post("GetAccountsDetail", &body).await;
        assert_eq!(
            (answer.status, code(&answer)),
            (401, json!("ACCESS_DENIED"))
        );
        assert_eq!(answer.json().get("RequestId"), None);
    }
    legacy.headers = vec![("x-api-key", "key".to_owned())];
    assert_eq!(legacy.post("GetAccountsDetail", &body).await.status, 200);
    let env = std::fs::read_to_string(folder.path().join("env")).unwrap();
    assert!(env.contains("export FLINKS_X_API_KEY=\"key\"\n"));
    assert!(!env.contains("FLINKS_AUTH_KEY"));
}
