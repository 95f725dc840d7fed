//! `flinks fraud`: the analysis of a LoginId and its verdict.

use crate::arguments::Fraud;
use crate::clients::Service;
use crate::commands::fraud_wait::{self, Reading};
use crate::commands::ids;
use crate::context::Context;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;

/// Reads the analysis, once or with `--wait` until it is final.
pub(crate) async fn run(arguments: &Fraud, context: &Context) -> Result<Exit, CliError> {
    let login_id = ids::login_id(&arguments.login_id).await?;
    let service = Service::start(context, &arguments.connection).await?;
    let fraud = service.fraud()?;
    let reading = Reading {
        login_id: &login_id,
        files: None,
        wait: arguments.wait,
        pace: arguments.pace,
        fail_on_flagged: arguments.fail_on_flagged,
    };
    let report = fraud_wait::read(&fraud, &reading, context).await?;
    context.output.text(&report.to_text(context.output))?;
    context.output.object(&report.to_json())?;
    Ok(reading.exit(&report.verdict))
}
