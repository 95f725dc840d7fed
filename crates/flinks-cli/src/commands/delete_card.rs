//! `flinks delete-card`: deletes a login with everything that Flinks keeps of it.

use flinks_types::LoginId;
use serde_json::json;

use crate::arguments::DeleteCard;
use crate::clients::Service;
use crate::commands::ids;
use crate::context::Context;
use crate::interrupt;
use crate::output::exit_status::Exit;
use crate::output::failure::Failure;
use crate::output::plain;
use crate::prompt::terminal::{Terminal, Typing};

/// Deletes the login once somebody has confirmed it, at the terminal or with `--yes`.
pub(crate) async fn run(arguments: &DeleteCard, context: &Context) -> Result<Exit, Failure> {
    let login_id = ids::login_id(&arguments.login_id).await?;
    let service = Service::start(context, &arguments.connection).await?;
    let legacy = service.legacy()?;
    interrupt::or_interrupted(async {
        if !arguments.yes {
            confirm(&login_id).await?;
        }
        legacy.delete_card(&login_id).await?;
        Ok(())
    })
    .await?;
    context.output.text("Deleted\n")?;
    context
        .output
        .object(&json!({ "login_id": login_id.as_str(), "deleted": true }))?;
    Ok(Exit::Done)
}

async fn confirm(login_id: &LoginId) -> Result<(), Failure> {
    let Some(mut terminal) = Terminal::open() else {
        return Err(Failure::usage(
            "there is no terminal to confirm it at: add --yes",
        ));
    };
    let prompt = format!(
        "Delete {} and all data that Flinks keeps of it, for good? Type yes: ",
        plain(login_id.as_str())
    );
    let line = terminal.ask(&prompt, Typing::Visible).await?;
    if line.is_some_and(|line| line.expose().trim().eq_ignore_ascii_case("yes")) {
        Ok(())
    } else {
        Err(Failure::usage("not confirmed: nothing was deleted"))
    }
}
