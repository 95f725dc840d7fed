//! The state that the entries of a ledger lead to: the same in a running upload and in a resumed one.

use std::sync::Arc;

use flinks_types::{AggregationId, LoginId};

use crate::document::Document;
use crate::ledger::entry::{FileInfo, LedgerEntry};

/// The state of one file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileState {
    Pending,
    /// Being sent. Unknown once its process has ended or its future was dropped.
    Sending,
    Confirmed,
    Unknown,
}

/// One file of the session.
#[derive(Clone, Debug)]
pub(crate) struct FileEntry {
    pub(crate) info: Arc<FileInfo>,
    pub(crate) state: FileState,
    /// An earlier request for it may have arrived in this session.
    pub(crate) may_have_arrived: bool,
    /// What is sent; `None` when it is only read from a ledger, or gone and not needed.
    pub(crate) document: Option<Document>,
    /// The file of a resumed upload is now another one: to be taken over before it is sent.
    pub(crate) changed_to: Option<FileInfo>,
}

impl FileEntry {
    fn new(info: &FileInfo) -> Self {
        Self {
            info: Arc::new(info.clone()),
            state: FileState::Pending,
            may_have_arrived: false,
            document: None,
            changed_to: None,
        }
    }
}

/// The state of *complete*.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Completion {
    #[default]
    Open,
    /// Being sent. Unknown once its process has ended.
    Sending,
    Unknown,
    Done(LoginId),
}

/// The state that a sequence of entries leads to.
#[derive(Clone, Debug, Default)]
pub(crate) struct LedgerState {
    pub(crate) files: Vec<FileEntry>,
    pub(crate) aggregation_id: Option<AggregationId>,
    pub(crate) completion: Completion,
    /// An earlier *complete* may have been acted on: the refusal of a later one changes nothing.
    pub(crate) may_be_completed: bool,
    pub(crate) abandoned: Vec<AggregationId>,
    pub(crate) abandoned_unknown: u64,
}

impl LedgerState {
    /// Applies one entry. `None`: it cannot follow what came before, so the ledger is damaged, or
    /// the step that it announces must not be taken. The state is then of no use.
    ///
    /// Each entry may follow itself: a session that was interrupted while it wrote one does not
    /// know whether it is there.
    pub(crate) fn apply(&mut self, entry: &LedgerEntry) -> Option<()> {
        if matches!(self.completion, Completion::Done(_)) {
            let again = matches!(entry, LedgerEntry::Completed { .. });
            return again.then_some(());
        }
        match entry {
            LedgerEntry::Session(session) => {
                // Replaces a session that was never used: it was written with an announcement of its
                // first file, and that write failed.
                self.untouched()?;
                self.files = session.files.iter().map(FileEntry::new).collect();
            }
            LedgerEntry::Added { file, now } => {
                self.open()?;
                if *file == self.files.len() {
                    self.files.push(FileEntry::new(now));
                } else {
                    self.unsent(*file)?.info = Arc::new(now.clone());
                }
            }
            LedgerEntry::Withdrawn { files } => {
                self.open()?;
                self.files.get(*files..)?;
                for file in *files..self.files.len() {
                    self.unsent(file)?;
                }
                self.files.truncate(*files);
            }
            LedgerEntry::Changed { file, now } => {
                self.open()?;
                let file = self.unsent(*file)?;
                file.info = Arc::new(now.clone());
                file.changed_to = None;
            }
            LedgerEntry::Sending { file } => {
                self.open()?;
                let file = self.files.get_mut(*file)?;
                (file.state != FileState::Confirmed).then_some(())?;
                // The outcome of the previous request could not be recorded.
                file.may_have_arrived |= file.state == FileState::Sending;
                file.state = FileState::Sending;
            }
            LedgerEntry::Confirmed {
                file,
                aggregation_id,
            } => {
                self.open()?;
                let known = self
                    .aggregation_id
                    .get_or_insert_with(|| aggregation_id.clone());
                (known == aggregation_id).then_some(())?;
                self.begun(*file)?.state = FileState::Confirmed;
            }
            LedgerEntry::NotSent { file } => {
                self.open()?;
                let file = self.begun(*file)?;
                file.state = if file.may_have_arrived {
                    FileState::Unknown
                } else {
                    FileState::Pending
                };
            }
            LedgerEntry::Unknown { file } => {
                self.open()?;
                let file = self.files.get_mut(*file)?;
                file.state = FileState::Unknown;
                file.may_have_arrived = true;
            }
            LedgerEntry::Abandoned {
                aggregation_ids,
                unnamed,
            } => {
                self.open()?;
                for id in aggregation_ids {
                    if !self.abandoned.contains(id) {
                        self.abandoned.push(id.clone());
                    }
                }
                self.abandoned_unknown += u64::from(*unnamed);
                self.aggregation_id = None;
                for file in &mut self.files {
                    file.state = FileState::Pending;
                    file.may_have_arrived = false;
                }
            }
            LedgerEntry::Completing { aggregation_id } => {
                // Whatever led here: a session with a file missing is never completed.
                let whole = self.all(FileState::Confirmed) && !self.files.is_empty();
                (whole && self.is(aggregation_id)).then_some(())?;
                self.may_be_completed |= self.completion != Completion::Open;
                self.completion = Completion::Sending;
            }
            LedgerEntry::NotCompleted if self.may_be_completed => {
                self.completing(Completion::Unknown)?;
            }
            LedgerEntry::NotCompleted => self.completing(Completion::Open)?,
            LedgerEntry::CompletionUnknown => self.completing(Completion::Unknown)?,
            LedgerEntry::Completed {
                aggregation_id,
                login_id,
            } => {
                self.is(aggregation_id).then_some(())?;
                self.completing(Completion::Done(login_id.clone()))?;
            }
        }
        Some(())
    }

    /// The first file in this state.
    pub(crate) fn first(&self, state: FileState) -> Option<usize> {
        self.files.iter().position(|file| file.state == state)
    }

    /// Whether every file is in this state.
    pub(crate) fn all(&self, state: FileState) -> bool {
        self.files.iter().all(|file| file.state == state)
    }

    fn is(&self, aggregation_id: &AggregationId) -> bool {
        self.aggregation_id.as_ref() == Some(aggregation_id)
    }

    /// Nothing was sent into this session or any before it; a file may have been announced.
    fn untouched(&self) -> Option<()> {
        self.open()?;
        let unsent =
            |file: &FileEntry| matches!(file.state, FileState::Pending | FileState::Sending);
        let fresh = self.files.iter().all(unsent)
            && self.aggregation_id.is_none()
            && self.abandoned.is_empty()
            && self.abandoned_unknown == 0;
        fresh.then_some(())
    }

    /// Files come and go only before *complete*.
    fn open(&self) -> Option<()> {
        (self.completion == Completion::Open).then_some(())
    }

    /// A file of which nothing was sent; it may have been announced, but then not begun.
    fn unsent(&mut self, file: usize) -> Option<&mut FileEntry> {
        let file = self.files.get_mut(file)?;
        matches!(file.state, FileState::Pending | FileState::Sending).then_some(file)
    }

    /// A file whose request was announced.
    fn begun(&mut self, file: usize) -> Option<&mut FileEntry> {
        let file = self.files.get_mut(file)?;
        (file.state != FileState::Pending).then_some(file)
    }

    fn completing(&mut self, next: Completion) -> Option<()> {
        let begun = self.completion != Completion::Open || next == Completion::Open;
        begun.then(|| self.completion = next)
    }
}
