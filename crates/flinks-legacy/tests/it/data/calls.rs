//! What each call sends: method, path, body; and what is refused before it is sent.

use flinks_legacy::{AccountsDetail, AccountsSummary, Statements};
use flinks_transport::{Body, ErrorKind};
use flinks_types::{AccountId, DaysOfTransactions, NumberOfStatements, Secret};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::leaf::{Act, LOGIN, Leaf, REQUEST, answer, login_id, ready, session};

const BASE: &str = "/v3/43387ca6/BankingServices";

fn account() -> AccountId {
    AccountId::new("a1").unwrap()
}

fn sent(leaf: &Leaf) -> (String, Value) {
    let seen = leaf.seen().remove(0);
    assert_eq!(seen.has_json, !seen.body.is_empty());
    (
        seen.line,
        serde_json::from_str(&seen.body).unwrap_or_default(),
    )
}

#[tokio::test]
async fn data_calls_ask_for_what_was_said_and_no_more() {
    let leaf = Leaf::new([ready()]);
    leaf.client().accounts_detail(&session()).await.unwrap();
    let expected = (
        format!("POST {BASE}/GetAccountsDetail"),
        json!({ "RequestId": REQUEST }),
    );
    assert_eq!(sent(&leaf), expected);

    let leaf = Leaf::new([ready()]);
    let options = AccountsDetail::new()
        .with_account_identity(true)
        .with_kyc(false)
        .with_transactions(true)
        .with_balance(true)
        .with_days(DaysOfTransactions::Days365)
        .with_account(account());
    let fetch = leaf.client().accounts_detail(&session());
    fetch.options(options).await.unwrap();
    let expected = json!({ "RequestId": REQUEST, "WithAccountIdentity": true, "WithKYC": false,
        "WithTransactions": true, "WithBalance": true, "DaysOfTransactions": "Days365",
        "AccountsFilter": ["a1"] });
    assert_eq!(sent(&leaf).1, expected);

    let leaf = Leaf::new([ready()]);
    let options = AccountsSummary::new()
        .with_balance(true)
        .with_account_identity(false);
    let fetch = leaf.client().accounts_summary(&session());
    fetch.options(options).await.unwrap();
    let expected = (
        format!("POST {BASE}/GetAccountsSummary"),
        json!({ "RequestId": REQUEST, "WithBalance": true, "WithAccountIdentity": false }),
    );
    assert_eq!(sent(&leaf), expected);

    let leaf = Leaf::new([ready()]);
    let options = Statements::new()
        .with_number(NumberOfStatements::Months12)
        .with_account(account());
    let fetch = leaf.client().statements(&session());
    fetch.options(options).await.unwrap();
    let expected = (
        format!("POST {BASE}/GetStatements"),
        json!({ "RequestId": REQUEST, "NumberOfStatements": "Months12", "AccountsFilter": ["a1"] }),
    );
    assert_eq!(sent(&leaf), expected);
}

#[tokio::test]
async fn a_year_of_statements_is_of_one_account() {
    let year = Statements::new().with_number(NumberOfStatements::Months12);
    let two = year.clone().with_account(account()).with_account(account());
    for options in [year, two] {
        let leaf = Leaf::new([ready()]);
        let fetch = leaf.client().statements(&session());
        let error = fetch.options(options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(leaf.seen().is_empty());
    }
}

#[tokio::test]
async fn the_other_calls_send_what_is_documented() {
    let done = || {
        Leaf::new([answer(
            200,
            r#"{"Message":"SUCCESS","Questions":[],"Data":[]}"#,
        )])
    };

    let leaf = done();
    let read = leaf.client().delete_card(&login_id()).await.unwrap();
    assert_eq!(read.message.as_deref(), Some("SUCCESS"));
    let expected = (format!("DELETE {BASE}/DeleteCard/{LOGIN}"), Value::Null);
    assert_eq!(sent(&leaf), expected);

    let leaf = Leaf::new([answer(200, r#""ACTIVATED""#)]);
    let client = leaf.client();
    let read = client.set_scheduled_refresh(&login_id(), true).await;
    assert_eq!(read.unwrap().message.as_deref(), Some("ACTIVATED"));
    let expected = (
        format!("PATCH {BASE}/SetScheduledRefresh"),
        json!({ "loginId": LOGIN, "isActivated": true }),
    );
    assert_eq!(sent(&leaf), expected);

    let leaf = done();
    leaf.client().nightly_status().await.unwrap();
    let expected = (format!("GET {BASE}/GetNightlyRefreshStatus"), Value::Null);
    assert_eq!(sent(&leaf), expected);

    let leaf = done();
    leaf.client().mfa_questions(&login_id()).await.unwrap();
    let expected = (format!("GET {BASE}/GetMFAQuestions/{LOGIN}"), Value::Null);
    assert_eq!(sent(&leaf), expected);

    let leaf = done();
    let answers = [("Où êtes-vous né?", "canary"), ("2 + 2 = $", "\"4\"")];
    let client = leaf.client();
    client
        .answer_mfa_questions(&login_id(), answers)
        .await
        .unwrap();
    let expected = (
        format!("PATCH {BASE}/AnswerMFAQuestions"),
        json!({ "loginId": LOGIN, "Questions": [
            { "Question": "Où êtes-vous né?", "Answer": "canary" },
            { "Question": "2 + 2 = $", "Answer": "\"4\"" },
        ] }),
    );
    assert_eq!(sent(&leaf), expected);

    let leaf = done();
    leaf.client().institutions(1000, 1000).await.unwrap();
    let expected = (
        format!("GET {BASE}/Institutions?skip=1000&take=1000"),
        Value::Null,
    );
    assert_eq!(sent(&leaf), expected);
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let leaf = Leaf::new([ready()]);
    let client = leaf.client();
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
    assert!(leaf.seen().is_empty());
}

/// A layer that tries to read every body before it hands the request on.
#[derive(Clone)]
struct Curious<S>(S);

impl<S> tower_service::Service<Request<Body>> for Curious<S>
where
    S: tower_service::Service<Request<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        let copy = request.body().try_clone().unwrap();
        let mut reading = std::pin::pin!(copy.collect());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let read = reading.as_mut().poll(&mut cx);
        assert!(matches!(read, std::task::Poll::Ready(Err(_))), "readable");
        self.0.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_sealed_and_never_sent_again() {
    for act in [Act::Refuse, Act::Break, answer(429, ""), answer(503, "")] {
        let leaf = Leaf::new([act]);
        let client = leaf.client_over(|builder| builder.layer(tower_layer::layer_fn(Curious)));
        let answers = [("q", Secret::new("canary-4711"))];
        let call = client.answer_mfa_questions(&login_id(), answers);
        assert!(!format!("{call:?}").contains("canary"));
        let error = call.await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::Layer);
        assert_eq!(leaf.seen().len(), 1);
        assert!(!format!("{error} {error:?} {}", error.report()).contains("canary"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_card_is_deleted_once() {
    for (act, times) in [
        (Act::Break, 1),
        (answer(503, ""), 1),
        (answer(400, r#"{"FlinksCode":"CARD_IN_USE"}"#), 1),
        (Act::Refuse, 3),
        (answer(429, ""), 3),
    ] {
        let leaf = Leaf::new([act]);
        let client = leaf.client_over(|builder| builder);
        client.delete_card(&login_id()).await.unwrap_err();
        assert_eq!(leaf.seen().len(), times);
    }
}
