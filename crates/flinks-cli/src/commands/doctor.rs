//! `flinks doctor`: checks the setup part by part, and names the guide's row for each fault.

mod finding;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use flinks_transport::{Body, CallMeta, Endpoint, Error, ErrorKind, Replay, Route};
use serde_json::json;

use crate::arguments::Doctor;
use crate::clients::Clients;
use crate::commands::doctor::finding::{Finding, Findings};
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::io_error;
use crate::settings::{Given, Material, Settings};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate with less time left should be renewed.
const RENEWAL_DAYS: u64 = 30;

// What is checked, as it is printed.
const UPLOAD_SETTINGS: &str = "upload settings";
const RESULTS_SETTINGS: &str = "results settings";
const CLIENT_CERTIFICATE: &str = "client certificate";
const KEY_FILE: &str = "private key file";
const ROOTS: &str = "trusted roots";
const UPLOAD_HOST: &str = "upload host";
const MUTUAL_TLS: &str = "mutual TLS";
const ACCESS_TOKEN: &str = "access token";
const RESULTS_HOST: &str = "results host";

/// Checks everything that can be checked without sending a document.
pub(crate) async fn run(arguments: &Doctor, context: &Context) -> Result<Exit, CliError> {
    let clients = Clients::start(context, &arguments.connection).await?;
    let checks = async { Ok(Box::pin(check_all(&clients)).await) };
    let findings = interrupt::or_interrupted(checks).await?;
    context.output.text(&findings.to_text(context.output))?;
    context.output.object(&json!({
        "ok": findings.exit() == Exit::Done,
        "findings": findings.to_json(),
    }))?;
    Ok(findings.exit())
}

async fn check_all(clients: &Clients) -> Findings {
    let settings = &clients.settings;
    let mut findings = Findings::default();
    findings.extend(check_settings(settings));
    if settings.certificate.is_some() {
        findings.extend([check_certificate(settings, SystemTime::now())]);
        let key = settings.key.as_ref().or(settings.certificate.as_ref());
        findings.extend(key.and_then(Material::file).map(check_key_file));
    }
    findings.extend([check_roots(clients)]);
    if settings.missing_for_upload().is_empty() {
        findings.extend(check_upload_host(clients).await);
    }
    if settings.api_url.is_some() || settings.instance.is_some() {
        findings.extend([check_results_host(clients).await]);
    }
    findings
}

fn check_settings(settings: &Settings) -> [Finding; 2] {
    let upload = settings.missing_for_upload();
    let results = settings.missing_for_results();
    [
        if upload.is_empty() {
            Finding::ok(UPLOAD_SETTINGS, "all are set")
        } else {
            let message = format!("not set: {}", upload.join(", "));
            Finding::fail(UPLOAD_SETTINGS, Exit::Usage, message)
                .hint("set them in the environment or in the file given by --config")
        },
        if results.is_empty() {
            Finding::ok(RESULTS_SETTINGS, "all are set")
        } else {
            let message = format!("not set: {}", results.join(", "));
            Finding::warn(RESULTS_SETTINGS, message)
                .hint("the fraud analysis cannot be read without them")
        },
    ]
}

/// Checks that certificate and key are readable, belong together and are valid.
fn check_certificate(settings: &Settings, now: SystemTime) -> Finding {
    let fail = |error: String| Finding::fail(CLIENT_CERTIFICATE, Exit::Usage, error);
    let identity = match settings.identity() {
        Ok(identity) => identity,
        Err(error) => return fail(error.to_string()),
    };
    match identity.check_at(now) {
        Ok(()) => valid_for(identity.not_after().duration_since(now).unwrap_or_default()),
        Err(error) => fail(error.to_string()),
    }
}

fn valid_for(left: Duration) -> Finding {
    let days = left.as_secs() / DAY.as_secs();
    let message = format!("matches the key, valid for {days} more days");
    if days < RENEWAL_DAYS {
        Finding::warn(CLIENT_CERTIFICATE, message)
            .hint("ask Flinks for a new one now, starting with `flinks csr`")
    } else {
        Finding::ok(CLIENT_CERTIFICATE, message)
    }
}

/// Checks that only the owner can read the key.
#[cfg(unix)]
fn check_key_file(path: &Given<PathBuf>) -> Finding {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match std::fs::metadata(&path.value) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) => {
            let error = path.invalid(io_error::reason(&error));
            return Finding::fail(KEY_FILE, Exit::Usage, error.to_string());
        }
    };
    if mode & 0o077 == 0 {
        return Finding::ok(KEY_FILE, "only its owner can read it");
    }
    let message = format!("has mode {mode:04o}: other users can read or change it");
    Finding::warn(KEY_FILE, message).hint(format!("chmod 600 the file set by {}", path.name()))
}

#[cfg(not(unix))]
fn check_key_file(_: &Given<PathBuf>) -> Finding {
    Finding::ok(KEY_FILE, "permissions are not checked on this platform")
}

fn check_roots(clients: &Clients) -> Finding {
    let file = clients.settings.roots.as_ref().and_then(Material::file);
    match (clients.results_transport(), file) {
        (Ok(_), Some(file)) => Finding::ok(ROOTS, format!("those of {}", file.name())),
        (Ok(_), None) => Finding::ok(ROOTS, "the platform's"),
        (Err(error), _) => Finding::fail(ROOTS, Exit::Usage, error.to_string()),
    }
}

/// Requests a token, which tests the network, both certificates and the OAuth client.
async fn check_upload_host(clients: &Clients) -> Vec<Finding> {
    let uploads = match clients.upload() {
        Ok(uploads) => uploads,
        Err(error) => {
            let identity = clients.settings.identity();
            let is_reported = identity.and_then(|it| Ok(it.check()?)).is_err();
            let finding = Finding::fail(UPLOAD_HOST, error.exit(), error.message());
            return if is_reported { vec![] } else { vec![finding] };
        }
    };
    let host = match clients.settings.upload_endpoint() {
        Ok(endpoint) => origin(&endpoint),
        Err(error) => return vec![Finding::fail(UPLOAD_HOST, Exit::Usage, error.to_string())],
    };
    let reached = Finding::ok(UPLOAD_HOST, format!("{host} answers"));
    let accepted = Finding::ok(MUTUAL_TLS, "the server accepts the client certificate");
    let error = match uploads.token().await {
        Ok(token) => {
            let lifetime = token.lifetime().map_or_else(String::new, |lifetime| {
                format!(", valid for {} s", lifetime.as_secs())
            });
            let token = Finding::ok(ACCESS_TOKEN, format!("received{lifetime}"));
            return vec![reached, accepted, token];
        }
        Err(error) => error,
    };
    let failed = |part| Finding::of_call(part, &error);
    match error.status().map(|status| status.as_u16()) {
        Some(403) => vec![reached, failed(MUTUAL_TLS)],
        Some(_) => vec![reached, accepted, failed(ACCESS_TOKEN)],
        None if error.kind() == ErrorKind::ClientCertificate => vec![reached, failed(MUTUAL_TLS)],
        None => vec![failed(UPLOAD_HOST)],
    }
}

/// Checks that the host answers. The API secret can be tested only with a LoginId.
async fn check_results_host(clients: &Clients) -> Finding {
    match reach_results_host(clients).await {
        Ok(host) => Finding::ok(RESULTS_HOST, format!("{host} answers"))
            .hint("only `flinks fraud LOGIN_ID` tests the API secret"),
        Err(error) => Finding::of_call(RESULTS_HOST, &error),
    }
}

async fn reach_results_host(clients: &Clients) -> Result<String, Error> {
    let endpoint = clients.settings.results_endpoint()?;
    let mut request = http::Request::new(Body::empty());
    *request.uri_mut() = endpoint.path("/")?;
    let meta = CallMeta::new("doctor.reach", Route::get("/"), Replay::Safe);
    clients.results_transport()?.send(meta, request).await?;
    Ok(origin(&endpoint))
}

/// Formats scheme, host and port; the path of a base URL is the user's own.
fn origin(endpoint: &Endpoint) -> String {
    let text = endpoint.to_string();
    let (scheme, _) = text.split_once("://").unwrap_or_default();
    format!("{scheme}://{}", endpoint.authority())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_expires_soon_is_a_warning() {
        for (days, status) in [(0, "warn"), (29, "warn"), (30, "ok"), (400, "ok")] {
            let mut findings = Findings::default();
            findings.extend([valid_for(DAY * days)]);
            assert_eq!(findings.to_json()[0]["status"], status, "{days} days");
        }
    }
}
