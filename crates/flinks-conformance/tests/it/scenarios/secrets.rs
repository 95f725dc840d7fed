//! Bank credentials, answers and keys: each goes out once, to its own call, whatever breaks.

use flinks_auth::{ApiSecret, LegacyKeys};
use flinks_legacy::{Refusal, Session};
use flinks_sandbox::ApiOperation;
use flinks_transport::{Delivery, Step};
use flinks_types::{Credentials, FlinksCode};

use super::bank::{
    RIGHT, SOON, acted, answers, asked, client, client_over, config, customer, open, opened,
    sandbox,
};
use super::{code, stalled, status, trusting, watched};

#[tokio::test]
async fn credentials_whose_answer_is_lost_are_sent_once_and_open_one_session() {
    for (fault, sessions) in [
        ("authorize@1=reset-after", 1),
        ("authorize@1=close-after", 1),
        ("authorize@1=torn", 1),
        ("authorize@1=status-after:503", 1),
        ("authorize@1=reset-before", 0),
        ("authorize@1=html:502", 0),
        ("authorize@1=status:503,retry-after=0", 0),
    ] {
        let sandbox = sandbox(&[fault]).await;
        let client = client(&sandbox);
        let outcome = client.authorize(customer("greatday_nomfa")).await;
        let error = outcome.expect_err(fault);
        assert_eq!(error.error().delivery(), Delivery::Unknown, "{fault}");
        assert_eq!(error.refusal(), None, "{fault}");
        assert_eq!(sandbox.requests(ApiOperation::Authorize), 1, "{fault}");
        assert_eq!(
            acted(&sandbox, ApiOperation::Authorize),
            sessions,
            "{fault}"
        );
        // Whether to try again is the caller's decision, and works.
        open(&client, "greatday_nomfa").await;
    }
}

#[tokio::test]
async fn answers_that_get_lost_are_sent_once_and_their_session_may_be_open() {
    let sandbox = sandbox(&["authorize@2=reset-after"]).await;
    let client = client(&sandbox);
    let round = asked(client.authorize(customer("greatday_together")).await);
    let error = client.answer(answers(&round, RIGHT)).await;
    let error = error.expect_err("the outcome is unknown");
    assert_eq!(error.error().delivery(), Delivery::Unknown);
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 2);

    let session = Session::from_request_id(round.request_id().clone());
    let detail = client.accounts_detail(&session).interval(SOON).await;
    assert!(detail.expect("the answers had arrived").accounts.is_some());
}

#[tokio::test]
async fn a_spent_token_is_replaced_once_for_credentials_and_for_answers() {
    for fault in ["authorize@1=unauthorized", "authorize@2=unauthorized"] {
        let sandbox = sandbox(&[fault]).await;
        let client = client(&sandbox);
        let round = asked(client.authorize(customer("greatday_together")).await);
        opened(client.answer(answers(&round, RIGHT)).await);
        assert_eq!(sandbox.requests(ApiOperation::Authorize), 3, "{fault}");
        assert_eq!(acted(&sandbox, ApiOperation::Authorize), 2, "{fault}");
        assert_eq!(sandbox.requests(ApiOperation::AuthorizeToken), 2, "{fault}");
    }
}

#[tokio::test]
async fn without_an_authorize_token_no_credentials_leave() {
    let sandbox = sandbox(&["authorize-token@1-3=status:503,retry-after=0"]).await;
    let client = client(&sandbox);
    let error = client.authorize(customer("greatday_nomfa")).await;
    let error = error.expect_err("no token");
    assert_eq!(
        (error.error().step(), error.error().delivery()),
        (Step::Token, Delivery::NotSent)
    );
    assert_eq!(sandbox.requests(ApiOperation::AuthorizeToken), 3);
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 0);
    open(&client, "greatday_nomfa").await;
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 1);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_the_right_one_opens() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let before = sandbox.logins();
    let mistyped = Credentials::new("National", "Greatday", "everyday!");
    let error = client.authorize(mistyped).await.expect_err("mistyped");
    assert_eq!(error.refusal(), Some(Refusal::BankLogin));
    assert_eq!(code(error.error()), Some(FlinksCode::InvalidPassword));
    assert_eq!(error.error().delivery(), Delivery::Rejected);
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 1);
    assert_eq!(sandbox.logins(), before);

    let right = Credentials::new("National", "Greatday", "Everyday");
    let session = opened(client.authorize(right).await);
    assert_eq!(session.institution(), Some("National"));
    assert_eq!(sandbox.logins().len(), before.len() + 1);
}

#[tokio::test]
async fn each_call_is_refused_with_another_key_and_none_acts() {
    let sandbox = sandbox(&[]).await;
    let right = client(&sandbox);
    let session = open(&right, "greatday_nomfa").await;
    let login_id = session.login_id().expect("a login").clone();
    // Each of the three is right for another call, and wrong for its own.
    let mixed_up = LegacyKeys::new()
        .auth_key(sandbox.x_api_key().expect("a key"))
        .x_api_key(sandbox.api_secret())
        .api_secret(ApiSecret::new(sandbox.auth_key().expect("a key")));
    let client = client_over(&sandbox, trusting(&sandbox), mixed_up);
    let before = (sandbox.log().len(), sandbox.logins());

    let error = client.authorize(customer("greatday_nomfa")).await;
    let error = error.expect_err("authorize");
    assert_eq!(error.refusal(), Some(Refusal::ApiCredentials));
    let stored = [("What city were you born in?", "Montreal")];
    for (call, outcome) in [
        ("detail", client.accounts_detail(&session).await.map(drop)),
        ("poll", client.statements_async(&session).await.map(drop)),
        ("questions", client.mfa_questions(&login_id).await.map(drop)),
        (
            "answers",
            client
                .answer_mfa_questions(&login_id, stored)
                .await
                .map(drop),
        ),
        (
            "refresh",
            client
                .set_scheduled_refresh(&login_id, true)
                .await
                .map(drop),
        ),
        ("nightly", client.nightly_status().await.map(drop)),
        ("delete", client.delete_card(&login_id).await.map(drop)),
    ] {
        let error = outcome.expect_err(call);
        assert_eq!(status(&error), Some(401), "{call}");
        assert_eq!(error.delivery(), Delivery::Rejected, "{call}");
    }
    let log = sandbox.log().split_off(before.0);
    assert_eq!(log.len(), 8, "each was sent once, and credentials were not");
    assert!(
        log.iter()
            .all(|line| line.status == Some(401) && !line.acted)
    );
    assert_eq!(sandbox.logins(), before.1);
    let summary = right.accounts_summary(&session).interval(SOON).await;
    assert!(
        summary
            .expect("the session is still open")
            .accounts
            .is_some()
    );
}

#[tokio::test]
async fn credentials_that_hang_are_given_up_without_a_second_try() {
    let (sandbox, mut seen) = watched(config(&["authorize@1=stall"])).await;
    let client = client(&sandbox);
    tokio::select! {
        outcome = client.authorize(customer("greatday_nomfa")) => panic!("{outcome:?}"),
        () = stalled(&mut seen) => {}
    }
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 1);
    open(&client, "greatday_nomfa").await;
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 2);
    assert_eq!(acted(&sandbox, ApiOperation::Authorize), 1);
}
