//! Progress on a terminal: a bar for the bytes of an upload, a spinner for waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flinks_upload::{Progress, UploadSession};
use indicatif::{ProgressBar, ProgressStyle};

use flinks_types::text::escaped;

use crate::output::write_stderr;

const BAR: &str = "{msg}\n[{bar:32}] {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";

/// A progress bar of an upload, removed on drop.
pub(crate) struct UploadBar(ProgressBar);

impl UploadBar {
    /// Shows the progress of a session; `None` if it should not be `shown`.
    pub(crate) fn follow(session: UploadSession, shown: bool) -> (UploadSession, Option<Self>) {
        if !shown {
            return (session, None);
        }
        let bar = ProgressBar::no_length();
        bar.set_style(style(BAR).progress_chars("=> "));
        let files = Arc::new(Mutex::new(Vec::new()));
        let updated = bar.clone();
        let session = session.on_progress(move |progress| {
            let mut sent = files.lock().unwrap_or_else(PoisonError::into_inner);
            let total = advance(&mut sent, progress.file, progress.files, progress.sent);
            updated.set_message(title(&progress));
            updated.set_position(total);
        });
        (session, Some(Self(bar)))
    }

    /// Returns a function that prints to standard error without damaging the bar, if there is one.
    pub(crate) fn report_beside(bar: Option<&Self>) -> impl Fn(&str) + Send + use<> {
        let bar = bar.map(|bar| bar.0.clone());
        move |text| match &bar {
            Some(bar) => bar.suspend(|| write_stderr(text)),
            None => write_stderr(text),
        }
    }

    /// Sets the total number of bytes.
    pub(crate) fn set_total(&self, bytes: u64) {
        self.0.set_length(bytes);
    }
}

impl Drop for UploadBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Records the bytes sent of one file and returns the sum over all files. A file that is sent again
/// starts at 0.
fn advance(sent: &mut Vec<u64>, file: usize, files: usize, bytes: u64) -> u64 {
    sent.resize(files, 0);
    if let Some(known) = sent.get_mut(file) {
        *known = bytes;
    }
    sent.iter().sum()
}

fn title(progress: &Progress<'_>) -> String {
    let name = escaped(progress.file_name);
    format!("file {} of {}: {name}", progress.file + 1, progress.files)
}

/// A spinner, removed on drop.
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    /// Shows what the program waits for and the time elapsed; `None` if it should not be `shown`.
    pub(crate) fn start(message: String, shown: bool) -> Option<Self> {
        if !shown {
            return None;
        }
        let bar = ProgressBar::new_spinner();
        bar.set_style(style("{spinner} {msg} ({elapsed})"));
        bar.set_message(message);
        bar.enable_steady_tick(Duration::from_millis(120));
        Some(Self(bar))
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_sent_again_counts_once() {
        let mut sent = Vec::new();
        let steps = [
            (0, 100, 100),
            (1, 50, 150),
            (1, 0, 100),
            (1, 50, 150),
            (0, 0, 50),
            (0, 100, 150),
        ];
        for (file, bytes, total) in steps {
            assert_eq!(
                advance(&mut sent, file, 2, bytes),
                total,
                "file {file} at {bytes}"
            );
        }
    }
}
