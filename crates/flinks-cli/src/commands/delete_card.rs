//! `flinks delete-card`: deletes a login with everything that Flinks keeps of it.

use flinks_types::LoginId;
use serde_json::json;

use crate::arguments::DeleteCard;
use crate::clients::Service;
use crate::commands::ids;
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::exit_status::Request;
use crate::prompt::terminal::{Terminal, Typing};
use flinks_types::text::escaped;

/// Deletes the login once somebody has confirmed it, at the terminal or with `--yes`.
pub(crate) async fn run(arguments: &DeleteCard, context: &Context) -> Result<Exit, CliError> {
    let login_id = ids::login_id(&arguments.login_id).await?;
    let service = Service::start(context, &arguments.connection).await?;
    let legacy = service.legacy()?;
    interrupt::or_interrupted(async {
        if !arguments.yes {
            confirm(&login_id).await?;
        }
        let deleted = legacy.delete_card(&login_id).await;
        deleted.map_err(|error| CliError::failed(Request::BankLogin, error))
    })
    .await?;
    context.output.text("Deleted\n")?;
    context
        .output
        .object(&json!({ "login_id": login_id.as_str(), "deleted": true }))?;
    Ok(Exit::Done)
}

async fn confirm(login_id: &LoginId) -> Result<(), CliError> {
    let Some(mut terminal) = Terminal::open() else {
        return Err(CliError::usage(
            "there is no terminal to confirm it at: add --yes",
        ));
    };
    let prompt = format!(
        "Delete {} and all data that Flinks keeps of it, for good? Type yes: ",
        escaped(login_id.as_str())
    );
    let line = terminal.ask(&prompt, Typing::Visible).await?;
    if line.is_some_and(|line| line.expose().trim().eq_ignore_ascii_case("yes")) {
        Ok(())
    } else {
        Err(CliError::usage("not confirmed: nothing was deleted"))
    }
}
