//! The data of a session: begun once, polled through whatever breaks, and whole in the end.

use std::time::Duration;

use flinks_legacy::{AccountsDetail, AccountsSummary, LegacyClient, Session};
use flinks_sandbox::{ApiOperation, Sandbox};
use flinks_transport::{Delivery, ErrorKind, RetryConfig};
use flinks_types::{DaysOfTransactions, FlinksCode};
use tokio::sync::mpsc::unbounded_channel;

use super::bank::{
    RIGHT, SOON, acted, answers, asked, client, client_over, config, customer, keys, open, opened,
    sandbox,
};
use super::{code, started, status, trusting};

#[tokio::test]
async fn data_that_are_pending_are_polled_to_the_end() {
    let sandbox = started(config(&[]).data_pending(SOON * 3)).await;
    let client = client(&sandbox);
    let session = open(&client, "test_dispatched").await;
    let (sender, mut pending) = unbounded_channel();
    let detail = client.accounts_detail(&session).interval(SOON);
    let detail = detail
        .on_pause(move |status| sender.send(status.elapsed).expect("a receiver"))
        .await;
    assert!(detail.expect("accounts").accounts.is_some());
    let mut waits = Vec::new();
    while let Some(waited) = pending.recv().await {
        waits.push(waited);
    }
    assert!(waits.is_sorted());
    assert_eq!(sandbox.requests(ApiOperation::Data), 1);
    let polls = sandbox.requests(ApiOperation::DataAsync);
    assert_eq!(waits.len(), polls, "the POST and all polls but the last");
    assert!(polls > 0);
}

#[tokio::test]
async fn what_one_client_has_begun_another_waits_for() {
    let sandbox = sandbox(&[]).await;
    let session = {
        let client = client(&sandbox);
        let session = open(&client, "greatday_nomfa").await;
        let (sender, mut pending) = unbounded_channel();
        let detail = client.accounts_detail(&session);
        let detail = detail.on_pause(move |_| sender.send(()).expect("a receiver"));
        tokio::select! {
            outcome = detail => panic!("{outcome:?}"),
            begun = pending.recv() => assert_eq!(begun, Some(())),
        }
        session.request_id().clone()
    };
    let session = Session::from_request_id(session);
    let detail = client(&sandbox).accounts_detail_async(&session);
    let detail = detail.interval(SOON).await.expect("accounts");
    assert_eq!(detail.accounts.as_ref().map(Vec::len), Some(3));
    assert_eq!(sandbox.requests(ApiOperation::Data), 1);
    assert!(sandbox.requests(ApiOperation::DataAsync) > 0);
}

/// Everything that passes, one poll each.
const PASSING: [&str; 6] = [
    "data-async@1=reset-before",
    "data-async@2=close-after",
    "data-async@3=torn",
    "data-async@4=status:503,retry-after=0",
    "data-async@5=html:502",
    "data-async@6=status:429,retry-after=0",
];

/// A client that makes no attempt of a call twice, so that each failure is seen by the wait.
async fn through_passing_faults() -> (Sandbox, LegacyClient, Session) {
    let sandbox = sandbox(&PASSING).await;
    let transport = trusting(&sandbox).retry(RetryConfig::none());
    let client = client_over(&sandbox, transport, keys(&sandbox));
    let session = open(&client, "greatday_nomfa").await;
    (sandbox, client, session)
}

#[tokio::test]
async fn every_kind_of_poll_goes_on_after_failures_that_pass() {
    let (detail, summary, statements) = tokio::join!(
        through_passing_faults(),
        through_passing_faults(),
        through_passing_faults()
    );
    let (ours, client, session) = detail;
    let outcome = client.accounts_detail(&session).interval(SOON).await;
    assert!(outcome.expect("accounts").accounts.is_some());
    let (theirs, client, session) = summary;
    let outcome = client.accounts_summary(&session).interval(SOON).await;
    assert!(outcome.expect("accounts").accounts.is_some());
    let (others, client, session) = statements;
    let outcome = client.statements(&session).interval(SOON).await;
    assert!(outcome.expect("statements").accounts.is_some());
    for sandbox in [ours, theirs, others] {
        assert_eq!(sandbox.requests(ApiOperation::Data), 1);
        assert_eq!(sandbox.requests(ApiOperation::DataAsync), 7);
    }
}

#[tokio::test]
async fn a_beginning_that_never_arrived_is_not_made_up_for() {
    let sandbox = sandbox(&["data@1=reset-before"]).await;
    let client = client(&sandbox);
    let session = open(&client, "greatday_nomfa").await;
    let error = client.statements(&session).interval(SOON).await;
    let error = error.expect_err("nothing was begun");
    assert_eq!(code(&error), Some(FlinksCode::InvalidRequest));
    assert_eq!(
        error.delivery(),
        Delivery::Unknown,
        "nor did anybody say so"
    );
    assert_eq!(sandbox.requests(ApiOperation::Data), 1);
    assert_eq!(sandbox.requests(ApiOperation::DataAsync), 1);

    // A person may decide to start over.
    let again = client.statements(&session).interval(SOON).await;
    assert!(again.expect("statements").accounts.is_some());
    assert_eq!(acted(&sandbox, ApiOperation::Data), 1);
}

#[tokio::test]
async fn a_beginning_that_was_put_off_is_made_again() {
    let sandbox = sandbox(&["data@1=status:429,retry-after=0"]).await;
    let client = client(&sandbox);
    let session = open(&client, "greatday_nomfa").await;
    let summary = client.accounts_summary(&session).interval(SOON).await;
    assert!(summary.expect("accounts").accounts.is_some());
    assert_eq!(sandbox.requests(ApiOperation::Data), 2);
    assert_eq!(acted(&sandbox, ApiOperation::Data), 1);
}

#[tokio::test]
async fn a_beginning_that_the_service_failed_at_is_the_callers_to_go_on_with() {
    let sandbox = sandbox(&["data@1=status-after:500"]).await;
    let client = client(&sandbox);
    let session = open(&client, "greatday_nomfa").await;
    let error = client.accounts_detail(&session).interval(SOON).await;
    let error = error.expect_err("the service says that it failed");
    assert_eq!(
        (error.delivery(), status(&error)),
        (Delivery::Unknown, Some(500))
    );
    assert_eq!(sandbox.requests(ApiOperation::Data), 1);
    let detail = client.accounts_detail_async(&session).interval(SOON).await;
    assert!(detail.expect("it had begun").accounts.is_some());
    assert_eq!(sandbox.requests(ApiOperation::Data), 1);
}

#[tokio::test]
async fn three_kinds_of_data_are_gathered_at_once_in_one_session() {
    let sandbox = sandbox(&["data-async=delay:10"]).await;
    let client = client(&sandbox);
    let session = open(&client, "greatday_nomfa").await;
    let (detail, summary, statements) = tokio::join!(
        client.accounts_detail(&session).interval(SOON),
        client.accounts_summary(&session).interval(SOON),
        client.statements(&session).interval(SOON),
    );
    let detail = detail
        .expect("details")
        .into_inner()
        .accounts
        .expect("a list");
    let summary = summary
        .expect("a summary")
        .into_inner()
        .accounts
        .expect("a list");
    let statements = statements
        .expect("statements")
        .into_inner()
        .accounts
        .expect("a list");
    for ((full, short), papers) in detail.iter().zip(&summary).zip(&statements) {
        assert_eq!((&full.id, &full.balance), (&short.id, &short.balance));
        assert_eq!(full.account_number, papers.account_number);
        assert!(full.transactions.is_some() && short.transactions.is_none());
    }
    assert_eq!(detail.len(), 3);
    assert_eq!(sandbox.requests(ApiOperation::Data), 3);
    assert_eq!(sandbox.requests(ApiOperation::DataAsync), 3);
}

#[tokio::test]
async fn what_is_asked_for_is_what_comes_and_no_more() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let session = open(&client, "greatday_nomfa").await;
    let year = AccountsDetail::new().with_days(DaysOfTransactions::Days365);
    let year = client.accounts_detail(&session).options(year);
    let year = year.interval(SOON).await.expect("a year");
    let all = year.accounts.as_deref().expect("a list");
    let savings = all[1].id.clone().expect("an id");

    let little = AccountsDetail::new()
        .with_account(savings.clone())
        .with_kyc(false)
        .with_balance(false)
        .with_account_identity(false)
        .with_days(DaysOfTransactions::Days90);
    let little = client.accounts_detail(&session).options(little);
    let little = little.interval(SOON).await.expect("one account");
    let [one] = little.accounts.as_deref().expect("a list") else {
        panic!("one account")
    };
    assert_eq!(one.id, Some(savings));
    assert!(one.holder.is_none() && one.account_number.is_none());
    assert!(
        one.balance
            .as_ref()
            .is_none_or(|balance| balance.current.is_none())
    );
    let (few, many) = (one.transactions.as_ref(), all[1].transactions.as_ref());
    let (few, many) = (few.expect("a list"), many.expect("a list"));
    assert!(few.len() < many.len() && many.starts_with(few));

    let plain = AccountsSummary::new().with_balance(false);
    let plain = client.accounts_summary(&session).options(plain);
    let plain = plain.interval(SOON).await.expect("a summary");
    let plain = plain.accounts.as_deref().expect("a list");
    assert!(plain.iter().all(|one| one.transactions.is_none()));
    assert!(
        plain[0]
            .balance
            .as_ref()
            .is_none_or(|balance| balance.current.is_none())
    );
}

#[tokio::test]
async fn data_come_only_after_the_last_answer() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let round = asked(client.authorize(customer("greatday_together")).await);
    let early = Session::from_request_id(round.request_id().clone());
    let error = client.accounts_detail(&early).await;
    let error = error.expect_err("the bank has asked something");
    assert_eq!(
        (status(&error), code(&error)),
        (Some(401), Some(FlinksCode::Unauthorized))
    );
    assert_eq!(
        sandbox.requests(ApiOperation::DataAsync),
        0,
        "nothing to wait for"
    );
    let session = opened(client.answer(answers(&round, RIGHT)).await);
    let detail = client.accounts_detail(&session).interval(SOON).await;
    assert!(detail.expect("accounts").accounts.is_some());
}

#[tokio::test]
async fn data_that_nobody_has_begun_are_not_waited_for() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let session = open(&client, "greatday_nomfa").await;
    let error = client.accounts_summary_async(&session).await;
    let error = error.expect_err("no data was requested before");
    assert_eq!(code(&error), Some(FlinksCode::InvalidRequest));
    assert_eq!(sandbox.requests(ApiOperation::DataAsync), 1);
    assert_eq!(sandbox.requests(ApiOperation::Data), 0);
}

#[tokio::test]
async fn data_that_never_come_end_at_the_deadline_and_may_be_asked_for_later() {
    let sandbox = sandbox(&[]).await;
    let client = client(&sandbox);
    let session = open(&client, "test_pending").await;
    // The last poll gets a quarter of it: enough on a busy machine too.
    let deadline = Duration::from_secs(3);
    let detail = client.accounts_detail(&session).interval(SOON);
    let error = detail.timeout(deadline).await.expect_err("never");
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Timeout, Delivery::Delivered)
    );
    let polls = sandbox.requests(ApiOperation::DataAsync);
    assert!(polls > 1, "{polls} polls");
    let later = client.accounts_detail_async(&session).interval(SOON);
    let error = later.timeout(deadline).await.expect_err("never");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(sandbox.requests(ApiOperation::DataAsync) > polls);
    assert_eq!(sandbox.requests(ApiOperation::Data), 1);
}

#[tokio::test]
async fn pages_of_institutions_are_together_the_whole_list_though_one_fails() {
    let sandbox = sandbox(&["institutions@2=torn", "institutions@4=html:503"]).await;
    let client = client(&sandbox);
    let mut paged = Vec::new();
    loop {
        let skip = u32::try_from(paged.len()).expect("a few");
        let page = client.institutions(skip, 5).await.expect("a page");
        paged.extend(page.data.expect("a list"));
        if paged.len() >= page.count.expect("a count") as usize {
            break;
        }
    }
    assert_eq!(
        sandbox.requests(ApiOperation::Institutions),
        5,
        "three and two again"
    );
    let whole = client.institutions(0, 1_000).await.expect("one page");
    assert_eq!(whole.data.as_deref(), Some(paged.as_slice()));
    let national = paged.iter().find(|one| one.id == Some(9));
    let national = national.and_then(|one| one.name("fr"));
    assert_eq!(national, Some("Banque Nationale"));
}
