//! Temporary files and folders: removed when dropped, and when a signal ends the program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What exists now.
static PATHS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn paths() -> MutexGuard<'static, Vec<PathBuf>> {
    PATHS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file or folder that is removed on drop.
#[derive(Debug)]
pub(crate) struct Temporary(PathBuf);

impl Temporary {
    pub(crate) fn new(path: PathBuf) -> Self {
        paths().push(path.clone());
        Self(path)
    }

    /// Keeps the file.
    pub(crate) fn keep(&self) {
        paths().retain(|path| *path != self.0);
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let mut paths = paths();
        if let Some(index) = paths.iter().position(|path| *path == self.0) {
            paths.swap_remove(index);
            remove(&self.0);
        }
    }
}

/// A new folder with mode 0700 that is removed on drop with everything in it.
pub(crate) struct TemporaryFolder(Temporary);

impl TemporaryFolder {
    /// Creates a folder in the system's place for temporary files.
    ///
    /// # Errors
    /// The file system refuses.
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

/// Removes all temporary files and folders before the program exits.
pub(crate) fn remove_all() {
    for path in paths().drain(..) {
        remove(&path);
    }
}

/// Removes a file or folder, which may be gone already.
fn remove(path: &Path) {
    if fs::remove_file(path).is_err() {
        // It does not follow links.
        drop(fs::remove_dir_all(path));
    }
}
