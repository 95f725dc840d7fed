//! Sizes, times, counts, widths and shell words in printed text.

use std::path::Path;
use std::time::{Duration, SystemTime};

use flinks_types::text::escaped;
use unicode_width::UnicodeWidthChar as _;

/// Formats a size: `12.3 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 3] = ["KiB", "MiB", "GiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if tenths < 10 * 1024 {
            break;
        }
        tenths /= 1024;
        unit = next;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Formats a count: `1 file`, `2 files`.
pub(crate) fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

/// Formats a time: `29 Nov 2026, 10:20:30 UTC`.
pub(crate) fn date(time: SystemTime) -> String {
    // `Sun, 29 Nov 2026 10:20:30 GMT`
    let date = httpdate::fmt_http_date(time);
    let words: Vec<_> = date.split(' ').collect();
    match words.as_slice() {
        [_, day, month, year, time, _] => {
            let day = day.trim_start_matches('0');
            format!("{day} {month} {year}, {time} UTC")
        }
        _ => date,
    }
}

/// Indents lines of text, and breaks them between words where they are wider than the terminal.
pub(crate) fn wrapped(text: &str, indent: usize, columns: usize) -> String {
    let mut wrapped = String::new();
    for line in text.lines() {
        let mut width = 0;
        for word in line.split(' ') {
            let word_width = display_width(word);
            if width > 0 && width + 1 + word_width <= columns {
                wrapped.push(' ');
                width += 1 + word_width;
            } else {
                if width > 0 {
                    wrapped.push('\n');
                }
                wrapped.extend(std::iter::repeat_n(' ', indent));
                width = indent + word_width;
            }
            wrapped.push_str(word);
        }
        wrapped.push('\n');
    }
    wrapped
}

/// How many columns an id takes.
const ID_COLUMNS: usize = 36;

/// Formats a line of a label and an id or another value. Where the terminal is too narrow for both, the
/// value has a line of its own: an id that wraps is hard to copy.
pub(crate) fn labeled(label: &str, label_columns: usize, value: &str, columns: usize) -> String {
    if label_columns + ID_COLUMNS > columns {
        format!("{label}\n  {value}\n")
    } else {
        format!("{label:<label_columns$}{value}\n")
    }
}

/// Formats a time that passes: `12 s`, `4 min`, `3 h 5 min`.
pub(crate) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs();
    let minutes = seconds / 60;
    match (minutes / 60, minutes % 60) {
        _ if seconds < 100 => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Returns how many columns of a terminal a text takes.
pub(crate) fn display_width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or_default()).sum()
}

/// Cuts the middle out of a text that is wider than so many columns: `statement-ja…2024.pdf`.
pub(crate) fn cut_middle(text: &str, columns: usize) -> String {
    if display_width(text) <= columns {
        return text.to_owned();
    }
    let Some(kept) = columns.checked_sub(1) else {
        return String::new();
    };
    let fitting = |characters: &mut dyn Iterator<Item = char>, columns: usize| {
        let mut width = 0;
        characters
            .take_while(|c| {
                width += c.width().unwrap_or_default();
                width <= columns
            })
            .collect::<Vec<_>>()
    };
    let end = fitting(&mut text.chars().rev(), kept / 2);
    let start = fitting(&mut text.chars(), kept - kept / 2);
    start
        .iter()
        .chain(&['\u{2026}'])
        .chain(end.iter().rev())
        .collect()
}

/// Formats a path, safe in a terminal.
pub(crate) fn shown_path(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

/// Quotes a path or an id so that it is one word of a shell command.
pub(crate) fn shell_word(path: &Path) -> String {
    let text = shown_path(path);
    let safe = |c: char| c.is_alphanumeric() || "/._-+:,@%=".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts() {
        let rows = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (12_600, "12.3 KiB"),
            (18 << 20, "18.0 MiB"),
            (180 << 20, "180.0 MiB"),
            (5 << 30, "5.0 GiB"),
        ];
        for (bytes, text) in rows {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(0, "file"), "0 files");
    }

    #[test]
    fn text_is_broken_between_words() {
        assert_eq!(
            wrapped("one two three\nfour", 2, 9),
            "  one two\n  three\n  four\n"
        );
        assert_eq!(wrapped("one", 4, 3), "    one\n");
        assert_eq!(wrapped("one two", 0, usize::MAX), "one two\n");
    }

    #[test]
    fn an_id_does_not_wrap() {
        assert_eq!(labeled("LoginId", 9, "id", 45), "LoginId  id\n");
        assert_eq!(labeled("LoginId", 9, "id", 44), "LoginId\n  id\n");
    }

    #[test]
    fn times_are_rounded_down() {
        let rows = [
            (0, "0 s"),
            (99, "99 s"),
            (100, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (14_700, "4 h 5 min"),
        ];
        for (time, text) in rows {
            assert_eq!(seconds(Duration::from_secs(time)), text);
        }
    }

    #[test]
    fn a_text_is_cut_by_its_width() {
        let rows = [
            ("statement-january.pdf", 21, "statement-january.pdf"),
            ("statement-january.pdf", 12, "statem\u{2026}y.pdf"),
            (
                "\u{4e8c}\u{6708}\u{660e}\u{7d30}.pdf",
                9,
                "\u{4e8c}\u{6708}\u{2026}.pdf",
            ),
            ("abc", 1, "\u{2026}"),
            ("abc", 0, ""),
        ];
        for (text, columns, cut) in rows {
            assert_eq!(cut_middle(text, columns), cut);
        }
    }

    #[test]
    fn a_path_is_one_shell_word() {
        let rows = [
            ("/tmp/a-b.session", "/tmp/a-b.session"),
            ("/tmp/a b", "'/tmp/a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ];
        for (path, word) in rows {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }
}
