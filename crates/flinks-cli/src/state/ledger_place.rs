//! Where the ledger of an upload is, and when it is removed. The library writes its entries.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use flinks_transport::{Delivery, Error, Step};
use flinks_upload::{FileLedger, LedgerEntry, UploadError};

use crate::output::error::CliError;
use crate::output::hints;
use crate::output::io_error::too_many_open_files;
use crate::output::text::shell_word;
use crate::state::files;
use crate::state::folder::{absolute, state_folder};
use crate::state::temporary::TemporaryFolder;

/// The place of a ledger.
pub(crate) struct LedgerPlace {
    path: PathBuf,
    /// Keep the file when the session is complete.
    keep: bool,
    /// This run created the file.
    is_new: bool,
    /// Removed with the process: the embedded sandbox ends too, so nothing could be resumed.
    temporary: Option<TemporaryFolder>,
}

impl LedgerPlace {
    /// Creates a ledger at the path given, or else in the user's state folder.
    ///
    /// # Errors
    /// The file exists or cannot be created, or there is no state folder.
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
                        "there is no folder for the ledger: set XDG_STATE_HOME or HOME, or give \
                         --ledger PATH",
                    )
                })?;
                (folder.join(files::unique_name("upload", "ledger")), None)
            }
        };
        if path.symlink_metadata().is_ok() {
            let path = shell_word(&path);
            return Err(CliError::settings(format!(
                "{path} exists: if it is the ledger of an upload, continue with flinks resume {path}; \
                 otherwise choose another --ledger"
            )));
        }
        let ledger = FileLedger::create(&path).map_err(|error| {
            let is_default = given.is_none() && !too_many_open_files(&error);
            CliError::from(error).with_hint(is_default.then_some(hints::LEDGER_PLACE))
        })?;
        let place = Self {
            path,
            keep: given.is_some(),
            is_new: true,
            temporary,
        };
        Ok((place, ledger))
    }

    /// Opens a ledger to resume from. One in the user's state folder is removed once its session is
    /// complete.
    ///
    /// # Errors
    /// The file cannot be read, is in use, or is damaged.
    pub(crate) fn open(
        path: &Path,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(Self, FileLedger, Vec<LedgerEntry>), UploadError> {
        let (ledger, entries) = FileLedger::open(path)?;
        let path = absolute(path);
        let in_state_folder = state_folder(environment)
            .and_then(|folder| folder.canonicalize().ok())
            .zip(path.parent().and_then(|folder| folder.canonicalize().ok()))
            .is_some_and(|(state, folder)| state == folder);
        let place = Self {
            path,
            keep: !in_state_folder,
            is_new: false,
            temporary: None,
        };
        Ok((place, ledger, entries))
    }

    /// Removes the ledger of a completed session, unless the user chose its place.
    pub(crate) fn remove_completed(&self) {
        if !self.keep {
            // One that stays does no harm: resuming it sends nothing.
            drop(std::fs::remove_file(&self.path));
        }
    }

    /// Returns the path to resume from after an error. A ledger that this run created and sent nothing
    /// for is removed.
    pub(crate) fn path_after(&self, error: &CliError) -> Option<PathBuf> {
        if self.temporary.is_none() && self.is_new && self.sent_nothing(error) {
            drop(std::fs::remove_file(&self.path));
            return None;
        }
        self.path_to_resume()
    }

    /// Returns the path to resume from, if the file outlives the process.
    pub(crate) fn path_to_resume(&self) -> Option<PathBuf> {
        self.temporary.is_none().then(|| self.path.clone())
    }

    /// Returns the path of a ledger that is kept when the session is complete.
    pub(crate) fn kept_path(&self) -> Option<&Path> {
        self.keep.then_some(self.path.as_path())
    }

    /// Whether no byte of a document was sent.
    fn sent_nothing(&self, error: &CliError) -> bool {
        if std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() == 0) {
            return true;
        }
        // An unreadable ledger is left for the user to look at.
        let Ok((_, entries)) = FileLedger::open(&self.path) else {
            return false;
        };
        let is_start = |entry: &&LedgerEntry| {
            matches!(
                entry,
                LedgerEntry::Session(_) | LedgerEntry::Added { .. } | LedgerEntry::Changed { .. }
            )
        };
        let steps: Vec<_> = entries.iter().skip_while(is_start).collect();
        // The entry "not sent" is also written for a rejected file; the error distinguishes the
        // two.
        let is_unsent = |step: &[&LedgerEntry]| {
            matches!(
                step,
                [LedgerEntry::Sending { .. }, LedgerEntry::NotSent { .. }]
            )
        };
        let call_not_sent =
            |call: &Error| call.delivery() == Delivery::NotSent || call.step() == Step::Token;
        steps.is_empty()
            || steps.chunks(2).all(is_unsent) && error.call().is_some_and(call_not_sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::folder::tests::environment;

    fn create(path: Option<&Path>, state: &str) -> Result<LedgerPlace, CliError> {
        let pairs = [("XDG_STATE_HOME", state)];
        LedgerPlace::create(path, false, environment(&pairs)).map(|(place, _)| place)
    }

    #[test]
    fn an_empty_ledger_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        let place = create(Some(&path), "").ok().expect("created");
        assert_eq!(place.path_after(&CliError::interrupted()), None);
        assert!(!path.exists());
    }

    #[test]
    fn a_completed_ledger_stays_only_where_the_user_put_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().to_str().expect("UTF-8");
        let place = create(None, state).ok().expect("created");
        place.remove_completed();
        assert!(place.kept_path().is_none() && !place.path.exists());

        let path = folder.path().join("ledger");
        let place = create(Some(&path), state).ok().expect("created");
        place.remove_completed();
        assert_eq!(place.kept_path(), Some(path.as_path()));
        assert!(path.exists());
        let message = create(Some(&path), state).err().expect("exists").message();
        assert!(message.contains("flinks resume"), "{message}");
    }
}
