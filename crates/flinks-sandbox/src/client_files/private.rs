//! Private folders and files: only this user can read them, and no link is followed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Creates a folder and its parents with mode 0700, unless they are there.
///
/// # Errors
///
/// The file system refuses, or another user could put a key into the folder.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            io::Error::new(error.kind(), "it is a file, not a folder")
        } else {
            error
        }
    })?;
    #[cfg(unix)]
    check(path)?;
    Ok(())
}

/// Fails if another user could put a key or an `env` into the directory, or has made the link to it.
#[cfg(unix)]
fn check(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let refused = |why| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    // A new file belongs to this process's user.
    let (file, draft) = draft(&directory.join("owner"))?;
    let us = file.metadata().map(|facts| facts.uid());
    fs::remove_file(draft)?;
    let us = us?;
    let facts = directory.metadata()?;
    if facts.uid() != us || directory.symlink_metadata()?.uid() != us {
        return refused(
            "it belongs to another user; choose another one, for instance from `mktemp -d`",
        );
    }
    if facts.mode() & 0o002 != 0 {
        return refused("every user can write into it; choose another one, or chmod 700");
    }
    Ok(())
}

/// Writes a file of mode 0600 that is whole when it appears. A file or link of its name is replaced.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (mut file, draft) = draft(path)?;
    let placed = file
        .write_all(bytes)
        .and_then(|()| fs::rename(&draft, path));
    if placed.is_err() {
        drop(fs::remove_file(draft));
    }
    placed
}

/// A new file next to `path`.
fn draft(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let draft = path.with_file_name(format!(".flinks-draft-{:016x}", fastrand::u64(..)));
    Ok((options.open(&draft)?, draft))
}
