//! Tests of the waits: when polls are sent, and why a wait ends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};

use super::*;
use crate::{Body, DecodeError, Replay, RetryConfig, Route, Transport};

/// What the service does with a poll; the last is repeated.
#[derive(Clone, Copy)]
enum Act {
    Pending,
    Status(u16),
    RetryAfter(u64),
    Refuse,
    Hang,
}

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

/// Polls every 30 s until the wait ends; returns when the polls were sent, and the error.
async fn wait(timeout: Duration, script: &[Act]) -> (Vec<Duration>, Error) {
    let start = Instant::now();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let (times, script) = (Arc::clone(&sent), script.iter().copied());
    let script = Mutex::new(script.collect::<VecDeque<_>>());
    let script = Arc::new(script);
    let service = tower::service_fn(move |_: Request<Body>| {
        times.lock().expect("times").push(start.elapsed());
        let mut script = script.lock().expect("a script");
        let act = *script.front().expect("an act");
        if script.len() > 1 {
            script.pop_front();
        }
        async move {
            let response = Response::builder();
            let response = match act {
                Act::Pending => response,
                Act::Status(status) => response.status(status),
                Act::RetryAfter(wait) => response.status(429).header("retry-after", wait),
                Act::Refuse => return Err(Error::new(ErrorKind::Connect, "refused")),
                Act::Hang => std::future::pending().await,
            };
            Ok(response.body(Body::empty()).expect("a response"))
        }
    });
    let transport = Transport::builder().service(service);
    let transport = transport.retry(RetryConfig::none()).build();
    let transport = transport.expect("a transport");
    let mut poller = Poller::new(PollConfig::new(seconds(30), timeout), is_transient);
    let error = loop {
        if let Err(error) = poller.poll(transport.call(Ask)).await {
            break error;
        }
        if let Err(over) = poller.pause().await {
            break over.into_error("still pending");
        }
    };
    let sent = sent.lock().expect("times").clone();
    (sent, error)
}

fn gaps(sent: &[Duration]) -> Vec<Duration> {
    sent.windows(2).map(|two| two[1] - two[0]).collect()
}

#[tokio::test(start_paused = true)]
async fn polls_are_about_an_interval_apart_and_the_last_begins_before_the_end() {
    let (sent, error) = wait(seconds(300), &[Act::Pending]).await;
    let (last, gaps) = (*sent.last().expect("a poll"), gaps(&sent));
    let (_, but_last) = gaps.split_last().expect("polls");
    let (shortest, longest) = (Duration::from_secs_f64(26.9), Duration::from_secs_f64(33.1));
    assert!(but_last.iter().all(|gap| (shortest..longest).contains(gap)));
    assert!(but_last.windows(2).any(|two| two[0] != two[1]), "no jitter");
    assert_eq!(last.as_secs(), 290);
    assert!(error.is_wait_over());
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.delivery(), Delivery::Delivered);
    assert_eq!(error.operation(), Some("test.poll"));
    let (sent, _) = wait(seconds(8), &[Act::Pending]).await;
    assert_eq!(sent.last().map(Duration::as_secs), Some(6), "a quarter");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honored_up_to_the_end() {
    let script = [Act::RetryAfter(100), Act::RetryAfter(9999), Act::Pending];
    let (sent, error) = wait(seconds(300), &script).await;
    assert_eq!(gaps(&sent)[0].as_secs(), 100);
    assert_eq!(sent.last().map(Duration::as_secs), Some(290));
    assert_eq!(sent.len(), 3);
    assert_eq!(error.status(), None, "an answer came after the failure");
}

#[tokio::test(start_paused = true)]
async fn the_end_returns_the_last_failure_and_says_that_the_time_was_up() {
    let (_, error) = wait(seconds(100), &[Act::Status(503)]).await;
    assert_eq!(error.kind(), ErrorKind::Api);
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert!(error.is_wait_over());
    // A poll that the end cuts off does not hide the failure before it.
    let (sent, error) = wait(seconds(40), &[Act::Status(503), Act::Hang]).await;
    assert_eq!(sent.len(), 2);
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[tokio::test(start_paused = true)]
async fn other_failures_end_a_wait_at_once() {
    let (sent, error) = wait(seconds(300), &[Act::Pending, Act::Status(404)]).await;
    assert_eq!(sent.len(), 2);
    assert!(!error.is_wait_over());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_answered_is_polled_five_times() {
    let (sent, error) = wait(seconds(3600), &[Act::Refuse]).await;
    assert_eq!(sent.len(), 5);
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(!error.is_wait_over());
    let (sent, error) = wait(seconds(3600), &[Act::Status(503), Act::Refuse]).await;
    assert!(sent.len() > 100);
    assert!(error.is_wait_over());
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_time_has_one_poll() {
    let (sent, error) = wait(Duration::ZERO, &[Act::Pending]).await;
    assert!(sent.len() <= 1);
    assert!(error.is_wait_over());
}
