//! `flinks fraud`: the fraud analysis of a LoginId and its verdict.

use crate::arguments::Fraud;
use crate::clients::Clients;
use crate::commands::fraud_wait::FraudWait;
use crate::commands::ids;
use crate::context::Context;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;

/// Reads the analysis, once or with `--wait` until it is final.
pub(crate) async fn run(arguments: &Fraud, context: &Context) -> Result<Exit, CliError> {
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
    context.output.text(&report.to_text(context.output))?;
    context.output.object(&report.to_json())?;
    Ok(wait.exit(&report.verdict))
}
