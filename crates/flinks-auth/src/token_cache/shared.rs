//! A future with many waiters: each waiter that is polled drives it, and dropping one cancels nothing.
//!
//! `futures_util::future::Shared` loses a wake-up when a waiter is polled while another one polls
//! and is then dropped: the rest would wait forever.

use std::collections::BTreeMap;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// The shared future.
pub(crate) type Work<O> = Pin<Box<dyn Future<Output = O> + Send>>;

/// Work in progress. It advances only while one of its [`Waiter`]s is polled; no task is spawned.
/// Work without a waiter pauses until the next one polls it.
pub(crate) struct Shared<O> {
    stage: Mutex<Stage<O>>,
    wakers: Arc<Wakers>,
}

enum Stage<O> {
    /// No waiter polls it at the moment.
    Idle(Work<O>),
    /// A waiter has taken the work out and polls it. Waiters that are polled meanwhile leave their
    /// wakers here: the wake-up that they followed may have been the only one.
    Polling(Vec<Waker>),
    Done(O),
    /// The work panicked.
    Poisoned,
}

impl<O: Clone> Shared<O> {
    pub(crate) fn new(work: Work<O>) -> Arc<Self> {
        Arc::new(Self {
            stage: Mutex::new(Stage::Idle(work)),
            wakers: Arc::new(Wakers::default()),
        })
    }

    /// Adds a waiter.
    pub(crate) fn wait(self: &Arc<Self>) -> Waiter<O> {
        Waiter {
            shared: Arc::clone(self),
            key: lock(&self.wakers.0).next_key(),
        }
    }

    /// Whether the work has ended or panicked.
    pub(crate) fn is_over(&self) -> bool {
        matches!(&*lock(&self.stage), Stage::Done(_) | Stage::Poisoned)
    }

    fn poll(&self, waker: &Waker) -> Poll<Option<O>> {
        let mut work = {
            let mut stage = lock(&self.stage);
            match mem::replace(&mut *stage, Stage::Polling(vec![])) {
                Stage::Idle(work) => work,
                Stage::Polling(mut polled_meanwhile) => {
                    polled_meanwhile.push(waker.clone());
                    *stage = Stage::Polling(polled_meanwhile);
                    return Poll::Pending;
                }
                Stage::Done(output) => {
                    *stage = Stage::Done(output.clone());
                    return Poll::Ready(Some(output));
                }
                Stage::Poisoned => {
                    *stage = Stage::Poisoned;
                    return Poll::Ready(None);
                }
            }
        };
        // No lock is held here: the work is code of others.
        let mut guard = PollGuard {
            shared: self,
            next: Stage::Poisoned,
        };
        let waker = Waker::from(Arc::clone(&self.wakers));
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => {
                guard.next = Stage::Idle(work);
                Poll::Pending
            }
            Poll::Ready(output) => {
                guard.next = Stage::Done(output.clone());
                Poll::Ready(Some(output))
            }
        }
    }
}

/// Held while a waiter polls. When dropped it wakes the others, also if the work panicked.
struct PollGuard<'s, O> {
    shared: &'s Shared<O>,
    next: Stage<O>,
}

impl<O> Drop for PollGuard<'_, O> {
    fn drop(&mut self) {
        let next = mem::replace(&mut self.next, Stage::Poisoned);
        let over = !matches!(next, Stage::Idle(_));
        let before = mem::replace(&mut *lock(&self.shared.stage), next);
        if over {
            self.shared.wakers.wake_by_ref();
        }
        if let Stage::Polling(polled_meanwhile) = before {
            polled_meanwhile.into_iter().for_each(Waker::wake);
        }
    }
}

/// Resolves to the output, or to `None` if the work panicked while another waiter polled it.
pub(crate) struct Waiter<O> {
    shared: Arc<Shared<O>>,
    key: u64,
}

impl<O: Clone> Future for Waiter<O> {
    type Output = Option<O>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<O>> {
        // Registered before looking, so that no wake-up falls in between.
        let old = lock(&self.shared.wakers.0)
            .waiting
            .insert(self.key, cx.waker().clone());
        drop(old);
        self.shared.poll(cx.waker())
    }
}

impl<O> Drop for Waiter<O> {
    fn drop(&mut self) {
        // Dropped after the lock is released: it may be all that keeps a task, and another waiter.
        let old = lock(&self.shared.wakers.0).waiting.remove(&self.key);
        drop(old);
    }
}

/// The wakers of all waiters. The work wakes them all, since any of them may have been dropped.
#[derive(Default)]
struct Wakers(Mutex<WakerSlab>);

#[derive(Default)]
struct WakerSlab {
    last: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl WakerSlab {
    fn next_key(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waiting = mem::take(&mut lock(&self.0).waiting);
        waiting.into_values().for_each(Waker::wake);
    }
}

/// Locks a mutex, poisoned or not: every change under it is a single step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
