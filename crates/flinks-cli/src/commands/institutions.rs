//! `flinks institutions`: lists the banks that can be connected.

use flinks_types::text::escaped;
use flinks_types::{Institution, InstitutionStatus};
use serde_json::{Value, json};

use crate::arguments::Institutions;
use crate::clients::Clients;
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::{Exit, Request};

/// Prints every institution with the name that `flinks authorize --institution` takes.
pub(crate) async fn run(arguments: &Institutions, context: &Context) -> Result<Exit, CliError> {
    let clients = Clients::start(context, &arguments.connection).await?;
    let legacy = clients.legacy()?;
    let all = interrupt::or_interrupted(async {
        let mut stream = legacy.all_institutions();
        let mut all = Vec::new();
        while let Some(institution) = stream.next().await {
            all.push(institution.map_err(|error| CliError::failed(Request::BankData, error))?);
        }
        Ok(all)
    })
    .await?;
    let lines = all.iter().map(to_text);
    context.output.text(&lines.collect::<String>())?;
    let objects: Vec<_> = all.iter().map(to_json).collect();
    context.output.object(&json!({ "institutions": objects }))?;
    Ok(Exit::Done)
}

fn to_text(institution: &Institution) -> String {
    let id = institution.id.map(|id| id.to_string()).unwrap_or_default();
    let country = institution.country.as_deref().unwrap_or_default();
    let name = institution.name("en").unwrap_or_default();
    let disabled = match &institution.status {
        Some(InstitutionStatus::Enabled) | None => String::new(),
        Some(status) => format!(" ({})", escaped(status.as_str())),
    };
    let (country, name) = (escaped(country), escaped(name));
    format!("{id:>5}  {country:<2}  {name}{disabled}\n")
}

fn to_json(institution: &Institution) -> Value {
    json!({
        "id": institution.id,
        "name": institution.name("en"),
        "country": institution.country,
        "status": institution.status.as_ref().map(InstitutionStatus::as_str),
    })
}
