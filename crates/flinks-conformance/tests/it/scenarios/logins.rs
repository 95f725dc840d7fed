//! What the service keeps of a login: opening it again, its questions, its nightly refresh, its end.

use flinks_legacy::{AccountsDetail, Authorize, DataCall, DataState, Refusal};
use flinks_sandbox::{ApiOperation, REFUSED_LOGIN_ID};
use flinks_transport::{CustomerEndpoint, Delivery, Endpoint, ErrorKind};
use flinks_types::{Credentials, CustomerId, FlinksCode, Language, LoginId, StoredLogin};

use super::bank::{RIGHT, SOON, answers, asked, client, customer, kept, open, opened, sandbox};
use super::{code, login_id};

/// The nightly status of a login: nothing if the night goes well, else its error.
async fn ineligible(
    client: &flinks_legacy::LegacyClient,
    login_id: &LoginId,
) -> Option<Option<FlinksCode>> {
    let status = client.nightly_status().await.expect("a status");
    let mut cards = status.ineligible_cards.expect("a list").into_iter();
    cards
        .find(|card| card.login_id.as_ref() == Some(login_id))
        .map(|card| card.last_refresh_error_code)
}

#[tokio::test]
async fn without_save_nothing_is_kept_but_the_session_gives_its_data() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let before = sandbox.logins();
    let round = asked(
        client
            .authorize(customer("greatday_together").save(false))
            .await,
    );
    let session = opened(client.answer(answers(&round, RIGHT)).await);
    assert_eq!(session.login_id(), None);
    let detail = client.accounts_detail(&session).interval(SOON).await;
    let detail = detail.expect("accounts");
    assert!(detail.accounts.is_some() && detail.login.is_none());
    assert_eq!(sandbox.logins(), before);
}

#[tokio::test]
async fn a_login_is_one_per_customer_and_language_however_often_it_is_opened() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let before = sandbox.logins().len();
    let mut ids = Vec::new();
    for language in [Language::English, Language::French, Language::English] {
        let credentials = customer("greatday_together").language(language);
        let round = asked(client.authorize(credentials).await);
        let session = opened(client.answer(answers(&round, RIGHT)).await);
        ids.push(session.login_id().expect("a login").clone());
    }
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(sandbox.logins().len(), before + 2);
}

#[tokio::test]
async fn a_cached_login_is_asked_for_again_when_the_answer_is_lost_and_a_live_one_is_not() {
    let faults = [
        "authorize@1=reset-after",
        "authorize@2=status:503,retry-after=0",
    ];
    let id = || login_id(flinks_sandbox::CACHED_LOGIN_ID);

    let ours = sandbox(&faults).await;
    let session = opened(client(&ours).authorize(StoredLogin::cached(id())).await);
    assert_eq!(session.login_id(), Some(&id()));
    // The lost attempt has spent the token, which costs a refusal and another token.
    let log = ours.log().into_iter();
    let log = log.filter(|line| line.operation == ApiOperation::Authorize);
    let statuses: Vec<_> = log.map(|line| line.status).collect();
    assert_eq!(statuses, [None, Some(503), Some(401), Some(200)]);
    assert_eq!(ours.requests(ApiOperation::AuthorizeToken), 2);

    let ours = sandbox(&faults).await;
    let live = client(&ours).authorize(StoredLogin::live(id())).await;
    let error = live.expect_err("the outcome is unknown");
    assert_eq!(error.error().delivery(), Delivery::Unknown);
    assert_eq!(ours.requests(ApiOperation::Authorize), 1);
}

#[tokio::test]
async fn a_refused_cached_login_gives_its_old_data_until_a_live_session_mends_it() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let id = login_id(REFUSED_LOGIN_ID);
    let error = client.authorize(StoredLogin::cached(id.clone())).await;
    let error = error.expect_err("the last refresh failed");
    assert_eq!(error.refusal(), Some(Refusal::BankLogin));
    let old = error.session().expect("its data can still be read");
    let summary = client.accounts_summary(&old).interval(SOON).await;
    assert!(summary.expect("accounts").accounts.is_some());
    assert_eq!(
        ineligible(&client, &id).await,
        Some(Some(FlinksCode::QuestionNotFound))
    );

    let mut step = client.authorize(StoredLogin::live(id.clone())).await;
    for text in RIGHT {
        let round = asked(step);
        step = client.answer(answers(&round, [text])).await;
    }
    assert_eq!(opened(step).login_id(), Some(&id));
    opened(client.authorize(StoredLogin::cached(id.clone())).await);
    assert_eq!(ineligible(&client, &id).await, None);
}

#[tokio::test]
async fn questions_answered_beforehand_are_not_asked_until_one_is_wrong() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let round = asked(client.authorize(customer("greatday_together")).await);
    let session = opened(client.answer(answers(&round, RIGHT)).await);
    let id = session.login_id().expect("a login").clone();
    let live = || StoredLogin::live(id.clone());
    asked(client.authorize(live()).await);

    let questions = client.mfa_questions(&id).await.expect("questions");
    let texts: Vec<String> = questions
        .questions
        .into_iter()
        .flatten()
        .map(|one| one.question.expect("a text"))
        .collect();
    let stored = texts.iter().map(String::as_str).zip(RIGHT);
    let said = client.answer_mfa_questions(&id, stored).await;
    said.expect("stored");
    assert_eq!(kept(&sandbox, &id).map(|login| login.answers), Some(3));
    opened(client.authorize(live()).await);

    let wrong = [(texts[1].as_str(), "Atlantis")];
    let said = client.answer_mfa_questions(&id, wrong).await;
    said.expect("stored, right or wrong");
    asked(client.authorize(live()).await);
    let left = kept(&sandbox, &id).map(|login| login.answers);
    assert_eq!(left, Some(0), "the service forgets them");
}

#[tokio::test]
async fn stored_answers_that_get_lost_are_sent_once() {
    for (fault, answers) in [
        ("mfa-questions@2=close-after", 1),
        ("mfa-questions@2=torn", 1),
        ("mfa-questions@2=status-after:500", 1),
        ("mfa-questions@2=reset-before", 0),
    ] {
        let sandbox = sandbox(&[fault]).await;
        let client = client(&sandbox);
        let id = login_id(REFUSED_LOGIN_ID);
        let questions = client.mfa_questions(&id).await.expect("questions");
        let first = questions.questions.expect("a list").remove(0);
        let stored = [(first.question.expect("a text"), "Montreal")];
        let error = client.answer_mfa_questions(&id, stored).await;
        let error = error.expect_err(fault);
        assert_eq!(error.delivery(), Delivery::Unknown, "{fault}");
        assert_eq!(sandbox.requests(ApiOperation::MfaQuestions), 2, "{fault}");
        let kept = kept(&sandbox, &id).map(|login| login.answers);
        assert_eq!(kept, Some(answers), "{fault}");
    }
}

#[tokio::test]
async fn a_refresh_that_needs_a_code_is_told_of_every_night_until_it_is_switched_off() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let credentials = Credentials::new("National", "national_securid", "Everyday");
    let round = client.authorize(credentials.schedule_refresh(true)).await;
    let dog = client.answer(answers(&asked(round), ["123456"])).await;
    let session = opened(client.answer(answers(&asked(dog), ["Wouf"])).await);
    let login = session.login().expect("a login");
    assert_eq!(login.is_scheduled_refresh, Some(true));
    let id = session.login_id().expect("a login").clone();
    let scheduled = || kept(&sandbox, &id).map(|login| login.scheduled_refresh);
    assert_eq!(scheduled(), Some(true));
    assert_eq!(ineligible(&client, &id).await, Some(None));

    client.set_scheduled_refresh(&id, false).await.expect("off");
    assert_eq!(scheduled(), Some(false));
    assert_eq!(ineligible(&client, &id).await, None);
    let cached = opened(client.authorize(StoredLogin::cached(id.clone())).await);
    let login = cached.login().expect("a login");
    assert_eq!(login.is_scheduled_refresh, Some(false));
}

#[tokio::test]
async fn switching_the_refresh_on_survives_lost_answers() {
    let sandbox = sandbox(&[
        "scheduled-refresh@1=reset-after",
        "scheduled-refresh@2=status-after:504",
        "nightly-status@1=torn",
        "nightly-status@2=html:502",
    ])
    .await;
    let client = client(&sandbox);
    let id = login_id(flinks_sandbox::DEVICE_LOGIN_ID);
    client.set_scheduled_refresh(&id, true).await.expect("on");
    assert_eq!(sandbox.requests(ApiOperation::ScheduledRefresh), 3);
    let login = kept(&sandbox, &id).expect("it is kept");
    assert!(login.scheduled_refresh);
    assert_eq!(ineligible(&client, &id).await, Some(None));
    assert_eq!(sandbox.requests(ApiOperation::NightlyStatus), 3);
}

#[tokio::test]
async fn a_card_is_not_deleted_while_its_data_are_gathered() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let session = open(&client, "test_pending").await;
    let id = session.login_id().expect("a login").clone();
    let begin = client.transport().call(DataCall::start(
        CustomerEndpoint::new(
            Endpoint::new(sandbox.results_url()).expect("a URL"),
            CustomerId::new(sandbox.customer_id()).expect("an id"),
        ),
        session.request_id().clone(),
        AccountsDetail::new(),
    ));
    let begun = begin.await.expect("begun");
    assert!(matches!(begun, DataState::Pending(_)));
    let error = client.delete_card(&id).await.expect_err("in use");
    assert_eq!(code(&error), Some(FlinksCode::CardInUse));
    assert_eq!(error.delivery(), Delivery::Rejected);
    assert!(kept(&sandbox, &id).is_some());

    let session = open(&client, "greatday_nomfa").await;
    let id = session.login_id().expect("a login").clone();
    let detail = client.accounts_detail(&session).interval(SOON).await;
    assert!(detail.expect("gathered").accounts.is_some());
    client.delete_card(&id).await.expect("deleted");
    assert_eq!(kept(&sandbox, &id), None);
}

#[tokio::test]
async fn a_deletion_is_repeated_only_if_it_had_no_effect() {
    let id = login_id(flinks_sandbox::CACHED_LOGIN_ID);
    let ours = sandbox(&["delete-card@1=status:429,retry-after=0"]).await;
    client(&ours)
        .delete_card(&id)
        .await
        .expect("the second time");
    assert_eq!(ours.requests(ApiOperation::DeleteCard), 2);
    assert_eq!(kept(&ours, &id), None);

    for (fault, gone) in [
        ("delete-card=reset-after", true),
        ("delete-card=status-after:502", true),
        ("delete-card=reset-before", false),
    ] {
        let ours = sandbox(&[fault]).await;
        let error = client(&ours).delete_card(&id).await.expect_err(fault);
        assert_eq!(error.delivery(), Delivery::Unknown, "{fault}");
        assert_eq!(ours.requests(ApiOperation::DeleteCard), 1, "{fault}");
        assert_eq!(kept(&ours, &id).is_none(), gone, "{fault}");
    }
}

#[tokio::test]
async fn a_session_that_was_open_already_is_used() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let outcome = client.authorize(customer("test_already_authorized")).await;
    let Ok(Authorize::Authorized(session)) = outcome else {
        panic!("a 401 that is none: {outcome:?}")
    };
    let log = sandbox.log();
    assert_eq!(log.last().and_then(|line| line.status), Some(401));
    let summary = client.accounts_summary(&session).interval(SOON).await;
    assert!(summary.expect("accounts").accounts.is_some());
    let again = client.authorize(customer("test_service_unavailable")).await;
    let again = again.expect_err("the bank is down");
    assert_eq!(again.refusal(), Some(Refusal::BankDown));
    assert_eq!(again.error().kind(), ErrorKind::Api);
}
