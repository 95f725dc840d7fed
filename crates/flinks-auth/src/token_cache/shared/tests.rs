//! What a shared future promises: everyone gets the output, and no wake-up is lost.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::*;
use crate::token_cache::tests::task::{Task, run};

/// Work that ends when its switch is set, and that switch.
fn switched() -> (Arc<Shared<u32>>, impl Fn()) {
    let switch = Arc::new((AtomicBool::new(false), Mutex::new(None::<Waker>)));
    let inside = Arc::clone(&switch);
    let work = poll_fn(move |cx| {
        *lock(&inside.1) = Some(cx.waker().clone());
        if inside.0.load(Ordering::SeqCst) {
            Poll::Ready(7)
        } else {
            Poll::Pending
        }
    });
    let end = move || {
        switch.0.store(true, Ordering::SeqCst);
        if let Some(waker) = lock(&switch.1).take() {
            waker.wake();
        }
    };
    (Shared::new(Box::pin(work)), end)
}

#[tokio::test]
async fn everyone_who_waits_gets_the_output() {
    let (shared, end) = switched();
    let mut tasks: Vec<_> = (0..10).map(|_| Task::new(shared.wait())).collect();
    run(&mut tasks).await;
    assert!(tasks.iter().all(Task::is_pending));
    assert!(!shared.is_over());
    end();
    run(&mut tasks).await;
    assert!(tasks.iter().all(|task| task.output == Some(Some(7))));
    assert!(shared.is_over());
    assert_eq!(shared.wait().await, Some(7));
}

#[tokio::test]
async fn whoever_leaves_stops_nothing() {
    let (shared, end) = switched();
    let mut tasks: Vec<_> = (0..3).map(|_| Task::new(shared.wait())).collect();
    run(&mut tasks).await;
    // The last one to poll is the one whose going could hurt.
    tasks[2].cancel();
    end();
    tasks[0].cancel();
    run(&mut tasks).await;
    assert_eq!(tasks[1].output, Some(Some(7)));
}

#[tokio::test]
async fn work_that_everyone_left_is_taken_up_again() {
    let (shared, end) = switched();
    let mut first = Task::new(shared.wait());
    first.turn();
    first.cancel();
    end();
    assert!(!shared.is_over());
    assert_eq!(shared.wait().await, Some(7));
}

#[test]
fn a_wake_up_that_falls_into_anothers_turn_is_not_lost() {
    // While `first` polls the work, `second` is polled: what a second thread would do.
    let second: Arc<Mutex<Option<Task<Option<u32>>>>> = Arc::default();
    let inside = Arc::clone(&second);
    let mut polls = 0;
    let shared = Shared::new(Box::pin(poll_fn(move |_| {
        polls += 1;
        if polls == 2 {
            return Poll::Ready(7);
        }
        let mut second = lock(&inside);
        let second = second.as_mut().unwrap();
        assert!(second.turn());
        assert!(second.is_pending() && !second.is_woken());
        Poll::Pending
    })));
    *lock(&second) = Some(Task::new(shared.wait()));
    let mut first = Task::new(shared.wait());
    first.turn();
    first.cancel();
    let mut second = lock(&second);
    let second = second.as_mut().unwrap();
    assert!(second.is_woken());
    second.turn();
    assert_eq!(second.output, Some(Some(7)));
}

#[test]
fn a_panic_is_told_to_the_others() {
    let mut polls = 0;
    let shared: Arc<Shared<u32>> = Shared::new(Box::pin(poll_fn(move |_| {
        polls += 1;
        assert!(polls < 2, "the work fails");
        Poll::Pending
    })));
    let mut other = Task::new(shared.wait());
    other.turn();
    let mut unlucky = Task::new(shared.wait());
    assert!(catch_unwind(AssertUnwindSafe(|| unlucky.turn())).is_err());
    assert!(shared.is_over());
    assert!(other.is_woken());
    other.turn();
    assert_eq!(other.output, Some(None));
}

struct Ring(mpsc::Sender<()>);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        // The thread may have left.
        let _ = self.0.send(());
    }
}

/// Polls on this thread, at most `limit` times; a wake-up that does not come fails the test.
fn block_on<O>(future: impl Future<Output = O>, limit: usize) -> Option<O> {
    let mut future = pin!(future);
    let (ring, wake_ups) = mpsc::channel();
    let waker = Waker::from(Arc::new(Ring(ring)));
    for _ in 0..limit {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        wake_ups
            .recv_timeout(Duration::from_secs(20))
            .expect("a wake-up");
    }
    None
}

#[test]
fn threads_that_come_and_go_lose_no_wake_up() {
    for _ in 0..50 {
        let (send, receive) = mpsc::channel::<Waker>();
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&polls);
        let shared = Shared::new(Box::pin(poll_fn(move |cx| {
            if counted.fetch_add(1, Ordering::SeqCst) == 50 {
                return Poll::Ready(7);
            }
            send.send(cx.waker().clone()).unwrap();
            Poll::Pending
        })));
        thread::scope(|scope| {
            // Wakes from outside, so that wake-ups fall anywhere.
            scope.spawn(move || receive.iter().for_each(Waker::wake));
            for thread in 0..4 {
                let shared = &shared;
                scope.spawn(move || {
                    for limit in 1..5 {
                        block_on(shared.wait(), limit * thread);
                    }
                    assert_eq!(block_on(shared.wait(), usize::MAX), Some(Some(7)));
                });
            }
        });
        assert_eq!(polls.load(Ordering::SeqCst), 51);
    }
}
