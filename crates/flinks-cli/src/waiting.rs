//! The session file: the place of a session that waits for answers, without any secret.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flinks_legacy::Round;
use serde_json::{Value, json};

use crate::failure::{Failure, SESSION};
use crate::ledger::{absolute, file_name, state_folder};
use crate::output::plain;

/// Questions can hold images.
const MAX_BYTES: u64 = 64 << 20;

/// Where the place of a waiting session is held.
pub(crate) struct SessionFile(PathBuf);

/// A session that waits.
pub(crate) struct Waiting {
    pub(crate) round: Round,
    /// Where the images of the round lie.
    pub(crate) images: Option<PathBuf>,
}

impl SessionFile {
    /// The file that the user named, else a new one in the user's state folder. It is made only
    /// when there is something to hold, but that it can be made is known before anything is sent.
    ///
    /// # Errors
    /// Another session waits there, it cannot be written, or there is no state folder.
    pub(crate) fn create(
        given: Option<&Path>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Failure> {
        let path = match given {
            Some(path) => absolute(path),
            None => {
                let folder = state_folder(environment).ok_or_else(|| {
                    Failure::settings(
                        "there is no place for the session file: set XDG_STATE_HOME or HOME, or \
                         give --session FILE",
                    )
                })?;
                fs::create_dir_all(&folder)
                    .map_err(|error| Failure::disk("the state folder", &folder, &error))?;
                folder.join(file_name("authorize", "session"))
            }
        };
        if path.symlink_metadata().is_ok() {
            return Err(Failure::settings(format!(
                "a session waits in {path}: go on with flinks authorize --session {path} alone, or \
                 remove the file",
                path = plain(&path.to_string_lossy())
            )));
        }
        let file = Self(path);
        drop(file.draft()?);
        Ok(file)
    }

    /// The file of a session that waits at `host`.
    ///
    /// # Errors
    /// It cannot be read, is no session file, or belongs to another host.
    pub(crate) fn open(path: &Path, host: &str) -> Result<(Self, Waiting), Failure> {
        let failed = |why: &str| {
            let path = plain(&path.to_string_lossy());
            Failure::settings(format!("the session file {path} {why}"))
        };
        let read = fs::metadata(path).and_then(|facts| {
            if facts.len() > MAX_BYTES {
                return Err(std::io::Error::other("it is larger than 64 MiB"));
            }
            fs::read(path)
        });
        let bytes = read.map_err(|error| failed(&format!("cannot be read: {error}")))?;
        let none = || failed("is no session file of this program");
        let mut value: Value = serde_json::from_slice(&bytes).map_err(|_| none())?;
        let round = value.get_mut("round").map(Value::take).ok_or_else(none)?;
        let round = serde_json::from_value(round).map_err(|_| none())?;
        if value.get("host").and_then(Value::as_str) != Some(host) {
            return Err(failed(
                "belongs to another host: check FLINKS_API_URL or FLINKS_INSTANCE",
            ));
        }
        let images = value.get("images").and_then(Value::as_str);
        let images = images.map(PathBuf::from);
        Ok((Self(absolute(path)), Waiting { round, images }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The entry of a failure's output that names the file, if a session waits there.
    pub(crate) fn held(&self) -> Option<(String, Value)> {
        let path = json!(self.0.to_string_lossy());
        self.0.exists().then(|| (SESSION.to_owned(), path))
    }

    /// Holds the place of a session; the file is whole at any moment, and only its owner reads it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn hold(
        &self,
        host: &str,
        round: &Round,
        images: Option<&Path>,
    ) -> Result<(), Failure> {
        let failed = |error| Failure::disk("the session file", &self.0, &error);
        let images = images.map(|folder| absolute(folder).to_string_lossy().into_owned());
        let object = json!({ "host": host, "round": round, "images": images });
        let mut draft = self.draft()?;
        let written = draft
            .write_all(object.to_string().as_bytes())
            .and_then(|()| draft.as_file().sync_all());
        written.map_err(failed)?;
        let kept = draft.persist(&self.0);
        kept.map(drop).map_err(|error| failed(error.error))
    }

    /// The session waits no more.
    pub(crate) fn remove(&self) {
        // A session that is over is refused by the service, should the file stay.
        drop(fs::remove_file(&self.0));
    }

    /// A new file beside this one, with mode 0600.
    fn draft(&self) -> Result<tempfile::NamedTempFile, Failure> {
        let folder = self.0.parent().unwrap_or_else(|| Path::new("."));
        tempfile::Builder::new()
            .prefix(".flinks-session-")
            .tempfile_in(folder)
            .map_err(|error| Failure::disk("the session file", &self.0, &error))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A round of these questions, as they stand in a session file.
    pub(crate) fn round(questions: &[Value]) -> Round {
        let round = json!({ "request_id": "r-1", "questions": questions });
        serde_json::from_value(round).expect("a round")
    }

    fn dog() -> Round {
        round(&[json!({ "type": "QuestionAndAnswer", "prompt": "Dog?", "choices": [] })])
    }

    #[test]
    fn what_is_held_is_found_again_at_the_same_host_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session");
        let file = SessionFile::create(Some(&path), |_| None)
            .ok()
            .expect("a place");
        assert!(!path.exists(), "there is nothing to hold yet");
        let images = Some(folder.path());
        file.hold("https://a/", &dog(), images).ok().expect("held");
        file.hold("https://a/", &dog(), images).ok().expect("again");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let (_, waiting) = SessionFile::open(&path, "https://a/").ok().expect("found");
        assert_eq!(waiting.round.request_id().as_str(), "r-1");
        assert_eq!(waiting.round.questions().len(), 1);
        assert_eq!(waiting.images.as_deref(), images);
        assert!(SessionFile::open(&path, "https://b/").is_err());
        assert!(SessionFile::create(Some(&path), |_| None).is_err());
        file.remove();
        let left = fs::read_dir(folder.path()).expect("readable").count();
        assert_eq!(left, 0, "no draft stays");
    }

    #[test]
    fn what_is_no_session_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session");
        assert!(SessionFile::open(&path, "h").is_err(), "missing");
        for wrong in [
            "",
            "{}",
            r#"{"host":"h","round":{}}"#,
            r#"{"round":null,"host":"h"}"#,
        ] {
            fs::write(&path, wrong).expect("written");
            assert!(SessionFile::open(&path, "h").is_err(), "{wrong}");
        }
    }
}
