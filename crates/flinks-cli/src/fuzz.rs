//! Readers of the files that the program finds on a disk, for the fuzz targets of this workspace.

use std::path::Path;

use flinks_legacy::Authorize;
use serde_json::json;

use crate::output::error::CliError;
use crate::prompt::answers_file::AnswersFile;
use crate::state::session_file::SessionFile;

const HOST: &str = "https://api.test";

/// Reads a session file.
///
/// # Errors
/// What the program would print.
pub fn session_file(path: &Path) -> Result<(), String> {
    let opened = SessionFile::open(path, HOST).map_err(|error| shown(&error))?;
    drop(opened);
    Ok(())
}

/// Reads an answers file.
///
/// # Errors
/// What the program would print.
pub fn answers_file(path: &Path) -> Result<(), String> {
    let mut answers = AnswersFile::open(path).map_err(|error| shown(&error))?;
    drop(answers.next_round());
    Ok(())
}

/// Returns the session file of a round of questions, if the service's answer is one.
#[must_use]
pub fn new_session_file(answer: &[u8]) -> Option<Vec<u8>> {
    let Ok(Authorize::Challenged(round)) = Authorize::from_json(answer) else {
        return None;
    };
    let entry = json!({ "host": HOST, "state": "waiting", "round": round });
    Some(format!("{entry}\n").into_bytes())
}

fn shown(error: &CliError) -> String {
    format!("{} {}", error.to_text(), error.to_json())
}
