//! What a recorder of metrics is given: calls, attempts, bytes, canceled calls.

use std::time::Duration;

use flinks_transport::metrics::Metrics;
use flinks_transport::testing::{Reply, ScriptedService};
use flinks_transport::{Body, CallMeta, Endpoint, Replay, Route, Transport};
use http::{Method, Request};

const STATUS: CallMeta = CallMeta::new(
    "example.status",
    Route::post("/v3/{id}/status"),
    Replay::Safe,
);

fn request() -> Request<Body> {
    let endpoint = Endpoint::new("https://example.com").unwrap();
    let mut request = Request::new(Body::from("ten bytes!".to_owned()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = endpoint.join(["v3", "CANARY", "status"]).unwrap();
    request
}

async fn send(transport: &Transport) {
    drop(transport.send(STATUS, request()).await);
}

#[tokio::test(start_paused = true)]
async fn every_call_attempt_and_byte_is_counted() {
    let service = ScriptedService::new([
        Reply::status(503).header("retry-after", "1"),
        Reply::json(200, r#"{"a":1}"#),
        Reply::json(403, "{}"),
        Reply::json(200, "{}").delay(Duration::from_secs(3600)),
    ]);
    let metrics = Metrics::new();
    let transport = service.builder().metrics(metrics.clone()).build().unwrap();
    send(&transport).await;
    // As a token request is sent.
    send(&transport.without_layers()).await;

    let canceled = tokio::time::timeout(Duration::from_secs(1), send(&transport));
    let text = tokio::select! {
        () = async { drop(canceled.await) } => unreachable!(),
        text = async { tokio::task::yield_now().await; metrics.to_prometheus() } => text,
    };
    let all = r#"operation="example.status",route="POST /v3/{id}/status""#;
    assert!(
        text.contains(&format!("flinks_client_calls_in_flight{{{all}}} 1")),
        "{text}"
    );

    let text = metrics.to_prometheus();
    assert!(!text.contains("CANARY"), "{text}");
    for line in [
        r#"calls_total{ALL,outcome="canceled",delivery="unknown"} 1"#,
        r#"calls_total{ALL,outcome="ok",delivery="delivered"} 1"#,
        r#"calls_total{ALL,outcome="ok",delivery="rejected"} 1"#,
        "calls_in_flight{ALL} 0",
        r#"call_duration_seconds_bucket{ALL,le="0.75"} 2"#,
        r#"call_duration_seconds_bucket{ALL,le="1"} 3"#,
        r#"call_duration_seconds_bucket{ALL,le="+Inf"} 3"#,
        "call_duration_seconds_sum{ALL} 1",
        "call_duration_seconds_count{ALL} 3",
        r#"attempts_total{ALL,status="200"} 1"#,
        r#"attempts_total{ALL,status="403"} 1"#,
        r#"attempts_total{ALL,status="503"} 1"#,
        r#"attempts_total{ALL,status="canceled"} 1"#,
        "request_body_bytes_total{ALL} 40",
        "response_body_bytes_total{ALL} 9",
    ] {
        let line = format!("\nflinks_client_{}\n", line.replace("ALL", all));
        assert!(text.contains(&line), "{line} is missing from\n{text}");
    }
}
