//! Creates files safely: private from the start, whole or absent, never through a link.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::NamedTempFile;

use crate::state::temporary::Temporary;

/// The prefix of drafts' names.
pub(crate) const DRAFT: &str = ".flinks-draft-";

/// What to do if a file of this name exists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Existing {
    /// Keep it and fail with `AlreadyExists`.
    Keep,
    /// Replace it if it is a regular file; it is not written into.
    Replace,
}

/// A new file with mode 0600 and a random name in its destination folder. It is removed on drop.
pub(crate) struct Draft {
    file: NamedTempFile,
    /// Removes it if a signal ends the program.
    temporary: Temporary,
}

impl Draft {
    /// Creates a draft for `path`.
    ///
    /// # Errors
    /// No file can be created in that folder.
    pub(crate) fn beside(path: &Path) -> io::Result<Self> {
        Self::within(folder_of(path))
    }

    /// Creates a draft in a folder.
    ///
    /// # Errors
    /// No file can be created there.
    pub(crate) fn within(folder: &Path) -> io::Result<Self> {
        let file = tempfile::Builder::new().prefix(DRAFT).tempfile_in(folder)?;
        let temporary = Temporary::new(file.path().to_owned());
        Ok(Self { file, temporary })
    }

    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Moves the file to `path`.
    ///
    /// # Errors
    /// The path exists and must be kept or is not a regular file, or the file system reports an
    /// error.
    pub(crate) fn place(self, path: &Path, existing: Existing) -> io::Result<File> {
        let placed = match existing {
            Existing::Keep => self.file.persist_noclobber(path),
            Existing::Replace => {
                check_replaceable(path)?;
                self.file.persist(path)
            }
        };
        let file = placed.map_err(|error| error.error)?;
        self.temporary.keep();
        Ok(file)
    }

    /// Moves the file to `path`, durably: file and name survive a power failure.
    ///
    /// # Errors
    /// As [`place`](Self::place), and disk errors.
    pub(crate) fn place_durably(self, path: &Path, existing: Existing) -> io::Result<File> {
        self.file().sync_all()?;
        let file = self.place(path, existing)?;
        sync_folder(folder_of(path))?;
        Ok(file)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a whole file durably.
///
/// # Errors
/// As [`Draft::place_durably`].
pub(crate) fn write(path: &Path, bytes: &[u8], existing: Existing) -> io::Result<()> {
    let mut draft = Draft::beside(path)?;
    draft.write_all(bytes)?;
    draft.place_durably(path, existing).map(drop)
}

/// Writes to the path that the user gave: a regular file is replaced, a device or pipe is written to.
/// No existing file's mode changes.
///
/// # Errors
/// The file system refuses, or the path is a link to a regular file, which may be another user's.
pub(crate) fn write_to(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // These are links, and what they lead to cannot always be opened again.
    if path == Path::new("/dev/stderr") {
        return io::stderr().write_all(bytes);
    }
    if path == Path::new("/dev/stdout") {
        let mut stdout = io::stdout();
        return stdout.write_all(bytes).and_then(|()| stdout.flush());
    }
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => {}
        Ok(_) | Err(_) => return write(path, bytes, Existing::Replace),
    }
    // Opened without truncating: a regular file behind a link stays as it is.
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.is_file() {
        let reason = "it is a symbolic link: give the path of the file itself";
        return Err(refused(io::ErrorKind::InvalidInput, reason));
    }
    file.write_all(bytes)
}

/// Checks that [`write_to`] can write to this path. Nothing is written.
///
/// # Errors
/// As [`write_to`].
pub(crate) fn check_write_to(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        // What is behind a link, a device or a pipe shows only when it is written to.
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => Ok(()),
        Ok(_) | Err(_) => {
            check_replaceable(path)?;
            Draft::beside(path).map(drop)
        }
    }
}

/// Creates a folder and its missing parents, each with mode 0700.
///
/// # Errors
/// The file system refuses.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = folder_of(folder);
    make_folder(parent)?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        // A crash must not lose the folder's name.
        Ok(()) => sync_folder(parent),
        // Another process created it first, or a file is in the way.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let reason = io::ErrorKind::NotADirectory.into();
            if folder.is_dir() { Ok(()) } else { Err(reason) }
        }
        // Its parent exists: a file system such as /proc has no new folders.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(refused(error.kind(), "no folder can be created there"))
        }
        Err(error) => Err(error),
    }
}

/// Whether the file exists and its mode has any of these bits; never where there are no modes.
pub(crate) fn allows(path: &Path, bits: u32) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file);
        metadata.is_some_and(|metadata| metadata.permissions().mode() & bits != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = (path, bits);
        false
    }
}

/// Reads a file of at most `max_len` bytes: the path may lead to an endless one.
///
/// # Errors
/// The file cannot be read or is larger.
pub(crate) fn read(path: &Path, max_len: u64) -> io::Result<Vec<u8>> {
    read_from(&File::open(path)?, max_len)
}

/// Reads an open file of at most `max_len` bytes.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_from(file: &File, max_len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(max_len.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_len {
        return Err(refused(io::ErrorKind::FileTooLarge, "it is too large"));
    }
    Ok(bytes)
}

/// Returns a file name that no other run uses, not even on another machine that shares the folder.
pub(crate) fn unique_name(prefix: &str, extension: &str) -> String {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // A hasher's keys are random numbers of the operating system.
    let random = RandomState::new().hash_one(0);
    format!(
        "{prefix}-{}-{random:016x}.{extension}",
        since_epoch.as_millis()
    )
}

/// Why this module refuses a file.
#[derive(Debug)]
struct Refused(&'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Refused {}

fn refused(kind: io::ErrorKind, reason: &'static str) -> io::Error {
    io::Error::new(kind, Refused(reason))
}

/// Returns the reason if this module refused the file. It quotes no path.
pub(crate) fn refusal(error: &io::Error) -> Option<&'static str> {
    let refused = error.get_ref()?.downcast_ref::<Refused>()?;
    Some(refused.0)
}

/// Returns the folder of a path.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Fails if something at `path` must not be replaced by a file.
fn check_replaceable(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => {
            let reason = "something exists there that is not a regular file";
            Err(refused(io::ErrorKind::AlreadyExists, reason))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Not every file system supports it.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_placed_whole_and_only_where_it_may() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        write(&path, b"one", Existing::Keep).expect("written");
        let error = write(&path, b"two", Existing::Keep).expect_err("there already");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("there"), b"one");
        write(&path, b"two", Existing::Replace).expect("replaced");
        assert_eq!(fs::read(&path).expect("there"), b"two");
        let error = make_folder(&path.join("inner")).expect_err("a file is in the way");
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
        let inner = folder.path().join("folder");
        make_folder(&inner).expect("made");
        write(&inner, b"", Existing::Replace).expect_err("a folder is there");
        let names = fs::read_dir(folder.path()).expect("readable").count();
        assert_eq!(names, 2, "no draft stays");
    }

    #[test]
    fn an_endless_file_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        write(&path, b"12345", Existing::Keep).expect("written");
        assert_eq!(read(&path, 5).expect("read"), b"12345");
        assert!(read(&path, 4).is_err());
        #[cfg(unix)]
        assert!(read(Path::new("/dev/zero"), 4096).is_err());
    }

    #[test]
    fn names_are_random() {
        let names: std::collections::HashSet<_> =
            (0..1000).map(|_| unique_name("upload", "ledger")).collect();
        assert_eq!(names.len(), 1000);
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

        use super::*;

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).expect("there").mode() & 0o7777
        }

        #[test]
        fn only_its_owner_can_read_it() {
            let parent = tempfile::tempdir().expect("a folder");
            let folder = parent.path().join("a/b");
            make_folder(&folder).expect("made");
            make_folder(&folder).expect("there already");
            assert_eq!(
                (mode(&folder), mode(&parent.path().join("a"))),
                (0o700, 0o700)
            );
            let path = folder.join("file");
            fs::write(&path, "old").expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("a mode");
            write_to(&path, b"new").expect("written");
            assert_eq!(mode(&path), 0o600);
        }

        #[test]
        fn links_are_not_followed() {
            let folder = tempfile::tempdir().expect("a folder");
            let (target, link) = (folder.path().join("target"), folder.path().join("link"));
            fs::write(&target, "kept").expect("written");
            fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).expect("a mode");
            symlink(&target, &link).expect("linked");
            write_to(&link, b"x").expect_err("a link to a file");
            write(&link, b"x", Existing::Keep).expect_err("a link");
            write(&link, b"x", Existing::Replace).expect_err("a link");
            let nowhere = folder.path().join("nowhere");
            symlink(folder.path().join("new"), &nowhere).expect("linked");
            write_to(&nowhere, b"x").expect_err("a link to nothing");
            assert!(!folder.path().join("new").exists());
            assert_eq!(fs::read(&target).expect("there"), b"kept");
            assert_eq!(mode(&target), 0o644);
        }

        #[test]
        fn devices_are_written_to_as_they_are() {
            let null = Path::new("/dev/null");
            let before = mode(null);
            let folder = tempfile::tempdir().expect("a folder");
            let link = folder.path().join("link");
            symlink(null, &link).expect("linked");
            for path in [null, &link] {
                write_to(path, b"x").expect("written");
            }
            assert_eq!(mode(null), before);
        }
    }
}
