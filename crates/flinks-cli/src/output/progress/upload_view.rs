//! What an upload's progress looks like: its state, and the one or two lines that show it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use flinks_types::text::escaped;
use flinks_upload::{Phase, Progress};

use crate::output::text::{cut_middle, display_width, seconds, size};

/// The rate is that of the last few seconds.
const WINDOW: Duration = Duration::from_secs(8);
/// After so long without a byte, the transfer has stalled.
const STALLED: Duration = Duration::from_secs(3);
/// A bar is as wide as fits, within these limits.
const BAR: std::ops::RangeInclusive<usize> = 8..=32;

/// The progress of an upload.
#[derive(Default)]
pub(super) struct UploadState {
    files: Vec<File>,
    /// The file that the last report was about.
    latest: usize,
    sent: u64,
    total: u64,
    /// How many bytes were sent when, for the rate.
    samples: VecDeque<(Instant, u64)>,
    /// Since when *complete* is under way.
    completing: Option<Instant>,
    has_confirmed: bool,
}

#[derive(Clone)]
struct File {
    name: String,
    /// `None` before it is begun.
    phase: Option<Phase>,
    since: Instant,
}

impl UploadState {
    pub(super) fn update(&mut self, progress: &Progress<'_>, now: Instant) {
        self.latest = progress.file;
        self.total = progress.session_bytes;
        if progress.session_sent < self.sent {
            self.samples.clear();
        }
        let moved = progress.session_sent != self.sent;
        self.sent = progress.session_sent;
        let unnamed = File {
            name: String::new(),
            phase: None,
            since: now,
        };
        self.files.resize(progress.files, unnamed);
        if progress.phase == Phase::Retrying {
            self.files.iter_mut().for_each(|file| file.phase = None);
        }
        if let Some(file) = self.files.get_mut(progress.file) {
            if file.name.is_empty() {
                file.name = escaped(progress.file_name).into_owned();
            }
            if file.phase != Some(progress.phase) {
                file.phase = Some(progress.phase);
                file.since = now;
            }
        }
        self.has_confirmed |= progress.phase == Phase::Confirmed;
        self.completing = (progress.phase == Phase::Completing).then_some(now);
        if matches!(progress.phase, Phase::Sending | Phase::Sent) && moved {
            self.sample(now);
        }
    }

    fn sample(&mut self, now: Instant) {
        self.samples.push_back((now, self.sent));
        let is_old = |(at, _): &(Instant, u64)| now.saturating_duration_since(*at) > WINDOW;
        while self.samples.len() > 2 && self.samples.front().is_some_and(is_old) {
            self.samples.pop_front();
        }
    }

    /// Returns the lines to show, each at most `width` columns wide.
    pub(super) fn lines(&self, now: Instant, width: usize) -> Vec<String> {
        if self.files.is_empty() {
            return vec![cut_middle("connecting", width)];
        }
        vec![self.title(width), self.bar(now, width)]
    }

    fn title(&self, width: usize) -> String {
        let under_way = |file: &&File| {
            matches!(
                file.phase,
                Some(Phase::Preparing | Phase::Sending | Phase::Sent)
            )
        };
        let others = self.files.iter().filter(under_way).count();
        let first = self.files.iter().position(|file| under_way(&file));
        let shown = first.unwrap_or(self.latest);
        let name = self.files.get(shown).map_or("", |file| file.name.as_str());
        let before = match self.files.len() {
            1 => String::new(),
            files if self.completing.is_some() => return cut_middle(&all(files), width),
            files => format!("file {} of {files}: ", shown + 1),
        };
        let after = match others {
            0 | 1 => String::new(),
            others => format!(" and {} more", others - 1),
        };
        let left = width.saturating_sub(display_width(&before) + display_width(&after));
        cut_middle(&format!("{before}{}{after}", cut_middle(name, left)), width)
    }

    fn bar(&self, now: Instant, width: usize) -> String {
        let texts = self.texts(now);
        let fits = |text: &&String| display_width(text) <= width;
        let Some(text) = texts.iter().find(fits).or_else(|| texts.last()) else {
            return String::new();
        };
        // The brackets and a space.
        let left = width.saturating_sub(display_width(text) + 3);
        if left < *BAR.start() {
            return cut_middle(text, width);
        }
        let columns = left.min(*BAR.end());
        let done = self.sent.saturating_mul(columns as u64) / self.total.max(1);
        let done = usize::try_from(done).unwrap_or(columns).min(columns);
        let (full, free) = ("=".repeat(done), " ".repeat(columns - done));
        format!("[{full}{free}] {text}")
    }

    /// Returns what to say beside the bar, the longest text first.
    fn texts(&self, now: Instant) -> Vec<String> {
        let since = |at: Instant| now.saturating_duration_since(at);
        let timed = |text: &str, short: &str, at: Instant| {
            let elapsed = since(at);
            if elapsed < Duration::from_secs(1) {
                vec![text.to_owned(), short.to_owned()]
            } else {
                let elapsed = seconds(elapsed);
                vec![
                    format!("{text} ({elapsed})"),
                    format!("{short} ({elapsed})"),
                ]
            }
        };
        if let Some(at) = self.completing {
            return timed("completing", "completing", at);
        }
        let latest_in = |phase: Phase| {
            let files = self.files.iter().filter(|file| file.phase == Some(phase));
            files.map(|file| file.since).max()
        };
        if latest_in(Phase::Sending).is_some() {
            return self.transfer(now);
        }
        if let Some(at) = latest_in(Phase::Sent) {
            return timed("sent, waiting for the answer", "waiting", at);
        }
        if let Some(at) = latest_in(Phase::Retrying) {
            return timed("outcome unknown, trying again", "trying again", at);
        }
        if let Some(at) = latest_in(Phase::Preparing) {
            let text = if self.has_confirmed {
                "preparing"
            } else {
                "connecting"
            };
            return timed(text, text, at);
        }
        vec![format!("{} of {}", size(self.sent), size(self.total))]
    }

    fn transfer(&self, now: Instant) -> Vec<String> {
        let bytes = format!("{} of {}", size(self.sent), size(self.total));
        let percent = self.sent.saturating_mul(100) / self.total.max(1);
        let percent = format!("{percent} %");
        let last = self.samples.back().map_or(now, |(at, _)| *at);
        let silence = now.saturating_duration_since(last);
        if silence >= STALLED {
            let stalled = format!("nothing sent for {}", seconds(silence));
            return vec![format!("{bytes}  {stalled}"), stalled, percent];
        }
        let Some(rate) = self.rate(now) else {
            return vec![bytes, percent];
        };
        let left = self.total.saturating_sub(self.sent) / rate;
        let left = format!("{} left", seconds(Duration::from_secs(left)));
        vec![
            format!("{bytes}  {}/s  {left}", size(rate)),
            format!("{bytes}  {left}"),
            format!("{percent}  {left}"),
            percent,
        ]
    }

    /// Bytes in a second, once there is enough to say; never 0.
    fn rate(&self, now: Instant) -> Option<u64> {
        let (at, sent) = self.samples.front()?;
        let elapsed = now.saturating_duration_since(*at);
        let bytes = self.sent.checked_sub(*sent)?;
        if elapsed < Duration::from_millis(500) || bytes == 0 {
            return None;
        }
        let rate = u128::from(bytes) * 1000 / elapsed.as_millis().max(1);
        u64::try_from(rate).ok().filter(|rate| *rate > 0)
    }
}

fn all(files: usize) -> String {
    format!("all {files} files are sent")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: u64 = 1 << 20;

    /// The lines after these reports, which are a second apart, and then so many seconds more.
    fn shown(reports: &[Report], later: u64, width: usize) -> Vec<String> {
        let start = Instant::now();
        let mut state = UploadState::default();
        let second = |n: u64| start + Duration::from_secs(n);
        let mut at = 0;
        for report in reports {
            let mut progress = Progress::default();
            (progress.file, progress.phase, progress.session_sent) = *report;
            (progress.files, progress.session_bytes) = (3, 8 * MIB);
            progress.file_name = NAMES.get(report.0).copied().unwrap_or_default();
            state.update(&progress, second(at));
            at += 1;
        }
        state.lines(second(at.saturating_sub(1) + later), width)
    }

    type Report = (usize, Phase, u64);
    const NAMES: [&str; 3] = [
        "statement-january-of-the-year-2024.pdf",
        "\u{4e8c}\u{6708}\u{306e}\u{53d6}\u{5f15}\u{660e}\u{7d30}\u{66f8}-\u{1b}.pdf",
        "m.pdf",
    ];

    #[test]
    fn the_lines_say_what_happens() {
        use Phase::{Completing, Confirmed, Preparing, Retrying, Sending, Sent};
        let sending = [(0, Sending, MIB), (0, Sending, 2 * MIB)];
        let lost = [(0, Confirmed, MIB), (1, Sent, 2 * MIB), (1, Retrying, MIB)];
        let several = [
            (0, Confirmed, MIB),
            (1, Sending, 2 * MIB),
            (2, Sent, 3 * MIB),
        ];
        let completing = [(2, Confirmed, 8 * MIB), (2, Completing, 8 * MIB)];
        let rows: [(&[Report], u64, usize); 9] = [
            (&[], 0, 37),
            (&[(0, Preparing, 0)], 5, 37),
            (&sending, 0, 77),
            (&sending, 0, 37),
            (&sending, 12, 57),
            (&[(0, Sent, 4 * MIB)], 12, 77),
            (&several, 0, 37),
            (&lost, 2, 77),
            (&completing, 3, 77),
        ];
        let shown = rows.map(|(reports, later, width)| shown(reports, later, width).join("\n"));
        assert_eq!(shown.join("\n\n"), EXPECTED);
    }

    const EXPECTED: &str = "\
connecting

file 1 of 3: statement-ja\u{2026}ar-2024.pdf
[                  ] connecting (5 s)

file 1 of 3: statement-january-of-the-year-2024.pdf
[========                        ] 2.0 MiB of 8.0 MiB  1.0 MiB/s  6 s left

file 1 of 3: statement-ja\u{2026}ar-2024.pdf
2.0 MiB of 8.0 MiB  6 s left

file 1 of 3: statement-january-of-the-year-2024.pdf
[===          ] 2.0 MiB of 8.0 MiB  nothing sent for 12 s

file 1 of 3: statement-january-of-the-year-2024.pdf
[================                ] sent, waiting for the answer (12 s)

file 2 of 3: \u{4e8c}\u{6708}\u{306e}\u{2026}b}.pdf and 1 more
3.0 MiB of 8.0 MiB  5 s left

file 2 of 3: \u{4e8c}\u{6708}\u{306e}\u{53d6}\u{5f15}\u{660e}\u{7d30}\u{66f8}-\\u{1b}.pdf
[====                            ] outcome unknown, trying again (2 s)

all 3 files are sent
[================================] completing (3 s)";

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(
            width in 1usize..130,
            sent in 0..=200 * MIB,
            later in 0u64..100_000,
            files in 1usize..5,
            name in "\\PC{0,130}",
            phases in proptest::collection::vec((0usize..5, 0usize..6), 0..8),
        ) {
            let all = [Phase::Preparing, Phase::Sending, Phase::Sent, Phase::Confirmed, Phase::Retrying, Phase::Completing];
            let start = Instant::now();
            let mut state = UploadState::default();
            for (n, (file, phase)) in phases.into_iter().enumerate() {
                let mut progress = Progress::default();
                (progress.file, progress.files, progress.file_name) = (file.min(files - 1), files, &name);
                (progress.phase, progress.session_sent) = (all[phase], sent * n as u64 / 8);
                progress.session_bytes = sent;
                state.update(&progress, start + Duration::from_secs(n as u64));
            }
            let lines = state.lines(start + Duration::from_secs(later), width);
            prop_assert!(lines.len() <= 2);
            for line in lines {
                prop_assert!(display_width(&line) <= width, "{line:?} in {width}");
            }
        }
    }
}
