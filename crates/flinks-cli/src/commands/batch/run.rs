//! Runs a plan: several uploads at once, the waits for verdicts beside them, the report after each second.

use std::collections::{HashMap, VecDeque};
use std::future::{Future, IntoFuture as _};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use flinks_fraud::{Analysis, FraudClient};
use flinks_transport::{Error, ErrorKind, Step};
use flinks_upload::{Completed, UploadClient};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::arguments::Batch;
use crate::commands::batch::plan::{Planned, Work};
use crate::commands::batch::progress::{BatchProgress, Counts};
use crate::commands::batch::report;
use crate::commands::batch::row::{KnownVerdict, Row, RowError, Status};
use crate::commands::batch::state::BatchState;
use crate::commands::batch::upload::{Failed, Upload};
use crate::context::Context;
use crate::output::analysis::AnalysisReport;
use crate::output::error::CliError;
use crate::output::exit_status::{Exit, Request};
use crate::output::report_page;

/// How often the report is written, at most.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// How often all waits together poll: in a large batch each LoginId is polled less often.
const POLLS_A_SECOND: u32 = 20;

/// The interval of the library's waits.
const POLL_INTERVAL: Duration = Duration::from_secs(30);

/// The embedded sandbox takes two seconds for an analysis.
const SANDBOX_INTERVAL: Duration = Duration::from_secs(1);

/// After this many borrowers in a row that could not reach the service, the rest is left for later.
const UNREACHABLE_LIMIT: u32 = 5;

/// A batch that runs.
pub(crate) struct Run<'a> {
    arguments: &'a Batch,
    context: &'a Context,
    pub(crate) state: BatchState,
    pub(crate) report: PathBuf,
    uploads: UploadClient,
    /// Reads the verdicts, with `--wait`.
    fraud: Option<FraudClient>,
    borrowers: Vec<Planned>,
    /// One for each borrower, in the same order.
    rows: Vec<Row>,
    /// Borrowers to upload.
    queue: VecDeque<usize>,
    /// Completed borrowers whose verdict is not known.
    unread: VecDeque<usize>,
    /// What was read, with `--html`.
    analyses: HashMap<usize, AnalysisReport>,
    /// Borrowers in a row that could not reach the service.
    unreachable: u32,
    /// When the report may be written again.
    next_report: Instant,
}

impl<'a> Run<'a> {
    /// Prepares a run.
    ///
    /// # Errors
    /// The verdicts of earlier runs cannot be read, or the report cannot be written.
    pub(crate) fn new(
        (arguments, context): (&'a Batch, &'a Context),
        (uploads, fraud): (UploadClient, Option<FraudClient>),
        (state, report): (BatchState, PathBuf),
        mut borrowers: Vec<Planned>,
    ) -> Result<Self, CliError> {
        let verdicts = state.verdicts()?;
        let mut rows = Vec::with_capacity(borrowers.len());
        let (mut queue, mut unread) = (VecDeque::new(), VecDeque::new());
        for (index, planned) in borrowers.iter_mut().enumerate() {
            let Work::None(row) = &mut planned.work else {
                queue.push_back(index);
                rows.push(Row::default());
                continue;
            };
            let mut row = std::mem::take(&mut **row);
            let login_id = row.login_id.as_ref();
            row.verdict = login_id.and_then(|id| verdicts.get(id.as_str()).cloned());
            let is_final = row.verdict.as_ref().is_some_and(KnownVerdict::is_final);
            // The page shows the analysis, of which only the verdict is kept.
            if !is_final || arguments.wait.html.is_some() {
                unread.push_back(index);
            }
            rows.push(row);
        }
        let run = Self {
            arguments,
            context,
            state,
            report,
            uploads,
            fraud,
            borrowers,
            rows,
            queue,
            unread,
            analyses: HashMap::new(),
            unreachable: 0,
            next_report: Instant::now(),
        };
        run.write_report()?;
        Ok(run)
    }

    /// Returns the ids and rows, in the order of the manifest.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, &Row)> {
        let ids = self
            .borrowers
            .iter()
            .map(|planned| planned.borrower.id.as_str());
        ids.zip(&self.rows)
    }

    /// Writes the report as it is now.
    ///
    /// # Errors
    /// The file system refuses.
    pub(crate) fn write_report(&self) -> Result<(), CliError> {
        report::write(&self.report, self.state.drafts(), self.rows())
            .map_err(|error| CliError::disk("--report", &error))
    }

    /// Writes the page of `--html`, if it was given.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_page(&self) -> Result<(), CliError> {
        let Some(path) = &self.arguments.wait.html else {
            return Ok(());
        };
        let rest: Vec<_> = self
            .borrowers
            .iter()
            .zip(&self.rows)
            .map(|(planned, row)| (file_names(planned), row.outcome_text()))
            .collect();
        let sections = self.borrowers.iter().zip(&self.rows).zip(&rest).enumerate();
        let sections =
            sections.map(
                |(index, ((planned, row), (files, reason)))| report_page::Borrower {
                    id: Some(&planned.borrower.id),
                    tag: planned.borrower.tag.as_deref(),
                    client_name: planned.borrower.client_name.as_deref(),
                    login_id: row.login_id.as_ref().map(|id| id.as_str()),
                    files,
                    outcome: self.analyses.get(&index).ok_or(reason),
                },
            );
        report_page::write(path, &sections.collect::<Vec<_>>())
    }

    /// Uploads and waits until nothing is left to do. When the future is dropped, the rows hold what
    /// was done by then.
    ///
    /// # Errors
    /// An error that every other borrower would meet too: they are left for the next run.
    pub(crate) async fn finish(&mut self, progress: &mut BatchProgress) -> Result<(), CliError> {
        let mut uploads: JoinSet<(usize, Result<Completed, Failed>)> = JoinSet::new();
        let mut waits: JoinSet<(usize, Result<Analysis, Error>)> = JoinSet::new();
        let mut pace = tokio::time::interval(Duration::from_secs(1) / POLLS_A_SECOND);
        let mut stop = None;
        loop {
            while stop.is_none() && uploads.len() < usize::from(self.arguments.parallel) {
                let Some(index) = self.queue.pop_front() else {
                    break;
                };
                if let Some(planned) = self.borrowers.get(index) {
                    let upload = self.upload(planned, progress)?;
                    uploads.spawn(async move { (index, upload.run().await) });
                }
            }
            progress.show(self.counts(waits.len()));
            let is_waiting = self.fraud.is_some() && stop.is_none();
            let may_start = is_waiting && !self.unread.is_empty();
            let waits_count = is_waiting && !waits.is_empty();
            if uploads.is_empty() && !may_start && !waits_count {
                break;
            }
            tokio::select! {
                Some(ended) = uploads.join_next() => {
                    let (index, outcome) = of_task(ended);
                    let error = self.uploaded(index, outcome);
                    stop = stop.or(error);
                }
                Some(ended) = waits.join_next(), if is_waiting => {
                    let (index, outcome) = of_task(ended);
                    self.analyzed(index, outcome);
                }
                _ = pace.tick(), if may_start => {
                    if let Some(index) = self.unread.pop_front()
                        && let Some(wait) = self.wait(index, waits.len())
                    {
                        waits.spawn(async move { (index, wait.await) });
                    }
                }
            }
            self.write_report_if_due();
        }
        stop.map_or(Ok(()), Err)
    }

    /// Prepares the upload of a borrower.
    ///
    /// # Errors
    /// Its earlier ledger cannot be set aside.
    fn upload(&self, planned: &Planned, progress: &BatchProgress) -> Result<Upload, CliError> {
        let ledger = self.state.ledger_of(&planned.borrower.id);
        if matches!(planned.work, Work::Start { set_aside: true }) {
            self.state.set_aside(&ledger)?;
        }
        Ok(Upload {
            client: self.uploads.clone(),
            on_unknown: self.arguments.unknown.on_unknown.into(),
            borrower: planned.borrower.clone(),
            files: planned.files.clone(),
            ledger,
            resume: matches!(planned.work, Work::Resume),
            keeps_ledger: !self.context.sandbox,
            progress: progress.file(),
        })
    }

    /// Records the outcome of an upload. Returns an error that ends the batch.
    fn uploaded(&mut self, index: usize, outcome: Result<Completed, Failed>) -> Option<CliError> {
        let (row, stop) = match outcome {
            Ok(completed) => {
                self.unreachable = 0;
                self.unread.push_back(index);
                (Row::completed(completed), None)
            }
            Err(failed) => {
                let row = Row::failed(failed.aggregation_id, &failed.error);
                let is_unreachable = failed.error.exit() == Exit::Unreachable;
                self.unreachable = if is_unreachable {
                    self.unreachable + 1
                } else {
                    0
                };
                let stops = stops_batch(&failed.error) || self.unreachable >= UNREACHABLE_LIMIT;
                (row, stops.then_some(failed.error))
            }
        };
        self.set_row(index, row);
        stop
    }

    /// Starts to wait for a verdict, while `waiting` others do.
    fn wait(
        &self,
        index: usize,
        waiting: usize,
    ) -> Option<impl Future<Output = Result<Analysis, Error>> + Send + use<>> {
        let (fraud, row) = (self.fraud.as_ref()?, self.rows.get(index)?);
        let poll = self.arguments.wait.poll;
        let default = if self.context.sandbox {
            SANDBOX_INTERVAL
        } else {
            POLL_INTERVAL
        };
        let all_once = Duration::from_secs(waiting as u64) / POLLS_A_SECOND;
        let mut wait = fraud
            .wait(row.login_id.as_ref()?)
            .expected_documents(row.files)
            .interval(poll.poll.unwrap_or(default).max(all_once));
        if let Some(timeout) = poll.deadline {
            wait = wait.timeout(timeout);
        }
        Some(wait.into_future())
    }

    /// Records a verdict.
    fn analyzed(&mut self, index: usize, outcome: Result<Analysis, Error>) {
        let Some(row) = self.rows.get_mut(index) else {
            return;
        };
        match outcome {
            Ok(analysis) => {
                let analysis = analysis.with_expected_documents(row.files);
                let verdict = KnownVerdict::from(&analysis.verdict());
                // One that is lost is read again by the next run.
                if let Some(login_id) = &row.login_id {
                    drop(self.state.add_verdict(login_id, &verdict));
                }
                row.verdict = Some(verdict);
                if let Some(login_id) = row
                    .login_id
                    .clone()
                    .filter(|_| self.arguments.wait.html.is_some())
                {
                    let report = AnalysisReport {
                        login_id,
                        read_at: SystemTime::now(),
                        verdict: analysis.verdict(),
                        analysis: analysis.raw().clone(),
                    };
                    self.analyses.insert(index, report);
                }
            }
            Err(error) => {
                let error = CliError::failed(Request::FraudAnalysis, error);
                row.error = Some(RowError::from(&error));
            }
        }
    }

    fn set_row(&mut self, index: usize, row: Row) {
        if let Some(old) = self.rows.get_mut(index) {
            *old = row;
        }
    }

    fn counts(&self, waiting: usize) -> Counts {
        let mut counts = Counts {
            borrowers: self.rows.len(),
            waiting,
            ..Counts::default()
        };
        for row in &self.rows {
            match row.status {
                Status::Completed => counts.completed += 1,
                Status::Failed | Status::Unknown => counts.failed += 1,
                Status::Pending => {}
            }
            counts.flagged += usize::from(row.is_flagged());
        }
        counts
    }

    /// Writes the report if the last time was long enough ago, also compared with how long it took. An
    /// error is reported at the end, when it is written once more.
    fn write_report_if_due(&mut self) {
        let start = Instant::now();
        if start >= self.next_report {
            drop(self.write_report());
            self.next_report = Instant::now() + REPORT_INTERVAL.max(20 * start.elapsed());
        }
    }
}

fn file_names(planned: &Planned) -> Vec<String> {
    let names = planned.files.iter().filter_map(|path| path.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// Whether every other borrower would meet this error too: the settings, the certificate, the token or
/// the disk are at fault.
fn stops_batch(error: &CliError) -> bool {
    let of_token = error.call().is_some_and(|call| {
        let status = call.status().map(|status| status.as_u16());
        let is_of_token = call.step() == Step::Token || status == Some(401);
        is_of_token && call.kind() == ErrorKind::Api && status != Some(429) && status < Some(500)
    });
    of_token || error.exit() == Exit::Usage
}

/// Returns what a task returned. A task is not aborted as long as its set exists.
fn of_task<T>(ended: Result<T, JoinError>) -> T {
    match ended {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
