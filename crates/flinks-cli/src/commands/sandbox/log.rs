//! The log of `flinks sandbox`, written by a thread of its own: a reader that is slow, or does not
//! read at all, delays no answer and no exit.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use flinks_sandbox::LogLine;
use tokio::sync::oneshot;

use crate::interrupt;
use crate::output::error::CliError;
use crate::output::write_stdout;

/// The lines that wait for the reader, about 4 MB. Further ones are dropped and counted.
const CAPACITY: usize = 10_000;

/// The time for the last lines after the server has ended.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Where the log is written.
pub(super) enum Target {
    Stdout,
    File(File),
    None,
}

impl Target {
    /// Opens what `--log` names: a file, to whose end lines are added, or `none`.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, CliError> {
        let Some(path) = path else {
            return Ok(Self::Stdout);
        };
        if path == Path::new("none") {
            return Ok(Self::None);
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map(Self::File)
            .map_err(|error| CliError::disk("the log (--log)", &error))
    }

    fn write(&mut self, line: &str) {
        let line = format!("{line}\n");
        // The server continues without a reader, and without room on the disk.
        match self {
            Self::Stdout => drop(write_stdout(&line)),
            Self::File(file) => drop(file.write_all(line.as_bytes())),
            Self::None => {}
        }
    }
}

/// The lines between the threads that answer and the one that writes.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    capacity: usize,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<String>,
    /// The number of lines that did not fit after the last of `lines`.
    dropped: u64,
    closed: bool,
}

impl Waiting {
    fn take_dropped(&mut self) -> Option<String> {
        let dropped = std::mem::take(&mut self.dropped);
        (dropped > 0).then(|| format!("{{\"dropped\":{dropped}}}"))
    }
}

impl Queue {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self::with_capacity(CAPACITY))
    }

    fn with_capacity(capacity: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            capacity,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line, or counts it as dropped.
    pub(super) fn push(&self, line: &LogLine) {
        if let Ok(line) = serde_json::to_string(line) {
            self.push_text(line);
        }
    }

    fn push_text(&self, line: String) {
        let mut waiting = self.lock();
        if waiting.lines.len() >= self.capacity {
            waiting.dropped += 1;
            return;
        }
        let dropped = waiting.take_dropped();
        waiting.lines.extend(dropped);
        waiting.lines.push_back(line);
        self.changed.notify_one();
    }

    /// Waits for the next line; `None` once there will be no more.
    fn pop(&self) -> Option<String> {
        let mut waiting = self.lock();
        loop {
            let line = waiting.lines.pop_front();
            if let Some(line) = line.or_else(|| waiting.take_dropped()) {
                return Some(line);
            }
            if waiting.closed {
                return None;
            }
            let woken = self.changed.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Writes what is pushed to `target`, until the queue is finished.
    pub(super) fn write_to(self: &Arc<Self>, mut target: Target) -> Result<Written, CliError> {
        let (queue, (sender, written)) = (Arc::clone(self), channel::<()>());
        spawn(move || {
            while let Some(line) = queue.pop() {
                target.write(&line);
            }
            drop::<Sender<()>>(sender);
        })?;
        Ok(Written {
            queue: Arc::clone(self),
            written,
        })
    }
}

/// The thread that writes.
pub(super) struct Written {
    queue: Arc<Queue>,
    written: Receiver<()>,
}

impl Written {
    /// Waits until the lines are written, or for half a second if the target is blocked.
    pub(super) fn finish(self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_one();
        let _ = self.written.recv_timeout(LAST_LINES);
    }
}

/// Prints a line on standard output. Returns whether it is written: a signal ends the wait for a
/// pipe that is full.
pub(super) async fn print(line: String) -> Result<bool, CliError> {
    let (sender, written) = oneshot::channel();
    spawn(move || drop(sender.send(write_stdout(&format!("{line}\n")))))?;
    tokio::select! {
        result = written => result.unwrap_or(Ok(())).map(|()| true),
        () = interrupt::stopped() => Ok(false),
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), CliError> {
    let thread = thread::Builder::new().name("log".to_owned()).spawn(work);
    thread
        .map(drop)
        .map_err(|error| CliError::settings(format!("no thread can be started: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_do_not_fit_are_counted_where_they_are_missing() {
        let queue = Queue::with_capacity(2);
        let pop = || queue.pop().unwrap();
        let push = |lines: &[&str]| {
            lines
                .iter()
                .for_each(|it| queue.push_text((*it).to_owned()))
        };
        push(&["1", "2", "3", "4"]);
        assert_eq!(pop(), "1");
        push(&["5", "6"]);
        queue.lock().closed = true;
        assert_eq!([pop(), pop(), pop()], ["2", r#"{"dropped":2}"#, "5"]);
        assert_eq!(pop(), r#"{"dropped":1}"#);
        assert_eq!(queue.pop(), None);
    }
}
