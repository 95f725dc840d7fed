//! The LoginId or RequestId that the command line names.

use flinks_legacy::Session;
use flinks_types::{LoginId, RequestId};

use crate::output::error::CliError;
use crate::prompt::terminal;

/// The login that the user names; `-`: on standard input.
///
/// # Errors
/// It is no LoginId, or standard input holds none.
pub(crate) async fn login_id(given: &str) -> Result<LoginId, CliError> {
    let text = terminal::argument(given, "LoginId").await?;
    LoginId::new(text.expose().trim()).map_err(|error| CliError::settings(error.to_string()))
}

/// The session that the user names; `-`: on standard input.
///
/// # Errors
/// It is no RequestId, or standard input holds none.
pub(crate) async fn session(request_id: &str) -> Result<Session, CliError> {
    let text = terminal::argument(request_id, "RequestId").await?;
    let id = RequestId::new(text.expose().trim())
        .map_err(|error| CliError::settings(error.to_string()))?;
    Ok(Session::from_request_id(id))
}
