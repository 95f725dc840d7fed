//! The session file: saves a bank session that waits for answers, without secrets.
//!
//! It has JSON lines, of which the last is valid. A process that works on the session locks the file,
//! and records that it sends answers before it does: two processes never send answers to one round,
//! and a later process notices a crash.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flinks_legacy::ChallengeRound;
use flinks_transport::{Delivery, Error, ErrorKind};
use serde_json::{Value, json};

use crate::output::error::{CliError, SESSION};
use crate::output::io_error::reason;
use crate::output::text::shell_word;
use crate::state::files::{self, DRAFT, Draft, Existing};
use crate::state::folder::{absolute, state_folder};

/// Challenges may contain images.
const MAX_BYTES: u64 = 64 << 20;

/// How long a bank session waits for answers.
const SESSION_LIFETIME: Duration = Duration::from_secs(8 * 60);

/// The locked file of a session. Dropping it keeps the file if a round waits or if answers may have
/// been sent, and otherwise removes it.
pub(crate) struct SessionFile {
    path: PathBuf,
    file: File,
    host: String,
    stage: Stage,
}

/// The stage of a session, as its file says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// The credentials may have been sent.
    Opening,
    /// A round waits for answers.
    Waiting,
    /// Answers may have been sent.
    Answering,
    /// The session no longer waits.
    Over,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Opening, Self::Waiting, Self::Answering, Self::Over];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Waiting => "waiting",
            Self::Answering => "answering",
            Self::Over => "over",
        }
    }
}

/// A round that waits for answers.
pub(crate) struct WaitingRound {
    pub(crate) round: ChallengeRound,
    /// The folder of its images.
    pub(crate) images: Option<PathBuf>,
}

impl SessionFile {
    /// Creates the file of a new session at the path given, or else in the state folder.
    ///
    /// # Errors
    /// The file exists or cannot be written, or there is no state folder.
    pub(crate) fn create(
        given: Option<&Path>,
        environment: impl Fn(&str) -> Option<OsString>,
        host: &str,
    ) -> Result<Self, CliError> {
        let path = match given {
            Some(path) => absolute(path),
            None => {
                let folder = state_folder(environment).ok_or_else(|| {
                    CliError::settings(format!("there is no folder for the session file: {PLACES}"))
                })?;
                files::make_folder(&folder).map_err(|error| {
                    let folder = shell_word(&folder);
                    CliError::settings(format!(
                        "the state folder {folder}: {}; {PLACES}",
                        reason(&error)
                    ))
                })?;
                folder.join(files::unique_name("authorize", "session"))
            }
        };
        let stage = Stage::Opening;
        let begin = || {
            let mut draft = Draft::beside(&path)?;
            match draft.file().try_lock() {
                // One process is safe without locks, and the next one refuses to continue.
                Ok(()) | Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
            }
            let entry = json!({ "host": host, "state": stage.as_str() });
            draft.write_all(format!("{entry}\n").as_bytes())?;
            draft.place_durably(&path, Existing::Keep)
        };
        let file = begin().map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                let path = shell_word(&path);
                CliError::settings(format!(
                    "{path} exists: to continue the session in it, run `flinks authorize \
                     --session {path}`; otherwise remove the file or choose another one"
                ))
            } else {
                CliError::disk("the session file (--session)", &error)
            }
        })?;
        Ok(Self {
            path,
            file,
            host: host.to_owned(),
            stage,
        })
    }

    /// Opens the file of a session that waits at `host`.
    ///
    /// # Errors
    /// Another process works on the session or has ended it, or the file cannot be read, is not a
    /// session file, or belongs to another host.
    pub(crate) fn open(path: &Path, host: &str) -> Result<(Self, WaitingRound), CliError> {
        let shown = shell_word(path);
        let failed =
            |reason: &str| CliError::settings(format!("the session file {shown} {reason}"));
        let unreadable = |error: io::Error| {
            if error.kind() == io::ErrorKind::NotFound {
                return CliError::settings(format!(
                    "no session waits in {shown}: it has ended, another process has answered its \
                     questions, or the file has another name; nothing was sent"
                ));
            }
            failed(&format!("cannot be read: {}", reason(&error)))
        };
        let none = || failed("is not a session file of this program");
        // Opening a device or a pipe could block.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(none());
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).open(path);
        let file = file.map_err(unreadable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(failed(
                    "is in use: another process is answering its questions; nothing was sent",
                ));
            }
            Err(TryLockError::Error(error)) => {
                return Err(failed(&format!(
                    "cannot be locked: {error}; another process could send answers too, so move the \
                     file to a local disk"
                )));
            }
        }
        let bytes = files::read_from(&file, MAX_BYTES).map_err(unreadable)?;
        let mut last = Entry::last_of(&bytes).ok_or_else(none)?;
        if last.host != host {
            return Err(failed(
                "belongs to another host: check FLINKS_API_URL or FLINKS_INSTANCE",
            ));
        }
        match last.stage {
            Stage::Waiting => {}
            Stage::Over => {
                return Err(failed(
                    "has ended: another process has answered its questions; nothing was sent",
                ));
            }
            Stage::Opening | Stage::Answering => return Err(killed(&shown, last.stage)),
        }
        let round = last.value.get_mut("round").map(Value::take);
        let round = round.and_then(|round| serde_json::from_value(round).ok());
        let waiting = WaitingRound {
            round: round.ok_or_else(none)?,
            images: last.value.get("images").and_then(folder_from_json),
        };
        let file = Self {
            path: absolute(path),
            file,
            host: host.to_owned(),
            stage: Stage::Waiting,
        };
        Ok((file, waiting))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the field of an error's JSON output that names the file, if a round waits.
    pub(crate) fn output_entry(&self) -> Option<(String, Value)> {
        let path = json!(self.path.to_string_lossy());
        (self.stage == Stage::Waiting).then(|| (SESSION.to_owned(), path))
    }

    /// Whether answers may have been sent.
    pub(crate) fn is_answering(&self) -> bool {
        self.stage == Stage::Answering
    }

    /// Saves a round that waits for answers.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn save(
        &mut self,
        round: &ChallengeRound,
        images: Option<&Path>,
    ) -> Result<(), CliError> {
        let images = images.map(|folder| folder_to_json(&absolute(folder)));
        self.append(Stage::Waiting, &json!({ "round": round, "images": images }))
    }

    /// Records, before answers are sent, that this process sends them.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn begin_answering(&mut self) -> Result<(), CliError> {
        self.append(Stage::Answering, &json!({}))
    }

    /// Records that the session no longer waits.
    pub(crate) fn end(&mut self) {
        // For a process that has the file open already; dropping it removes the name.
        drop(self.append(Stage::Over, &json!({})));
        self.stage = Stage::Over;
    }

    fn append(&mut self, stage: Stage, more: &Value) -> Result<(), CliError> {
        let mut entry = more.clone();
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("host".to_owned(), json!(self.host));
            entry.insert("state".to_owned(), json!(stage.as_str()));
        }
        let before = self.file.metadata().map_or(0, |metadata| metadata.len());
        // A round replaces the earlier lines; other entries follow them.
        let keep = if stage == Stage::Waiting { 0 } else { before };
        let mut write = || {
            self.file.set_len(keep)?;
            self.file.seek(SeekFrom::End(0))?;
            self.file.write_all(format!("{entry}\n").as_bytes())?;
            self.file.sync_all()
        };
        write().map_err(|error| {
            // A full disk must not leave a partial line.
            drop(self.file.set_len(keep));
            CliError::disk("the session file (--session)", &error)
        })?;
        self.stage = stage;
        Ok(())
    }
}

impl Drop for SessionFile {
    fn drop(&mut self) {
        match self.stage {
            // There is no round to continue from.
            Stage::Opening | Stage::Over => drop(fs::remove_file(&self.path)),
            Stage::Waiting | Stage::Answering => {}
        }
    }
}

const PLACES: &str = "set XDG_STATE_HOME or HOME, or give --session FILE";

/// The error of a session whose process was killed while it may have been sending.
fn killed(path: &str, stage: Stage) -> CliError {
    let sent = if stage == Stage::Opening {
        "the credentials were"
    } else {
        "answers to its questions were"
    };
    let message = format!(
        "the process that used the session file {path} was killed: whether {sent} sent is unknown, \
         and nothing is sent again; remove the file and open a new session"
    );
    Error::new(ErrorKind::Connection, message)
        .with_delivery(Delivery::Unknown)
        .with_operation("legacy.authorize")
        .into()
}

/// A line of the file.
struct Entry {
    stage: Stage,
    host: String,
    value: Value,
}

impl Entry {
    /// Reads the last line; `None` if this program did not write the first. After a partial or damaged
    /// line, answers may have been sent.
    fn last_of(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let first = Self::of(lines.next()?)?;
        match lines.next_back() {
            None => Some(first),
            Some(last) => Some(Self::of(last).unwrap_or(Self {
                stage: Stage::Answering,
                ..first
            })),
        }
    }

    fn of(line: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
        let word = value.get("state")?.as_str()?;
        let stage = Stage::ALL.into_iter().find(|one| one.as_str() == word)?;
        let host = value.get("host")?.as_str()?.to_owned();
        Some(Self { stage, host, value })
    }
}

/// Returns a folder's path as JSON: a string, or its bytes if it is not UTF-8.
fn folder_to_json(folder: &Path) -> Value {
    #[cfg(unix)]
    if folder.to_str().is_none() {
        return json!(std::os::unix::ffi::OsStrExt::as_bytes(folder.as_os_str()));
    }
    json!(folder.to_string_lossy())
}

fn folder_from_json(entry: &Value) -> Option<PathBuf> {
    #[cfg(unix)]
    if let Ok(bytes) = serde_json::from_value::<Vec<u8>>(entry.clone()) {
        let folder: OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
        return Some(folder.into());
    }
    entry.as_str().map(PathBuf::from)
}

/// Removes session files and drafts from the state folder whose sessions have expired at the bank: only
/// regular files of this program and this user that no process has locked.
pub(crate) fn remove_stale(environment: impl Fn(&str) -> Option<OsString>, now: SystemTime) {
    let Some(folder) = state_folder(environment) else {
        return;
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let session = name.starts_with("authorize-") && name.ends_with(".session");
        if (session || name.starts_with(DRAFT)) && is_stale(&entry.path(), now) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

fn is_stale(path: &Path, now: SystemTime) -> bool {
    let is_ours = |metadata: &fs::Metadata| metadata.is_file() && is_owned(metadata);
    let age = |metadata: &fs::Metadata| now.duration_since(metadata.modified().ok()?).ok();
    let Some(age) = path
        .symlink_metadata()
        .ok()
        .filter(is_ours)
        .as_ref()
        .and_then(age)
    else {
        return false;
    };
    if age <= SESSION_LIFETIME {
        return false;
    }
    let Ok(file) = File::open(path) else {
        return false;
    };
    let free = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    let last = files::read_from(&file, MAX_BYTES).ok();
    let stage = last
        .and_then(|bytes| Entry::last_of(&bytes))
        .map(|last| last.stage);
    // An unknown outcome is kept for a day, so that the user can still look it up.
    free && (stage != Some(Stage::Answering) || age > 180 * SESSION_LIFETIME)
}

#[cfg(unix)]
fn is_owned(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_owned(_: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::output::exit_status::Exit;

    /// A round of these questions, in the format of a session file.
    pub(crate) fn round(questions: &[Value]) -> ChallengeRound {
        let round = json!({ "request_id": "r-1", "questions": questions });
        serde_json::from_value(round).expect("a round")
    }

    fn dog() -> ChallengeRound {
        round(&[json!({ "type": "QuestionAndAnswer", "prompt": "Dog?", "choices": [] })])
    }

    fn create(path: &Path, host: &str) -> Result<SessionFile, CliError> {
        SessionFile::create(Some(path), |_| None, host)
    }

    #[test]
    fn a_saved_round_is_found_at_the_same_host_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session");
        let images = Some(folder.path());
        let mut file = create(&path, "https://a/").ok().expect("created");
        assert!(create(&path, "https://a/").is_err(), "it exists");
        file.save(&dog(), images).ok().expect("saved");
        file.save(&dog(), images).ok().expect("again");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        drop(file);
        assert!(SessionFile::open(&path, "https://b/").is_err());
        let (mut file, waiting) = SessionFile::open(&path, "https://a/").ok().expect("found");
        assert_eq!(waiting.round.request_id().as_str(), "r-1");
        assert_eq!(waiting.round.questions().len(), 1);
        assert_eq!(waiting.images.as_deref(), images);
        file.end();
        drop(file);
        let count = fs::read_dir(folder.path()).expect("readable").count();
        assert_eq!(count, 0, "a draft is left");
    }

    #[test]
    fn a_session_that_never_waited_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session");
        drop(create(&path, "h").ok().expect("created"));
        assert!(!path.exists());
    }

    #[test]
    fn one_process_answers_a_round_and_a_crash_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session");
        let why = |wanted: Exit| {
            let failure = SessionFile::open(&path, "h").err().expect("refused");
            assert_eq!(failure.exit(), wanted);
            failure.message()
        };
        let mut file = create(&path, "h").ok().expect("created");
        file.save(&dog(), None).ok().expect("saved");
        assert!(why(Exit::Usage).contains("another process is answering"));
        file.begin_answering().ok().expect("recorded");
        drop(file);
        assert!(why(Exit::Unknown).contains("answers to its questions were sent is unknown"));
        fs::remove_file(&path).expect("there");
        assert!(why(Exit::Usage).contains("no session waits"));

        // A process that has the file open notices that the session has ended.
        let mut file = create(&path, "h").ok().expect("created");
        let link = folder.path().join("link");
        fs::hard_link(&path, &link).expect("linked");
        file.save(&dog(), None).ok().expect("saved");
        file.end();
        drop(file);
        let failure = SessionFile::open(&link, "h").err().expect("refused");
        assert!(failure.message().contains("has answered"));
    }

    #[test]
    fn a_partial_or_damaged_line_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session");
        let mut file = create(&path, "h").ok().expect("created");
        file.save(&dog(), None).ok().expect("saved");
        let waiting = fs::read(&path).expect("readable").len();
        file.begin_answering().ok().expect("recorded");
        drop(file);
        let whole = fs::read(&path).expect("readable");
        let refused = |bytes: &[u8]| {
            fs::write(&path, bytes).expect("written");
            let failure = SessionFile::open(&path, "h").err().expect("refused");
            assert_ne!(failure.exit(), Exit::Done);
        };
        for cut in waiting + 1..whole.len() {
            refused(&whole[..cut]);
        }
        for at in waiting..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                refused(&bytes);
            }
        }
    }

    #[test]
    fn only_expired_session_files_are_removed() {
        let state = tempfile::tempdir().expect("a folder");
        let folder = state.path().join("flinks");
        files::make_folder(&folder).expect("made");
        let old = SystemTime::now() - 2 * SESSION_LIFETIME;
        let make = |name: &str, when: Option<SystemTime>| {
            let path = folder.join(name);
            let mut file = create(&path, "h").ok().expect("created");
            file.save(&dog(), None).ok().expect("saved");
            if let Some(when) = when {
                file.file.set_modified(when).expect("set");
            }
            file
        };
        drop(make("authorize-1-old.session", Some(old)));
        drop(make("authorize-1-new.session", None));
        drop(make("mine.session", Some(old)));
        drop(make("upload-1-2.ledger", Some(old)));
        let _used = make("authorize-1-used.session", Some(old));
        let mut unknown = make("authorize-1-unknown.session", None);
        unknown.begin_answering().ok().expect("recorded");
        unknown.file.set_modified(old).expect("set");
        drop(unknown);
        let home = state.path().as_os_str().to_owned();
        let environment = |name: &str| (name == "XDG_STATE_HOME").then(|| home.clone());
        remove_stale(environment, SystemTime::now());
        let entries = fs::read_dir(&folder).expect("readable");
        let mut left: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        left.sort();
        let expected = [
            "authorize-1-new.session",
            "authorize-1-unknown.session",
            "authorize-1-used.session",
            "mine.session",
            "upload-1-2.ledger",
        ];
        assert_eq!(left, expected);
    }

    #[test]
    fn another_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session");
        assert!(SessionFile::open(&path, "h").is_err(), "missing");
        for wrong in [
            "",
            "{}\n",
            "{\"host\":\"h\",\"state\":\"waiting\",\"round\":{}}\n",
            "{\"host\":\"h\",\"state\":\"sleeping\",\"round\":null}\n",
        ] {
            fs::write(&path, wrong).expect("written");
            assert!(SessionFile::open(&path, "h").is_err(), "{wrong}");
        }
        #[cfg(unix)]
        assert!(SessionFile::open(Path::new("/dev/zero"), "h").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_of_the_images_may_have_any_name() {
        use std::os::unix::ffi::OsStrExt as _;
        for name in [&b"/images"[..], b"/im\xffages"] {
            let folder = Path::new(std::ffi::OsStr::from_bytes(name));
            assert_eq!(
                folder_from_json(&folder_to_json(folder)).as_deref(),
                Some(folder)
            );
        }
    }
}
