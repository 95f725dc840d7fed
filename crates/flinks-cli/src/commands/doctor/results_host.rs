//! Checks of the results host: the connection, the server's certificate, and the API secret.

use flinks_transport::{ClientAuth, Error, ErrorKind, Transport};
use flinks_types::{FlinksCode, LoginId};

use crate::clients::Clients;
use crate::commands::doctor::build;
use crate::commands::doctor::finding::Finding;
use crate::commands::doctor::host::{Checked, Host, Reached, request_root, route};
use crate::output::exit_status::{Exit, Request};

const HOST: &str = "results host";
const CERTIFICATE: &str = "results certificate";
const API_SECRET: &str = "API secret";
const CUSTOMER: &str = "legacy customer";

/// A LoginId that no upload has.
const UNKNOWN_LOGIN: &str = "00000000-0000-4000-8000-000000000000";

pub(super) async fn check(clients: &Clients) -> Checked {
    let settings = &clients.settings;
    let skip = |reason: &str| {
        [CERTIFICATE, API_SECRET, CUSTOMER]
            .map(|part| Finding::skip(part, format!("not tested: {reason}")))
    };
    if settings.api_url.is_none() && settings.instance.is_none() {
        let reason = "FLINKS_INSTANCE (or FLINKS_API_URL) is not set";
        let host = Finding::skip(HOST, format!("not tested: {reason}"));
        return Checked::only([host].into_iter().chain(skip(reason)));
    }
    let endpoint = match settings.results_endpoint() {
        Ok(endpoint) => endpoint,
        Err(error) => {
            let fault = Finding::fail(HOST, Exit::Usage, error.to_string());
            return Checked::only([fault].into_iter().chain(skip("no base URL")));
        }
    };
    let upload = settings.upload_endpoint();
    if upload.is_ok_and(|upload| upload.authority() == endpoint.authority()) {
        let fault = Finding::fail(HOST, Exit::Usage, UPLOAD_HOST).hint(WHICH_HOST);
        return Checked::only([fault].into_iter().chain(skip("this is the upload host")));
    }
    let Ok(transport) = clients.results_builder().and_then(build) else {
        // The check of the roots reports it.
        let host = Finding::skip(HOST, "not tested: no usable roots");
        return Checked::only([host].into_iter().chain(skip("no usable roots")));
    };
    let host = Host {
        endpoint: &endpoint,
        name: HOST,
        route: route(settings.proxy_for(&endpoint)),
        certificate: CERTIFICATE,
        is_mutual: false,
    };
    let reached = Reached::new(&transport, &endpoint).await;
    let mut checked = Checked::of(&reached);
    let [connection, certificate] = reached.findings(&host);
    let untested = |reason: &str| {
        [API_SECRET, CUSTOMER].map(|part| Finding::skip(part, format!("not tested: {reason}")))
    };
    let is_mutual =
        matches!(reached.handshake.client, Some(client) if client != ClientAuth::NotRequested);
    let (connection, tested) = if is_mutual
        && reached
            .handshake
            .server
            .as_ref()
            .is_some_and(|it| it.trusted)
    {
        let fault = Finding::fail(HOST, Exit::Usage, UPLOAD_HOST_TOO).hint(WHICH_HOST);
        (fault, untested("this is not the results host"))
    } else if reached.failed.is_some() {
        (connection, untested("there is no trusted connection"))
    } else {
        match request_root(&transport, &endpoint).await {
            Ok(clock) => {
                checked.clock = clock;
                let secret = check_secret(clients, transport.clone()).await;
                (
                    connection,
                    [secret, check_customer(clients, transport).await],
                )
            }
            Err(error) => {
                let fault = Finding::of_call(HOST, &error);
                (fault, untested("the host gives no answer"))
            }
        }
    };
    checked.findings.extend([connection, certificate]);
    checked.findings.extend(tested);
    checked
}

/// Reads the analysis of a LoginId that does not exist: the service refuses either the secret or the
/// LoginId.
async fn check_secret(clients: &Clients, transport: Transport) -> Finding {
    let missing = clients.settings.missing_for_results();
    if !missing.is_empty() {
        return Finding::skip(
            API_SECRET,
            format!("not tested: {} not set", missing.join(", ")),
        );
    }
    let fraud = match clients.fraud_over(transport) {
        Ok(fraud) => fraud,
        Err(error) => return Finding::fail(API_SECRET, error.exit(), error.message()),
    };
    let answer = match LoginId::new(UNKNOWN_LOGIN) {
        Ok(login) => fraud.analysis(&login).await.map(drop),
        Err(error) => Err(Error::new(ErrorKind::Input, error.to_string())),
    };
    let Err(error) = answer else {
        return not_refused();
    };
    let code = error.api().and_then(|api| api.flinks_code.as_ref());
    if code == Some(&FlinksCode::InvalidLogin) {
        return not_refused();
    }
    match error.status().map(|status| status.as_u16()) {
        Some(400 | 404 | 429) if error.api().is_some() => {
            Finding::skip(API_SECRET, format!("not known: {}", error.report()))
                .hint("`flinks fraud LOGIN_ID` tests it with the LoginId of an upload")
        }
        _ => Finding::of_request(API_SECRET, Request::FraudAnalysis, &error),
    }
}

fn not_refused() -> Finding {
    Finding::ok(
        API_SECRET,
        "not refused (GET /v3/{customerId}/upload/fraudanalysis/{loginId} of an unknown LoginId)",
    )
}

/// Reads one institution, which changes nothing. That a customer has no legacy API is no fault of an
/// upload.
async fn check_customer(clients: &Clients, transport: Transport) -> Finding {
    let missing = clients.settings.missing_for_legacy();
    if !missing.is_empty() {
        return Finding::skip(
            CUSTOMER,
            format!("not tested: {} not set", missing.join(", ")),
        );
    }
    let legacy = match clients.legacy_over(transport) {
        Ok(legacy) => legacy,
        Err(error) => return Finding::fail(CUSTOMER, error.exit(), error.message()),
    };
    match legacy.institutions(0, 1).await {
        Ok(_) => Finding::ok(
            CUSTOMER,
            "not refused (GET /v3/{customerId}/BankingServices/Institutions)",
        ),
        Err(error) => Finding::of_request(CUSTOMER, Request::BankData, &error)
            .into_warning("; only authorize and the data commands need it"),
    }
}

const UPLOAD_HOST: &str = "FLINKS_API_URL is the upload host";
const UPLOAD_HOST_TOO: &str =
    "FLINKS_API_URL looks like the upload host: it asks for a client certificate";
const WHICH_HOST: &str = "guide, \"Fraud Analysis Endpoint\": the results host is \
     https://INSTANCE-api.private.fin.ag; set FLINKS_INSTANCE, or FLINKS_API_URL to that host";
