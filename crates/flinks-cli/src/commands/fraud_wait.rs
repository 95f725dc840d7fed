//! Reads the fraud analysis, once or until it is final, and says how the program ends with it.

use std::time::Duration;

use flinks_fraud::{FraudClient, Verdict};
use flinks_transport::{Error, ErrorKind};
use flinks_types::LoginId;
use tokio::time::Instant;

use crate::arguments::Pace;
use crate::context::Context;
use crate::interrupt;
use crate::output::analysis::Report;
use crate::output::error::CliError;
use crate::output::exit_status::{Exit, Request};
use crate::output::progress::Spinner;

/// Upload guide, Fraud Analysis Endpoint: "every 30 seconds".
const POLL: Duration = Duration::from_secs(30);
/// The embedded sandbox takes two seconds.
const SANDBOX_POLL: Duration = Duration::from_secs(1);
/// Flinks' documentation of uploads: ready in minutes, sometimes after 4 hours.
const DEADLINE: Duration = Duration::from_secs(4 * 60 * 60);

/// What is read, and how.
pub(crate) struct Reading<'a> {
    pub(crate) login_id: &'a LoginId,
    /// How many files were uploaded, when that is known.
    pub(crate) files: Option<usize>,
    pub(crate) wait: bool,
    pub(crate) pace: Pace,
    pub(crate) fail_on_flagged: bool,
}

impl Reading<'_> {
    /// How the program ends with this verdict.
    pub(crate) fn exit(&self, verdict: &Verdict) -> Exit {
        match verdict {
            Verdict::Flagged(_) if self.fail_on_flagged => Exit::Flagged,
            Verdict::Clean | Verdict::Flagged(_) => Exit::Done,
            Verdict::Undetermined(_) | _ if self.wait => Exit::Undetermined,
            Verdict::Undetermined(_) | _ => Exit::Done,
        }
    }
}

/// Reads the analysis as it is, or waits until it is final.
///
/// # Errors
/// Those of the call; the deadline, when nothing was read before it; an interruption.
pub(crate) async fn read(
    fraud: &FraudClient,
    reading: &Reading<'_>,
    context: &Context,
) -> Result<Report, CliError> {
    let task = async {
        if reading.wait {
            wait(fraud, reading, context).await
        } else {
            let analysis = fraud.analysis(reading.login_id).await;
            analysis.map_err(|error| CliError::failed(Request::FraudAnalysis, error))
        }
    };
    let analysis = interrupt::or_interrupted(task).await?;
    Ok(Report {
        login_id: reading.login_id.clone(),
        verdict: analysis.verdict_for(reading.files),
        analysis: analysis.raw().clone(),
    })
}

async fn wait(
    fraud: &FraudClient,
    reading: &Reading<'_>,
    context: &Context,
) -> Result<flinks_fraud::Analysis, CliError> {
    let default = if context.sandbox { SANDBOX_POLL } else { POLL };
    let poll = reading.pace.poll.unwrap_or(default);
    let deadline = reading.pace.deadline.unwrap_or(DEADLINE);
    let message = format!(
        "waiting for the fraud analysis, asking every {} s",
        poll.as_secs_f64()
    );
    let spinner = Spinner::start(message, context.output.progress);
    let start = Instant::now();
    let wait = fraud
        .wait(reading.login_id)
        .files(reading.files)
        .interval(poll)
        .timeout(deadline);
    let outcome = wait.await;
    drop(spinner);
    outcome.map_err(|error| {
        // The last poll begins this much before the deadline.
        let margin = Duration::from_secs(10).min(deadline / 4);
        if start.elapsed() + margin >= deadline && passes(&error) {
            CliError::failed(Request::FraudAnalysis, error).at_deadline()
        } else {
            CliError::failed(Request::FraudAnalysis, error)
        }
    })
}

/// Whether only the deadline can have ended a wait with this error.
fn passes(error: &Error) -> bool {
    let busy = error
        .status()
        .is_some_and(|status| status.is_server_error() || matches!(status.as_u16(), 408 | 429));
    matches!(
        error.kind(),
        ErrorKind::Connect | ErrorKind::Connection | ErrorKind::Timeout
    ) || (error.kind() == ErrorKind::Api && busy)
}

#[cfg(test)]
mod tests {
    use flinks_fraud::Reason;

    use super::*;

    #[test]
    fn a_verdict_ends_in_its_status() {
        let login_id = LoginId::new("aabf32b7").expect("an id");
        let exit = |verdict: Verdict, wait, fail_on_flagged| {
            let pace = Pace {
                poll: None,
                deadline: None,
            };
            let reading = Reading {
                login_id: &login_id,
                files: None,
                wait,
                pace,
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
