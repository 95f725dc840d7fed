//! What a run has to do for each borrower: decided from the manifest and the ledgers of earlier runs
//! before anything is sent.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use flinks_types::text::escaped;
use flinks_upload::{FileLedger, LedgerEntry, UploadClient, UploadError, UploadErrorKind};

use crate::commands::batch::documents::{Named, same};
use crate::commands::batch::manifest::{Borrower, Mistake};
use crate::commands::batch::row::Row;
use crate::commands::batch::state::{BatchState, has_entries};
use crate::output::error::CliError;
use crate::output::text::{counted, shell_word};
use crate::state::ledger_summary::{LedgerState, LedgerSummary};

/// What to do for one borrower.
pub(crate) enum Work {
    /// Send the files in a new session. A ledger of an earlier one is set aside.
    Start { set_aside: bool },
    /// Continue from its ledger.
    Resume,
    /// It is completed: send nothing.
    None(Box<Row>),
}

/// One borrower of the batch.
pub(crate) struct Planned {
    pub(crate) borrower: Borrower,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) work: Work,
}

/// The plan of a run.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) borrowers: Vec<Planned>,
    /// What is worth a look, although nothing forbids it.
    pub(crate) notes: Vec<String>,
    pub(crate) mistakes: Vec<Mistake>,
}

/// Plans a run. `folder` is the absolute folder of the manifest; `state` is that of an earlier run.
///
/// # Errors
/// A ledger cannot be used.
pub(crate) async fn plan(
    borrowers: Vec<Borrower>,
    folder: &Path,
    uploads: &UploadClient,
    state: Option<&BatchState>,
) -> Result<Plan, CliError> {
    let mut plan = Plan::default();
    let mut owners: HashMap<PathBuf, String> = HashMap::new();
    let mut unnamed = match state {
        Some(state) => state.ledgers()?,
        None => Vec::new(),
    };
    for borrower in borrowers {
        let named = Named::find(&borrower, folder);
        let ledger = state.map(|state| state.ledger_of(&borrower.id));
        unnamed.retain(|path| Some(path) != ledger.as_ref());
        let known = match &ledger {
            Some(path) => Known::read(path, uploads).await?,
            None => None,
        };
        let work = plan.work(&borrower, &named, known, uploads);
        for path in &named.files {
            let owner = format!("line {} ({})", borrower.line, escaped(&borrower.id));
            if let Some(first) = owners.get(&same(path)) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let name = escaped(&name);
                plan.notes
                    .push(format!("{owner}: {name} is also a file of {first}"));
            } else {
                owners.insert(same(path), owner);
            }
        }
        plan.borrowers.push(Planned {
            borrower,
            files: named.files,
            work,
        });
    }
    if let Some(state) = state.filter(|_| !unnamed.is_empty()) {
        let count = counted(unnamed.len(), "borrower");
        let folder = shell_word(state.folder());
        plan.notes.push(format!(
            "{count} of earlier runs are no longer in the manifest and not in the report; their ledgers \
             stay in {folder}"
        ));
    }
    Ok(plan)
}

impl Plan {
    /// Decides what to do for a borrower, and notes what is wrong with its line.
    fn work(
        &mut self,
        borrower: &Borrower,
        named: &Named,
        known: Option<Known>,
        uploads: &UploadClient,
    ) -> Work {
        let mut set_aside = false;
        if let Some(known) = known {
            let same = known.is_of(borrower, named);
            let act = match known.state {
                _ if same => None,
                LedgerState::Completed(_) => Some("was completed"),
                LedgerState::CompletionUnknown => Some("may have been completed"),
                LedgerState::Unfinished { .. } => {
                    self.notes.push(format!(
                        "line {} ({}): it has changed since the last run, so its session is abandoned, \
                         which is never processed, and its files are sent in a new one",
                        borrower.line,
                        escaped(&borrower.id)
                    ));
                    set_aside = true;
                    None
                }
            };
            if let Some(act) = act {
                let text = format!(
                    "it {act} with other files, another tag or another client_name, which are in {}; \
                     give what is new an id of its own",
                    shell_word(&known.path)
                );
                self.mistakes.push(Mistake::of(borrower, text));
                return Work::Resume;
            }
            if let Some(row) = known.row {
                return Work::None(row);
            }
            if same {
                if let Some(refused) = known.refused {
                    let text = refused.report().to_string();
                    self.mistakes.push(Mistake::of_file(borrower, text));
                }
                return Work::Resume;
            }
        }
        let (mistakes, notes) = named.check(borrower, uploads.limits());
        self.mistakes.extend(mistakes);
        self.notes.extend(notes);
        Work::Start { set_aside }
    }
}

/// What the ledger of an earlier run says.
struct Known {
    path: PathBuf,
    tag: Option<String>,
    client_name: Option<String>,
    files: Vec<PathBuf>,
    state: LedgerState,
    /// The row of a completed borrower.
    row: Option<Box<Row>>,
    /// A document that cannot be sent now.
    refused: Option<UploadError>,
}

impl Known {
    /// Reads a ledger, if there is one. One without entries is removed.
    ///
    /// # Errors
    /// The ledger is in use or damaged, or belongs to another host or client.
    async fn read(path: &Path, uploads: &UploadClient) -> Result<Option<Self>, CliError> {
        if !path.exists() {
            return Ok(None);
        }
        if !has_entries(path) {
            drop(std::fs::remove_file(path));
            return Ok(None);
        }
        let failed = |error: UploadError| {
            let mut error = CliError::from(error);
            error.ledger = Some(path.into());
            error
        };
        let (ledger, entries) = FileLedger::open(path).map_err(failed)?;
        let mut known = Self::of(path, &entries);
        match uploads.resume(ledger, &entries) {
            // It sends nothing.
            Ok(session) if matches!(known.state, LedgerState::Completed(_)) => {
                let completed = Box::pin(session.complete()).await.map_err(failed)?;
                known.row = Some(Box::new(Row::completed(completed)));
            }
            Ok(_) => {}
            Err(error) if error.kind() == UploadErrorKind::File => known.refused = Some(error),
            Err(error) => return Err(failed(error)),
        }
        Ok(Some(known))
    }

    fn of(path: &Path, entries: &[LedgerEntry]) -> Self {
        let mut known = Self {
            path: path.to_owned(),
            tag: None,
            client_name: None,
            files: Vec::new(),
            state: LedgerSummary::new(entries).state,
            row: None,
            refused: None,
        };
        // A batch names all files in the first entry.
        for entry in entries {
            if let LedgerEntry::Session(session) = entry {
                known.tag.clone_from(&session.tag);
                known.client_name.clone_from(&session.client_name);
                let paths = session.files.iter().filter_map(|file| file.path.clone());
                known.files = paths.collect();
            }
        }
        known
    }

    /// Whether the ledger is that of this line.
    fn is_of(&self, borrower: &Borrower, named: &Named) -> bool {
        let files = if matches!(self.state, LedgerState::Completed(_)) {
            // They are not needed any more: they may be gone, or have moved with the manifest.
            let is_known =
                |file: &PathBuf| self.files.iter().any(|known| is_same_or_gone(known, file));
            let all = named.has_pattern || named.files.len() == self.files.len();
            all && named.files.iter().all(is_known)
        } else {
            named.files == self.files
        };
        files && self.tag == borrower.tag && self.client_name == borrower.client_name
    }
}

fn is_same_or_gone(known: &Path, now: &Path) -> bool {
    known == now || (known.file_name() == now.file_name() && !known.exists())
}
