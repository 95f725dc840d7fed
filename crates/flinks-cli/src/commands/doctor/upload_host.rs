//! Checks of the upload host: the connection, both certificates, and the token.

use flinks_transport::{ClientAuth, Error, ErrorKind, Transport};

use crate::clients::Clients;
use crate::commands::doctor::build;
use crate::commands::doctor::finding::Finding;
use crate::commands::doctor::host::{Checked, Failed, Host, Reached, request_root, route};
use crate::output::exit_status::Exit;

const HOST: &str = "upload host";
const CERTIFICATE: &str = "upload certificate";
const MUTUAL_TLS: &str = "mutual TLS";
const ACCESS_TOKEN: &str = "access token";

pub(super) async fn check(clients: &Clients) -> Checked {
    let endpoint = match clients.settings.upload_endpoint() {
        Ok(endpoint) => endpoint,
        Err(error) => {
            let fault = Finding::fail(HOST, Exit::Usage, error.to_string());
            return Checked::only([fault].into_iter().chain(skipped("no base URL")));
        }
    };
    let Ok(transport) = clients.upload_builder().and_then(build) else {
        // The checks of the certificate and of the roots report it.
        let reason = "no usable client certificate or roots";
        let host = Finding::skip(HOST, format!("not tested: {reason}"));
        return Checked::only([host].into_iter().chain(skipped(reason)));
    };
    let host = Host {
        endpoint: &endpoint,
        name: HOST,
        route: route(clients.settings.proxy_for(&endpoint)),
        certificate: CERTIFICATE,
        is_mutual: true,
    };
    let reached = Reached::new(&transport, &endpoint).await;
    let mut checked = Checked::of(&reached);
    checked.findings.extend(reached.findings(&host));
    let tested = test(clients, &reached, &transport).await;
    // A host that gives no answer would not give another.
    let answers = !tested[1].is_of(Exit::Unreachable);
    checked.findings.extend(tested);
    if reached.failed.is_none() && is_requested(&reached) && answers {
        let clock = request_root(&transport, &endpoint).await;
        checked.clock = clock.ok().flatten();
    }
    checked
}

fn skipped(reason: &str) -> [Finding; 3] {
    [CERTIFICATE, MUTUAL_TLS, ACCESS_TOKEN]
        .map(|part| Finding::skip(part, format!("not tested: {reason}")))
}

fn is_requested(reached: &Reached) -> bool {
    reached.is_plain() || reached.handshake.client != Some(ClientAuth::NotRequested)
}

/// Returns the findings on mutual TLS and the token.
async fn test(clients: &Clients, reached: &Reached, transport: &Transport) -> [Finding; 2] {
    let untested = |reason: &str| Finding::skip(ACCESS_TOKEN, format!("not requested: {reason}"));
    // Known even if the server's certificate is not trusted.
    if !is_requested(reached) {
        let fault =
            Finding::fail(MUTUAL_TLS, Exit::Unreachable, NOT_REQUESTED).hint(WHY_NOT_REQUESTED);
        let reason = "the client secret is only for a host that asks for the certificate";
        return [fault, untested(reason)];
    }
    match (reached.failed, &reached.handshake.error) {
        (Some(Failed::ClientCertificate), Some(error)) => {
            let fault = refused(reached, error);
            return [fault, untested("the client certificate is refused")];
        }
        (Some(_), _) => {
            let reason = "not tested: there is no trusted connection";
            return [
                Finding::skip(MUTUAL_TLS, reason),
                untested("there is no trusted connection"),
            ];
        }
        (None, _) => {}
    }
    if reached.handshake.client == Some(ClientAuth::NotSent) {
        let fault = Finding::fail(MUTUAL_TLS, Exit::Usage, NOT_SENT).hint(WHY_NOT_SENT);
        return [fault, untested("the server has no client certificate")];
    }
    let missing = clients.settings.missing_for_upload();
    if !missing.is_empty() {
        return [
            Finding::skip(MUTUAL_TLS, SENT.to_owned() + ": no token was requested"),
            untested(&format!("{} not set", missing.join(", "))),
        ];
    }
    let uploads = match clients.upload_over(transport.clone()) {
        Ok(uploads) => uploads,
        Err(error) => {
            let fault = Finding::fail(ACCESS_TOKEN, error.exit(), error.message());
            return [
                Finding::skip(MUTUAL_TLS, SENT.to_owned() + ": no token was requested"),
                fault,
            ];
        }
    };
    let error = match uploads.token().await {
        Ok(token) => {
            let lifetime = token.lifetime().map_or_else(String::new, |lifetime| {
                format!(", valid for {} s", lifetime.as_secs())
            });
            let token = Finding::ok(ACCESS_TOKEN, format!("received{lifetime}"));
            return [accepted(reached), token];
        }
        Err(error) => error,
    };
    let failed = Finding::of_call(ACCESS_TOKEN, &error);
    match answer_to_token(&error) {
        TokenAnswer::Service => [accepted(reached), failed],
        TokenAnswer::CertificateRefused => [
            refused(reached, &error),
            untested("the client certificate is refused"),
        ],
        TokenAnswer::Unclear => [
            Finding::skip(
                MUTUAL_TLS,
                SENT.to_owned() + ": the answer is not the service's own",
            ),
            failed,
        ],
        TokenAnswer::None => [
            Finding::skip(MUTUAL_TLS, SENT.to_owned() + ": no answer came"),
            failed,
        ],
    }
}

/// Who refused a token.
enum TokenAnswer {
    /// The token endpoint itself, which is behind the check of the certificate.
    Service,
    /// The check of the client certificate.
    CertificateRefused,
    /// Something that may stand before that check.
    Unclear,
    None,
}

fn answer_to_token(error: &Error) -> TokenAnswer {
    if error.kind() == ErrorKind::ClientCertificate {
        return TokenAnswer::CertificateRefused;
    }
    if error.api().is_some_and(|api| api.oauth_error.is_some()) {
        return TokenAnswer::Service;
    }
    // "The SSL certificate error" and "No required SSL certificate was sent" are nginx's.
    let names_certificate = error.to_string().contains("SSL certificate");
    match error.status().map(|status| status.as_u16()) {
        Some(403) => TokenAnswer::CertificateRefused,
        Some(400 | 495 | 496) if names_certificate => TokenAnswer::CertificateRefused,
        Some(_) => TokenAnswer::Unclear,
        None => TokenAnswer::None,
    }
}

fn accepted(reached: &Reached) -> Finding {
    if reached.is_plain() {
        return Finding::skip(MUTUAL_TLS, "not tested: plain http has no certificates");
    }
    Finding::ok(
        MUTUAL_TLS,
        "the server asked for the client certificate and accepts it",
    )
}

fn refused(reached: &Reached, error: &Error) -> Finding {
    let finding = Finding::of_call(MUTUAL_TLS, error);
    let finding = match error.status() {
        Some(_) => finding
            .and("; the server, or a front end before it, refuses the client certificate")
            .hint(FRONT_END),
        None => finding,
    };
    let not_accepted = Some(ClientAuth::Sent {
        issuer_accepted: Some(false),
    });
    if reached.handshake.client == not_accepted {
        finding.and(
            "; the issuer of the certificate is not among the authorities that the server accepts",
        )
    } else {
        finding
    }
}

const NOT_REQUESTED: &str = "the server did not ask for a client certificate in the handshake";
const WHY_NOT_REQUESTED: &str = "guide, \"SSL Handshake Error: certificate not being sent\": is a \
     TLS-inspecting proxy in between, or is this another host? Renegotiation and post-handshake \
     authentication are not supported: the server has to ask in the handshake";
const NOT_SENT: &str = "the server asked for a client certificate, and none was sent: it accepts no \
     signature algorithm of this key";
const WHY_NOT_SENT: &str = "guide, \"SSL Handshake Error: certificate not being sent\": ask Flinks which key types it accepts";
const SENT: &str = "the certificate was sent; whether it is accepted is not known";
const FRONT_END: &str = "guide, \"403 Forbidden: certificate mismatch or not trusted\": use the \
     certificate that Flinks issued (not the CSR), with its chain, in the environment it was issued for";
