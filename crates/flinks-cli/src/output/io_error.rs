//! What an I/O error of this machine means, in plain words that quote no path.

use std::borrow::Cow;
use std::io;

use crate::state::files;

/// Why the operating system refused, in plain words.
pub(crate) fn reason(error: &io::Error) -> Cow<'static, str> {
    if is_exhausted(error) {
        return "this program has too many open files: raise the limit (ulimit -n)".into();
    }
    if let Some(words) = files::words(error) {
        return words.into();
    }
    if let Some((_, words)) = WORDS.iter().find(|(kind, _)| *kind == error.kind()) {
        return (*words).into();
    }
    match error.raw_os_error() {
        Some(_) => error.to_string().into(),
        // Its own words may quote a path.
        None => error.kind().to_string().into(),
    }
}

const WORDS: [(io::ErrorKind, &str); 10] = [
    (io::ErrorKind::NotFound, "no such file"),
    (io::ErrorKind::PermissionDenied, "permission denied"),
    (io::ErrorKind::IsADirectory, "it is a folder, not a file"),
    (
        io::ErrorKind::NotADirectory,
        "a part of the path is a file, not a folder",
    ),
    (io::ErrorKind::InvalidFilename, "it is too long for a path"),
    (io::ErrorKind::InvalidInput, "it cannot be a path"),
    (io::ErrorKind::InvalidData, "it is not text"),
    (
        io::ErrorKind::ReadOnlyFilesystem,
        "the file system is read-only",
    ),
    (io::ErrorKind::StorageFull, "the disk is full"),
    (io::ErrorKind::BrokenPipe, "its reader is gone"),
];

/// Whether this process or machine has no file descriptor left: no fault of the file.
#[cfg(unix)]
pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let limits = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    error
        .raw_os_error()
        .is_some_and(|code| limits.contains(&code))
}

/// Whether this process or machine has no file descriptor left: no fault of the file.
#[cfg(not(unix))]
pub(crate) fn is_exhausted(_: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_plain_words() {
        let missing = std::fs::read("/nowhere/at/all").expect_err("missing");
        assert_eq!(reason(&missing), "no such file");
        assert_eq!(
            reason(&std::fs::read(".").expect_err("a folder")),
            "it is a folder, not a file"
        );
        let other = io::Error::other("CANARY at /some/path");
        assert!(!reason(&other).contains("CANARY"));
    }
}
