//! The progress of a batch: one line on a terminal, otherwise a line from time to time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flinks_types::text::escaped;
use tokio::time::Instant;

use crate::output::progress::{Live, ProgressStyle};
use crate::output::text::{cut_middle, seconds};
use crate::output::write_stderr;

/// How far apart lines are that nothing overwrites.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// The counts that the line shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) borrowers: usize,
    pub(crate) completed: usize,
    pub(crate) failed: usize,
    pub(crate) flagged: usize,
    /// Whose verdict is awaited.
    pub(crate) waiting: usize,
}

/// Shows the progress of a batch; removed on drop.
pub(crate) struct BatchProgress {
    live: Option<Live>,
    counts: Arc<Mutex<Counts>>,
    /// The name of the file that was sent last.
    file: FileName,
    last_line: Instant,
}

/// The name of the file that is being sent.
#[derive(Clone, Default)]
pub(crate) struct FileName(Arc<Mutex<String>>);

impl FileName {
    pub(crate) fn set(&self, name: &str) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != name {
            name.clone_into(&mut current);
        }
    }

    fn shown(&self) -> String {
        let name = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        escaped(&name).into_owned()
    }
}

impl BatchProgress {
    /// Starts the line, if it can be redrawn in place.
    pub(crate) fn start(style: ProgressStyle) -> Self {
        let (counts, file) = (Arc::default(), FileName::default());
        let shown: (Arc<Mutex<Counts>>, _) = (Arc::clone(&counts), file.clone());
        let start = Instant::now();
        let live = (style == ProgressStyle::Live).then(|| {
            Live::start(move |width| {
                let counts = *shown.0.lock().unwrap_or_else(PoisonError::into_inner);
                let elapsed = seconds(start.elapsed());
                let line = format!("{} ({elapsed})", line(counts, &shown.1.shown()));
                vec![cut_middle(&line, width)]
            })
        });
        Self {
            live,
            counts,
            file,
            last_line: start,
        }
    }

    pub(crate) fn file(&self) -> FileName {
        self.file.clone()
    }

    /// Shows these counts. Without a terminal most calls print nothing.
    pub(crate) fn show(&mut self, counts: Counts) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        if self.live.is_none() && self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            write_stderr(&format!("{}\n", line(counts, "")));
        }
    }
}

fn line(counts: Counts, file: &str) -> String {
    let done = counts.completed + counts.failed;
    let mut parts = vec![format!("{done} of {} borrowers", counts.borrowers)];
    if done < counts.borrowers && !file.is_empty() {
        parts.push(file.to_owned());
    }
    for (word, count) in [
        ("waiting for the analysis of", counts.waiting),
        ("flagged", counts.flagged),
        ("failed", counts.failed),
    ] {
        if count > 0 {
            parts.push(format!("{word} {count}"));
        }
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_what_there_is_to_say() {
        let mut counts = Counts {
            borrowers: 200,
            completed: 10,
            failed: 1,
            ..Counts::default()
        };
        assert_eq!(
            line(counts, "a.pdf"),
            "11 of 200 borrowers · a.pdf · failed 1"
        );
        counts.completed = 199;
        counts.waiting = 4;
        counts.flagged = 3;
        assert_eq!(
            line(counts, "a.pdf"),
            "200 of 200 borrowers · waiting for the analysis of 4 · flagged 3 · failed 1"
        );
    }
}
