//! The progress of a wait: what was seen, when the next poll is due, and how many failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flinks_transport::poll::PollStatus;
use flinks_types::text::escaped;

use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::progress::ProgressStyle;
use crate::output::progress::live::Live;
use crate::output::text::{counted, cut_middle, display_width, seconds};
use crate::output::write_stderr;

/// In CI a job without output is ended; so a wait is shown at least this often.
const HEARTBEAT: Duration = Duration::from_secs(5 * 60);

/// Shows what the program waits for until all clones are dropped.
#[derive(Clone)]
pub(crate) struct Waiting {
    state: Arc<Mutex<State>>,
    style: ProgressStyle,
    #[expect(dead_code, reason = "it draws until it is dropped")]
    live: Option<Arc<Live>>,
}

struct State {
    what: &'static str,
    start: Instant,
    /// What the last answer said.
    seen: Option<String>,
    next_poll: Option<Instant>,
    polls: u32,
    failures: u32,
    last_failure: Option<String>,
    is_failing: bool,
    /// The line that was printed last, and when.
    printed: Option<(String, Instant)>,
}

impl Waiting {
    /// Shows what the program waits for, and for how long. Without [`paused`](Self::paused), only on a
    /// terminal.
    pub(crate) fn start(what: &'static str, style: ProgressStyle) -> Self {
        let state = Arc::new(Mutex::new(State {
            what,
            start: Instant::now(),
            seen: None,
            next_poll: None,
            polls: 0,
            failures: 0,
            last_failure: None,
            is_failing: false,
            printed: None,
        }));
        let live = (style == ProgressStyle::Live).then(|| {
            let state = Arc::clone(&state);
            Arc::new(Live::start(move |width| {
                let state = state.lock().unwrap_or_else(PoisonError::into_inner);
                state.lines(Instant::now(), width)
            }))
        });
        Self { state, style, live }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what an answer said.
    pub(crate) fn saw(&self, seen: String) {
        self.state().seen = Some(seen);
    }

    /// Notes the state of the wait between two polls.
    pub(crate) fn paused(&self, status: &PollStatus<'_>) {
        let now = Instant::now();
        let mut state = self.state();
        (state.polls, state.failures) = (status.polls, status.failures);
        state.is_failing = status.is_failing;
        let failure = status.failure.map(|error| error.report().to_string());
        state.last_failure = failure.map(|text| escaped(&text).into_owned());
        state.next_poll = status.next_poll.map(|next| now + next);
        if self.style == ProgressStyle::Lines
            && let Some(line) = state.line(now)
        {
            write_stderr(&line);
        }
    }

    /// Returns how long the wait was, what was seen, and which polls failed: `4 h: 1 of 3 documents
    /// final; 2 of 40 polls failed, the last: could not connect`.
    pub(crate) fn summary(&self) -> String {
        self.state().summary(Instant::now(), true)
    }

    /// Adds to the error of a wait that was interrupted, or whose time is up, how far it got and the
    /// command that waits again.
    pub(crate) fn explain(&self, error: CliError, next: &str) -> CliError {
        if !matches!(error.exit(), Exit::Deadline | Exit::Interrupted) {
            return error;
        }
        let is_interrupted = error.call().is_none();
        let waited = self.state().summary(Instant::now(), is_interrupted);
        error.of_wait(waited, next)
    }
}

impl State {
    fn summary(&self, now: Instant, with_failure: bool) -> String {
        let elapsed = seconds(now.saturating_duration_since(self.start));
        let failures = self.last_failure.as_ref().map(|last| {
            let polls = usize::try_from(self.polls).unwrap_or(usize::MAX);
            let count = format!("{} of {} failed", self.failures, counted(polls, "poll"));
            if with_failure {
                format!("{count}, the last: {last}")
            } else {
                count
            }
        });
        let parts: Vec<_> = self.seen.iter().cloned().chain(failures).collect();
        if parts.is_empty() {
            elapsed
        } else {
            format!("{elapsed}: {}", parts.join("; "))
        }
    }

    fn details(&self) -> Vec<String> {
        let failing = self.last_failure.iter().filter(|_| self.is_failing);
        let failing = failing.map(|last| format!("the last poll failed ({last})"));
        self.seen.iter().cloned().chain(failing).collect()
    }

    /// Returns one or two lines, each at most `width` columns wide.
    fn lines(&self, now: Instant, width: usize) -> Vec<String> {
        let elapsed = now.saturating_duration_since(self.start);
        let frames = ["-", "\\", "|", "/"];
        let frame = usize::try_from(elapsed.as_millis() / 125).unwrap_or_default() % frames.len();
        let frame = frames.get(frame).copied().unwrap_or_default();
        let first = format!("{frame} {} ({})", self.what, seconds(elapsed));
        let details = self.details();
        let next = self.next_poll.map(|next| {
            let left = next.saturating_duration_since(now);
            if left.is_zero() {
                "polling".to_owned()
            } else {
                let rounded_up = left + Duration::from_millis(999);
                format!("next poll in {}", seconds(rounded_up))
            }
        });
        let all = details.iter().chain(&next).cloned().collect::<Vec<_>>();
        if all.is_empty() {
            return vec![cut_middle(&first, width)];
        }
        let all = all.join(", ");
        let whole = format!("{first}: {all}");
        if display_width(&whole) <= width {
            return vec![whole];
        }
        // When the next poll is due matters least.
        let mut second = format!("  {all}");
        if display_width(&second) > width && !details.is_empty() {
            second = format!("  {}", details.join(", "));
        }
        [first, second].map(|line| cut_middle(&line, width)).into()
    }

    /// Returns the line to print, if it says something new or nothing was printed for long.
    fn line(&mut self, now: Instant) -> Option<String> {
        let mut text = self.what.to_owned();
        let details = self.details();
        if !details.is_empty() {
            text.push_str(&format!(": {}", details.join(", ")));
        }
        let is_due = self.printed.as_ref().is_none_or(|(printed, at)| {
            *printed != text || now.saturating_duration_since(*at) >= HEARTBEAT
        });
        if !is_due {
            return None;
        }
        let elapsed = seconds(now.saturating_duration_since(self.start));
        let line = format!("{text} ({elapsed})\n");
        self.printed = Some((text, now));
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state(seen: &str, last_failure: &str) -> State {
        let start = Instant::now();
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        State {
            what: "waiting for the analysis",
            start,
            seen: text(seen),
            next_poll: Some(start + Duration::from_secs(46)),
            polls: 40,
            failures: 2,
            last_failure: text(last_failure),
            is_failing: true,
            printed: None,
        }
    }

    #[test]
    fn a_wait_says_what_was_seen() {
        let state = state("1 of 3 documents final", "");
        let later = state.start + Duration::from_secs(34);
        let whole = "- waiting for the analysis (34 s): 1 of 3 documents final, next poll in 12 s";
        assert_eq!(state.lines(later, 77), [whole]);
        let two = [
            "- waiting for the analysis (34 s)",
            "  1 of 3 documents final",
        ];
        assert_eq!(state.lines(later, 36), two);
    }

    #[test]
    fn plain_lines_are_few() {
        let mut state = state("1 of 3 documents final", "could not connect");
        let at = |state: &State, n| state.start + Duration::from_secs(n);
        let printed: Vec<_> = [0, 30, 60, 310, 340]
            .into_iter()
            .filter(|n| {
                let now = at(&state, *n);
                state.line(now).is_some()
            })
            .collect();
        assert_eq!(printed, [0, 310]);
        state.is_failing = false;
        let now = at(&state, 370);
        let line = "waiting for the analysis: 1 of 3 documents final (6 min)\n";
        assert_eq!(state.line(now).as_deref(), Some(line));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(
            width in 1usize..130,
            later in 0u64..1_000_000,
            seen in "\\PC{0,60}",
            failure in "\\PC{0,130}",
        ) {
            let state = state(&seen, &failure);
            let lines = state.lines(state.start + Duration::from_secs(later), width);
            prop_assert!(lines.len() <= 2);
            for line in lines {
                prop_assert!(display_width(&line) <= width, "{line:?} in {width}");
            }
        }
    }
}
