//! Where an upload's ledger lies, and when it goes: the records themselves are the library's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use flinks_transport::Error;
use flinks_upload::FileJournal;
use tempfile::TempDir;

use crate::failure::Failure;

/// A ledger file, by its place.
pub(crate) struct LedgerFile {
    path: PathBuf,
    /// Whether it stays when the session is complete.
    stays: bool,
    /// Gone with the process: the embedded sandbox goes too, so nothing could be resumed.
    temporary: Option<TempDir>,
}

impl LedgerFile {
    /// Begins a ledger where the user wants it, else in the user's state folder.
    ///
    /// # Errors
    /// It cannot be made, or there is no state folder.
    pub(crate) fn create(
        given: Option<&Path>,
        sandbox: bool,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(Self, FileJournal), Failure> {
        let place = match given {
            Some(path) => Self {
                path: absolute(path),
                stays: true,
                temporary: None,
            },
            None if sandbox => {
                let folder = tempfile::tempdir()
                    .map_err(|error| Failure::settings(format!("no temporary folder: {error}")))?;
                let path = folder.path().join("ledger");
                Self {
                    path,
                    stays: false,
                    temporary: Some(folder),
                }
            }
            None => {
                let folder = state_folder(environment).ok_or_else(|| {
                    Failure::settings(
                        "there is no place for the ledger: set XDG_STATE_HOME or HOME, or give \
                         --ledger PATH",
                    )
                })?;
                Self {
                    path: folder.join(file_name("upload", "ledger")),
                    stays: false,
                    temporary: None,
                }
            }
        };
        let journal = FileJournal::create(&place.path)?;
        Ok((place, journal))
    }

    /// Opens a ledger to go on with it. One in the user's state folder is removed once its session
    /// is complete, as it would have been without the interruption.
    ///
    /// # Errors
    /// It cannot be read, is in use, or is damaged.
    pub(crate) fn open(
        path: &Path,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(Self, FileJournal, Vec<flinks_upload::Record>), Error> {
        let (journal, records) = FileJournal::open(path)?;
        let path = absolute(path);
        let ours = state_folder(environment)
            .and_then(|folder| folder.canonicalize().ok())
            .zip(path.parent().and_then(|folder| folder.canonicalize().ok()))
            .is_some_and(|(state, folder)| state == folder);
        Ok((
            Self {
                path,
                stays: !ours,
                temporary: None,
            },
            journal,
            records,
        ))
    }

    /// The session is complete. Returns the path of a ledger that stays.
    pub(crate) fn done(&self) -> Option<&Path> {
        if self.stays {
            return Some(&self.path);
        }
        // A completed ledger that cannot be removed does no harm: resuming it sends nothing.
        drop(std::fs::remove_file(&self.path));
        None
    }

    /// The session is not complete. Returns the path of the ledger when there is something to go
    /// on with; a ledger without a session is removed.
    pub(crate) fn left(&self) -> Option<PathBuf> {
        if self.temporary.is_some() {
            return None;
        }
        if std::fs::metadata(&self.path).is_ok_and(|facts| facts.len() == 0) {
            drop(std::fs::remove_file(&self.path));
            return None;
        }
        Some(self.path.clone())
    }

    /// The path of a ledger that outlives this run.
    pub(crate) fn kept(&self) -> Option<&Path> {
        self.stays.then_some(self.path.as_path())
    }
}

/// `$XDG_STATE_HOME/flinks`, else `~/.local/state/flinks`.
pub(crate) fn state_folder(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // A relative path there is to be ignored, says the XDG specification.
    let folder = |name| {
        environment(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    folder("XDG_STATE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("flinks"))
}

/// A name that no other run on this machine has: one process makes one file of a kind.
pub(crate) fn file_name(what: &str, kind: &str) -> String {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!(
        "{what}-{}-{}.{kind}",
        since_epoch.as_millis(),
        std::process::id()
    )
}

/// The same path, wherever the program is later.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<'a>(pairs: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        }
    }

    #[test]
    fn the_state_folder_is_xdgs() {
        let folder = |pairs: &[(&str, &str)]| state_folder(environment(pairs));
        let both = folder(&[("XDG_STATE_HOME", "/state"), ("HOME", "/home/me")]);
        assert_eq!(both, Some("/state/flinks".into()));
        let home = folder(&[("HOME", "/home/me")]);
        assert_eq!(home, Some("/home/me/.local/state/flinks".into()));
        let relative = folder(&[("XDG_STATE_HOME", "state"), ("HOME", "/h")]);
        assert_eq!(relative, Some("/h/.local/state/flinks".into()));
        assert_eq!(folder(&[]), None);
    }

    #[test]
    fn an_empty_ledger_leaves_nothing_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        let (place, journal) = LedgerFile::create(Some(&path), false, |_| None)
            .ok()
            .expect("made");
        drop(journal);
        assert_eq!(place.left(), None);
        assert!(!path.exists());
    }

    #[test]
    fn only_a_ledger_of_the_state_folder_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().to_str().expect("UTF-8").to_owned();
        let pairs = [("XDG_STATE_HOME", state.as_str())];
        let (place, journal) = LedgerFile::create(None, false, environment(&pairs))
            .ok()
            .expect("made");
        drop(journal);
        assert_eq!(place.done(), None);
        assert!(!place.path.exists());

        let path = folder.path().join("ledger");
        let (place, journal) = LedgerFile::create(Some(&path), false, environment(&pairs))
            .ok()
            .expect("made");
        drop(journal);
        assert_eq!(place.done(), Some(path.as_path()));
        assert!(path.exists());
    }
}
