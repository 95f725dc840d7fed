//! The data wait in paused time: started at most once, then polled, through failures of both.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use flinks_transport::testing::{Reply, ScriptedService};
use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_types::FlinksCode;
use tokio::time::Instant;

use crate::service::{LegacyService as _, REQUEST_ID, login_id, pending, ready, session};

const SECOND: Duration = Duration::from_secs(1);

fn is_jittered(gap: Duration, interval: Duration) -> bool {
    // The clock of paused time counts in milliseconds, and rounds up.
    gap >= interval.mul_f64(0.9) && gap <= interval.mul_f64(1.1) + Duration::from_millis(2)
}

fn code(status: u16, code: &str) -> Reply {
    Reply::json(
        status,
        format!(r#"{{"HttpStatusCode":{status},"FlinksCode":"{code}"}}"#),
    )
}

/// Every request after the first is a poll.
fn began_once(service: &ScriptedService) {
    let methods = service.methods();
    assert_eq!(methods[0], "POST");
    assert!(
        methods[1..].iter().all(|method| method == "GET"),
        "{methods:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_data_may_come_at_once() {
    let service = ScriptedService::new([ready()]).repeat_last();
    let start = Instant::now();
    let answer = service
        .client_without_retries()
        .accounts_detail(&session())
        .await
        .unwrap();
    assert_eq!(answer.accounts.as_ref().unwrap().len(), 1);
    assert_eq!((service.count(), start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_202_is_polled_every_ten_seconds() {
    let service = ScriptedService::new([
        pending(),
        Reply::json(202, ""),
        code(200, "OPERATION_DISPATCHED"),
        ready(),
    ])
    .repeat_last();
    let noted = Arc::new(Mutex::new(vec![]));
    let notes = Arc::clone(&noted);
    let answer = service
        .client_without_retries()
        .accounts_detail(&session())
        .on_pause(move |status| notes.lock().unwrap().push(status.elapsed))
        .await
        .unwrap();
    assert!(answer.accounts.is_some());
    began_once(&service);
    let poll = format!("GET /v3/43387ca6/BankingServices/GetAccountsDetailAsync/{REQUEST_ID}");
    assert!(service.lines()[1..].iter().all(|line| *line == poll));
    for gap in service.gaps() {
        assert!(is_jittered(gap, 10 * SECOND), "{gap:?}");
    }
    let noted = noted.lock().unwrap();
    assert_eq!(noted.len(), 3);
    assert!(is_jittered(noted[1], 10 * SECOND), "{noted:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_polled_and_never_begun_again() {
    for lost in [
        Reply::disconnect(),
        Reply::hang(),
        Reply::json(504, "<html>"),
        Reply::json(503, ""),
        Reply::json(500, r#"{"Message":"oops"}"#),
    ] {
        // With the transport's own retries.
        let service = ScriptedService::new([lost.clone(), pending(), ready()]).repeat_last();
        let client = service.client();
        let answer = client.statements(&session()).await.unwrap();
        assert_eq!(answer.accounts, None, "{lost:?}");
        began_once(&service);
        assert_eq!(service.count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn what_did_not_arrive_is_sent_again_and_not_polled() {
    let service = ScriptedService::new([Reply::refuse(), Reply::refuse(), ready()]).repeat_last();
    let client = service.client();
    client.accounts_summary(&session()).await.unwrap();
    assert_eq!(service.methods(), ["POST", "POST", "POST"]);

    let service = ScriptedService::new([Reply::refuse()]).repeat_last();
    let error = service
        .client_without_retries()
        .accounts_summary(&session())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(service.methods(), ["POST"]);
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
        let service = ScriptedService::new([code(status, word)]).repeat_last();
        let error = service
            .client_without_retries()
            .accounts_detail(&session())
            .await
            .unwrap_err();
        let said = error.api().and_then(|api| api.flinks_code.clone());
        assert_eq!(said, Some(FlinksCode::from(word)));
        assert_eq!(service.methods(), ["POST"]);
    }
}

#[tokio::test(start_paused = true)]
async fn polls_that_fail_for_a_reason_that_passes_are_made_again() {
    let service = ScriptedService::new([
        pending(),
        Reply::json(503, "<html>"),
        Reply::disconnect(),
        Reply::refuse(),
        Reply::hang(),
        Reply::json(408, ""),
        code(429, "TOO_MANY_REQUESTS"),
        code(401, "TOO_MANY_REQUESTS"),
        code(400, "CARD_IN_USE"),
        code(503, "BRAND_NEW"),
        code(429, "BRAND_NEW"),
        ready(),
    ])
    .repeat_last();
    service
        .client_without_retries()
        .accounts_detail(&session())
        .await
        .unwrap();
    began_once(&service);
    assert_eq!(service.count(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_honoured() {
    let service = ScriptedService::new([
        pending(),
        Reply::status(429).header("retry-after", "77"),
        ready(),
    ])
    .repeat_last();
    service
        .client_without_retries()
        .accounts_detail(&session())
        .await
        .unwrap();
    assert!(service.gaps()[1] >= 77 * SECOND, "{:?}", service.gaps());
}

#[tokio::test(start_paused = true)]
async fn other_failures_end_the_polls() {
    for (act, kind) in [
        (code(400, "SESSION_EXPIRED"), ErrorKind::Api),
        (code(500, "AGGREGATION_ERROR"), ErrorKind::Api),
        (Reply::json(404, "<html>"), ErrorKind::Api),
        (Reply::json(200, "<html>"), ErrorKind::Decode),
    ] {
        let service = ScriptedService::new([pending(), act]).repeat_last();
        let error = service
            .client_without_retries()
            .accounts_detail(&session())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.operation(), Some("legacy.accounts_detail_async"));
        assert_eq!(service.count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_beginning_stays_in_the_error() {
    let service = ScriptedService::new([Reply::disconnect(), Reply::json(404, "")]).repeat_last();
    let error = service
        .client_without_retries()
        .accounts_detail(&session())
        .await
        .unwrap_err();
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
    let service =
        ScriptedService::new([Reply::disconnect(), pending(), Reply::json(404, "")]).repeat_last();
    let error = service
        .client_without_retries()
        .accounts_detail(&session())
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::Rejected);
}

#[tokio::test(start_paused = true)]
async fn the_wait_ends_after_half_an_hour_and_can_be_resumed() {
    let service = ScriptedService::new([pending()]).repeat_last();
    let start = Instant::now();
    let error = service
        .client_without_retries()
        .accounts_detail(&session())
        .await
        .unwrap_err();
    assert!(start.elapsed() <= 1800 * SECOND && start.elapsed() >= 1780 * SECOND);
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.delivery(), Delivery::Delivered);
    assert!(error.to_string().contains(REQUEST_ID), "{error}");
    let polls = service.count() - 1;
    assert!((160..=200).contains(&polls), "{polls}");

    let service = ScriptedService::new([ready()]).repeat_last();
    let start = Instant::now();
    let fetch = service
        .client_without_retries()
        .accounts_detail_async(&session());
    fetch.await.unwrap();
    assert_eq!(
        (service.methods(), start.elapsed()),
        (vec!["GET".to_owned()], Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_last_failure_says_more() {
    let service = ScriptedService::new([pending(), Reply::json(503, "")]).repeat_last();
    let fetch = service.client_without_retries().accounts_detail(&session());
    let error: Error = fetch.timeout(60 * SECOND).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 503);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_was_never_reached_is_not_waited_for() {
    let service = ScriptedService::new([Reply::refuse()]).repeat_last();
    let fetch = service
        .client_without_retries()
        .statements_async(&session());
    assert_eq!(fetch.await.unwrap_err().kind(), ErrorKind::Connect);
    assert_eq!(service.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_beginning_is_given_240_seconds() {
    let service = ScriptedService::new([Reply::hang(), ready()]).repeat_last();
    let client = service.client();
    client.accounts_detail(&session()).await.unwrap();
    let gap = service.gaps()[0];
    assert!(gap >= 249 * SECOND && gap <= 252 * SECOND, "{gap:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_was_dropped_is_resumed() {
    let service = ScriptedService::new([pending(), ready()]).repeat_last();
    let client = service.client_without_retries();
    let dropped = tokio::time::timeout(SECOND, client.accounts_summary(&session()).into_future());
    assert!(dropped.await.is_err());
    client.accounts_summary_async(&session()).await.unwrap();
    assert_eq!(service.methods(), ["POST", "GET"]);
}

#[tokio::test(start_paused = true)]
async fn data_of_another_session_or_login_is_refused() {
    let named = |fields: &str| Reply::json(200, format!(r#"{{"Accounts":[{{}}],{fields}}}"#));
    let waiting = |fields: &str| Reply::json(202, format!("{{{fields}}}"));
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
            vec![Reply::disconnect(), named(fields)],
        ] {
            let requests = script.len();
            let service = ScriptedService::new(script).repeat_last();
            let session = session().with_login_id(login_id());
            let error = service
                .client_without_retries()
                .accounts_detail(&session)
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{fields}");
            let sentence = format!("about another {id}");
            assert!(error.to_string().contains(&sentence), "{error}");
            assert_eq!(service.count(), requests);
        }
        let service = ScriptedService::new([Reply::json(
            200,
            format!(r#"{{"StatementsByAccount":[],{fields}}}"#),
        )])
        .repeat_last();
        let session = session().with_login_id(login_id());
        let fetch = service.client_without_retries().statements_async(&session);
        assert_eq!(fetch.await.unwrap_err().kind(), ErrorKind::Decode);
    }
    let own = format!(
        r#""RequestId":"{}","Login":{{"Id":"{}"}}"#,
        REQUEST_ID.to_uppercase(),
        login_id().as_str()
    );
    let service = ScriptedService::new([named(&own)]).repeat_last();
    let session = session().with_login_id(login_id());
    service
        .client_without_retries()
        .accounts_detail(&session)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_longest_times_do_not_overflow() {
    for interval in [Duration::ZERO, Duration::MAX] {
        let service = ScriptedService::new([
            Reply::status(503).header("retry-after", &u64::MAX.to_string()),
            ready(),
        ])
        .repeat_last();
        let fetch = service
            .client_without_retries()
            .accounts_detail(&session())
            .interval(interval);
        fetch.timeout(Duration::MAX).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_in_the_body_counts_as_one_on_the_wire() {
    let says = |inner: u16| {
        Reply::json(
            200,
            format!(r#"{{"HttpStatusCode":{inner},"Accounts":[]}}"#),
        )
    };
    // Whether the call was started is unknown: it is polled, and never started again.
    for inner in [100, 302, 500, 503, 600] {
        let service = ScriptedService::new([says(inner), ready()]).repeat_last();
        service
            .client_without_retries()
            .accounts_detail(&session())
            .await
            .unwrap();
        began_once(&service);
    }
    // A poll that fails for a reason that passes is made again.
    for inner in [408, 429, 503] {
        let service = ScriptedService::new([pending(), says(inner), ready()]).repeat_last();
        service
            .client_without_retries()
            .accounts_detail(&session())
            .await
            .unwrap();
        assert_eq!(service.count(), 3);
    }
    for inner in [302, 400, 600] {
        let service = ScriptedService::new([pending(), says(inner)]).repeat_last();
        let fetch = service.client_without_retries().accounts_detail(&session());
        assert_eq!(fetch.await.unwrap_err().kind(), ErrorKind::Api);
    }
}
