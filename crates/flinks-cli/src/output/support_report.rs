//! `--support FILE`: what the Upload guide's Support section asks for, and nothing secret.

use std::path::Path;
use std::time::SystemTime;

use flinks_transport::Step;

use crate::output::exit_status::Exit;
use crate::output::failure::Failure;
use crate::output::{plain, shortened};
use crate::state::files;

/// Writes the report of a failure: to a new file with mode 0600, which replaces an older one, or to
/// a device or a pipe.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(
    path: &Path,
    failure: &Failure,
    command: &str,
    endpoint: Option<&str>,
) -> Result<(), Failure> {
    let text = report(failure, command, endpoint, SystemTime::now());
    files::write_to(path, text.as_bytes())
        .map_err(|error| Failure::disk("the support file (--support)", &error))
}

fn report(failure: &Failure, command: &str, endpoint: Option<&str>, now: SystemTime) -> String {
    let error = failure.error();
    let api = error.and_then(|error| error.api());
    let mut text = String::from("Support report of the program flinks\n\n");
    let mut line = |name: &str, value: String| {
        text.push_str(&format!("{name:<16}{value}\n"));
    };
    line("Timestamp", httpdate::fmt_http_date(now));
    line("Command", command.to_owned());
    line("Endpoint", endpoint.unwrap_or("none was called").to_owned());
    let status = error.and_then(|error| error.status());
    line(
        "HTTP status",
        status.map_or_else(|| "no answer".to_owned(), |status| status.to_string()),
    );
    line("Occurs on", occurs_on(failure).to_owned());
    line("Error message", failure.message());
    if let Some(id) = api.and_then(|api| api.request_id.as_ref()) {
        line("RequestId", plain(&shortened(id.as_str(), 64)));
    }
    if let Some(code) = api.and_then(|api| api.flinks_code.as_ref()) {
        line("FlinksCode", plain(&shortened(code.as_str(), 64)));
    }
    if let Some(error) = error {
        line("Kind", error.kind().as_str().to_owned());
        line("Delivery", error.delivery().as_str().to_owned());
        line("Attempts", error.attempts().to_string());
        line("Elapsed", format!("{:.3} s", error.elapsed().as_secs_f64()));
    }
    line("Exit status", (failure.exit() as u8).to_string());
    line("Environment", environment());
    text
}

/// The guide: "whether the issue occurs on the token request, the API call, or both".
fn occurs_on(failure: &Failure) -> &'static str {
    let called = failure.error().filter(|error| error.operation().is_some());
    match (called.map(|error| error.step()), failure.exit()) {
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
    fn it_says_what_the_guide_asks_for() {
        let error = Error::new(ErrorKind::Connect, "refused").with_source("the cause");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000);
        let text = report(
            &Failure::from(error),
            "upload",
            Some("POST https://example.com/t"),
            now,
        );
        for part in [
            "28 May 2026",
            "POST https://example.com/t",
            "no answer",
            "refused: the cause",
            "neither",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
        ] {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
    }
}
