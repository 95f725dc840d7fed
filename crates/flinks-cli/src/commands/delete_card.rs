//! `flinks delete-card`: deletes a login and all data that Flinks stores for it.

use flinks_types::LoginId;
use flinks_types::text::escaped;
use serde_json::json;

use crate::arguments::DeleteCard;
use crate::clients::Clients;
use crate::commands::ids;
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::{Exit, Request};
use crate::prompt::terminal::{Terminal, Typing};

/// Deletes the login after confirmation, at the terminal or by `--yes`.
pub(crate) async fn run(arguments: &DeleteCard, context: &Context) -> Result<Exit, CliError> {
    let login_id = ids::login_id(&arguments.login_id).await?;
    let clients = Clients::start(context, &arguments.connection).await?;
    let legacy = clients.legacy()?;
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
            "there is no terminal to confirm at: add --yes",
        ));
    };
    let prompt = format!(
        "Permanently delete {} and all its data at Flinks? Type yes: ",
        escaped(login_id.as_str())
    );
    let line = terminal.ask(&prompt, Typing::Visible).await?;
    if line.is_some_and(|line| line.expose().trim().eq_ignore_ascii_case("yes")) {
        Ok(())
    } else {
        Err(CliError::usage("not confirmed: nothing was deleted"))
    }
}
