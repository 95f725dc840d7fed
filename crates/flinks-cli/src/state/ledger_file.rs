//! Where an upload's ledger lies, and when it goes: the entries themselves are the library's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use flinks_transport::{Delivery, Error, Step};
use flinks_upload::{FileLedger, LedgerEntry, UploadError};

use crate::output::error::CliError;
use crate::output::hints;
use crate::output::io_error::too_many_open_files;
use crate::output::text::shell_word;
use crate::state::files::{self, TemporaryFolder};
use crate::state::folder::{absolute, state_folder};

/// A ledger file, by its place.
pub(crate) struct LedgerFile {
    path: PathBuf,
    /// Whether it stays when the session is complete.
    stays: bool,
    /// Whether this run began it.
    fresh: bool,
    /// Gone with the process: the embedded sandbox goes too, so nothing could be resumed.
    temporary: Option<TemporaryFolder>,
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
    ) -> Result<(Self, FileLedger), CliError> {
        let (path, temporary) = match given {
            Some(path) => (absolute(path), None),
            None if sandbox => {
                let folder = TemporaryFolder::new()
                    .map_err(|error| CliError::settings(format!("no temporary folder: {error}")))?;
                (folder.path().join("ledger"), Some(folder))
            }
            None => {
                let folder = state_folder(environment).ok_or_else(|| {
                    CliError::settings(
                        "there is no place for the ledger: set XDG_STATE_HOME or HOME, or give \
                         --ledger PATH",
                    )
                })?;
                (folder.join(files::unique_name("upload", "ledger")), None)
            }
        };
        if path.symlink_metadata().is_ok() {
            let path = shell_word(&path);
            return Err(CliError::settings(format!(
                "{path} exists: if it is the ledger of an upload, go on with flinks resume {path}; \
                 otherwise choose another --ledger"
            )));
        }
        let ledger = FileLedger::create(&path).map_err(|error| {
            // The place was not the user's choice.
            let is_default = given.is_none() && !too_many_open_files(&error);
            CliError::from(error).with_hint(is_default.then_some(hints::LEDGER_PLACE))
        })?;
        let place = Self {
            path,
            stays: given.is_some(),
            fresh: true,
            temporary,
        };
        Ok((place, ledger))
    }

    /// Opens a ledger to go on with it. One in the user's state folder is removed once its session
    /// is complete, as it would have been without the interruption.
    ///
    /// # Errors
    /// It cannot be read, is in use, or is damaged.
    pub(crate) fn open(
        path: &Path,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(Self, FileLedger, Vec<LedgerEntry>), UploadError> {
        let (ledger, entries) = FileLedger::open(path)?;
        let path = absolute(path);
        let ours = state_folder(environment)
            .and_then(|folder| folder.canonicalize().ok())
            .zip(path.parent().and_then(|folder| folder.canonicalize().ok()))
            .is_some_and(|(state, folder)| state == folder);
        Ok((
            Self {
                path,
                stays: !ours,
                fresh: false,
                temporary: None,
            },
            ledger,
            entries,
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

    /// The run failed. Returns the path of the ledger when there is something to go on with; one that
    /// this run began and sent nothing for is removed.
    pub(crate) fn left_after(&self, failure: &CliError) -> Option<PathBuf> {
        if self.temporary.is_none() && self.fresh && self.sent_nothing(failure) {
            drop(std::fs::remove_file(&self.path));
            return None;
        }
        self.left()
    }

    /// Returns the path of the ledger when it outlives the program.
    pub(crate) fn left(&self) -> Option<PathBuf> {
        self.temporary.is_none().then(|| self.path.clone())
    }

    /// Whether no byte of a document has left.
    fn sent_nothing(&self, failure: &CliError) -> bool {
        if std::fs::metadata(&self.path).is_ok_and(|facts| facts.len() == 0) {
            return true;
        }
        // One that cannot be read is left for a person to look at.
        let Ok((_, entries)) = FileLedger::open(&self.path) else {
            return false;
        };
        let is_start = |record: &&LedgerEntry| {
            matches!(
                record,
                LedgerEntry::Session(_) | LedgerEntry::Added { .. } | LedgerEntry::Changed { .. }
            )
        };
        let steps: Vec<_> = entries.iter().skip_while(is_start).collect();
        // A file that is noted as not sent may have been refused, as the failure then says.
        let in_vain = |step: &[&LedgerEntry]| {
            matches!(
                step,
                [LedgerEntry::Sending { .. }, LedgerEntry::NotSent { .. }]
            )
        };
        let unsent =
            |error: &Error| error.delivery() == Delivery::NotSent || error.step() == Step::Token;
        steps.is_empty() || steps.chunks(2).all(in_vain) && failure.call().is_some_and(unsent)
    }

    /// The path of a ledger that outlives this run.
    pub(crate) fn kept(&self) -> Option<&Path> {
        self.stays.then_some(self.path.as_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::folder::tests::environment;

    #[test]
    fn an_empty_ledger_leaves_nothing_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        let (place, ledger) = LedgerFile::create(Some(&path), false, |_| None)
            .ok()
            .expect("made");
        drop(ledger);
        assert_eq!(place.left_after(&CliError::interrupted()), None);
        assert!(!path.exists());
    }

    #[test]
    fn only_a_ledger_of_the_state_folder_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().to_str().expect("UTF-8").to_owned();
        let pairs = [("XDG_STATE_HOME", state.as_str())];
        let (place, ledger) = LedgerFile::create(None, false, environment(&pairs))
            .ok()
            .expect("made");
        drop(ledger);
        assert_eq!(place.done(), None);
        assert!(!place.path.exists());

        let path = folder.path().join("ledger");
        let (place, ledger) = LedgerFile::create(Some(&path), false, environment(&pairs))
            .ok()
            .expect("made");
        drop(ledger);
        assert_eq!(place.done(), Some(path.as_path()));
        assert!(path.exists());
        let taken = LedgerFile::create(Some(&path), false, environment(&pairs));
        let message = taken.err().expect("it is there").message();
        assert!(message.contains("flinks resume"), "{message}");
    }
}
