//! What a ledger says about its upload, for people.

use flinks_upload::{LedgerEntry, LoginId};
use serde_json::{Value, json};

/// The upload of a ledger.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LedgerSummary {
    pub(crate) host: String,
    /// The names of the files.
    pub(crate) files: Vec<String>,
    pub(crate) state: LedgerState,
}

/// How far an upload came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LedgerState {
    Unfinished {
        /// The number of files that the service has confirmed.
        confirmed: usize,
        files: usize,
    },
    /// *complete* was sent, and it is unknown whether the service has it.
    CompletionUnknown,
    Completed(LoginId),
}

impl LedgerSummary {
    pub(crate) fn new(entries: &[LedgerEntry]) -> Self {
        let mut host = String::new();
        let mut files: Vec<(String, bool)> = Vec::new();
        let (mut completing, mut login_id) = (false, None);
        for entry in entries {
            match entry {
                LedgerEntry::Session(session) => {
                    host.clone_from(&session.host);
                    let names = session.files.iter();
                    files = names.map(|file| (file.file_name.clone(), false)).collect();
                }
                LedgerEntry::Added { now, .. } => files.push((now.file_name.clone(), false)),
                LedgerEntry::Withdrawn { files: kept } => files.truncate(*kept),
                LedgerEntry::Confirmed { file, .. } => set(&mut files, *file, true),
                LedgerEntry::Changed { file, .. }
                | LedgerEntry::Sending { file }
                | LedgerEntry::NotSent { file }
                | LedgerEntry::Unknown { file } => set(&mut files, *file, false),
                LedgerEntry::Abandoned { .. } => {
                    for (_, confirmed) in &mut files {
                        *confirmed = false;
                    }
                }
                LedgerEntry::Completing { .. } | LedgerEntry::CompletionUnknown => {
                    completing = true;
                }
                LedgerEntry::NotCompleted => completing = false,
                LedgerEntry::Completed { login_id: id, .. } => login_id = Some(id.clone()),
                // A step of a later version.
                _ => {}
            }
        }
        let state = match (login_id, completing) {
            (Some(login_id), _) => LedgerState::Completed(login_id),
            (None, true) => LedgerState::CompletionUnknown,
            (None, false) => LedgerState::Unfinished {
                confirmed: files.iter().filter(|(_, confirmed)| *confirmed).count(),
                files: files.len(),
            },
        };
        let files = files.into_iter().map(|(name, _)| name).collect();
        Self { host, files, state }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({ "host": self.host, "files": self.files });
        let (name, field, value) = match &self.state {
            LedgerState::Unfinished { confirmed, .. } => {
                ("unfinished", "confirmed", json!(confirmed))
            }
            LedgerState::CompletionUnknown => {
                ("completion_unknown", "confirmed", json!(self.files.len()))
            }
            LedgerState::Completed(login_id) => ("completed", "login_id", json!(login_id.as_str())),
        };
        if let Some(object) = object.as_object_mut() {
            object.insert("state".to_owned(), json!(name));
            object.insert(field.to_owned(), value);
        }
        object
    }
}

impl LedgerState {
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Unfinished { confirmed, files } => {
                format!("{confirmed} of {files} files confirmed")
            }
            Self::CompletionUnknown => "unknown whether it was completed; resume it only if completing it twice does no harm".to_owned(),
            Self::Completed(_) => "completed".to_owned(),
        }
    }

    /// Returns the command to go on with.
    pub(crate) fn next(&self, path: &str) -> String {
        match self {
            Self::Unfinished { .. } => format!("flinks resume {path}"),
            Self::CompletionUnknown => format!("flinks resume --complete-again {path}"),
            Self::Completed(_) => "flinks ledgers --clear-completed".to_owned(),
        }
    }
}

fn set(files: &mut [(String, bool)], file: usize, confirmed: bool) {
    if let Some((_, state)) = files.get_mut(file) {
        *state = confirmed;
    }
}

#[cfg(test)]
mod tests {
    use flinks_upload::AggregationId;

    use super::*;

    fn state(steps: &[LedgerEntry]) -> LedgerState {
        let session = json!({
            "record": "session", "host": "https://example.com", "paths": "api-v1", "client": "0",
            "files": [{ "file_name": "a.pdf", "bytes": 3 }, { "file_name": "b.pdf", "bytes": 4 }],
        });
        let session = serde_json::from_value(session).expect("a session");
        let summary = LedgerSummary::new(&[&[session], steps].concat());
        assert_eq!(summary.files, ["a.pdf", "b.pdf"]);
        summary.state
    }

    #[test]
    fn the_last_steps_decide() {
        let aggregation_id = || AggregationId::new("d521ae0d").expect("an id");
        let confirmed = |file| LedgerEntry::Confirmed {
            file,
            aggregation_id: aggregation_id(),
        };
        let unfinished = |confirmed| LedgerState::Unfinished {
            confirmed,
            files: 2,
        };
        assert_eq!(state(&[]), unfinished(0));
        let sent = [confirmed(0), LedgerEntry::Sending { file: 1 }];
        assert_eq!(state(&sent), unfinished(1));
        let abandoned = LedgerEntry::Abandoned {
            aggregation_ids: Vec::new(),
            unnamed: true,
        };
        assert_eq!(state(&[&sent[..], &[abandoned]].concat()), unfinished(0));
        let completing = [
            confirmed(0),
            confirmed(1),
            LedgerEntry::Completing {
                aggregation_id: aggregation_id(),
            },
        ];
        assert_eq!(state(&completing), LedgerState::CompletionUnknown);
        let refused = [&completing[..], &[LedgerEntry::NotCompleted]].concat();
        assert_eq!(state(&refused), unfinished(2));
        let login_id = LoginId::new("5d69ffbc").expect("an id");
        let completed = LedgerEntry::Completed {
            aggregation_id: aggregation_id(),
            login_id: login_id.clone(),
        };
        let completed = [&completing[..], &[completed]].concat();
        assert_eq!(state(&completed), LedgerState::Completed(login_id));
    }
}
