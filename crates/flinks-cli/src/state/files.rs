//! The files that the program writes: private from their first moment, whole or not there, never through a link.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::NamedTempFile;

/// What the names of drafts begin with.
pub(crate) const DRAFT: &str = ".flinks-draft-";

/// What to do with a file of the same name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Existing {
    /// It stays, and the new one is an error of kind `AlreadyExists`.
    Keep,
    /// The new one takes its place, if it is a regular file; it is not written into.
    Replace,
}

/// A new file under a random name, mode 0600, in the folder where it will lie. It is removed when
/// it is dropped.
pub(crate) struct Draft {
    file: NamedTempFile,
    /// Removes it when a signal ends the program.
    listed: Temporary,
}

impl Draft {
    /// Begins a file that will be put at `path`.
    ///
    /// # Errors
    /// No file can be made in that folder.
    pub(crate) fn beside(path: &Path) -> io::Result<Self> {
        Self::within(folder_of(path))
    }

    /// Begins a file in a folder.
    ///
    /// # Errors
    /// No file can be made there.
    pub(crate) fn within(folder: &Path) -> io::Result<Self> {
        // It is made new, with mode 0600, whatever lies there.
        let file = tempfile::Builder::new().prefix(DRAFT).tempfile_in(folder)?;
        let listed = Temporary::new(file.path().to_owned());
        Ok(Self { file, listed })
    }

    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// Something is there that stays, or that is no regular file; the file system refuses.
    pub(crate) fn place(self, path: &Path, existing: Existing) -> io::Result<File> {
        let placed = match existing {
            Existing::Keep => self.file.persist_noclobber(path),
            Existing::Replace => {
                replaceable(path)?;
                self.file.persist(path)
            }
        };
        let file = placed.map_err(|error| error.error)?;
        self.listed.forget();
        Ok(file)
    }

    /// Puts the file in its place; it and its name survive a power failure from then on.
    ///
    /// # Errors
    /// As [`place`](Self::place), and what the disk says.
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

/// Writes a whole file, durably.
///
/// # Errors
/// As [`Draft`].
pub(crate) fn write(path: &Path, bytes: &[u8], existing: Existing) -> io::Result<()> {
    let mut draft = Draft::beside(path)?;
    draft.write_all(bytes)?;
    draft.place_durably(path, existing).map(drop)
}

/// Writes to what the user named: a regular file is replaced, a device or a pipe is written to as it
/// is. No mode of anything that is there is changed.
///
/// # Errors
/// The file system refuses; the path is a link to a regular file, which could be anybody's.
pub(crate) fn write_to(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // These are links, sometimes to regular files, and sometimes to what cannot be opened again.
    if path == Path::new("/dev/stderr") {
        return io::stderr().write_all(bytes);
    }
    if path == Path::new("/dev/stdout") {
        let mut stdout = io::stdout();
        return stdout.write_all(bytes).and_then(|()| stdout.flush());
    }
    match path.symlink_metadata() {
        Ok(facts) if !facts.is_file() => {}
        Ok(_) | Err(_) => return write(path, bytes, Existing::Replace),
    }
    // Neither created nor truncated: until it is known what it is, it stays as it is.
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.is_file() {
        let why = "it is a symbolic link: give the path of the file itself";
        return Err(refused(io::ErrorKind::InvalidInput, why));
    }
    file.write_all(bytes)
}

/// Makes a folder and those above it that are missing, each with mode 0700.
///
/// # Errors
/// What the file system says.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    make_folder(above)?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        // A crash must not lose its name, and all that is in it.
        Ok(()) => sync_folder(above),
        // Another process was faster, or a file is in the way.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let why = io::ErrorKind::NotADirectory.into();
            if folder.is_dir() { Ok(()) } else { Err(why) }
        }
        Err(error) => Err(error),
    }
}

/// Reads a file to its end, which must come within `most` bytes: the path may lead to something
/// endless.
///
/// # Errors
/// It cannot be read, or is larger.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_from(&File::open(path)?, most)
}

/// Reads an open file as [`read`] does.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_from(file: &File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(refused(io::ErrorKind::FileTooLarge, "it is too large"));
    }
    Ok(bytes)
}

/// A name that no other run has, on this machine or on another that shares the folder.
pub(crate) fn unique_name(what: &str, kind: &str) -> String {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // The keys of a hasher are random numbers of the operating system.
    let random = RandomState::new().hash_one(0);
    format!("{what}-{}-{random:016x}.{kind}", since_epoch.as_millis())
}

/// Why this program refuses a file.
#[derive(Debug)]
struct Refused(&'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Refused {}

fn refused(kind: io::ErrorKind, why: &'static str) -> io::Error {
    io::Error::new(kind, Refused(why))
}

/// This program's own words in an error; they quote nothing.
pub(crate) fn refusal(error: &io::Error) -> Option<&'static str> {
    let refused = error.get_ref()?.downcast_ref::<Refused>()?;
    Some(refused.0)
}

/// The folder that a path lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Fails when something at `path` must not be replaced by a file.
fn replaceable(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(facts) if !facts.is_file() => {
            let why = "something is there that is no regular file";
            Err(refused(io::ErrorKind::AlreadyExists, why))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems cannot; they keep names by themselves or not at all.
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

/// The files that are there for a while only.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A new folder, mode 0700, that is removed with all that is in it when this is dropped, or when a
/// signal ends the program.
pub(crate) struct TemporaryFolder(Temporary);

impl TemporaryFolder {
    /// Makes it where the system keeps such folders.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("flinks-sandbox-")
            .tempdir()?;
        Ok(Self(Temporary::new(folder.keep())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0.0
    }
}

/// A file or folder that is removed when this is dropped, or when a signal ends the program.
#[derive(Debug)]
pub(crate) struct Temporary(PathBuf);

impl Temporary {
    pub(crate) fn new(path: PathBuf) -> Self {
        temporary().push(path.clone());
        Self(path)
    }

    /// The file stays.
    pub(crate) fn forget(&self) {
        temporary().retain(|path| *path != self.0);
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let mut all = temporary();
        if let Some(at) = all.iter().position(|path| *path == self.0) {
            all.swap_remove(at);
            remove(&self.0);
        }
    }
}

/// Removes all temporary files: the program ends.
pub(crate) fn remove_temporary() {
    for path in temporary().drain(..) {
        remove(&path);
    }
}

/// What was never written, or what the user has removed, is gone already.
fn remove(path: &Path) {
    if fs::remove_file(path).is_err() {
        // It follows no links.
        drop(fs::remove_dir_all(path));
    }
}

fn temporary() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
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
    fn what_is_endless_is_not_read_on() {
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
        fn a_link_leads_nowhere() {
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
