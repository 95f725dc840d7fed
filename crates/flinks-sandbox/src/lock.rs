//! Locking.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex; tests still want to see the state that a panic left behind.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
