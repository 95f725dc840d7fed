//! The LoginId or RequestId given on the command line; `-` reads it from standard input.

use flinks_legacy::{DataSource, Session};
use flinks_types::{LoginId, RequestId};

use crate::arguments::DataSourceArguments;
use crate::output::error::CliError;
use crate::prompt::terminal;

/// Reads a LoginId.
///
/// # Errors
/// It is not valid, or standard input holds none.
pub(crate) async fn login_id(argument: &str) -> Result<LoginId, CliError> {
    let text = terminal::argument(argument, "LoginId").await?;
    LoginId::new(text.expose().trim()).map_err(|error| CliError::settings(error.to_string()))
}

/// Reads the RequestId of an open bank session, or a LoginId, whose cached session is to be opened.
///
/// # Errors
/// The id is not valid, or standard input holds none.
pub(crate) async fn data_source(arguments: &DataSourceArguments) -> Result<DataSource, CliError> {
    let argument = match (&arguments.login_id, &arguments.request_id) {
        (Some(login_id), _) => return Ok(DataSource::from(&self::login_id(login_id).await?)),
        (None, request_id) => request_id.as_deref().unwrap_or_default(),
    };
    let text = terminal::argument(argument, "RequestId").await?;
    let id = RequestId::new(text.expose().trim())
        .map_err(|error| CliError::settings(error.to_string()))?;
    Ok(DataSource::from(&Session::from_request_id(id)))
}
