//! A future that many wait for: whoever is polled polls it on, and whoever leaves stops nothing.

use std::collections::BTreeMap;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// The work itself, which need not be known by name.
pub(crate) type Work<O> = Pin<Box<dyn Future<Output = O> + Send>>;

/// Work under way. It moves on only while one of its [`Waiter`]s is polled, and no task is needed
/// for that: a work that everyone has left stands still until the next one comes.
pub(crate) struct Shared<O> {
    stage: Mutex<Stage<O>>,
    wakers: Arc<Wakers>,
}

enum Stage<O> {
    /// Nobody polls it just now.
    Resting(Work<O>),
    /// A waiter polls it; the work is in that waiter's hands. Others that came meanwhile left
    /// their wakers here, because the wake-up that brought them may have been meant for them alone.
    Moving(Vec<Waker>),
    Done(O),
    /// The work panicked.
    Lost,
}

impl<O: Clone> Shared<O> {
    pub(crate) fn new(work: Work<O>) -> Arc<Self> {
        Arc::new(Self {
            stage: Mutex::new(Stage::Resting(work)),
            wakers: Arc::new(Wakers::default()),
        })
    }

    /// One more who waits.
    pub(crate) fn wait(self: &Arc<Self>) -> Waiter<O> {
        Waiter {
            shared: Arc::clone(self),
            place: lock(&self.wakers.0).next_place(),
        }
    }

    /// Whether there is nothing left to wait for.
    pub(crate) fn is_over(&self) -> bool {
        matches!(&*lock(&self.stage), Stage::Done(_) | Stage::Lost)
    }

    fn poll(&self, waker: &Waker) -> Poll<Option<O>> {
        let mut work = {
            let mut stage = lock(&self.stage);
            match mem::replace(&mut *stage, Stage::Moving(vec![])) {
                Stage::Resting(work) => work,
                Stage::Moving(mut missed) => {
                    missed.push(waker.clone());
                    *stage = Stage::Moving(missed);
                    return Poll::Pending;
                }
                Stage::Done(output) => {
                    *stage = Stage::Done(output.clone());
                    return Poll::Ready(Some(output));
                }
                Stage::Lost => {
                    *stage = Stage::Lost;
                    return Poll::Ready(None);
                }
            }
        };
        // No lock is held here: the work is foreign code.
        let mut turn = Turn {
            shared: self,
            next: Stage::Lost,
        };
        let everyone = Waker::from(Arc::clone(&self.wakers));
        match work.as_mut().poll(&mut Context::from_waker(&everyone)) {
            Poll::Pending => {
                turn.next = Stage::Resting(work);
                Poll::Pending
            }
            Poll::Ready(output) => {
                turn.next = Stage::Done(output.clone());
                Poll::Ready(Some(output))
            }
        }
    }
}

/// A waiter's turn to poll. Its end tells the others, also when the work panics.
struct Turn<'s, O> {
    shared: &'s Shared<O>,
    next: Stage<O>,
}

impl<O> Drop for Turn<'_, O> {
    fn drop(&mut self) {
        let next = mem::replace(&mut self.next, Stage::Lost);
        let over = !matches!(next, Stage::Resting(_));
        let before = mem::replace(&mut *lock(&self.shared.stage), next);
        if over {
            self.shared.wakers.wake_by_ref();
        }
        if let Stage::Moving(missed) = before {
            missed.into_iter().for_each(Waker::wake);
        }
    }
}

/// Someone who waits: resolves to the output, or to `None` when the work panicked elsewhere.
pub(crate) struct Waiter<O> {
    shared: Arc<Shared<O>>,
    place: u64,
}

impl<O: Clone> Future for Waiter<O> {
    type Output = Option<O>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<O>> {
        // Registered before looking, so that no wake-up falls in between.
        let old = lock(&self.shared.wakers.0)
            .waiting
            .insert(self.place, cx.waker().clone());
        drop(old);
        self.shared.poll(cx.waker())
    }
}

impl<O> Drop for Waiter<O> {
    fn drop(&mut self) {
        // Dropped after the lock is released: it may be all that keeps a task, and another waiter.
        let old = lock(&self.shared.wakers.0).waiting.remove(&self.place);
        drop(old);
    }
}

/// Everyone who waits. The work wakes them all: which of them is still polled, nobody can know.
#[derive(Default)]
struct Wakers(Mutex<Places>);

#[derive(Default)]
struct Places {
    last: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl Places {
    fn next_place(&mut self) -> u64 {
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

/// Locks; a panic elsewhere is no reason for another one here, since every change is one step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
