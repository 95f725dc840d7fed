//! Tasks for tests, polled only after their waker was called: a lost wake-up shows as one that never ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

pub(crate) struct Task<O> {
    future: Option<Pin<Box<dyn Future<Output = O> + Send>>>,
    woken: Arc<Woken>,
    pub(crate) output: Option<O>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<O> Task<O> {
    pub(crate) fn new(future: impl Future<Output = O> + Send + 'static) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self {
            future: Some(Box::pin(future)),
            woken,
            output: None,
        }
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.future.is_some() && self.woken.0.load(Ordering::SeqCst)
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.future.is_some()
    }

    /// Polls once if woken, and returns whether it did.
    pub(crate) fn turn(&mut self) -> bool {
        let Some(future) = &mut self.future else {
            return false;
        };
        if !self.woken.0.swap(false, Ordering::SeqCst) {
            return false;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.future = None;
            self.output = Some(output);
        }
        true
    }

    /// Drops the future in its current state.
    pub(crate) fn cancel(&mut self) {
        self.future = None;
    }
}

/// Polls tasks until none is woken. It yields, so that tokio's timers fire and no budget runs out.
pub(crate) async fn run<O>(tasks: &mut [Task<O>]) {
    loop {
        let polled = tasks
            .iter_mut()
            .filter_map(|task| task.turn().then_some(()))
            .count();
        tokio::task::yield_now().await;
        if polled == 0 && !tasks.iter().any(Task::is_woken) {
            return;
        }
    }
}
