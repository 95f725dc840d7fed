//! An answer that could not be read, kept in a file of its own: an id in it may exist nowhere else.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::state::files::{self, Existing};
use crate::state::folder::{absolute, state_folder};

/// Writes the answer as it arrived beside the ledger, else into the user's state folder, into a new
/// file that only its owner can read.
///
/// # Errors
/// It cannot be written, or there is no state folder.
pub(crate) fn save(
    answer: &[u8],
    ledger: Option<&Path>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> io::Result<PathBuf> {
    let beside = ledger.map(|ledger| files::folder_of(&absolute(ledger)).to_owned());
    let folder = beside
        .or_else(|| state_folder(environment))
        .ok_or(io::ErrorKind::NotFound)?;
    files::make_folder(&folder)?;
    let path = folder.join(files::unique_name("unread", "answer"));
    files::write(&path, answer, Existing::Keep)?;
    Ok(path)
}
