//! The order of the layers, what they see, and what their failures mean.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use flinks_transport::testing::{Reply, ScriptedService};
use flinks_transport::{Body, CallMeta, Delivery, ErrorKind, HttpService, Replay};
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response};
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;
use tower_http::set_header::SetRequestHeaderLayer;
use tower_http::trace::TraceLayer;

use crate::ask::{Ask, ok};

type Log = Arc<Mutex<Vec<String>>>;

/// Notes its name, the operation and whether it sees a credential.
fn noting(
    log: &Log,
    name: &'static str,
) -> impl tower_layer::Layer<HttpService, Service = Noting> + Send + Sync + 'static {
    let log = Arc::clone(log);
    tower::layer::layer_fn(move |inner| Noting {
        inner,
        log: Arc::clone(&log),
        name,
    })
}

#[derive(Clone)]
struct Noting {
    inner: HttpService,
    log: Log,
    name: &'static str,
}

impl tower_service::Service<Request<Body>> for Noting {
    type Response = Response<Body>;
    type Error = flinks_transport::BoxError;
    type Future = <HttpService as tower_service::Service<Request<Body>>>::Future;

    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let operation = request.extensions().get::<CallMeta>().unwrap().operation();
        let credential = request.headers().contains_key(AUTHORIZATION);
        self.log
            .lock()
            .unwrap()
            .push(format!("{} {operation} {credential}", self.name));
        self.inner.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn layers_run_in_the_documented_order_and_see_no_credential() {
    let log = Log::default();
    let leaf = ScriptedService::new([Reply::refuse(), ok()]);
    let transport = leaf
        .builder()
        .attempt_layer(noting(&log, "attempt-1"))
        .attempt_layer(noting(&log, "attempt-2"))
        .layer(noting(&log, "call-1"))
        .layer(noting(&log, "call-2"))
        .build()
        .unwrap()
        .with_credentials(SetRequestHeaderLayer::overriding(
            AUTHORIZATION,
            HeaderValue::from_static("Bearer secret"),
        ));
    transport.call(Ask::new(Replay::Safe)).await.unwrap();
    let expected: Vec<_> = [
        "call-1",
        "call-2", // once a call
        "attempt-1",
        "attempt-2",
        "attempt-1",
        "attempt-2", // once an attempt
    ]
    .map(|name| format!("{name} test.ask false"))
    .into();
    assert_eq!(*log.lock().unwrap(), expected);
    assert_eq!(leaf.requests()[1].headers[AUTHORIZATION], "Bearer secret");
    assert_eq!(leaf.requests()[1].headers["accept"], "application/json");
}

#[tokio::test(start_paused = true)]
async fn without_layers_runs_none_of_them() {
    let log = Log::default();
    let leaf = ScriptedService::new([ok()]);
    let transport = leaf
        .builder()
        .layer(noting(&log, "a"))
        .attempt_layer(noting(&log, "b"));
    transport
        .build()
        .unwrap()
        .without_layers()
        .call(Ask::new(Replay::Safe))
        .await
        .unwrap();
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_users_timeout_keeps_the_delivery_right() {
    let cases = [(Reply::hang(), Delivery::Unknown)];
    for (act, delivery) in cases {
        let leaf = ScriptedService::new([act]);
        let limit = TimeoutLayer::new(Duration::from_secs(5));
        let error = leaf
            .builder()
            .layer(limit)
            .build()
            .unwrap()
            .call(Ask::new(Replay::Safe));
        let error = error.await.unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Layer, delivery)
        );
        assert!(
            error.report().to_string().contains("timed out"),
            "{}",
            error.report()
        );
    }
    // A leaf that never reads the body has not been sent anything.
    let idle = flinks_transport::Transport::builder()
        .service(tower::service_fn(|_: Request<Body>| {
            std::future::pending::<Result<Response<Body>, flinks_transport::BoxError>>()
        }))
        .layer(TimeoutLayer::new(Duration::from_secs(5)))
        .build()
        .unwrap();
    let error = idle.call(Ask::new(Replay::Safe)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Layer, Delivery::NotSent)
    );
}

#[tokio::test(start_paused = true)]
async fn layers_of_the_ecosystem_fit() {
    let leaf = ScriptedService::new([ok(), ok()]);
    let transport = leaf
        .builder()
        .layer(ConcurrencyLimitLayer::new(4))
        .layer(tower::load_shed::LoadShedLayer::new())
        .attempt_layer(TraceLayer::new_for_http())
        .attempt_layer(SetRequestHeaderLayer::overriding(
            http::header::USER_AGENT,
            HeaderValue::from_static("mine"),
        ))
        .build()
        .unwrap();
    transport.call(Ask::new(Replay::Safe)).await.unwrap();
    assert_eq!(leaf.requests()[0].headers["user-agent"], "mine");
    // A call is `Send` and needs no lifetime.
    tokio::spawn(transport.call(Ask::new(Replay::Safe)).into_future())
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_in_a_buffer_is_a_layer() {
    let rate = tower::ServiceBuilder::new()
        .buffer(64)
        .rate_limit(2, Duration::from_secs(1))
        .into_inner();
    let leaf = ScriptedService::new([ok()]).repeat_last();
    let transport = leaf.builder().layer(rate).build().unwrap();
    for _ in 0..3 {
        transport.call(Ask::new(Replay::Safe)).await.unwrap();
    }
    let waited: Duration = leaf.gaps().into_iter().sum();
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}
