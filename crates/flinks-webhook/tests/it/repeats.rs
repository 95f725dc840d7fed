//! Repeated deliveries, failing handlers and stores, and requests that are no webhook.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flinks_webhook::{BodyHash, Claim, Secret, SeenStore, Verifier, WebhookService};
use http::{Method, StatusCode};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::receiver::{Receiver, SECRET, signed};

const BODY: &[u8] = br#"{"ResponseType":"GetAccountsDetail","Accounts":[]}"#;

#[tokio::test]
async fn a_handler_that_failed_is_called_again_and_then_no_more() {
    let calls = AtomicUsize::new(0);
    let receiver = Receiver::handling(move || calls.fetch_add(1, Ordering::Relaxed) == 2);
    let mut answers = vec![];
    for _ in 0..5 {
        answers.push(receiver.send(signed(BODY)).await.as_u16());
    }
    assert_eq!(answers, [500, 500, 200, 200, 200]);
    assert_eq!(receiver.given().len(), 3);
}

#[tokio::test]
async fn a_delivery_during_the_handler_waits_for_its_turn() {
    let gate = Arc::new(Semaphore::new(0));
    let passed = Arc::clone(&gate);
    let verifier = Verifier::new(Secret::new(SECRET)).unwrap();
    let service = WebhookService::new(verifier, move |_| {
        let gate = Arc::clone(&passed);
        async move { gate.acquire().await.map(|permit| permit.forget()) }
    });
    let first = service.clone().oneshot(signed(BODY));
    let second = async {
        let answer = service.clone().oneshot(signed(BODY)).await.unwrap();
        gate.add_permits(1);
        answer.status()
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(
        (first.unwrap().status(), second),
        (StatusCode::OK, StatusCode::CONFLICT)
    );
    let third = service.oneshot(signed(BODY)).await.unwrap();
    assert_eq!(third.status(), StatusCode::OK);
    assert_eq!(gate.available_permits(), 0);
}

#[tokio::test]
async fn a_store_that_fails_loses_nothing() {
    struct Broken {
        claims: bool,
    }
    impl SeenStore for Broken {
        type Error = &'static str;
        async fn claim(&self, _: BodyHash) -> Result<Claim, Self::Error> {
            if self.claims {
                Ok(Claim::New)
            } else {
                Err("canary store")
            }
        }
        async fn confirm(&self, _: BodyHash) -> Result<(), Self::Error> {
            Err("canary store")
        }
        async fn release(&self, _: BodyHash) -> Result<(), Self::Error> {
            Err("canary store")
        }
    }
    for (claims, status) in [(false, 500), (true, 200)] {
        let receiver = Receiver::new();
        let service = receiver.service.clone().with_store(Broken { claims });
        let answer = service.oneshot(signed(BODY)).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(receiver.given().len(), usize::from(claims));
    }
}

#[tokio::test]
async fn what_is_no_webhook_is_refused() {
    let receiver = Receiver::new();
    for method in [Method::GET, Method::PUT, Method::HEAD, Method::OPTIONS] {
        let mut request = signed(BODY);
        *request.method_mut() = method;
        let answer = receiver.service.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()["allow"], "POST");
    }
    let limit = BODY.len();
    for (limit, status) in [(limit, 200), (limit - 1, 413)] {
        let service = Receiver::new().service.with_body_limit(limit);
        let answer = service.clone().oneshot(signed(BODY)).await.unwrap();
        assert_eq!(answer.status(), status);
        // The length is not announced, or announced and never sent.
        let mut announced = signed(b"{}");
        announced
            .headers_mut()
            .insert("content-length", BODY.len().into());
        let answer = service.oneshot(announced).await.unwrap();
        assert_eq!(answer.status(), status);
    }
    assert!(receiver.given().is_empty());
}
