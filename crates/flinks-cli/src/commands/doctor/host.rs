//! Checks that both hosts have in common: addresses, TLS, and the server's certificate.

use std::time::SystemTime;

use flinks_transport::{
    AddressAttempt, AddressOutcome, Body, CallMeta, ClientAuth, Endpoint, Error, ErrorKind,
    Handshake, Replay, Route, ServerCertificate, TlsVersion, Transport,
};

use crate::commands::doctor::clock::{Clocks, Validity};
use crate::commands::doctor::finding::{Finding, RENEWAL_DAYS, whole_days};
use crate::commands::doctor::inspection;
use crate::output::exit_status::Exit;
use crate::settings::ProxyChoice;

/// What the checks of one host found.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) findings: Vec<Finding>,
    /// The validity of the server's certificate.
    pub(super) validity: Option<Validity>,
    pub(super) clock: Option<Clocks>,
}

impl Checked {
    pub(super) fn only(findings: impl IntoIterator<Item = Finding>) -> Self {
        Self {
            findings: findings.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Takes the findings of a handshake.
    pub(super) fn of(reached: &Reached) -> Self {
        let server = reached.handshake.server.as_ref();
        Self {
            findings: Vec::new(),
            validity: server.map(|server| (server.not_before, server.not_after)),
            clock: None,
        }
    }
}

/// A host, and how the checks of its connection and of its certificate are named.
pub(super) struct Host<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) name: &'static str,
    pub(super) certificate: &'static str,
    /// The proxy and its setting, or why there is none.
    pub(super) route: String,
    /// Whether its service requires the client certificate.
    pub(super) is_mutual: bool,
}

/// A handshake, and the part that failed in it.
pub(super) struct Reached {
    pub(super) handshake: Handshake,
    pub(super) failed: Option<Failed>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Failed {
    Connection,
    ServerCertificate,
    ClientCertificate,
}

impl Reached {
    pub(super) async fn new(transport: &Transport, endpoint: &Endpoint) -> Self {
        let handshake = transport.handshake(endpoint).await;
        let trusts = handshake.server.as_ref().is_some_and(|it| it.trusted);
        let is_asked = handshake
            .client
            .is_some_and(|client| client != ClientAuth::NotRequested);
        let failed = handshake.error.as_ref().map(|error| {
            let kind = error.kind();
            // After both certificates, the check of ours is all that is left.
            if kind == ErrorKind::ClientCertificate || (trusts && is_asked) {
                Failed::ClientCertificate
            } else if kind == ErrorKind::ServerCertificate {
                Failed::ServerCertificate
            } else {
                Failed::Connection
            }
        });
        Self { handshake, failed }
    }

    /// Whether the connection is over TLS; plain http is for tests on this machine.
    pub(super) fn is_plain(&self) -> bool {
        self.failed.is_none() && self.handshake.tls_version.is_none()
    }

    /// Returns the findings on the connection and on the server's certificate.
    pub(super) fn findings(&self, host: &Host<'_>) -> [Finding; 2] {
        let certificate = match (&self.handshake.server, &self.handshake.error) {
            (Some(server), _) => self.certificate(host, server),
            (None, Some(error)) if self.failed == Some(Failed::ServerCertificate) => {
                Finding::of_call(host.certificate, error)
            }
            (None, _) if self.is_plain() => Finding::skip(host.certificate, "plain http has none"),
            (None, _) => Finding::skip(host.certificate, "not tested: there was no TLS handshake"),
        };
        [self.connection(host), certificate]
    }

    fn connection(&self, host: &Host<'_>) -> Finding {
        let addresses = &self.handshake.addresses;
        if let (Some(Failed::Connection), Some(error)) = (self.failed, &self.handshake.error) {
            let tried = match addresses.as_slice() {
                [] => String::new(),
                tried => format!("; tried {}", listed(tried)),
            };
            let finding = Finding::of_call(host.name, error);
            let finding = finding.and(&format!("{tried}; {}", host.route));
            let is_opened = addresses.iter().any(is_connected);
            return if is_opened && error.to_string().starts_with("could not connect") {
                finding.hint(CLOSED)
            } else {
                finding
            };
        }
        let origin = origin(host.endpoint);
        let mut message = origin.clone();
        if let Some(used) = addresses.iter().find(|attempt| is_connected(attempt)) {
            let address = used.address.to_string();
            if !origin.ends_with(&address) && self.handshake.proxy.is_none() {
                message.push_str(&format!(" at {address}"));
            }
        }
        message.push_str(match self.handshake.tls_version {
            Some(TlsVersion::Tls12) => ", TLS 1.2",
            Some(TlsVersion::Tls13) => ", TLS 1.3",
            Some(_) => "",
            None if self.is_plain() => ", plain http",
            None => " answers",
        });
        message.push_str(&format!(", {}", host.route));
        let others: Vec<_> = addresses
            .iter()
            .filter(|it| !is_connected(it))
            .copied()
            .collect();
        if !others.is_empty() {
            message.push_str(&format!("; tried before: {}", listed(&others)));
        }
        Finding::ok(host.name, message)
    }

    fn certificate(&self, host: &Host<'_>, server: &ServerCertificate) -> Finding {
        let part = host.certificate;
        let issuer = &server.issuer;
        if let Some(product) = inspection::product(issuer) {
            let message = format!(
                "issued by {issuer}: a TLS-inspecting proxy ({product}) answers in place of the \
                 service"
            );
            return if host.is_mutual || !server.trusted {
                Finding::fail(part, Exit::Unreachable, message).hint(EXEMPT)
            } else {
                Finding::warn(part, message).hint(EXEMPT_SECRET)
            };
        }
        if let Some(error) = self.handshake.error.as_ref().filter(|_| !server.trusted) {
            let finding = Finding::of_call(part, error).and(&format!("; issued by {issuer}"));
            // The guide's host asks; what is neither trusted nor asks is probably another.
            if host.is_mutual && self.handshake.client == Some(ClientAuth::NotRequested) {
                return finding.hint(PROBABLY_INSPECTED);
            }
            let is_alone = server.chain_length == 1 && !server.self_signed;
            return if is_alone && error.to_string().contains("lead to a trusted root") {
                finding
                    .and(", and sent without an intermediate certificate")
                    .hint(INCOMPLETE)
            } else {
                finding
            };
        }
        let days = whole_days(server.expires_in());
        let message = format!("issued by {issuer}, valid for {days} more days");
        let finding = if days < RENEWAL_DAYS {
            Finding::warn(part, message).hint("the operator of the server has to renew it")
        } else {
            Finding::ok(part, message)
        };
        finding.days_left(days)
    }
}

const CLOSED: &str = "the host, or a firewall in between, ends connections during the TLS \
     handshake: check the port, and whether this machine's addresses are allowed";
const EXEMPT: &str = "ask the network administrator to exempt this host from TLS inspection: behind \
     it the client certificate never reaches the service, whatever FLINKS_CA is";
const EXEMPT_SECRET: &str = "it reads the API secret and the borrower's data: ask the network \
     administrator to exempt this host from TLS inspection";
const PROBABLY_INSPECTED: &str = "the server did not ask for a client certificate either, so this is \
     probably a TLS-inspecting proxy or another host: check FLINKS_UPLOAD_URL, and ask the network \
     administrator to exempt the host from inspection";
const INCOMPLETE: &str = "if an intermediate authority issued it, the operator of the server has to \
     install that authority's certificate too; for a private root, set FLINKS_CA";

fn is_connected(attempt: &AddressAttempt) -> bool {
    attempt.outcome == AddressOutcome::Connected
}

fn listed(addresses: &[AddressAttempt]) -> String {
    let shown = |attempt: &AddressAttempt| {
        let outcome = match attempt.outcome {
            AddressOutcome::Connected => "connected".to_owned(),
            AddressOutcome::Failed(kind) => kind.to_string(),
            AddressOutcome::NoAnswer => "no answer".to_owned(),
            _ => "unknown".to_owned(),
        };
        format!("{} ({outcome})", attempt.address)
    };
    addresses.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// Requests the root of a host, whatever it answers, and reads both clocks.
pub(super) async fn request_root(
    transport: &Transport,
    endpoint: &Endpoint,
) -> Result<Option<Clocks>, Error> {
    let mut request = http::Request::new(Body::empty());
    *request.uri_mut() = endpoint.path("/")?;
    let meta = CallMeta::new("doctor.reach", Route::get("/"), Replay::Safe);
    let answer = transport.send(meta, request).await?;
    let date = answer.headers().get(http::header::DATE);
    let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    Ok(date.map(|server| Clocks {
        here: SystemTime::now(),
        server,
    }))
}

/// Describes which proxy is used, and by which setting.
pub(super) fn route(choice: ProxyChoice) -> String {
    match choice {
        ProxyChoice::Proxy(given) => {
            format!(
                "through the proxy {} (set by {})",
                given.value,
                given.name()
            )
        }
        ProxyChoice::Direct(Some(reason)) => format!("no proxy ({reason})"),
        ProxyChoice::Direct(None) => "no proxy".to_owned(),
    }
}

/// Formats scheme, host and port; the path of a base URL is the user's own.
pub(super) fn origin(endpoint: &Endpoint) -> String {
    let text = endpoint.to_string();
    let (scheme, _) = text.split_once("://").unwrap_or_default();
    format!("{scheme}://{}", endpoint.authority())
}
