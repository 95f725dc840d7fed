//! `flinks refresh`: turns the nightly refresh of a login on or off.

use serde_json::json;

use crate::arguments::{OnOff, Refresh};
use crate::clients::Clients;
use crate::commands::ids;
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::{Exit, Request};

/// Sets the refresh, and prints the new state.
pub(crate) async fn run(arguments: &Refresh, context: &Context) -> Result<Exit, CliError> {
    let login_id = ids::login_id(&arguments.login_id).await?;
    let clients = Clients::start(context, &arguments.connection).await?;
    let legacy = clients.legacy()?;
    let on = arguments.state == OnOff::On;
    interrupt::or_interrupted(async {
        let set = legacy.set_scheduled_refresh(&login_id, on).await;
        set.map_err(|error| CliError::failed(Request::BankLogin, error))
    })
    .await?;
    let word = if on { "on" } else { "off" };
    context
        .output
        .text(&format!("Nightly refresh is {word}\n"))?;
    let object = json!({ "login_id": login_id.as_str(), "scheduled_refresh": on });
    context.output.object(&object)?;
    Ok(Exit::Done)
}
