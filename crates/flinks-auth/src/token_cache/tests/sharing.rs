//! All waiters share one token request, even if some of them are dropped, fail or panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_make_one_request() {
    let (cache, service) = (Arc::new(Cache::new()), Service::default());
    let mut tasks: Vec<_> = (0..100)
        .map(|_| call(&cache, &service, Duration::ZERO))
        .collect();
    run(&mut tasks).await;
    assert!(tasks.iter().all(Task::is_pending));
    advance(secs(1)).await;
    run(&mut tasks).await;
    assert_eq!(values(&tasks), vec![Ok(1); 100]);
    assert_eq!(at_once(&cache, &service).value, 1);
    assert_eq!(service.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_but_not_remembered() {
    let (cache, service) = (Arc::new(Cache::new()), Service::new([(1, Says::Fails)]));
    let mut tasks: Vec<_> = (0..10)
        .map(|_| call(&cache, &service, Duration::ZERO))
        .collect();
    run(&mut tasks).await;
    advance(secs(1)).await;
    run(&mut tasks).await;
    assert_eq!(values(&tasks), vec![Err("the service is down"); 10]);
    assert_eq!(service.requests(), 1);
    assert_eq!(in_time(&cache, &service).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_caller_cancels_nothing() {
    let (cache, service) = (Arc::new(Cache::new()), Service::default());
    let mut tasks: Vec<_> = (0..3)
        .map(|_| call(&cache, &service, Duration::ZERO))
        .collect();
    run(&mut tasks).await;
    tasks[0].cancel();
    tasks[2].cancel();
    advance(secs(1)).await;
    run(&mut tasks).await;
    assert_eq!(tasks[1].output.as_ref().unwrap().as_ref().unwrap().value, 1);
    assert_eq!(service.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_everyone_left_is_taken_up_again() {
    let (cache, service) = (Arc::new(Cache::new()), Service::default());
    let mut first = call(&cache, &service, Duration::ZERO);
    first.turn();
    first.cancel();
    assert_eq!(in_time(&cache, &service).await, 1);
    assert_eq!(service.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_became_of_a_request_that_stood_still_is_not_taken_for_news() {
    // A failure, and a token that was issued so long ago that it is about to end.
    for says in [Says::Fails, Says::Lives(Some(secs(300)))] {
        let (cache, service) = (Arc::new(Cache::new()), Service::new([(1, says)]));
        let mut first = call(&cache, &service, Duration::ZERO);
        first.turn();
        first.cancel();
        advance(secs(295)).await;
        let mut tasks: Vec<_> = (0..2)
            .map(|_| call(&cache, &service, Duration::ZERO))
            .collect();
        run(&mut tasks).await;
        advance(secs(1)).await;
        run(&mut tasks).await;
        assert_eq!(values(&tasks), [Ok(2), Ok(2)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_took_long_to_come_is_taken_as_it_is() {
    // It is in the last tenth of its life when it comes, and so would the next one be.
    let slow = || (55, Says::Lives(Some(secs(60))));
    let (cache, service) = (Arc::new(Cache::new()), Service::new([slow(), slow()]));
    assert_eq!(in_time(&cache, &service).await, 1);
    assert_eq!(service.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_for_one_use_is_not_wasted_because_its_request_stood_still() {
    let once = (1, Says::Lives(Some(Duration::ZERO)));
    let (cache, service) = (Arc::new(Cache::new()), Service::new([once]));
    let mut first = call(&cache, &service, Duration::ZERO);
    first.turn();
    first.cancel();
    assert_eq!(in_time(&cache, &service).await, 1);
    assert_eq!(service.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_no_end_of_the_cache() {
    let (cache, service) = (Arc::new(Cache::new()), Service::new([(1, Says::Panics)]));
    let mut tasks: Vec<_> = (0..2)
        .map(|_| call(&cache, &service, Duration::ZERO))
        .collect();
    run(&mut tasks).await;
    advance(secs(1)).await;
    assert!(catch_unwind(AssertUnwindSafe(|| tasks[0].turn())).is_err());
    tasks[0].cancel();
    run(&mut tasks).await;
    advance(secs(1)).await;
    run(&mut tasks).await;
    assert_eq!(values(&tasks[1..]), [Ok(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_dropped_drops_its_request() {
    let (cache, service) = (Arc::new(Cache::new()), Service::default());
    let mut task = call(&cache, &service, Duration::ZERO);
    task.turn();
    task.cancel();
    assert_eq!(service.0.open.load(Ordering::SeqCst), 1);
    drop(cache);
    drop(task);
    assert_eq!(service.0.open.load(Ordering::SeqCst), 0);
}

#[test]
fn a_fetch_of_a_runtime_that_is_gone_is_not_polled() {
    let (cache, service) = (Arc::new(Cache::new()), Service::default());
    let new = || runtime::Builder::new_current_thread().enable_all().build();
    let gone = new().expect("a runtime");
    gone.block_on(async {
        let mut left = call(&cache, &service, Duration::ZERO);
        left.turn();
        assert!(left.is_pending());
    });
    drop(gone);
    let here = new().expect("a runtime");
    let number = here.block_on(async {
        tokio::time::pause();
        in_time(&cache, &service).await
    });
    assert_eq!((number, service.requests()), (2, 2));
}

#[test]
fn each_runtime_waits_for_a_fetch_of_its_own() {
    let (cache, service) = (Arc::new(Cache::new()), Service::default());
    let new = || {
        runtime::Builder::new_current_thread()
            .start_paused(true)
            .enable_all()
            .build()
    };
    let (one, two) = (new().expect("a runtime"), new().expect("a runtime"));
    let mut waiting = one.block_on(async {
        let mut waiting = call(&cache, &service, Duration::ZERO);
        waiting.turn();
        waiting
    });
    let second = two.block_on(cache.token(Duration::ZERO, || -> Fetch<u32, &'static str> {
        Box::pin(async { Ok(Issued::new(7, Some(secs(300)))) })
    }));
    assert_eq!(second.expect("a token").value, 7);
    one.block_on(run(std::slice::from_mut(&mut waiting)));
    one.block_on(async {
        advance(secs(2)).await;
        run(std::slice::from_mut(&mut waiting)).await;
    });
    let first = waiting.output.expect("an end").expect("a token");
    assert_eq!(first.value, 1);
    assert!(lock(&cache.state).fetches.is_empty());
}
