//! `flinks fraud`: the fraud analysis of a LoginId and its verdict.

use crate::arguments::Fraud;
use crate::clients::Clients;
use crate::commands::fraud_wait::FraudWait;
use crate::commands::ids;
use crate::context::Context;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::report_page::{self, Borrower};

/// Reads the analysis, once or with `--wait` until it is final.
pub(crate) async fn run(arguments: &Fraud, context: &Context) -> Result<Exit, CliError> {
    if let Some(page) = &arguments.html {
        report_page::check(page)?;
    }
    let login_id = ids::login_id(&arguments.login_id).await?;
    let clients = Clients::start(context, &arguments.connection).await?;
    let fraud = clients.fraud()?;
    let wait = FraudWait {
        login_id: &login_id,
        files: None,
        wait: arguments.wait,
        poll: arguments.poll,
        fail_on_flagged: arguments.fail_on_flagged,
    };
    let report = wait.read(&fraud, context).await?;
    context.output.text(&report.to_text(&[], context.output))?;
    let object = report.to_json();
    if let Some(page) = &arguments.html {
        let borrower = Borrower {
            id: None,
            tag: report.analysis.tag.as_deref(),
            client_name: None,
            login_id: Some(report.login_id.as_str()),
            files: &[],
            outcome: Ok(&report),
        };
        report_page::write(page, &[borrower]).map_err(|mut error| {
            *error.result = object.as_object().cloned().unwrap_or_default();
            error
        })?;
    }
    let note = report_page::note(arguments.html.as_deref(), context.output);
    context.output.text(&note)?;
    context.output.object(&object)?;
    Ok(wait.exit(&report.verdict))
}
