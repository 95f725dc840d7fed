//! Bank sessions: from credentials through every challenge to a session, here and in another process.

use std::time::Duration;

use flinks_legacy::{Authorize, ChallengeRound, Channel, QuestionKind, Refusal};
use flinks_sandbox::ApiOperation;
use flinks_transport::ErrorKind;
use flinks_types::{Credentials, FlinksCode, Language, RetryClass, StoredLogin};

use super::bank::{
    RIGHT, SOON, acted, answers, asked, client, config, customer, kept, open, opened, sandbox,
};
use super::{code, started};

#[tokio::test]
async fn a_customer_is_followed_from_the_first_question_to_the_deleted_card() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let round = asked(client.authorize(customer("greatday_together")).await);
    let wrong = answers(&round, ["Toronto", "Canada", "Triangle"]);
    let again = asked(client.answer(wrong).await);
    assert!(again.answers_were_wrong());
    assert_eq!(again.request_id(), round.request_id());
    let session = opened(client.answer(answers(&again, RIGHT)).await);
    let login_id = session.login_id().expect("a login").clone();
    let login = kept(&sandbox, &login_id).expect("it is kept");
    assert_eq!(login.username, "greatday_together");

    let detail = client.accounts_detail(&session).interval(SOON).await;
    assert_eq!(
        detail.expect("accounts").accounts.as_ref().map(Vec::len),
        Some(3)
    );
    let statements = client.statements(&session).interval(SOON).await;
    assert!(statements.expect("statements").accounts.is_some());

    client.delete_card(&login_id).await.expect("deleted");
    assert_eq!(kept(&sandbox, &login_id), None);
    let cached = client.authorize(StoredLogin::cached(login_id)).await;
    let cached = cached.expect_err("it is deleted");
    assert_eq!(cached.refusal(), Some(Refusal::BankLogin));
    assert_eq!(code(cached.error()), Some(FlinksCode::InvalidLogin));
    let summary = client.accounts_summary(&session).await;
    let summary = summary.expect_err("its sessions are over too");
    assert_eq!(code(&summary), Some(FlinksCode::SessionNonexistent));

    assert_eq!(sandbox.requests(ApiOperation::Authorize), 4);
    assert_eq!(
        sandbox.requests(ApiOperation::AuthorizeToken),
        2,
        "one a session"
    );
}

#[tokio::test]
async fn a_session_is_put_away_in_every_round_and_continued_by_another_client() {
    let sandbox = sandbox(&[]).await;
    let french = customer("Greatday")
        .language(Language::French)
        .tag("dossier");
    let mut round = asked(client(&sandbox).authorize(french).await);
    let request_id = round.request_id().clone();
    for text in ["Montréal", "Canada"] {
        let written = serde_json::to_string(&round).expect("JSON");
        let read: ChallengeRound = serde_json::from_str(&written).expect("a round");
        round = asked(client(&sandbox).answer(answers(&read, [text])).await);
        assert_eq!(round.request_id(), &request_id);
    }
    let session = opened(client(&sandbox).answer(answers(&round, ["triangle"])).await);
    assert_eq!(session.tag(), Some("dossier"));
    assert!(kept(&sandbox, session.login_id().expect("a login")).is_some());
    // The round that was not put away took its token along.
    assert_eq!(sandbox.requests(ApiOperation::AuthorizeToken), 3);
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 4);
    assert_eq!(acted(&sandbox, ApiOperation::Authorize), 4);
}

#[tokio::test]
async fn a_code_goes_to_the_chosen_phone_and_a_wrong_one_means_a_new_session() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let td = || Credentials::new("TD", "td_code", "Everyday");
    let mut codes = Vec::new();
    for _ in 0..2 {
        let phones = asked(client.authorize(td()).await);
        let mut chosen = phones.answers();
        let question = phones.questions().next().expect("a question");
        let QuestionKind::Phone(phone) = question.kind() else {
            panic!("a phone: {question:?}")
        };
        let number = phone.numbers().nth(2).expect("three numbers");
        phone
            .send_to(&mut chosen, number, Channel::Call)
            .expect("offered");
        codes.push(asked(client.answer(chosen.finish().expect("whole")).await));
    }
    let [first, second] = [&codes[0], &codes[1]];
    let wrong = client.answer(answers(first, ["000000"])).await;
    let wrong = wrong.expect_err("the session is over");
    assert_eq!(wrong.refusal(), Some(Refusal::WrongAnswer));
    let late = client.answer(answers(first, ["123456"])).await;
    let late = late.expect_err("the right code comes too late");
    assert_eq!(late.refusal(), Some(Refusal::SessionOver));
    // The other session has waited meanwhile.
    opened(client.answer(answers(second, ["123456"])).await);
    assert_eq!(sandbox.requests(ApiOperation::AuthorizeToken), 2);
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 7);
}

#[tokio::test]
async fn a_device_is_asked_for_again_until_its_owner_has_approved() {
    let sandbox = started(config(&[]).device_approval(Duration::from_millis(500))).await;
    let client = client(&sandbox);
    let rbc = Credentials::new("RBC", "rbc_device", "Everyday");
    let mut step = client.authorize(rbc).await;
    let mut too_early = 0;
    let session = loop {
        let round = match step.expect("an answer") {
            Authorize::Authorized(session) => break session,
            Authorize::Challenged(round) => round,
            other => panic!("{other:?}"),
        };
        let mut approved = round.answers();
        let question = round.questions().next().expect("a question");
        let QuestionKind::Approval(approval) = question.kind() else {
            panic!("an approval: {question:?}")
        };
        approval.approved(&mut approved).expect("of this round");
        tokio::time::sleep(SOON).await;
        step = client.answer(approved.finish().expect("whole")).await;
        too_early += 1;
    };
    assert!(too_early > 1, "the first answer came too early");
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 1 + too_early);
    assert_eq!(acted(&sandbox, ApiOperation::Authorize), 2);
    let login_id = session.login_id().expect("a login");
    assert_eq!(login_id.as_str(), flinks_sandbox::DEVICE_LOGIN_ID);
}

#[tokio::test]
async fn an_unanswered_question_is_noticed_before_anything_is_sent() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let round = asked(client.authorize(customer("greatday_together")).await);
    let mut two = round.answers();
    for (question, text) in round.questions().zip(RIGHT).take(2) {
        question
            .kind()
            .answer_raw(&mut two, [text])
            .expect("of this round");
    }
    let error = two.finish().expect_err("the third has no answer");
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 1);
    opened(client.answer(answers(&round, RIGHT)).await);
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 2);
}

#[tokio::test]
async fn two_customers_at_once_have_their_own_sessions_tokens_and_accounts() {
    let sandbox = sandbox(&["authorize=delay:20"]).await;
    let client = client(&sandbox);
    let together = async {
        let round = asked(client.authorize(customer("greatday_together")).await);
        opened(client.answer(answers(&round, RIGHT)).await)
    };
    let securid = async {
        let national = Credentials::new("National", "national_securid", "Everyday");
        let code = asked(client.authorize(national).await);
        let dog = asked(client.answer(answers(&code, ["123456"])).await);
        opened(client.answer(answers(&dog, ["Wouf"])).await)
    };
    let (one, other) = tokio::join!(Box::pin(together), Box::pin(securid));
    assert_ne!(one.login_id(), other.login_id());
    let (ours, theirs) = tokio::join!(
        client.accounts_detail(&one).interval(SOON),
        client.accounts_detail(&other).interval(SOON),
    );
    let (ours, theirs) = (ours.expect("accounts"), theirs.expect("accounts"));
    assert_eq!(ours.institution.as_deref(), Some("FlinksCapital"));
    assert_eq!(theirs.institution.as_deref(), Some("National"));
    assert_ne!(ours.accounts, theirs.accounts);
    assert_eq!(sandbox.requests(ApiOperation::AuthorizeToken), 2);
    assert!(
        sandbox
            .log()
            .iter()
            .all(|line| line.status.is_some_and(|status| status < 300))
    );
}

#[tokio::test]
async fn an_idle_session_is_over_and_its_login_opens_another() {
    let sandbox = started(config(&[]).session_idle(Duration::from_millis(700))).await;
    let client = client(&sandbox);
    let round = asked(client.authorize(customer("greatday_together")).await);
    let session = open(&client, "greatday_nomfa").await;
    tokio::time::sleep(Duration::from_millis(750)).await;

    let late = client.answer(answers(&round, RIGHT)).await;
    let late = late.expect_err("eight minutes have passed");
    assert_eq!(late.refusal(), Some(Refusal::SessionOver));
    let summary = client.accounts_summary(&session).await;
    let summary = summary.expect_err("so has this session's time");
    assert_eq!(code(&summary), Some(FlinksCode::SessionNonexistent));
    assert_eq!(sandbox.requests(ApiOperation::DataAsync), 0);

    let login_id = session.login_id().expect("a login").clone();
    let cached = opened(client.authorize(StoredLogin::cached(login_id)).await);
    let summary = client.accounts_summary(&cached).interval(SOON).await;
    assert!(summary.expect("accounts").accounts.is_some());
}

#[tokio::test]
async fn a_second_session_waits_until_the_first_is_over_and_nobody_insists() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let user = "test_concurrent_session";
    let first = open(&client, user).await;
    let id = first.login_id().expect("a login").clone();
    let live = client.authorize(StoredLogin::live(id.clone())).await;
    for refused in [live, client.authorize(customer(user)).await] {
        let error = refused.expect_err("one at a time");
        let said = code(error.error()).expect("a code");
        assert_eq!(said, FlinksCode::ConcurrentSession);
        assert_eq!(said.retry_class(), Some(RetryClass::Later));
    }
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 3);
    let cached = opened(client.authorize(StoredLogin::cached(id.clone())).await);
    for session in [first, cached] {
        let summary = client.accounts_summary(&session).interval(SOON).await;
        assert!(summary.expect("accounts").accounts.is_some());
    }
    // Its sessions end with the card.
    client.delete_card(&id).await.expect("deleted");
    open(&client, user).await;
}

#[tokio::test]
async fn two_clients_that_answer_one_round_end_in_one_session() {
    let sandbox = sandbox(&[]).await;
    let ours = client(&sandbox);
    let round = asked(ours.authorize(customer("greatday_together")).await);
    let written = serde_json::to_string(&round).expect("JSON");
    let theirs: ChallengeRound = serde_json::from_str(&written).expect("a round");
    let first = opened(ours.answer(answers(&round, RIGHT)).await);
    let second = opened(client(&sandbox).answer(answers(&theirs, RIGHT)).await);
    assert_eq!(first.request_id(), second.request_id());
    assert_eq!(first.login_id(), second.login_id());
    let log = sandbox.log();
    assert_eq!(
        log.last().and_then(|line| line.status),
        Some(401),
        "ALREADY_AUTHORIZED"
    );
    assert_eq!(acted(&sandbox, ApiOperation::Authorize), 2);
}
