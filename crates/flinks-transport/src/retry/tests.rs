//! What the retry rule decides for each outcome, and how long it waits.

use std::sync::Mutex;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use tracing::span;
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};

use super::*;

fn answer(status: u16) -> Result<Response<Body>, BoxError> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    Ok(response)
}

fn failure(kind: ErrorKind, delivery: Delivery) -> Result<Response<Body>, BoxError> {
    Err(Error::new(kind, "failed").with_delivery(delivery).into())
}

#[test]
fn the_decision_table_holds() {
    use Delivery::{NotSent, Unknown};
    use ErrorKind::{ClientCertificate, Connect, Connection, Layer, Local, Timeout};
    use Verdict::{Again, Final, Throttled};
    type Row = (&'static str, Result<Response<Body>, BoxError>, [Verdict; 3]);
    let rows: Vec<Row> = vec![
        // outcome                                       Safe       Unsent     Never
        ("429", answer(429), [Throttled, Throttled, Final]),
        ("408", answer(408), [Again, Final, Final]),
        ("502", answer(502), [Again, Final, Final]),
        ("503", answer(503), [Again, Final, Final]),
        ("504", answer(504), [Again, Final, Final]),
        ("500", answer(500), [Final, Final, Final]),
        ("501", answer(501), [Final, Final, Final]),
        ("401", answer(401), [Final, Final, Final]),
        ("302", answer(302), [Final, Final, Final]),
        ("200", answer(200), [Final, Final, Final]),
        ("refused", failure(Connect, NotSent), [Again, Again, Final]),
        (
            "unwritten",
            failure(Connection, NotSent),
            [Again, Again, Final],
        ),
        (
            "broken",
            failure(Connection, Unknown),
            [Again, Final, Final],
        ),
        ("timeout", failure(Timeout, Unknown), [Again, Final, Final]),
        ("stalled", failure(Timeout, NotSent), [Again, Again, Final]),
        (
            "certificate",
            failure(ClientCertificate, NotSent),
            [Final, Final, Final],
        ),
        ("local", failure(Local, NotSent), [Final, Final, Final]),
        ("layer", failure(Layer, NotSent), [Final, Final, Final]),
        (
            "token",
            Err(Error::new(Connect, "failed").with_step(Step::Token).into()),
            [Final, Final, Final],
        ),
        (
            "foreign",
            Err("a layer's own".into()),
            [Final, Final, Final],
        ),
    ];
    for (name, outcome, expected) in rows {
        let seen = [Replay::Safe, Replay::Unsent, Replay::Never].map(|r| verdict(r, &outcome));
        assert_eq!(seen, expected, "{name}");
    }
}

#[test]
fn waits_stay_under_their_ceiling_and_differ() {
    let retry = RetryConfig::new();
    let waits: Vec<_> = (0..100).map(|_| retry.wait(1, false)).collect();
    assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(400)));
    assert!(
        waits.windows(2).any(|pair| pair[0] != pair[1]),
        "every wait was the same"
    );
    assert!(retry.wait(40, true) <= Duration::from_secs(10));
}

#[test]
fn a_repeated_request_keeps_headers_and_extensions() {
    let mut request = Request::post("https://example.com/a").header("x", "y");
    if let Some(extensions) = request.extensions_mut() {
        extensions.insert(7u8);
    }
    let request = request
        .body(Body::from("abc".to_owned()))
        .expect("a request");
    let again = try_clone_request(&request).expect("bytes can be repeated");
    assert_eq!(again.headers(), request.headers());
    assert_eq!(again.extensions().get::<u8>(), Some(&7));
    let bytes = Some(&Bytes::from_static(b"abc"));
    assert_eq!(again.body().as_bytes(), bytes);
    assert_eq!(request.body().as_bytes(), bytes);
}

fn retrying(retry: RetryConfig) -> RetryService {
    let unused = tower::service_fn(|_| async { answer(200) });
    RetryService {
        inner: HttpService::new(unused),
        retry,
        budget: Arc::default(),
    }
}

#[test]
fn each_setting_is_kept_and_no_attempts_are_one() {
    let long = Duration::from_secs(90);
    let retry = RetryConfig::new()
        .max_attempts(5)
        .backoff(Duration::ZERO, long)
        .max_retry_after(long);
    assert_eq!((retry.max_attempts, retry.max_retry_after), (5, long));
    assert_eq!((retry.base, retry.cap), (Duration::ZERO, long));
    assert_eq!(RetryConfig::none().max_attempts, 1);
    assert_eq!(RetryConfig::new().max_attempts(0).max_attempts, 1);
}

#[test]
fn a_retry_after_of_the_longest_is_honoured_and_a_second_more_is_not() {
    let limit = Duration::from_secs(7);
    let retrying = retrying(RetryConfig::new().max_retry_after(limit));
    let wait = |seconds: u64| {
        let mut response = answer(429).expect("an answer");
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
        retrying.wait(Replay::Unsent, 0, &Ok(response))
    };
    assert_eq!(wait(0), Some(Duration::ZERO));
    assert_eq!(wait(7), Some(limit));
    assert_eq!(wait(8), None);
}

#[test]
fn the_server_that_asks_for_fewer_requests_is_given_more_time() {
    let retrying = retrying(RetryConfig::new());
    let longest = |status| {
        let waits = (0..200).map(|_| retrying.wait(Replay::Safe, 0, &answer(status)));
        waits.max().flatten().expect("waits")
    };
    let own = Duration::from_millis(200);
    assert!(longest(503) <= own, "as after any failure");
    // That 200 waits of up to a second are all shorter than this has no chance to happen.
    let throttled = longest(429);
    assert!(
        own < throttled && throttled <= Duration::from_secs(1),
        "{throttled:?}"
    );
}

/// Remembers what is recorded on spans.
struct Recorded(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Recorded {
    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: LayerContext<'_, S>) {
        let text = format!("{values:?}");
        let field = text.split("ValueSet { ").nth(1);
        let field = field.and_then(|rest| rest.split(", callsite").next());
        self.0
            .lock()
            .expect("lock")
            .extend(field.map(str::to_owned));
    }
}

#[test]
fn the_span_of_an_attempt_says_how_it_ended() {
    let recorded = Arc::default();
    let subscriber = tracing_subscriber::registry().with(Recorded(Arc::clone(&recorded)));
    tracing::subscriber::with_default(subscriber, || {
        // A span of this test alone: whether another is recorded is decided for all tests at once.
        let span = tracing::info_span!(
            "test",
            error.type = tracing::field::Empty,
            flinks.delivery = tracing::field::Empty,
            http.response.status_code = tracing::field::Empty,
        );
        note(&span, &answer(200), (0, 0), (0, 0));
        note(&span, &answer(503), (0, 0), (0, 0));
        let lost = failure(ErrorKind::Connection, Delivery::Unknown);
        note(&span, &lost, (0, 0), (0, 0));
        note(&span, &Err("a layer's own".into()), (0, 0), (0, 0));
    });
    let recorded = recorded.lock().expect("lock").join("; ");
    let expected = [
        r#"http.response.status_code: 200"#,
        r#"flinks.delivery: "delivered""#,
        r#"http.response.status_code: 503"#,
        r#"error.type: "503""#,
        r#"flinks.delivery: "unknown""#,
        r#"error.type: "connection""#,
        r#"flinks.delivery: "unknown""#,
        r#"error.type: "layer""#,
    ];
    assert_eq!(recorded, expected.join("; "));
}
