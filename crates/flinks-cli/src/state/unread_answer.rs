//! Saves an answer that could not be read: it may hold the only copy of an id.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::state::files::{self, Existing};
use crate::state::folder::{absolute, state_folder};

/// Writes the answer as received to a new file with mode 0600, next to the ledger or else in the
/// user's state folder.
///
/// # Errors
/// The file cannot be written, or there is no state folder.
pub(crate) fn save(
    answer: &[u8],
    ledger: Option<&Path>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> io::Result<PathBuf> {
    let folder = match ledger {
        Some(ledger) => files::folder_of(&absolute(ledger)).to_owned(),
        None => state_folder(environment).ok_or(io::ErrorKind::NotFound)?,
    };
    files::make_folder(&folder)?;
    let path = folder.join(files::unique_name("unread", "answer"));
    files::write(&path, answer, Existing::Keep)?;
    Ok(path)
}
