//! Lines at the bottom of the terminal that are redrawn in place, and erased before anything else is
//! printed.

use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use crate::output::text::display_width;
use crate::output::{Stream, columns_of};

/// How often the lines are redrawn.
const TICK: Duration = Duration::from_millis(125);

/// Columns that stay free, so that the `^C` that a terminal echoes does not wrap.
const MARGIN: usize = 3;

/// Returns the lines to draw, for lines of at most this width.
type View = Arc<dyn Fn(usize) -> Vec<String> + Send + Sync>;

/// What is drawn on standard error, of which a program has one.
struct Screen {
    /// The views by number; the newest one is drawn.
    views: Vec<(u64, View)>,
    next: u64,
    /// The lines that are on the terminal; the cursor is at the end of the last one.
    drawn: Vec<String>,
    is_ticking: bool,
}

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    views: Vec::new(),
    next: 0,
    drawn: Vec::new(),
    is_ticking: false,
});
static ENDED: Condvar = Condvar::new();

fn screen() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lines that are on the terminal until this is dropped.
pub(crate) struct Live(u64);

impl Live {
    /// Draws `view` again and again. Of several at once, the newest one is drawn.
    pub(crate) fn start(view: impl Fn(usize) -> Vec<String> + Send + Sync + 'static) -> Self {
        let mut screen = screen();
        let number = screen.next;
        screen.next += 1;
        screen.views.push((number, Arc::new(view)));
        if !screen.is_ticking {
            let thread = thread::Builder::new().name("progress".to_owned());
            // Without a thread nothing is drawn.
            screen.is_ticking = thread.spawn(tick).is_ok();
        }
        Self(number)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let mut screen = screen();
        screen.views.retain(|(number, _)| *number != self.0);
        screen.erase();
        ENDED.notify_all();
    }
}

fn tick() {
    let mut screen = screen();
    while let Some((_, view)) = screen.views.last() {
        let columns = columns_of(Stream::Error).unwrap_or(80);
        let lines = view(columns.saturating_sub(MARGIN).max(1));
        screen.draw(lines, columns);
        screen = ENDED
            .wait_timeout(screen, TICK)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
    screen.is_ticking = false;
}

/// Erases what is drawn, so that other text can be printed in its place.
pub(crate) fn erase() {
    screen().erase();
}

/// Erases what is drawn, unless another thread is drawing: it may hang at a stopped terminal.
pub(crate) fn try_erase() {
    match SCREEN.try_lock() {
        Ok(mut screen) => screen.erase(),
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().erase(),
        Err(TryLockError::WouldBlock) => {}
    }
}

impl Screen {
    fn draw(&mut self, lines: Vec<String>, columns: usize) {
        if lines == self.drawn {
            return;
        }
        let text = format!("{}{}", erasure(&self.drawn, columns), lines.join("\r\n"));
        write(&text);
        self.drawn = lines;
    }

    fn erase(&mut self) {
        if !self.drawn.is_empty() {
            write(&erasure(
                &self.drawn,
                columns_of(Stream::Error).unwrap_or(80),
            ));
            self.drawn.clear();
        }
    }
}

/// Returns the control sequence that erases lines, in a terminal that was perhaps made narrower since
/// they were drawn, and wraps them now.
fn erasure(lines: &[String], columns: usize) -> String {
    let rows = lines
        .iter()
        .map(|line| display_width(line).div_ceil(columns).max(1));
    match rows.sum::<usize>() {
        0 => String::new(),
        1 => "\r\u{1b}[J".to_owned(),
        rows => format!("\r\u{1b}[{}A\u{1b}[J", rows - 1),
    }
}

/// A failure is ignored: it is progress.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    let written = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
    drop(written);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_wrap_in_a_narrower_terminal_are_erased() {
        let lines = ["a".repeat(37), "b".repeat(60)];
        let rows = [(80, "\r\u{1b}[1A\u{1b}[J"), (40, "\r\u{1b}[2A\u{1b}[J")];
        for (columns, sequence) in rows {
            assert_eq!(erasure(&lines, columns), sequence, "{columns}");
        }
        assert_eq!(erasure(&[], 80), "");
    }
}
