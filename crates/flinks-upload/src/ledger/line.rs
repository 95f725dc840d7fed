//! The lines of a ledger file: an entry and a checksum each, and what counts as damage.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{UploadError, ledger_error};
use crate::ledger::{LedgerEntry, LedgerState};

/// A checksum covers the line before as well, so that a line cannot be lost, doubled or moved.
#[derive(Deserialize, Serialize)]
struct Line<'a> {
    crc: String,
    #[serde(borrow)]
    entry: &'a RawValue,
}

/// The line of an entry after the line with this checksum, and its own checksum.
pub(super) fn write(entry: &LedgerEntry, before: &str) -> Result<(Vec<u8>, String), UploadError> {
    let unwritable = |_| ledger_error("an entry cannot be written as JSON");
    let json = serde_json::value::to_raw_value(entry).map_err(unwritable)?;
    let crc = chained(before, json.get());
    let line = Line {
        crc: crc.clone(),
        entry: &json,
    };
    let mut line = serde_json::to_vec(&line).map_err(unwritable)?;
    line.push(b'\n');
    Ok((line, crc))
}

/// What a ledger's bytes say.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) entries: Vec<LedgerEntry>,
    /// How many bytes they take.
    pub(super) length: u64,
    pub(super) checksum: String,
    /// The last entry is whole, but for its line end.
    pub(super) unended: bool,
}

/// Reads the lines; `Err` names the damaged one. A last line without its end is not damage: it
/// was being written when the process ended, and the step it announces was not started.
pub(super) fn read(bytes: &[u8]) -> Result<Read, usize> {
    let mut state = LedgerState::default();
    let mut read = Read {
        entries: Vec::new(),
        length: 0,
        checksum: String::new(),
        unended: false,
    };
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let (text, ended) = match line.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (line, false),
        };
        let Some((entry, checksum)) = parse(text, &read.checksum) else {
            if !ended && is_torn(text) {
                break;
            }
            return Err(index + 1);
        };
        // The first entry says what the others are about.
        let begins = matches!(entry, LedgerEntry::Session(_)) || !read.entries.is_empty();
        if !begins || state.apply(&entry).is_none() {
            return Err(index + 1);
        }
        read.entries.push(entry);
        read.checksum = checksum;
        read.length += line.len() as u64;
        read.unended = !ended;
    }
    Ok(read)
}

/// The entry of a line, and the line's checksum.
fn parse(line: &[u8], before: &str) -> Option<(LedgerEntry, String)> {
    let line: Line<'_> = serde_json::from_slice(line).ok()?;
    if chained(before, line.entry.get()) != line.crc {
        return None;
    }
    let entry = serde_json::from_str(line.entry.get()).ok()?;
    Some((entry, line.crc))
}

/// Whether these bytes are the beginning of a line: JSON that ends too early, and nothing else.
fn is_torn(line: &[u8]) -> bool {
    // A line is text; where a crash left one cut in the middle of a letter, the rest still is.
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            let (text, _) = line.split_at(error.valid_up_to());
            std::str::from_utf8(text).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let start = r#"{"crc":""#;
    let begins = start.starts_with(text) || text.starts_with(start);
    let unfinished = serde_json::from_str::<IgnoredAny>(text).is_err_and(|error| error.is_eof());
    begins && (unfinished || text.is_empty())
}

fn chained(before: &str, entry: &str) -> String {
    let mut hash = crc32fast::Hasher::new();
    hash.update(before.as_bytes());
    hash.update(entry.as_bytes());
    format!("{:08x}", hash.finalize())
}
