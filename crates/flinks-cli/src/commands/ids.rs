//! The LoginId or RequestId that the command line names.

use flinks_legacy::Session;
use flinks_types::{LoginId, RequestId};

use crate::output::failure::Failure;
use crate::prompt::terminal;

/// The login that the user names; `-`: on standard input.
///
/// # Errors
/// It is no LoginId, or standard input holds none.
pub(crate) async fn login_id(given: &str) -> Result<LoginId, Failure> {
    let text = terminal::argument(given, "LoginId").await?;
    LoginId::new(text.expose().trim()).map_err(|error| Failure::settings(error.to_string()))
}

/// The session that the user names; `-`: on standard input.
///
/// # Errors
/// It is no RequestId, or standard input holds none.
pub(crate) async fn session(request_id: &str) -> Result<Session, Failure> {
    let text = terminal::argument(request_id, "RequestId").await?;
    let id = RequestId::new(text.expose().trim())
        .map_err(|error| Failure::settings(error.to_string()))?;
    Ok(Session::of_request(id))
}
