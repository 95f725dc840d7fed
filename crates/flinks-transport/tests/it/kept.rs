//! Which requests a kept connection carries, and what follows when one is lost on it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flinks_transport::{CallMeta, Delivery, Error, Replay, Route, Transport};
use tokio::io::AsyncWriteExt;

use crate::wire::{ANSWER, listen, plain, post_as, read_request};

const SAFE: CallMeta = CallMeta::new("test.safe", Route::post("/"), Replay::Safe);
const UNSENT: CallMeta = CallMeta::new("test.unsent", Route::post("/"), Replay::Unsent);
const NEVER: CallMeta = CallMeta::new("test.never", Route::post("/"), Replay::Never);

/// Answers as many requests on each connection, and drops the next one unanswered.
async fn drops_after(answers: usize) -> (String, Arc<std::sync::atomic::AtomicUsize>) {
    let (host, connections) = listen(move |mut stream, _| async move {
        for _ in 0..answers {
            if read_request(&mut stream).await.is_none() {
                return;
            }
            stream.write_all(ANSWER).await.unwrap();
        }
        drop(read_request(&mut stream).await);
    })
    .await;
    (format!("http://{host}/"), connections)
}

async fn post(meta: CallMeta, transport: &Transport, url: &str) -> Result<String, Error> {
    post_as(meta, transport, url.to_owned(), vec![b'x'; 10]).await
}

#[tokio::test]
async fn what_must_not_be_repeated_takes_a_connection_of_its_own() {
    let (url, connections) = drops_after(1).await;
    let transport = plain();
    for (meta, made) in [(SAFE, 1), (UNSENT, 2), (NEVER, 3), (UNSENT, 4)] {
        post(meta, &transport, &url).await.unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), made, "{meta:?}");
    }
}

#[tokio::test]
async fn after_a_loss_on_a_kept_connection_the_next_are_fresh() {
    let (url, connections) = drops_after(2).await;
    let transport = plain();
    let bearing = UNSENT.with_reused_connection();
    for _ in 0..2 {
        post(SAFE, &transport, &url).await.unwrap();
    }
    let error = post(bearing, &transport, &url).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    for made in 2..6 {
        post(bearing, &transport, &url).await.unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), made);
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    for _ in 0..2 {
        post(bearing, &transport, &url).await.unwrap();
    }
    assert_eq!(
        connections.load(Ordering::SeqCst),
        6,
        "kept ones are trusted again"
    );
}

#[tokio::test]
async fn a_silent_kept_connection_is_a_loss_too() {
    let asked = Arc::new(tokio::sync::Notify::new());
    let asked_again = Arc::clone(&asked);
    // Neither first request is answered before both are there, each on a connection of its own.
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let (host, connections) = listen(move |mut stream, turn| {
        let (asked, both) = (Arc::clone(&asked), Arc::clone(&both));
        async move {
            drop(read_request(&mut stream).await);
            if turn < 2 {
                both.wait().await;
            }
            stream.write_all(ANSWER).await.unwrap();
            drop(read_request(&mut stream).await);
            asked.notify_one();
            std::future::pending::<()>().await;
        }
    })
    .await;
    let (url, transport) = (format!("http://{host}/"), plain());
    let ask = || post(SAFE, &transport, &url);
    let (first, second) = tokio::join!(ask(), ask());
    first.and(second).unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    // Given up while the server is silent, as a time limit does.
    tokio::select! {
        _ = ask() => panic!("the server is silent"),
        () = asked_again.notified() => {}
    }
    ask().await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_kept_connection_is_given_up_after_20_seconds() {
    let (url, connections) = drops_after(9).await;
    let transport = plain();
    for (pause, made) in [(0, 1), (19, 1), (21, 2)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(pause)).await;
        tokio::time::resume();
        post(SAFE, &transport, &url).await.unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), made, "after {pause} s");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_closed_before_a_request_was_written_is_replaced_unseen() {
    let (host, _) = listen(|mut stream, _| async move {
        drop(read_request(&mut stream).await);
        stream.write_all(ANSWER).await.unwrap();
    })
    .await;
    let url = format!("http://{host}/");
    for _ in 0..300 {
        // The server closes after each answer, so a kept connection is about to be stale.
        let transport = plain();
        post(SAFE, &transport, &url).await.unwrap();
        if let Err(error) = post(SAFE, &transport, &url).await {
            assert_eq!(error.delivery(), Delivery::Unknown, "{}", error.report());
        }
    }
}

#[test]
fn a_transport_outlives_its_runtime() {
    let server = tokio::runtime::Runtime::new().unwrap();
    let (url, connections) = server.block_on(drops_after(9));
    let transport = plain();
    for made in 1..4 {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        for meta in [SAFE, UNSENT.with_reused_connection()] {
            runtime.block_on(post(meta, &transport, &url)).unwrap();
        }
        drop(runtime);
        assert_eq!(connections.load(Ordering::SeqCst), made);
    }
}
