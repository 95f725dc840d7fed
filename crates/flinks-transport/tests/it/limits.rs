//! Timeouts and size limits.

use std::time::Duration;

use bytes::Bytes;
use flinks_transport::testing::{Reply, ScriptedService};
use flinks_transport::{Body, Delivery, ErrorKind, Replay, RetryConfig, Route};
use http::Response;

use crate::ask::{Ask, ok};

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_at_its_limit() {
    let leaf = ScriptedService::new([Reply::hang()]);
    let start = tokio::time::Instant::now();
    let error = leaf
        .builder()
        .build()
        .unwrap()
        .call(Ask::new(Replay::Unsent))
        .await
        .unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(30));
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Timeout, Delivery::Unknown)
    );
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_all_attempts() {
    let leaf = ScriptedService::new([Reply::hang(), Reply::hang(), Reply::hang()]);
    let call = leaf
        .builder()
        .build()
        .unwrap()
        .call(Ask::new(Replay::Safe))
        .timeout(Duration::from_secs(45));
    let start = tokio::time::Instant::now();
    let error = call.await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(45));
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 2));
    assert_eq!(error.delivery(), Delivery::Unknown);
}

#[tokio::test(start_paused = true)]
async fn after_the_last_byte_the_answer_has_its_own_limit() {
    let leaf = ScriptedService::new([Reply::hang()]);
    let mut ask = Ask::new(Replay::Unsent);
    ask.stall = Some((Duration::from_secs(30), Duration::from_secs(120)));
    let start = tokio::time::Instant::now();
    let error = leaf.builder().build().unwrap().call(ask).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(120));
    assert!(
        error.to_string().contains("no answer within 120 s"),
        "{error}"
    );
    assert_eq!(error.delivery(), Delivery::Unknown);
}

/// Takes the body's frames one by one, with a pause before each, and stops after `take` of them.
fn slow_reader(pause: Duration, take: usize) -> flinks_transport::TransportBuilder {
    use http_body_util::BodyExt;
    flinks_transport::Transport::builder()
        .retry(RetryConfig::none())
        .service(tower::service_fn(
            move |request: http::Request<Body>| async move {
                let mut body = request.into_body();
                for _ in 0..take {
                    tokio::time::sleep(pause).await;
                    if body.frame().await.is_none() {
                        return Ok::<_, flinks_transport::BoxError>(Response::new(Body::from(
                            "up".to_owned(),
                        )));
                    }
                }
                std::future::pending().await
            },
        ))
}

/// Ten frames of one byte.
struct Frames(u8, Option<tokio::time::Interval>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        if let Some(interval) = &mut self.1 {
            std::task::ready!(interval.poll_tick(cx));
        }
        if self.0 == 0 {
            return std::task::Poll::Ready(None);
        }
        self.0 -= 1;
        std::task::Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"x")))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(u64::from(self.0))
    }
}

fn upload(source: Option<Duration>) -> (flinks_transport::CallMeta, http::Request<Body>) {
    let meta = flinks_transport::CallMeta::new("test.upload", Route::post("/"), Replay::Unsent)
        .with_stall_timeout(Duration::from_secs(30), Duration::from_secs(120))
        .without_timeout();
    let body = Body::replayable(10, move || Frames(10, source.map(tokio::time::interval)));
    let mut request = http::Request::new(body);
    *request.uri_mut() = "https://example.com/".parse().unwrap();
    (meta, request)
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_trips_no_limit_as_long_as_bytes_move() {
    let transport = slow_reader(Duration::from_secs(29), 20).build().unwrap();
    let (meta, request) = upload(None);
    let start = tokio::time::Instant::now();
    transport.send(meta, request).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(290));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_byte_ends_the_upload_unsent() {
    let transport = slow_reader(Duration::from_secs(1), 4).build().unwrap();
    let (meta, request) = upload(None);
    let start = tokio::time::Instant::now();
    let error = transport.send(meta, request).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 4 + 30);
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Timeout, Delivery::NotSent)
    );
    assert!(error.to_string().contains("4 of 10 bytes"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn our_own_slow_source_is_not_the_servers_stall() {
    let transport = slow_reader(Duration::ZERO, 20).build().unwrap();
    let (meta, request) = upload(Some(Duration::from_secs(100)));
    transport.send(meta, request).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_over_the_limit_is_delivered_but_not_kept() {
    let leaf = ScriptedService::new([
        Reply::json(200, "0123456789"),
        Reply::json(200, "012345678"),
    ]);
    let transport = leaf.builder().max_response_bytes(9).build().unwrap();
    let error = transport.call(Ask::new(Replay::Safe)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Decode, Delivery::Delivered)
    );
    transport.call(Ask::new(Replay::Safe)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_layer_cannot_unpack_beyond_the_limit() {
    let leaf = ScriptedService::new([Reply::json(200, "small")]);
    let bomb = tower::util::MapResponseLayer::new(|_: Response<Body>| {
        Response::new(Body::from(vec![b'x'; 1000]))
    });
    let transport = leaf
        .builder()
        .max_response_bytes(100)
        .layer(bomb)
        .build()
        .unwrap();
    let error = transport.call(Ask::new(Replay::Safe)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn a_compressed_answer_is_refused_unseen() {
    let leaf = ScriptedService::new([Reply::json(200, "{}").header("content-encoding", "gzip")]);
    let error = leaf
        .builder()
        .build()
        .unwrap()
        .call(Ask::new(Replay::Safe))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn no_duration_is_too_long() {
    let max = Duration::MAX;
    let retry = RetryConfig::new().backoff(max, max).max_retry_after(max);
    let long = "18446744073709551615";
    let leaf = ScriptedService::new([
        ok(),
        Reply::json(429, "{}").header("retry-after", long),
        Reply::json(503, ""),
    ]);
    let transport = leaf.builder().retry(retry).timeout(max);
    let transport = transport.attempt_timeout(max).connect_timeout(max);
    let transport = transport.build().unwrap();
    let mut ask = Ask::new(Replay::Safe);
    let call = transport.call(ask.clone()).timeout(max);
    call.attempt_timeout(max).await.unwrap();
    let within = transport.call(ask.clone()).timeout(Duration::from_secs(9));
    assert_eq!(within.await.unwrap_err().status().unwrap(), 429);
    let wait = tokio::time::timeout(Duration::from_secs(9), transport.call(ask.clone()));
    drop(wait.await);
    ask.stall = Some((max, max));
    let silent = ScriptedService::new([Reply::hang()])
        .builder()
        .build()
        .unwrap();
    let wait = tokio::time::timeout(Duration::from_secs(9), silent.call(ask));
    wait.await.unwrap_err();
}
