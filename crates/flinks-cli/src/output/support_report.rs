//! `--support FILE`: the details that the Upload guide's Support section requires, without secrets.

use std::path::Path;
use std::time::SystemTime;

use flinks_transport::Step;
use flinks_types::text::escaped;

use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::text::shown_path;
use crate::output::write_stderr;
use crate::state::files;

/// What failed.
pub(crate) struct Failure<'f> {
    pub(crate) command: &'static str,
    pub(crate) error: &'f CliError,
    pub(crate) exit: Exit,
    /// What `flinks doctor` found, as text.
    pub(crate) findings: Option<&'f str>,
}

/// Writes the report of a failure to a new file with mode 0600, which replaces an older one, or to a
/// device or a pipe, and says so on standard error.
pub(crate) fn write(path: &Path, failure: &Failure<'_>) {
    let text = report(failure, SystemTime::now());
    write_stderr(&match files::write_to(path, text.as_bytes()) {
        Ok(()) => format!("support report: {}\n", shown_path(path)),
        Err(error) => CliError::disk("the support file (--support)", &error).to_text(),
    });
}

/// Returns the endpoint of the call that failed, without ids and without paths that the user has set.
fn endpoint(error: &CliError) -> Option<String> {
    let call = error.call()?;
    let (route, origin) = (call.route()?, call.origin()?);
    let path = match route.path() {
        path if path.starts_with('/') => path,
        _ => " (a path of FLINKS_UPLOAD_PATHS)",
    };
    Some(format!("{} {origin}{path}", route.method()))
}

fn report(failure: &Failure<'_>, now: SystemTime) -> String {
    let error = failure.error;
    let call = error.call();
    let api = call.and_then(|call| call.api());
    let mut text = String::from("Support report of the program flinks\n\n");
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("{name:<16}{value}\n"));
    };
    line("Timestamp", &httpdate::fmt_http_date(now));
    line("Command", failure.command);
    let endpoint = endpoint(error);
    line("Endpoint", endpoint.as_deref().unwrap_or("none was called"));
    let status = call.and_then(|call| call.status());
    let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    line("HTTP status", &status);
    if let Some(proxy) = error.proxy() {
        line("Proxy", &escaped(&proxy));
    }
    line("Occurs on", occurs_on(error));
    line("Error message", &error.message());
    if let Some(id) = api.and_then(|api| api.request_id.as_ref()) {
        line("RequestId", &escaped(id.as_str()));
    }
    if let Some(code) = api.and_then(|api| api.flinks_code.as_ref()) {
        line("FlinksCode", &escaped(code.as_str()));
    }
    if let Some(call) = call {
        line("Kind", error.kind());
        line("Delivery", call.delivery().as_str());
        line("Attempts", &call.attempts().to_string());
        line("Elapsed", &format!("{:.3} s", call.elapsed().as_secs_f64()));
    }
    line("Exit status", &failure.exit.code().to_string());
    line("Environment", &environment());
    if let Some(findings) = failure.findings {
        text.push_str(&format!("\nFindings\n{findings}"));
    }
    text
}

/// The guide: "whether the issue occurs on the token request, the API call, or both".
fn occurs_on(error: &CliError) -> &'static str {
    let call = error.call().filter(|call| call.operation().is_some());
    match (call.map(|call| call.step()), error.exit()) {
        (_, Exit::Interrupted) => "neither: the program was interrupted",
        (Some(Step::Token), _) => "the token request",
        (Some(_), _) => "the API call",
        (None, _) => "neither: it failed on this machine",
    }
}

fn environment() -> String {
    format!(
        "Rust, flinks-cli and flinks-* libraries {}, {} {}, TLS by rustls",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flinks_transport::{Error, ErrorKind};

    use super::*;

    #[test]
    fn it_holds_what_the_guide_asks_for() {
        let error = Error::new(ErrorKind::Connect, "refused").with_source("the cause");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000);
        let error = CliError::from(error);
        let failure = Failure {
            command: "doctor",
            error: &error,
            exit: error.exit(),
            findings: Some("FAIL  upload host"),
        };
        let text = report(&failure, now);
        for part in [
            "28 May 2026",
            "none was called",
            "no answer",
            "FAIL  upload host",
            "refused: the cause",
            "neither",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
        ] {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
    }
}
