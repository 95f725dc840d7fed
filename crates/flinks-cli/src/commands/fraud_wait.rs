//! Reads the fraud analysis of a LoginId, once or until it is final, for `fraud`, `upload` and `resume`.

use std::time::{Duration, SystemTime};

use flinks_fraud::{Analysis, FraudClient, Verdict};
use flinks_transport::Error;
use flinks_types::{DocumentStatus, LoginId};

use crate::arguments::PollArguments;
use crate::context::Context;
use crate::interrupt;
use crate::output::analysis::AnalysisReport;
use crate::output::error::CliError;
use crate::output::exit_status::{Exit, Request};
use crate::output::progress::Waiting;
use crate::output::text::{counted, shell_word};
use crate::output::write_stderr;

/// The embedded sandbox takes two seconds for an analysis.
const SANDBOX_INTERVAL: Duration = Duration::from_secs(1);

/// Which analysis to read, and how.
pub(crate) struct FraudWait<'a> {
    pub(crate) login_id: &'a LoginId,
    /// The number of uploaded files, if it is known.
    pub(crate) files: Option<usize>,
    /// Wait until the analysis is final.
    pub(crate) wait: bool,
    pub(crate) poll: PollArguments,
    pub(crate) fail_on_flagged: bool,
}

impl FraudWait<'_> {
    /// Reads the analysis.
    ///
    /// # Errors
    /// The call fails, the wait times out before anything was read, or the user interrupts it.
    pub(crate) async fn read(
        &self,
        fraud: &FraudClient,
        context: &Context,
    ) -> Result<AnalysisReport, CliError> {
        let style = context.output.progress;
        let waiting = self
            .wait
            .then(|| Waiting::start("waiting for the analysis", style));
        let task = async {
            let analysis = match &waiting {
                Some(waiting) => self.wait_until_final(fraud, waiting, context).await,
                None => fraud.analysis(self.login_id).await,
            };
            analysis.map_err(|error| CliError::failed(Request::FraudAnalysis, error))
        };
        let outcome = interrupt::or_interrupted(task).await;
        let id = shell_word(self.login_id.as_str().as_ref());
        let next = format!("flinks fraud {id} --wait");
        let analysis = match (outcome, waiting) {
            (Ok(analysis), waiting) => {
                let analysis = analysis.with_expected_documents(self.files);
                let ended = waiting.filter(|_| !analysis.is_final() && !context.output.json);
                if let Some(ended) = ended {
                    let waited = ended.summary();
                    write_stderr(&format!(
                        "note: the analysis is not final after {waited}\nnext: {next}\n"
                    ));
                }
                analysis
            }
            (Err(error), Some(waiting)) => return Err(waiting.explain(error, &next)),
            (Err(error), None) => return Err(error),
        };
        Ok(AnalysisReport {
            login_id: self.login_id.clone(),
            read_at: SystemTime::now(),
            verdict: analysis.verdict(),
            analysis: analysis.raw().clone(),
        })
    }

    async fn wait_until_final(
        &self,
        fraud: &FraudClient,
        waiting: &Waiting,
        context: &Context,
    ) -> Result<Analysis, Error> {
        let sandbox = context.sandbox.then_some(SANDBOX_INTERVAL);
        let mut wait = fraud.wait(self.login_id).expected_documents(self.files);
        if let Some(interval) = self.poll.poll.or(sandbox) {
            wait = wait.interval(interval);
        }
        if let Some(timeout) = self.poll.deadline {
            wait = wait.timeout(timeout);
        }
        let (shown, paused, files) = (waiting.clone(), waiting.clone(), self.files);
        wait.on_poll(move |analysis| shown.saw(documents_final(analysis, files)))
            .on_pause(move |status| paused.paused(status))
            .await
    }

    /// Returns the exit status for a verdict.
    pub(crate) fn exit(&self, verdict: &Verdict) -> Exit {
        match verdict {
            Verdict::Flagged(_) if self.fail_on_flagged => Exit::Flagged,
            Verdict::Clean | Verdict::Flagged(_) => Exit::Done,
            Verdict::Undetermined(_) | _ if self.wait => Exit::Undetermined,
            Verdict::Undetermined(_) | _ => Exit::Done,
        }
    }
}

/// Returns how many documents are completed or failed: `1 of 3 documents final`.
fn documents_final(analysis: &Analysis, files: Option<usize>) -> String {
    let documents = analysis.documents();
    let statuses = documents
        .iter()
        .filter_map(|document| document.status.as_ref());
    let done = statuses
        .filter(|status| DocumentStatus::is_terminal(status))
        .count();
    match documents.len().max(files.unwrap_or_default()) {
        0 => "no documents yet".to_owned(),
        all => format!("{done} of {} final", counted(all, "document")),
    }
}

#[cfg(test)]
mod tests {
    use flinks_fraud::Reason;

    use super::*;

    #[test]
    fn a_verdict_has_its_exit_status() {
        let login_id = LoginId::new("aabf32b7").expect("an id");
        let exit = |verdict: Verdict, wait, fail_on_flagged| {
            let reading = FraudWait {
                login_id: &login_id,
                files: None,
                wait,
                poll: PollArguments::default(),
                fail_on_flagged,
            };
            reading.exit(&verdict)
        };
        let undetermined = || Verdict::Undetermined(Reason::NoDocuments);
        assert_eq!(exit(Verdict::Clean, true, true), Exit::Done);
        assert_eq!(exit(Verdict::Flagged(vec![]), true, false), Exit::Done);
        assert_eq!(exit(Verdict::Flagged(vec![]), true, true), Exit::Flagged);
        assert_eq!(exit(Verdict::Flagged(vec![]), false, true), Exit::Flagged);
        assert_eq!(exit(undetermined(), true, false), Exit::Undetermined);
        assert_eq!(exit(undetermined(), false, true), Exit::Done);
    }
}
