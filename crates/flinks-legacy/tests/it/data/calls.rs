//! What each call sends: method, path, body; and what is refused before it is sent.

use flinks_auth::LegacyKeys;
use flinks_legacy::{AccountsDetail, AccountsSummary, Statements};
use flinks_transport::ErrorKind;
use flinks_transport::testing::{HostileLayer, Reply, ScriptedService};
use flinks_types::{AccountId, DaysOfTransactions, NumberOfStatements, Secret};
use serde_json::{Value, json};

use crate::service::{LOGIN_ID, LegacyService as _, REQUEST_ID, client, login_id, ready, session};

const BASE: &str = "/v3/43387ca6/BankingServices";

fn account() -> AccountId {
    AccountId::new("a1").unwrap()
}

fn sent(service: &ScriptedService) -> (String, Value) {
    let request = service.requests().remove(0);
    let is_json = request.header("content-type") == Some("application/json");
    assert_eq!(is_json, !request.body.is_empty());
    let body = serde_json::from_slice(&request.body);
    (service.lines().remove(0), body.unwrap_or_default())
}

#[tokio::test]
async fn data_calls_ask_for_what_was_said_and_no_more() {
    let service = ScriptedService::new([ready()]);
    service
        .client_without_retries()
        .accounts_detail(&session())
        .await
        .unwrap();
    let expected = (
        format!("POST {BASE}/GetAccountsDetail"),
        json!({ "RequestId": REQUEST_ID }),
    );
    assert_eq!(sent(&service), expected);

    let service = ScriptedService::new([ready()]);
    let options = AccountsDetail::new()
        .with_account_identity(true)
        .with_kyc(false)
        .with_transactions(true)
        .with_balance(true)
        .with_days(DaysOfTransactions::Days365)
        .with_account(account());
    let fetch = service.client_without_retries().accounts_detail(&session());
    fetch.options(options).await.unwrap();
    let expected = json!({ "RequestId": REQUEST_ID, "WithAccountIdentity": true, "WithKYC": false,
        "WithTransactions": true, "WithBalance": true, "DaysOfTransactions": "Days365",
        "AccountsFilter": ["a1"] });
    assert_eq!(sent(&service).1, expected);

    let service = ScriptedService::new([ready()]);
    let options = AccountsSummary::new()
        .with_balance(true)
        .with_account_identity(false);
    let fetch = service
        .client_without_retries()
        .accounts_summary(&session());
    fetch.options(options).await.unwrap();
    let expected = (
        format!("POST {BASE}/GetAccountsSummary"),
        json!({ "RequestId": REQUEST_ID, "WithBalance": true, "WithAccountIdentity": false }),
    );
    assert_eq!(sent(&service), expected);

    let service = ScriptedService::new([ready()]);
    let options = Statements::new()
        .with_number(NumberOfStatements::Months12)
        .with_account(account());
    let fetch = service.client_without_retries().statements(&session());
    fetch.options(options).await.unwrap();
    let expected = (
        format!("POST {BASE}/GetStatements"),
        json!({ "RequestId": REQUEST_ID, "NumberOfStatements": "Months12", "AccountsFilter": ["a1"] }),
    );
    assert_eq!(sent(&service), expected);
}

#[tokio::test]
async fn a_year_of_statements_is_of_one_account() {
    let year = Statements::new().with_number(NumberOfStatements::Months12);
    let two = year.clone().with_account(account()).with_account(account());
    for options in [year, two] {
        let service = ScriptedService::new([ready()]);
        let fetch = service.client_without_retries().statements(&session());
        let error = fetch.options(options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(service.requests().is_empty());
    }
}

#[tokio::test]
async fn the_other_calls_send_what_is_documented() {
    let done = || {
        ScriptedService::new([Reply::json(
            200,
            r#"{"Message":"SUCCESS","Questions":[],"Data":[]}"#,
        )])
    };

    let service = done();
    let read = service
        .client_without_retries()
        .delete_card(&login_id())
        .await
        .unwrap();
    assert_eq!(read.message.as_deref(), Some("SUCCESS"));
    let expected = (format!("DELETE {BASE}/DeleteCard/{LOGIN_ID}"), Value::Null);
    assert_eq!(sent(&service), expected);

    let service = ScriptedService::new([Reply::json(200, r#""ACTIVATED""#)]);
    let client = service.client_without_retries();
    let read = client.set_scheduled_refresh(&login_id(), true).await;
    assert_eq!(read.unwrap().message.as_deref(), Some("ACTIVATED"));
    let expected = (
        format!("PATCH {BASE}/SetScheduledRefresh"),
        json!({ "loginId": LOGIN_ID, "isActivated": true }),
    );
    assert_eq!(sent(&service), expected);

    let service = done();
    service
        .client_without_retries()
        .nightly_status()
        .await
        .unwrap();
    let expected = (format!("GET {BASE}/GetNightlyRefreshStatus"), Value::Null);
    assert_eq!(sent(&service), expected);

    let service = done();
    service
        .client_without_retries()
        .mfa_questions(&login_id())
        .await
        .unwrap();
    let expected = (
        format!("GET {BASE}/GetMFAQuestions/{LOGIN_ID}"),
        Value::Null,
    );
    assert_eq!(sent(&service), expected);

    let service = done();
    let answers = [("Où êtes-vous né?", "canary"), ("2 + 2 = $", "\"4\"")];
    let client = service.client_without_retries();
    client
        .answer_mfa_questions(&login_id(), answers)
        .await
        .unwrap();
    let expected = (
        format!("PATCH {BASE}/AnswerMFAQuestions"),
        json!({ "loginId": LOGIN_ID, "Questions": [
            { "Question": "Où êtes-vous né?", "Answer": "canary" },
            { "Question": "2 + 2 = $", "Answer": "\"4\"" },
        ] }),
    );
    assert_eq!(sent(&service), expected);

    let service = done();
    service
        .client_without_retries()
        .institutions(1000, 1000)
        .await
        .unwrap();
    let expected = (
        format!("GET {BASE}/Institutions?skip=1000&take=1000"),
        Value::Null,
    );
    assert_eq!(sent(&service), expected);
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let service = ScriptedService::new([ready()]);
    let client = service.client_without_retries();
    for answers in [
        vec![],
        vec![("q", "a"), ("q", "b")],
        vec![("", "a")],
        vec![("q", "")],
    ] {
        let call = client.answer_mfa_questions(&login_id(), answers);
        assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Input);
    }
    for take in [0, 1001] {
        let error = client.institutions(0, take).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
    }
    assert!(service.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn answers_are_sealed_and_never_sent_again() {
    for act in [
        Reply::refuse(),
        Reply::disconnect(),
        Reply::json(429, ""),
        Reply::json(503, ""),
    ] {
        let service = ScriptedService::new([act]).repeat_last();
        let hostile = HostileLayer::new(1);
        let client = client(service.builder().layer(hostile.clone()), LegacyKeys::new());
        let answers = [("q", Secret::new("canary-4711"))];
        let call = client.answer_mfa_questions(&login_id(), answers);
        assert!(!format!("{call:?}").contains("canary"));
        let error = call.await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::Layer);
        assert!(
            hostile.requests()[0].body.is_empty(),
            "a layer read a sealed body"
        );
        assert_eq!(service.count(), 1);
        assert!(!format!("{error} {error:?} {}", error.report()).contains("canary"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_card_is_deleted_once() {
    for (act, times) in [
        (Reply::disconnect(), 1),
        (Reply::json(503, ""), 1),
        (Reply::json(400, r#"{"FlinksCode":"CARD_IN_USE"}"#), 1),
        (Reply::refuse(), 3),
        (Reply::json(429, ""), 3),
    ] {
        let service = ScriptedService::new([act]).repeat_last();
        let client = service.client();
        client.delete_card(&login_id()).await.unwrap_err();
        assert_eq!(service.count(), times);
    }
}
