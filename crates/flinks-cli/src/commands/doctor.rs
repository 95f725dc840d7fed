//! `flinks doctor`: checks the set-up part by part, and names each fault after the guide's row.

mod finding;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use flinks_transport::{Body, CallMeta, Error, ErrorKind, Replay, Route};
use serde_json::json;

use crate::arguments::Doctor;
use crate::clients::Service;
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::io_error;
use crate::settings::{Given, Material, Settings, shown};

use finding::{Finding, Findings};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Less time than this is little to get a new certificate signed in.
const SOON: u64 = 30;

/// Checks everything that can be checked without sending a document.
pub(crate) async fn run(arguments: &Doctor, context: &Context) -> Result<Exit, CliError> {
    let service = Service::start(context, &arguments.connection).await?;
    let findings = interrupt::or_interrupted(async { Ok(examine(&service).await) }).await?;
    context.output.text(&findings.to_text(context.output))?;
    context.output.object(&json!({
        "ok": findings.exit() == Exit::Done,
        "findings": findings.to_json(),
    }))?;
    Ok(findings.exit())
}

async fn examine(service: &Service) -> Findings {
    let settings = &service.settings;
    let mut findings = Findings::default();
    for finding in settings_found(settings) {
        findings.add(finding);
    }
    if settings.certificate.is_some() {
        findings.add(certificate(settings, SystemTime::now()));
        let key = settings.key.as_ref().or(settings.certificate.as_ref());
        if let Some(path) = key.and_then(|key| key.file()) {
            findings.add(key_mode(path));
        }
    }
    findings.add(roots(service));
    if settings.missing_for_upload().is_empty() {
        for finding in upload_host(service).await {
            findings.add(finding);
        }
    }
    if settings.api_url.is_some() || settings.instance.is_some() {
        findings.add(results_host(service).await);
    }
    findings
}

fn settings_found(settings: &Settings) -> [Finding; 2] {
    let upload = settings.missing_for_upload();
    let results = settings.missing_for_results();
    [
        if upload.is_empty() {
            Finding::ok("upload settings", "all are set")
        } else {
            let hint = "set them in the environment or in the file given by --config";
            let message = format!("not set: {}", upload.join(", "));
            Finding::fail("upload settings", Exit::Usage, message).hint(hint)
        },
        if results.is_empty() {
            Finding::ok("results settings", "all are set")
        } else {
            let message = format!("not set: {}", results.join(", "));
            Finding::warn("results settings", message)
                .hint("without them the fraud analysis cannot be read")
        },
    ]
}

/// Certificate and key: readable, of one pair, valid now and for a while.
fn certificate(settings: &Settings, now: SystemTime) -> Finding {
    const NAME: &str = "client certificate";
    let identity = match settings.identity() {
        Ok(identity) => identity,
        Err(error) => return Finding::fail(NAME, Exit::Usage, error.to_string()),
    };
    if let Err(error) = identity.check_at(now) {
        return Finding::fail(NAME, Exit::Usage, error.to_string());
    }
    valid_for(identity.not_after().duration_since(now).unwrap_or_default())
}

/// A certificate that fits and is valid for this long.
fn valid_for(left: Duration) -> Finding {
    const NAME: &str = "client certificate";
    let days = left.as_secs() / DAY.as_secs();
    let message = format!("belongs to the key, valid for {days} more days");
    if days < SOON {
        Finding::warn(NAME, message).hint("ask Flinks for a new one now: `flinks csr` begins it")
    } else {
        Finding::ok(NAME, message)
    }
}

/// Nobody else may read the key.
#[cfg(unix)]
fn key_mode(given: &Given<PathBuf>) -> Finding {
    use std::os::unix::fs::PermissionsExt as _;
    const NAME: &str = "private key file";
    match std::fs::metadata(&given.value) {
        Ok(facts) if facts.permissions().mode() & 0o077 == 0 => {
            Finding::ok(NAME, "only its owner can read it")
        }
        Ok(facts) => {
            let mode = facts.permissions().mode() & 0o777;
            Finding::warn(
                NAME,
                format!("has mode {mode:04o}: others may read or change it"),
            )
            .hint(format!("chmod 600 the file that {} names", given.name()))
        }
        Err(error) => {
            let error = given.invalid(io_error::reason(&error));
            Finding::fail(NAME, Exit::Usage, error.to_string())
        }
    }
}

/// Nobody else may read the key; this platform has no modes to look at.
#[cfg(not(unix))]
fn key_mode(_: &Given<PathBuf>) -> Finding {
    Finding::ok(
        "private key file",
        "permissions are not checked on this platform",
    )
}

fn roots(service: &Service) -> Finding {
    const NAME: &str = "trusted roots";
    let given = service.settings.roots.as_ref().and_then(Material::file);
    match (service.results_transport(), given) {
        (Ok(_), Some(given)) => Finding::ok(NAME, format!("those given by {}", given.name())),
        (Ok(_), None) => Finding::ok(NAME, "the platform's"),
        (Err(error), _) => Finding::fail(NAME, Exit::Usage, error.to_string()),
    }
}

/// Asks for a token, which goes through all that an upload goes through: the network, both sides'
/// certificates, and the credentials.
async fn upload_host(service: &Service) -> Vec<Finding> {
    const HOST: &str = "upload host";
    const MTLS: &str = "mutual TLS";
    const TOKEN: &str = "access token";
    let uploads = match service.uploads() {
        Ok(uploads) => uploads,
        // An identity that cannot be used was found already.
        Err(_)
            if service
                .settings
                .identity()
                .and_then(|it| Ok(it.check()?))
                .is_err() =>
        {
            return Vec::new();
        }
        Err(failure) => return vec![Finding::fail(HOST, failure.exit(), failure.message())],
    };
    let host = match service.settings.upload_endpoint() {
        Ok(endpoint) => shown(&endpoint),
        Err(error) => return vec![Finding::fail(HOST, Exit::Usage, error.to_string())],
    };
    let reached = || Finding::ok(HOST, format!("{host} answers"));
    let error = match uploads.token().await {
        Ok(token) => {
            let life = token.lifetime().map_or_else(String::new, |lifetime| {
                format!(", valid for {} s", lifetime.as_secs())
            });
            return vec![
                reached(),
                Finding::ok(MTLS, "the server accepts the client certificate"),
                Finding::ok(TOKEN, format!("received{life}")),
            ];
        }
        Err(error) => error,
    };
    let failed = |name| Finding::of(name, &error);
    if error.status().is_some() {
        let certificate = error.status().is_some_and(|status| status.as_u16() == 403);
        let mtls = Finding::ok(MTLS, "the server accepts the client certificate");
        return if certificate {
            vec![reached(), failed(MTLS)]
        } else {
            vec![reached(), mtls, failed(TOKEN)]
        };
    }
    if error.kind() == ErrorKind::ClientCertificate {
        return vec![reached(), failed(MTLS)];
    }
    vec![failed(HOST)]
}

/// Any answer at all will do: the API secret can only be tried with a LoginId.
async fn results_host(service: &Service) -> Finding {
    const NAME: &str = "results host";
    match reach_results(service).await {
        Ok(host) => Finding::ok(NAME, format!("{host} answers"))
            .hint("the API secret is tried by `flinks fraud LOGIN_ID` only"),
        Err(error) => Finding::of(NAME, &error),
    }
}

async fn reach_results(service: &Service) -> Result<String, Error> {
    let endpoint = service.settings.results_endpoint()?;
    let mut request = http::Request::new(Body::empty());
    *request.uri_mut() = endpoint.path("/")?;
    let meta = CallMeta::new("doctor.reach", Route::get("/"), Replay::Safe);
    service.results_transport()?.send(meta, request).await?;
    Ok(shown(&endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_ends_soon_is_a_warning() {
        for (days, status) in [(0, "warn"), (29, "warn"), (30, "ok"), (400, "ok")] {
            let mut findings = Findings::default();
            findings.add(valid_for(DAY * days));
            assert_eq!(findings.to_json()[0]["status"], status, "{days} days");
        }
    }
}
