//! The state of a batch, in the folder beside its report: a lock, one ledger a borrower, the verdicts.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flinks_upload::LoginId;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::commands::batch::row::KnownVerdict;
use crate::output::error::CliError;
use crate::output::text::shell_word;
use crate::state::files::{self, DRAFT};
use crate::state::temporary::TemporaryFolder;

/// The extension of ledgers in the folder.
const LEDGER: &str = "ledger";

/// No batch's verdicts come near this.
const MAX_VERDICTS: u64 = 256 << 20;

/// The state of a batch. Two runs cannot have it at once.
pub(crate) struct BatchState {
    folder: PathBuf,
    /// Appended to.
    verdicts: File,
    _lock: File,
    /// The embedded sandbox ends with the process, and nothing could be resumed.
    temporary: Option<TemporaryFolder>,
}

/// Returns the folder of the state of this report.
pub(crate) fn folder_of(report: &Path) -> PathBuf {
    let mut folder = report.as_os_str().to_owned();
    folder.push(".state");
    folder.into()
}

impl BatchState {
    /// Opens the state of a report, or creates it.
    ///
    /// # Errors
    /// Another run uses it, or the file system refuses.
    pub(crate) fn open(report: &Path) -> Result<Self, CliError> {
        Self::open_folder(folder_of(report), None)
    }

    /// Creates a state that is removed with the process.
    ///
    /// # Errors
    /// The file system refuses.
    pub(crate) fn temporary() -> Result<Self, CliError> {
        let folder = TemporaryFolder::new().map_err(|error| unusable(&error))?;
        Self::open_folder(folder.path().to_owned(), Some(folder))
    }

    /// Returns the folder for drafts of the report: `None` if it may be on another file system.
    pub(crate) fn drafts(&self) -> Option<&Path> {
        self.temporary.is_none().then_some(&self.folder)
    }

    fn open_folder(folder: PathBuf, temporary: Option<TemporaryFolder>) -> Result<Self, CliError> {
        files::make_folder(&folder).map_err(|error| unusable(&error))?;
        let lock = private(&folder.join("lock")).map_err(|error| unusable(&error))?;
        if let Err(error) = lock.try_lock() {
            let shown = shell_word(&folder);
            return Err(CliError::settings(match error {
                std::fs::TryLockError::WouldBlock => {
                    format!("another run of this batch is in progress ({shown} is locked)")
                }
                std::fs::TryLockError::Error(_) => format!(
                    "{shown} cannot be locked, so that two runs could send the same files: put the \
                     report on a local disk"
                ),
            }));
        }
        let verdicts = private(&folder.join("verdicts")).map_err(|error| unusable(&error))?;
        Ok(Self {
            folder,
            verdicts,
            _lock: lock,
            temporary,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the place of a borrower's ledger. Its name begins as the id does, and is another one for
    /// every other id, also where the case of names does not count.
    pub(crate) fn ledger_of(&self, id: &str) -> PathBuf {
        let kept = id
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_');
        let readable: String = kept.take(40).collect();
        let hash = Sha256::digest(id.as_bytes());
        let hash: String = hash
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.folder.join(format!("{readable}-{hash}.{LEDGER}"))
    }

    /// Returns the ledgers in the folder, and removes drafts that a killed run left.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn ledgers(&self) -> Result<Vec<PathBuf>, CliError> {
        let mut ledgers = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(|error| unusable(&error))? {
            let path = entry.map_err(|error| unusable(&error))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == LEDGER)
            {
                ledgers.push(path);
            } else if path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(DRAFT))
            {
                drop(std::fs::remove_file(path));
            }
        }
        Ok(ledgers)
    }

    /// Moves a ledger aside, whose session is abandoned.
    ///
    /// # Errors
    /// The file system refuses.
    pub(crate) fn set_aside(&self, ledger: &Path) -> Result<(), CliError> {
        let name = ledger.file_stem().unwrap_or_default().to_string_lossy();
        let aside = files::unique_name(&name, "abandoned");
        std::fs::rename(ledger, self.folder.join(aside)).map_err(|error| unusable(&error))
    }

    /// Returns the verdicts that were read so far. A line that a kill cut off is left out: that
    /// verdict is read again.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn verdicts(&self) -> Result<HashMap<String, KnownVerdict>, CliError> {
        let bytes = files::read(&self.folder.join("verdicts"), MAX_VERDICTS)
            .map_err(|error| unusable(&error))?;
        let text = String::from_utf8_lossy(&bytes);
        let known = text.lines().filter_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let text = |key: &str| line.get(key).and_then(Value::as_str).map(str::to_owned);
            let verdict = KnownVerdict {
                name: text("verdict")?,
                reason: text("reason"),
            };
            Some((text("login_id")?, verdict))
        });
        let known = known.collect();
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            (&self.verdicts)
                .write_all(b"\n")
                .map_err(|error| unusable(&error))?;
        }
        Ok(known)
    }

    /// Adds a verdict. It survives a kill; after a power failure it may have to be read again.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn add_verdict(&self, login_id: &LoginId, verdict: &KnownVerdict) -> io::Result<()> {
        let line = json!({
            "login_id": login_id.as_str(),
            "verdict": verdict.name,
            "reason": verdict.reason,
        });
        (&self.verdicts).write_all(format!("{line}\n").as_bytes())
    }
}

/// Whether a ledger has a whole line. Without one nothing was sent, and there is nothing to resume.
pub(crate) fn has_entries(ledger: &Path) -> bool {
    // One that is too large is for the library to refuse.
    files::read(ledger, MAX_VERDICTS).map_or(true, |bytes| bytes.contains(&b'\n'))
}

/// Opens a file of the state for appending; it is created with mode 0600.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn unusable(error: &io::Error) -> CliError {
    CliError::disk("the state of the batch, beside its report", error)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn verdict(name: &str) -> KnownVerdict {
        KnownVerdict {
            name: name.to_owned(),
            reason: (name == "undetermined").then(|| "the analysis has no documents".to_owned()),
        }
    }

    #[test]
    fn verdicts_are_kept_and_a_torn_line_is_not() {
        let parent = tempfile::tempdir().expect("a folder");
        let report = parent.path().join("report.csv");
        let id = |text: &str| LoginId::new(text).expect("an id");
        let state = BatchState::open(&report).ok().expect("created");
        state
            .add_verdict(&id("one"), &verdict("undetermined"))
            .expect("added");
        state
            .add_verdict(&id("one"), &verdict("clean"))
            .expect("added");
        state
            .add_verdict(&id("two"), &verdict("undetermined"))
            .expect("added");
        (&state.verdicts)
            .write_all(b"{\"login_id\":\"thr")
            .expect("torn");
        drop(state);
        let state = BatchState::open(&report).ok().expect("opened");
        for _ in 0..2 {
            let known = state.verdicts().ok().expect("read");
            assert_eq!(known.get("one"), Some(&verdict("clean")));
            assert_eq!(known.get("two"), Some(&verdict("undetermined")));
            assert_eq!(known.len(), 2);
        }
        state
            .add_verdict(&id("three"), &verdict("flagged"))
            .expect("added");
        assert_eq!(state.verdicts().ok().expect("read").len(), 3);
    }

    #[test]
    fn one_run_at_a_time_has_it() {
        let parent = tempfile::tempdir().expect("a folder");
        let report = parent.path().join("report.csv");
        let state = BatchState::open(&report).ok().expect("created");
        let message = BatchState::open(&report).err().expect("in use").message();
        assert!(message.contains("another run"), "{message}");
        drop(state);
        let state = BatchState::open(&report).ok().expect("free");
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
            assert_eq!(mode(state.folder()), 0o700);
            assert_eq!(mode(&state.folder().join("verdicts")), 0o600);
        }
    }

    #[test]
    fn every_id_has_a_ledger_of_its_own() {
        let parent = tempfile::tempdir().expect("a folder");
        let state = BatchState::open(&parent.path().join("r"))
            .ok()
            .expect("created");
        let long = "x".repeat(500);
        let ids = [
            "4711", "47-11", "47/11", "../4711", "ab", "AB", "é", "", &long,
        ];
        let ledgers: std::collections::HashSet<_> = ids
            .iter()
            .map(|id| state.ledger_of(id).to_string_lossy().to_lowercase())
            .collect();
        assert_eq!(ledgers.len(), ids.len());
        for id in ids {
            let ledger = state.ledger_of(id);
            assert_eq!(ledger.parent(), Some(state.folder()), "{id}");
            fs::write(ledger, "").expect("a name that is allowed");
        }
        fs::write(state.folder().join(".flinks-draft-1"), "").expect("written");
        assert_eq!(state.ledgers().ok().expect("read").len(), ids.len());
        assert!(!state.folder().join(".flinks-draft-1").exists());
        let ledger = state.ledger_of("4711");
        state.set_aside(&ledger).ok().expect("moved");
        assert!(!ledger.exists());
        assert_eq!(state.ledgers().ok().expect("read").len(), ids.len() - 1);
    }
}
