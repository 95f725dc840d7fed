//! Calls that are dropped at every point where they wait: nothing goes on behind them, and nothing is
//! sent twice.

use std::future::{Future, IntoFuture, poll_fn};
use std::task::Poll;
use std::time::Duration;

use flinks_auth::LegacyKeys;
use flinks_legacy::{Authorize, LegacyClient};
use flinks_transport::testing::ScriptedService;
use flinks_transport::{Body, Transport};
use http::Request;
use tokio::task::yield_now;
use tokio::time::sleep;
use tower_service::Service as _;

use crate::service::{
    LegacyService as _, asks, client, credentials, opens, pending, ready, session,
};

/// More than any call waits at.
const MANY: usize = 100;

/// Polls a call so many times at most, and drops it; then everything that might go on has time to.
async fn dropped_after<T>(polls: usize, call: impl IntoFuture<Output = T>) -> Option<T> {
    let mut call = Box::pin(call.into_future());
    let mut left = polls;
    let outcome = poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        call.as_mut().poll(cx).map(Some)
    })
    .await;
    drop(call);
    sleep(Duration::from_secs(3600)).await;
    outcome
}

/// A client over a service that waits before it takes a request and before it answers.
macro_rules! slowly {
    ($service:expr) => {{
        let service = $service.clone();
        let slow = tower::service_fn(move |request: Request<Body>| {
            let mut service = service.clone();
            async move {
                yield_now().await;
                let answer = service.call(request).await;
                yield_now().await;
                answer
            }
        });
        client(Transport::builder().service(slow), LegacyKeys::new())
    }};
}

#[tokio::test(start_paused = true)]
async fn credentials_and_answers_are_sent_once_wherever_their_call_is_dropped() {
    let mut ended = false;
    for polls in 0..MANY {
        let service = ScriptedService::new([opens()]);
        let client: LegacyClient = slowly!(service);
        let outcome = dropped_after(polls, client.authorize(credentials())).await;
        assert!(service.count() <= 1, "{polls}");
        ended = outcome.is_some();
        if ended {
            assert!(polls > 2, "it was never dropped while it waited");
            break;
        }
    }
    assert!(ended);
    for polls in 0..MANY {
        let asking = asks(r#"[{"Type":"QuestionAndAnswer","Prompt":"a"}]"#);
        let service = ScriptedService::new([asking, opens()]);
        let client: LegacyClient = slowly!(service);
        let Ok(Authorize::Challenged(round)) = client.authorize(credentials()).await else {
            panic!("a question")
        };
        let mut answers = round.answers();
        for question in round.questions() {
            question.kind().answer_raw(&mut answers, ["b"]).unwrap();
        }
        let outcome = dropped_after(polls, client.answer(answers.finish().unwrap())).await;
        assert!(service.count() <= 2, "{polls}");
        if outcome.is_some() {
            return;
        }
    }
    panic!("it never ended");
}

#[tokio::test(start_paused = true)]
async fn data_is_begun_once_wherever_its_call_is_dropped() {
    for polls in 0..MANY {
        let service = ScriptedService::new([pending(), pending(), ready()]).repeat_last();
        let client: LegacyClient = slowly!(service);
        let outcome = dropped_after(polls, client.accounts_detail(&session())).await;
        let before = service.methods();
        let begun = before.iter().filter(|method| *method == "POST").count();
        assert!(begun <= 1, "{polls}: {before:?}");
        if outcome.is_some() {
            assert_eq!(before, ["POST", "GET", "GET"]);
            return;
        }
        // Going on asks for the result, and begins nothing.
        client.accounts_detail_async(&session()).await.unwrap();
        let after = service.methods();
        assert!(after[before.len()..].iter().all(|method| method == "GET"));
    }
    panic!("it never ended");
}
