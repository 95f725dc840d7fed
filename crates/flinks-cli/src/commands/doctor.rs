//! `flinks doctor`: checks the setup part by part, and names the guide's row for each fault.

mod clock;
mod finding;
mod host;
mod inspection;
mod local;
mod results_host;
mod upload_host;

use std::time::{Duration, SystemTime};

use flinks_transport::{RetryConfig, Transport, TransportBuilder};
use serde_json::json;

use crate::arguments::Doctor;
use crate::clients::Clients;
use crate::commands::doctor::finding::{Finding, Findings};
use crate::context::Context;
use crate::interrupt;
use crate::output::Output;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::support_report::{self, Failure};
use crate::settings::without_roots;

/// The limit of a handshake, and of each request. With them a check of silent hosts ends in time.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(7);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);

/// Checks everything that can be checked without sending a document.
pub(crate) async fn run(arguments: &Doctor, context: &Context) -> Result<Exit, CliError> {
    let checks = async {
        let clients = Clients::without_warnings(context, &arguments.connection).await;
        Ok(match clients {
            Ok(clients) => Box::pin(check_all(&clients, SystemTime::now())).await,
            Err(error) => without_settings(&error),
        })
    };
    let findings = Box::pin(interrupt::or_interrupted(checks)).await?;
    context
        .output
        .text(&findings.to_text(context.output, context.output.columns()))?;
    context.output.object(&json!({
        "ok": findings.exit() == Exit::Done,
        "findings": findings.to_json(),
    }))?;
    if let (Some((exit, mut error)), Some(path)) = (findings.first_fault(), &context.support) {
        if let Some(name) = context.proxy_setting.get() {
            error.set_proxy_setting(name);
        }
        let failure = Failure {
            command: "doctor",
            error: &error,
            exit,
            findings: Some(&findings.to_text(Output::plain(), None)),
        };
        support_report::write(path, &failure);
    }
    Ok(findings.exit())
}

/// The findings when the settings cannot be read.
fn without_settings(error: &CliError) -> Findings {
    let mut findings = Findings::default();
    findings.extend([Finding::fail("settings", error.exit(), error.message())
        .hint("correct this setting first: the other checks depend on it")]);
    let skipped = [
        "client certificate",
        "trusted roots",
        "upload host",
        "results host",
    ];
    let reason = "not tested: the settings cannot be read";
    findings.extend(skipped.map(|part| Finding::skip(part, reason)));
    findings
}

async fn check_all(clients: &Clients, now: SystemTime) -> Findings {
    let settings = &clients.settings;
    let mut findings = Findings::default();
    findings.extend(
        settings
            .warnings
            .iter()
            .map(|it| Finding::warn("settings", it)),
    );
    findings.extend(local::check_settings(settings));
    let identity = settings.certificate.as_ref().map(|_| settings.identity());
    if let Some(identity) = &identity {
        findings.extend([local::check_certificate(identity, now)]);
        findings.extend(local::check_key(settings));
    }
    findings.extend([local::check_roots(clients)]);
    let (upload, results) = tokio::join!(upload_host::check(clients), results_host::check(clients));
    findings.extend(upload.findings);
    findings.extend(results.findings);
    let identity = identity.and_then(Result::ok);
    let identity = identity.map(|it| (it.not_before(), it.not_after()));
    let validities: Vec<_> = [identity, upload.validity, results.validity]
        .into_iter()
        .flatten()
        .collect();
    findings.extend([clock::check(results.clock.or(upload.clock), &validities)]);
    findings
}

/// Builds a transport that tries once, and not for long.
fn build(builder: TransportBuilder) -> Result<Transport, flinks_transport::Error> {
    builder
        .connect_timeout(HANDSHAKE_TIMEOUT)
        .attempt_timeout(REQUEST_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .retry(RetryConfig::new().max_attempts(1))
        .build()
        .map_err(without_roots)
}
