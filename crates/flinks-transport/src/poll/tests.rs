//! Tests of the waits: when polls are sent, and why a wait ends.

use bytes::Bytes;
use http::{Request, Response};

use super::*;
use crate::testing::{Reply, ScriptedService};
use crate::{Body, DecodeError, Replay, RetryConfig, Route};

struct Ask;

impl Operation for Ask {
    type Output = ();

    fn meta(&self) -> CallMeta {
        CallMeta::new("test.poll", Route::get("/"), Replay::Safe)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        Ok(Request::new(Body::empty()))
    }

    fn decode(&self, _: Response<Bytes>) -> Result<(), DecodeError> {
        Ok(())
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Polls every 30 s until the wait ends; the last reply is repeated.
async fn wait(
    timeout: Duration,
    script: impl IntoIterator<Item = Reply>,
) -> (ScriptedService, Error) {
    let service = ScriptedService::new(script).repeat_last();
    let transport = service.builder().retry(RetryConfig::none()).build();
    let transport = transport.expect("a transport");
    let mut poller = Poller::new(PollConfig::new(seconds(30), timeout), is_transient);
    loop {
        if let Err(error) = poller.poll(transport.call(Ask)).await {
            return (service, error);
        }
        if let Err(over) = poller.pause().await {
            return (service, over.into_error("still pending"));
        }
    }
}

fn last_poll(service: &ScriptedService) -> u64 {
    service.requests().last().expect("a poll").at.as_secs()
}

fn pending() -> Reply {
    Reply::status(202)
}

fn retry_after(seconds: &str) -> Reply {
    Reply::status(429).header("retry-after", seconds)
}

#[tokio::test(start_paused = true)]
async fn polls_are_about_an_interval_apart_and_the_last_begins_before_the_end() {
    let (service, error) = wait(seconds(300), [pending()]).await;
    let gaps = service.gaps();
    let (_, but_last) = gaps.split_last().expect("polls");
    let (shortest, longest) = (Duration::from_secs_f64(26.9), Duration::from_secs_f64(33.1));
    assert!(but_last.iter().all(|gap| (shortest..longest).contains(gap)));
    assert!(but_last.windows(2).any(|two| two[0] != two[1]), "no jitter");
    assert_eq!(last_poll(&service), 290);
    assert!(error.is_wait_over());
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.delivery(), Delivery::Delivered);
    assert_eq!(error.operation(), Some("test.poll"));
    let (service, _) = wait(seconds(8), [pending()]).await;
    assert_eq!(last_poll(&service), 6, "a quarter");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honored_up_to_the_end() {
    let script = [retry_after("100"), retry_after("9999"), pending()];
    let (service, error) = wait(seconds(300), script).await;
    assert_eq!(service.gaps()[0].as_secs(), 100);
    assert_eq!(last_poll(&service), 290);
    assert_eq!(service.count(), 3);
    assert_eq!(error.status(), None, "an answer came after the failure");
}

#[tokio::test(start_paused = true)]
async fn the_end_returns_the_last_failure_and_says_that_the_time_was_up() {
    let (_, error) = wait(seconds(100), [Reply::status(503)]).await;
    assert_eq!(error.kind(), ErrorKind::Api);
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert!(error.is_wait_over());
    // A poll that the end cuts off does not hide the failure before it.
    let (service, error) = wait(seconds(40), [Reply::status(503), Reply::hang()]).await;
    assert_eq!(service.count(), 2);
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[tokio::test(start_paused = true)]
async fn the_status_counts_polls_and_failures() {
    let service = ScriptedService::new([pending(), Reply::status(503), pending()]).repeat_last();
    let transport = service.builder().retry(RetryConfig::none()).build();
    let transport = transport.expect("a transport");
    let mut poller = Poller::new(PollConfig::new(seconds(30), seconds(80)), is_transient);
    let mut seen = Vec::new();
    loop {
        poller.poll(transport.call(Ask)).await.expect("no end");
        let status = poller.status();
        let failed = status.failure.and_then(Error::status).is_some();
        seen.push((status.polls, status.failures, failed, status.is_failing));
        assert_eq!(status.next_poll.is_some(), seen.len() < 4);
        if poller.pause().await.is_err() {
            break;
        }
    }
    let expected = [
        (1, 0, false, false),
        (2, 1, true, true),
        (3, 1, true, false),
    ];
    assert_eq!(seen[..3], expected);
}

#[tokio::test(start_paused = true)]
async fn other_failures_end_a_wait_at_once() {
    let (service, error) = wait(seconds(300), [pending(), Reply::status(404)]).await;
    assert_eq!(service.count(), 2);
    assert!(!error.is_wait_over());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_answered_is_polled_five_times() {
    let (service, error) = wait(seconds(3600), [Reply::refuse()]).await;
    assert_eq!(service.count(), 5);
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(!error.is_wait_over());
    let (service, error) = wait(seconds(3600), [Reply::status(503), Reply::refuse()]).await;
    assert!(service.count() > 100);
    assert!(error.is_wait_over());
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_time_has_one_poll() {
    let (service, error) = wait(Duration::ZERO, [pending()]).await;
    assert!(service.count() <= 1);
    assert!(error.is_wait_over());
}

#[test]
fn a_wait_outlasts_a_proxy_that_may_recover_only() {
    let failed = || Error::new(ErrorKind::Proxy, "no tunnel");
    assert!(is_transient(&failed()));
    assert!(!is_transient(&failed().with_no_retry()));
}
