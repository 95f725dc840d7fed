//! The LoginId or RequestId given on the command line; `-` reads it from standard input.

use flinks_legacy::Session;
use flinks_types::{LoginId, RequestId};

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

/// Reads the RequestId of an open bank session.
///
/// # Errors
/// It is not valid, or standard input holds none.
pub(crate) async fn session(argument: &str) -> Result<Session, CliError> {
    let text = terminal::argument(argument, "RequestId").await?;
    let id = RequestId::new(text.expose().trim())
        .map_err(|error| CliError::settings(error.to_string()))?;
    Ok(Session::from_request_id(id))
}
