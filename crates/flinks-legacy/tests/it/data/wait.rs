//! Waiting, in paused time: one beginning, then polls, whatever happens to either.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_types::FlinksCode;
use tokio::time::Instant;

use super::leaf::{Act, Leaf, REQUEST, answer, login_id, pending, ready, session};

const SECOND: Duration = Duration::from_secs(1);

fn is_jittered(gap: Duration, interval: Duration) -> bool {
    // The clock of paused time counts in milliseconds, and rounds up.
    gap >= interval.mul_f64(0.9) && gap <= interval.mul_f64(1.1) + Duration::from_millis(2)
}

fn code(status: u16, code: &str) -> Act {
    answer(
        status,
        format!(r#"{{"HttpStatusCode":{status},"FlinksCode":"{code}"}}"#),
    )
}

/// Every request after the first is a poll.
fn began_once(leaf: &Leaf) {
    let methods = leaf.methods();
    assert_eq!(methods[0], "POST");
    assert!(
        methods[1..].iter().all(|method| method == "GET"),
        "{methods:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_data_may_come_at_once() {
    let leaf = Leaf::new([ready()]);
    let start = Instant::now();
    let answer = leaf.client().accounts_detail(&session()).await.unwrap();
    assert_eq!(answer.accounts.as_ref().unwrap().len(), 1);
    assert_eq!((leaf.seen().len(), start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_202_is_polled_every_ten_seconds() {
    let leaf = Leaf::new([
        pending(),
        answer(202, ""),
        code(200, "OPERATION_DISPATCHED"),
        ready(),
    ]);
    let noted = Arc::new(Mutex::new(vec![]));
    let notes = Arc::clone(&noted);
    let answer = leaf
        .client()
        .accounts_detail(&session())
        .on_pending(move |passed| notes.lock().unwrap().push(passed))
        .await
        .unwrap();
    assert!(answer.accounts.is_some());
    began_once(&leaf);
    let poll = format!("GET /v3/43387ca6/BankingServices/GetAccountsDetailAsync/{REQUEST}");
    assert!(leaf.seen()[1..].iter().all(|seen| seen.line == poll));
    for gap in leaf.gaps() {
        assert!(is_jittered(gap, 10 * SECOND), "{gap:?}");
    }
    let noted = noted.lock().unwrap();
    assert_eq!(noted.len(), 3);
    assert!(is_jittered(noted[1], 10 * SECOND), "{noted:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_polled_and_never_begun_again() {
    for lost in [
        Act::Break,
        Act::Hang,
        answer(504, "<html>"),
        answer(503, ""),
        answer(500, r#"{"Message":"oops"}"#),
    ] {
        // With the transport's own retries.
        let leaf = Leaf::new([lost.clone(), pending(), ready()]);
        let client = leaf.client_over(|builder| builder);
        let answer = client.statements(&session()).await.unwrap();
        assert_eq!(answer.accounts, None, "{lost:?}");
        began_once(&leaf);
        assert_eq!(leaf.seen().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn what_did_not_arrive_is_sent_again_and_not_polled() {
    let leaf = Leaf::new([Act::Refuse, Act::Refuse, ready()]);
    let client = leaf.client_over(|builder| builder);
    client.accounts_summary(&session()).await.unwrap();
    assert_eq!(leaf.methods(), ["POST", "POST", "POST"]);

    let leaf = Leaf::new([Act::Refuse]);
    let error = leaf
        .client()
        .accounts_summary(&session())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(leaf.methods(), ["POST"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_with_a_code_is_an_answer() {
    for (status, word) in [
        (500, "AGGREGATION_ERROR"),
        (400, "SESSION_NONEXISTENT"),
        (200, "SESSION_EXPIRED"),
        (401, "RETRY_LATER"),
        (500, "BRAND_NEW"),
    ] {
        let leaf = Leaf::new([code(status, word)]);
        let error = leaf.client().accounts_detail(&session()).await.unwrap_err();
        let said = error.api().and_then(|api| api.flinks_code.clone());
        assert_eq!(said, Some(FlinksCode::from(word)));
        assert_eq!(leaf.methods(), ["POST"]);
    }
}

#[tokio::test(start_paused = true)]
async fn polls_that_fail_for_a_reason_that_passes_are_made_again() {
    let leaf = Leaf::new([
        pending(),
        answer(503, "<html>"),
        Act::Break,
        Act::Refuse,
        Act::Hang,
        answer(408, ""),
        code(429, "TOO_MANY_REQUESTS"),
        code(401, "TOO_MANY_REQUESTS"),
        code(400, "CARD_IN_USE"),
        code(503, "BRAND_NEW"),
        code(429, "BRAND_NEW"),
        ready(),
    ]);
    leaf.client().accounts_detail(&session()).await.unwrap();
    began_once(&leaf);
    assert_eq!(leaf.seen().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_honoured() {
    let leaf = Leaf::new([pending(), Act::After(429, String::new(), 77), ready()]);
    leaf.client().accounts_detail(&session()).await.unwrap();
    assert!(leaf.gaps()[1] >= 77 * SECOND, "{:?}", leaf.gaps());
}

#[tokio::test(start_paused = true)]
async fn other_failures_end_the_polls() {
    for (act, kind) in [
        (code(400, "SESSION_EXPIRED"), ErrorKind::Api),
        (code(500, "AGGREGATION_ERROR"), ErrorKind::Api),
        (answer(404, "<html>"), ErrorKind::Api),
        (answer(200, "<html>"), ErrorKind::Decode),
    ] {
        let leaf = Leaf::new([pending(), act]);
        let error = leaf.client().accounts_detail(&session()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.operation(), Some("legacy.accounts_detail_async"));
        assert_eq!(leaf.seen().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_beginning_stays_in_the_error() {
    let leaf = Leaf::new([Act::Break, answer(404, "")]);
    let error = leaf.client().accounts_detail(&session()).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    let report = error.report().to_string();
    for part in [
        "legacy.accounts_detail_async",
        "404",
        "legacy.accounts_detail:",
    ] {
        assert!(report.contains(part), "{part} is missing from {report}");
    }
    // Once the service says that it is at work, the beginning was not lost.
    let leaf = Leaf::new([Act::Break, pending(), answer(404, "")]);
    let error = leaf.client().accounts_detail(&session()).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Rejected);
}

#[tokio::test(start_paused = true)]
async fn the_wait_ends_after_half_an_hour_and_can_be_resumed() {
    let leaf = Leaf::new([pending()]);
    let start = Instant::now();
    let error = leaf.client().accounts_detail(&session()).await.unwrap_err();
    assert!(start.elapsed() <= 1800 * SECOND && start.elapsed() >= 1780 * SECOND);
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.delivery(), Delivery::Delivered);
    assert!(error.to_string().contains(REQUEST), "{error}");
    let polls = leaf.seen().len() - 1;
    assert!((160..=200).contains(&polls), "{polls}");

    let leaf = Leaf::new([ready()]);
    let start = Instant::now();
    let fetch = leaf.client().accounts_detail_async(&session());
    fetch.await.unwrap();
    assert_eq!(
        (leaf.methods(), start.elapsed()),
        (vec!["GET".to_owned()], Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_last_failure_says_more() {
    let leaf = Leaf::new([pending(), answer(503, "")]);
    let fetch = leaf.client().accounts_detail(&session());
    let error: Error = fetch.timeout(60 * SECOND).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 503);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_was_never_reached_is_not_waited_for() {
    let leaf = Leaf::new([Act::Refuse]);
    let fetch = leaf.client().statements_async(&session());
    assert_eq!(fetch.await.unwrap_err().kind(), ErrorKind::Connect);
    assert_eq!(leaf.seen().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_beginning_is_given_240_seconds() {
    let leaf = Leaf::new([Act::Hang, ready()]);
    let client = leaf.client_over(|builder| builder);
    client.accounts_detail(&session()).await.unwrap();
    let gap = leaf.gaps()[0];
    assert!(gap >= 249 * SECOND && gap <= 252 * SECOND, "{gap:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_was_dropped_is_resumed() {
    let leaf = Leaf::new([pending(), ready()]);
    let client = leaf.client();
    let dropped = tokio::time::timeout(SECOND, client.accounts_summary(&session()).into_future());
    assert!(dropped.await.is_err());
    client.accounts_summary_async(&session()).await.unwrap();
    assert_eq!(leaf.methods(), ["POST", "GET"]);
}

#[tokio::test(start_paused = true)]
async fn data_of_another_session_or_login_is_refused() {
    let named = |fields: &str| answer(200, format!(r#"{{"Accounts":[{{}}],{fields}}}"#));
    let waiting = |fields: &str| answer(202, format!("{{{fields}}}"));
    let another = [
        (r#""RequestId":"another""#, "RequestId"),
        (r#""Login":{"Id":"another"}"#, "LoginId"),
        (r#""loginId":"another""#, "LoginId"),
    ];
    for (fields, id) in another {
        // At once, while it is pending, and from a poll.
        for script in [
            vec![named(fields)],
            vec![waiting(fields)],
            vec![pending(), waiting(fields)],
            vec![Act::Break, named(fields)],
        ] {
            let requests = script.len();
            let leaf = Leaf::new(script);
            let session = session().with_login_id(login_id());
            let error = leaf.client().accounts_detail(&session).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{fields}");
            let sentence = format!("about another {id}");
            assert!(error.to_string().contains(&sentence), "{error}");
            assert_eq!(leaf.seen().len(), requests);
        }
        let leaf = Leaf::new([answer(
            200,
            format!(r#"{{"StatementsByAccount":[],{fields}}}"#),
        )]);
        let session = session().with_login_id(login_id());
        let fetch = leaf.client().statements_async(&session);
        assert_eq!(fetch.await.unwrap_err().kind(), ErrorKind::Decode);
    }
    let own = format!(
        r#""RequestId":"{}","Login":{{"Id":"{}"}}"#,
        REQUEST.to_uppercase(),
        login_id().as_str()
    );
    let leaf = Leaf::new([named(&own)]);
    let session = session().with_login_id(login_id());
    leaf.client().accounts_detail(&session).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_longest_times_do_not_overflow() {
    for interval in [Duration::ZERO, Duration::MAX] {
        let leaf = Leaf::new([Act::After(503, String::new(), u64::MAX), ready()]);
        let fetch = leaf.client().accounts_detail(&session()).interval(interval);
        fetch.timeout(Duration::MAX).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_in_the_body_counts_as_one_on_the_wire() {
    let says = |inner: u16| {
        answer(
            200,
            format!(r#"{{"HttpStatusCode":{inner},"Accounts":[]}}"#),
        )
    };
    // Whether anything was begun is open: the result is asked for, and nothing is begun again.
    for inner in [100, 302, 500, 503, 600] {
        let leaf = Leaf::new([says(inner), ready()]);
        leaf.client().accounts_detail(&session()).await.unwrap();
        began_once(&leaf);
    }
    // A poll that fails for a reason that passes is made again.
    for inner in [408, 429, 503] {
        let leaf = Leaf::new([pending(), says(inner), ready()]);
        leaf.client().accounts_detail(&session()).await.unwrap();
        assert_eq!(leaf.seen().len(), 3);
    }
    for inner in [302, 400, 600] {
        let leaf = Leaf::new([pending(), says(inner)]);
        let fetch = leaf.client().accounts_detail(&session());
        assert_eq!(fetch.await.unwrap_err().kind(), ErrorKind::Api);
    }
}
