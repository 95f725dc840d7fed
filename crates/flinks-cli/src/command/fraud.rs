//! `flinks fraud`: the analysis of a LoginId and its verdict.

use crate::arguments::Fraud;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fetch;
use crate::service::Service;
use crate::verdict::{self, Reading};

/// Reads the analysis, once or with `--wait` until it is final.
pub(crate) async fn run(arguments: &Fraud, context: &Context) -> Result<Exit, Failure> {
    let login_id = fetch::login_id(&arguments.login_id).await?;
    let service = Service::start(context, &arguments.connection).await?;
    let fraud = service.fraud()?;
    let reading = Reading {
        login_id: &login_id,
        files: None,
        wait: arguments.wait,
        pace: arguments.pace,
        fail_on_flagged: arguments.fail_on_flagged,
    };
    let report = verdict::read(&fraud, &reading, context).await?;
    context.output.text(&report.to_text(context.output))?;
    context.output.object(&report.to_json())?;
    Ok(reading.exit(&report.verdict))
}
