//! An answer that could not be read, kept in a file of its own: an id in it may exist nowhere else.

use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::ledger::{absolute, file_name, state_folder};

/// Writes the answer as it arrived beside the ledger, else into the user's state folder, into a new
/// file that only its owner can read.
///
/// # Errors
/// It cannot be written, or there is no state folder.
pub(crate) fn keep(
    answer: &[u8],
    ledger: Option<&Path>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> io::Result<PathBuf> {
    let beside = ledger.and_then(|ledger| absolute(ledger).parent().map(Path::to_owned));
    let folder = beside
        .or_else(|| state_folder(environment))
        .ok_or(io::ErrorKind::NotFound)?;
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder)?;
    let path = folder.join(file_name("unread", "answer"));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    file.write_all(answer)?;
    file.sync_all()?;
    Ok(path)
}
