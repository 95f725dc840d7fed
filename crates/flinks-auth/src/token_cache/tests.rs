//! What the token cache promises, in paused time.

mod life;
mod schedules;
mod sharing;
pub(super) mod task;

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;

use tokio::time::{advance, sleep};

use super::*;
use task::{Task, run};

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
