//! Why the operating system refused, in plain words that quote no path.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;

use crate::state::files;

/// Returns the reason for an I/O error.
pub(crate) fn reason(error: &io::Error) -> Cow<'static, str> {
    if too_many_open_files(error) {
        return "too many open files: raise the limit (ulimit -n)".into();
    }
    if let Some(reason) = files::refusal(error) {
        return reason.into();
    }
    if let Some((_, reason)) = REASONS.iter().find(|(kind, _)| *kind == error.kind()) {
        return (*reason).into();
    }
    match error.raw_os_error() {
        Some(_) => error.to_string().into(),
        // A custom message may quote a path.
        None => error.kind().to_string().into(),
    }
}

const REASONS: [(io::ErrorKind, &str); 10] = [
    (io::ErrorKind::NotFound, "no such file or folder"),
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
    (io::ErrorKind::BrokenPipe, "its reader has closed it"),
];

/// Whether an error or one of its causes is that no file descriptor was left.
#[cfg(unix)]
pub(crate) fn too_many_open_files(error: &(dyn StdError + 'static)) -> bool {
    use rustix::io::Errno;
    let limits = [Errno::MFILE, Errno::NFILE].map(|limit| Some(limit.raw_os_error()));
    let mut next = Some(error);
    while let Some(error) = next {
        let code = error.downcast_ref().and_then(io::Error::raw_os_error);
        if code.is_some() && limits.contains(&code) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether no file descriptor was left, which is not known on this platform.
#[cfg(not(unix))]
pub(crate) fn too_many_open_files(_: &(dyn StdError + 'static)) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_plain_words() {
        let missing = std::fs::read("/nowhere/at/all").expect_err("missing");
        assert_eq!(reason(&missing), "no such file or folder");
        let folder = std::fs::read(".").expect_err("a folder");
        assert!(reason(&folder).contains("folder"));
        let other = io::Error::other("CANARY at /some/path");
        assert!(!reason(&other).contains("CANARY"));
    }
}
