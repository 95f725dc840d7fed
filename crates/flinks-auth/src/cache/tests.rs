//! What the token cache promises, in paused time.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;

use proptest::prelude::*;
use tokio::time::{advance, sleep};

use super::*;
use crate::task::{Task, run};

type Cache = TokenCache<u32, &'static str>;
type Leased = Result<Lease<u32, &'static str>, &'static str>;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How the token service answers one request: after a time, with a lifetime or a failure.
#[derive(Clone, Debug)]
struct Answer {
    after: Duration,
    says: Says,
}

#[derive(Clone, Debug)]
enum Says {
    Lives(Option<Duration>),
    Fails,
    Panics,
}

/// A token service that numbers its tokens from 1 and answers by script, then with 300 s.
#[derive(Clone, Default)]
struct Service(Arc<Script>);

#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    /// When each request was made, and what it was answered.
    log: Mutex<Vec<(Instant, Answer)>>,
    open: AtomicUsize,
}

struct Open(Service);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Service {
    fn new(answers: impl IntoIterator<Item = (u64, Says)>) -> Self {
        let service = Self::default();
        let answers = answers.into_iter().map(|(after, says)| Answer {
            after: secs(after),
            says,
        });
        lock(&service.0.answers).extend(answers);
        service
    }

    fn requests(&self) -> usize {
        lock(&self.0.log).len()
    }

    fn fetch(&self) -> Fetch<u32, &'static str> {
        let answer = lock(&self.0.answers).pop_front();
        let answer = answer.unwrap_or(Answer {
            after: secs(1),
            says: Says::Lives(Some(secs(300))),
        });
        assert_eq!(
            self.0.open.fetch_add(1, Ordering::SeqCst),
            0,
            "two requests at once"
        );
        let open = Open(self.clone());
        let mut log = lock(&self.0.log);
        log.push((Instant::now(), answer.clone()));
        let number = u32::try_from(log.len()).unwrap();
        Box::pin(async move {
            sleep(answer.after).await;
            drop(open);
            match answer.says {
                Says::Lives(lifetime) => Ok(Issued::new(number, lifetime)),
                Says::Fails => Err("the service is down"),
                Says::Panics => panic!("as the script says"),
            }
        })
    }
}

fn call(cache: &Arc<Cache>, service: &Service, life: Duration) -> Task<Leased> {
    let (cache, service) = (Arc::clone(cache), service.clone());
    Task::new(async move { cache.token(life, || service.fetch()).await })
}

/// A call that need not wait.
fn at_once(cache: &Arc<Cache>, service: &Service) -> Lease<u32, &'static str> {
    let mut task = call(cache, service, Duration::ZERO);
    task.turn();
    task.output.expect("no wait").expect("a token")
}

/// A call that may wait for the service.
async fn in_time(cache: &Arc<Cache>, service: &Service) -> u32 {
    cache
        .token(Duration::ZERO, || service.fetch())
        .await
        .expect("a token")
        .value
}

fn values(tasks: &[Task<Leased>]) -> Vec<Result<u32, &'static str>> {
    let outputs = tasks
        .iter()
        .map(|task| task.output.as_ref().expect("an end"));
    outputs
        .map(|output| {
            output
                .as_ref()
                .map(|lease| lease.value)
                .map_err(|error| *error)
        })
        .collect()
}

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

/// What happens to a cache, step by step.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Call { life: Duration, sends_for: Duration },
    Cancel(prop::sample::Index),
    Refuse,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let life = prop_oneof![Just(Duration::ZERO), Just(secs(30))];
    let sends_for = (0u64..5).prop_map(secs);
    let step = prop_oneof![
        3 => (0u64..40).prop_map(Step::Wait),
        5 => (life, sends_for).prop_map(|(life, sends_for)| Step::Call { life, sends_for }),
        2 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        1 => Just(Step::Refuse),
    ];
    prop::collection::vec(step, 0..40)
}

fn answers() -> impl Strategy<Value = Vec<Answer>> {
    let says = prop_oneof![
        2 => Just(Says::Fails),
        1 => Just(Says::Lives(Some(Duration::ZERO))),
        1 => Just(Says::Lives(None)),
        4 => (20u64..120).prop_map(|lifetime| Says::Lives(Some(secs(lifetime)))),
    ];
    let answer = (0u64..3, says).prop_map(|(after, says)| Answer {
        after: secs(after),
        says,
    });
    prop::collection::vec(answer, 0..60)
}

/// A call that checks its token, then sends for a while with the refresh beside it, as the layer does.
async fn checked(
    cache: Arc<Cache>,
    service: Service,
    life: Duration,
    sends_for: Duration,
    used: Arc<Mutex<Vec<(u32, u64)>>>,
) {
    let Ok(lease) = cache.token(life, || service.fetch()).await else {
        assert!(
            cache.current(Duration::ZERO).is_none(),
            "failed beside a valid token"
        );
        return;
    };
    let (made, answer) = lock(&service.0.log)[lease.value as usize - 1].clone();
    let Says::Lives(lifetime) = answer.says else {
        panic!("a token from a failure")
    };
    let lifetime = lifetime.unwrap_or(UNSAID_LIFETIME);
    if lifetime.is_zero() {
        assert!(
            !lock(&used).iter().any(|(value, _)| *value == lease.value),
            "used twice"
        );
    } else {
        assert!(Instant::now() < made + lifetime, "an expired token");
    }
    lock(&used).push((lease.value, lease.generation));
    let (mut request, mut refresh) = (Box::pin(sleep(sends_for)), lease.refresh);
    poll_fn(|cx| {
        if let Some(fetch) = &mut refresh
            && Pin::new(fetch).poll(cx).is_ready()
        {
            refresh = None;
        }
        request.as_mut().poll(cx)
    })
    .await;
}

/// Time passes in small steps: callers that are there are polled when they should be.
async fn pass(seconds: u64, tasks: &mut [Task<()>]) {
    for _ in 0..seconds {
        advance(secs(1)).await;
        run(tasks).await;
    }
}

async fn follow(steps: Vec<Step>, answers: Vec<Answer>) {
    let (cache, service) = (Arc::new(Cache::new()), Service::default());
    lock(&service.0.answers).extend(answers);
    let used: Arc<Mutex<Vec<(u32, u64)>>> = Arc::default();
    let mut tasks: Vec<Task<()>> = vec![];
    for step in steps {
        match step {
            Step::Wait(seconds) => pass(seconds, &mut tasks).await,
            Step::Call { life, sends_for } => {
                let ready = cache.current(life).is_some();
                let before = lock(&used).len();
                let (cache, service) = (Arc::clone(&cache), service.clone());
                let mut task =
                    Task::new(checked(cache, service, life, sends_for, Arc::clone(&used)));
                task.turn();
                assert!(
                    !ready || lock(&used).len() == before + 1,
                    "waited beside a valid token"
                );
                tasks.push(task);
            }
            Step::Cancel(index) if !tasks.is_empty() => index.get_mut(&mut tasks).cancel(),
            Step::Cancel(_) => {}
            Step::Refuse => {
                if let Some((_, generation)) = lock(&used).last() {
                    cache.evict(*generation);
                }
            }
        }
    }
    pass(200, &mut tasks).await;
    assert!(
        tasks.iter().all(|task| !task.is_pending()),
        "a call never ended"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_schedule_breaks_the_promises(steps in steps(), answers in answers()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(follow(steps, answers));
    }
}
