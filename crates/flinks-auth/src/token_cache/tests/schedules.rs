//! Invariants of the cache under any sequence of events.

use std::future::poll_fn;

use proptest::prelude::*;

use super::*;

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

/// A call that checks its token, then sends for a while alongside the refresh, as the layer does.
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
        let runtime = runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(follow(steps, answers));
    }
}
