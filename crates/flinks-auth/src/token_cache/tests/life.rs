//! How long a token is used, and when the next one is fetched.

use super::*;

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_refresh() {
    let slow = (10, Says::Lives(Some(secs(300))));
    let (cache, service) = (
        Arc::new(Cache::new()),
        Service::new([(0, Says::Lives(Some(secs(300)))), slow]),
    );
    assert_eq!(in_time(&cache, &service).await, 1);
    advance(secs(239)).await;
    assert!(at_once(&cache, &service).refresh.is_none());
    advance(secs(1)).await;
    let mut refreshes = vec![];
    for _ in 0..10 {
        let lease = at_once(&cache, &service);
        assert_eq!(lease.value, 1);
        refreshes.push(Task::new(lease.refresh.expect("a refresh is due")));
        run(&mut refreshes).await;
        advance(Duration::from_millis(900)).await;
    }
    advance(secs(1)).await;
    run(&mut refreshes).await;
    assert!(refreshes.iter().all(|task| !task.is_pending()));
    let lease = at_once(&cache, &service);
    assert_eq!((lease.value, lease.refresh.is_none()), (2, true));
    assert_eq!(service.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_keeps_the_token() {
    let first = (0, Says::Lives(Some(secs(300))));
    let (cache, service) = (
        Arc::new(Cache::new()),
        Service::new([first, (1, Says::Fails)]),
    );
    assert_eq!(in_time(&cache, &service).await, 1);
    advance(secs(250)).await;
    let refresh = at_once(&cache, &service).refresh.unwrap();
    assert!(matches!(refresh.await, Some(Err("the service is down"))));
    assert_eq!(at_once(&cache, &service).value, 1);
    assert_eq!(service.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_left_by_its_request_is_polled_on_by_the_next() {
    let (cache, service) = (Arc::new(Cache::new()), Service::default());
    assert_eq!(in_time(&cache, &service).await, 1);
    advance(secs(250)).await;
    let mut refresh = Task::new(at_once(&cache, &service).refresh.unwrap());
    refresh.turn();
    refresh.cancel();
    advance(secs(20)).await;
    let mut refresh = Task::new(at_once(&cache, &service).refresh.unwrap());
    refresh.turn();
    assert!(!refresh.is_pending());
    assert_eq!(at_once(&cache, &service).value, 2);
    assert_eq!(service.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn near_its_end_a_token_is_not_used() {
    let lifetimes = [
        // Said, last use, first wait.
        (Some(secs(300)), 289, 290),
        (Some(secs(50)), 44, 45),
        (None, 53, 54),
        (Some(Duration::MAX), 3589, 3590),
    ];
    for (lifetime, last, end) in lifetimes {
        let first = (0, Says::Lives(lifetime));
        let (cache, service) = (Arc::new(Cache::new()), Service::new([first]));
        assert_eq!(in_time(&cache, &service).await, 1);
        advance(secs(last)).await;
        assert_eq!(at_once(&cache, &service).value, 1, "{lifetime:?}");
        advance(secs(end - last)).await;
        let mut task = call(&cache, &service, Duration::ZERO);
        task.turn();
        assert!(task.is_pending(), "{lifetime:?}");
        assert_eq!(in_time(&cache, &service).await, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_may_ask_for_more_life() {
    let (cache, service) = (
        Arc::new(Cache::new()),
        Service::new([(0, Says::Lives(Some(secs(300))))]),
    );
    assert_eq!(in_time(&cache, &service).await, 1);
    advance(secs(265)).await;
    assert_eq!(at_once(&cache, &service).value, 1);
    let lease = cache
        .token(secs(30), || service.fetch())
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(lease.value, 2);
    assert_eq!(service.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_short_life_satisfies_a_call_that_asks_for_more() {
    let (cache, service) = (
        Arc::new(Cache::new()),
        Service::new([(0, Says::Lives(Some(secs(20))))]),
    );
    for _ in 0..3 {
        let mut task = call(&cache, &service, secs(30));
        run(std::slice::from_mut(&mut task)).await;
        assert_eq!(values(&[task]), [Ok(1)]);
        advance(secs(2)).await;
    }
    assert_eq!(service.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn too_little_life_is_better_than_none() {
    let first = (0, Says::Lives(Some(secs(300))));
    let (cache, service) = (
        Arc::new(Cache::new()),
        Service::new([first, (1, Says::Fails)]),
    );
    assert_eq!(in_time(&cache, &service).await, 1);
    advance(secs(265)).await;
    let lease = cache.token(secs(30), || service.fetch()).await;
    assert_eq!(lease.map(|lease| lease.value), Ok(1));
    assert_eq!(service.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn only_the_token_that_was_refused_is_forgotten() {
    let (cache, service) = (Arc::new(Cache::new()), Service::default());
    in_time(&cache, &service).await;
    let lease = at_once(&cache, &service);
    // Ten calls were refused with the same token.
    for _ in 0..10 {
        cache.evict(lease.generation);
        assert_eq!(in_time(&cache, &service).await, 2);
    }
    assert_eq!(service.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_for_one_use_is_used_once() {
    let once = || (1, Says::Lives(Some(Duration::ZERO)));
    let (cache, service) = (
        Arc::new(Cache::new()),
        Service::new([once(), once(), once(), once()]),
    );
    let mut tasks: Vec<_> = (0..3).map(|_| call(&cache, &service, secs(30))).collect();
    for _ in 0..3 {
        run(&mut tasks).await;
        advance(secs(1)).await;
    }
    run(&mut tasks).await;
    let mut values: Vec<_> = values(&tasks).into_iter().map(Result::unwrap).collect();
    values.sort_unstable();
    assert_eq!(values, [1, 2, 3]);
    assert_eq!(in_time(&cache, &service).await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_for_one_use_keeps_the_token() {
    let answers = [
        (0, Says::Lives(Some(secs(300)))),
        (0, Says::Lives(Some(Duration::ZERO))),
    ];
    let (cache, service) = (Arc::new(Cache::new()), Service::new(answers));
    assert_eq!(in_time(&cache, &service).await, 1);
    advance(secs(250)).await;
    let refresh = at_once(&cache, &service).refresh.unwrap();
    assert!(matches!(refresh.await, Some(Ok(_))));
    assert_eq!(at_once(&cache, &service).value, 1);
}
