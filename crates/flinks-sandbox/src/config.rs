//! The configuration of a sandbox.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use crate::fault::Fault;
use crate::fraud::Analysis;
use crate::legacy::User;
use crate::log::OnRequest;

/// What [`SandboxBuilder`](crate::SandboxBuilder) has set; its setters say what each field means.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) bind: IpAddr,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) upload_port: u16,
    pub(crate) results_port: u16,
    pub(crate) token_ttl: Duration,
    pub(crate) processing: Duration,
    pub(crate) session_idle: Duration,
    pub(crate) data_pending: Duration,
    pub(crate) device_approval: Duration,
    pub(crate) faults: Vec<Fault>,
    pub(crate) users: Vec<&'static User>,
    pub(crate) analyses: Vec<(String, Analysis)>,
    pub(crate) tls: TlsVersions,
    pub(crate) on_untrusted: OnUntrusted,
    pub(crate) server_names: Vec<String>,
    pub(crate) credentials: SandboxCredentials,
    pub(crate) check_keys: bool,
    pub(crate) webhook: Option<String>,
    pub(crate) webhook_retry: Duration,
    pub(crate) control: Option<bool>,
    pub(crate) on_request: Option<OnRequest>,
}

impl Config {
    pub(crate) fn has_control(&self) -> bool {
        self.control.unwrap_or_else(|| self.bind.is_loopback())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: Ipv4Addr::LOCALHOST.into(),
            dir: None,
            upload_port: 0,
            results_port: 0,
            token_ttl: Duration::from_secs(300),
            processing: Duration::from_secs(10),
            session_idle: Duration::from_secs(8 * 60),
            data_pending: Duration::ZERO,
            device_approval: Duration::from_secs(2),
            faults: Vec::new(),
            users: Vec::new(),
            analyses: Vec::new(),
            tls: TlsVersions::default(),
            on_untrusted: OnUntrusted::default(),
            server_names: Vec::new(),
            credentials: SandboxCredentials::default(),
            check_keys: false,
            webhook: None,
            webhook_retry: Duration::from_secs(30 * 60),
            control: None,
            on_request: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Config")
            .field("bind", &self.bind)
            .field("upload_port", &self.upload_port)
            .field("results_port", &self.results_port)
            .field("token_ttl", &self.token_ttl)
            .field("processing", &self.processing)
            .field("session_idle", &self.session_idle)
            .field("data_pending", &self.data_pending)
            .field("device_approval", &self.device_approval)
            .field("faults", &self.faults)
            .field("tls", &self.tls)
            .field("on_untrusted", &self.on_untrusted)
            .field("server_names", &self.server_names)
            .field("webhook", &self.webhook.is_some())
            .field("webhook_retry", &self.webhook_retry)
            .finish_non_exhaustive()
    }
}

/// What the upload host does with a client certificate that is not trusted: of another authority,
/// self-signed, expired, or not valid yet.
///
/// A client without a certificate fails in the handshake with either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUntrusted {
    /// Every request is answered with 403 (Upload guide, "Common Errors": "Certificate mismatch or
    /// not trusted"), also one for a token.
    #[default]
    Forbid,
    /// The handshake fails with an alert.
    Alert,
}

/// The TLS versions that the hosts accept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsVersions {
    /// TLS 1.2 and 1.3.
    #[default]
    Both,
    /// TLS 1.2 alone.
    Only12,
    /// TLS 1.3 alone.
    Only13,
}

impl TlsVersions {
    pub(crate) fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        static ONLY_12: &[&SupportedProtocolVersion] = &[&TLS12];
        static ONLY_13: &[&SupportedProtocolVersion] = &[&TLS13];
        match self {
            Self::Both => rustls::ALL_VERSIONS,
            Self::Only12 => ONLY_12,
            Self::Only13 => ONLY_13,
        }
    }
}

/// The credentials that the sandbox accepts. The defaults are fixed, and not secret.
///
/// The default client secret and API secret contain characters that change when they are
/// percent-encoded, escaped by a shell or split at a colon, so that such a mistake of a client
/// fails here.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SandboxCredentials {
    /// The OAuth client id.
    pub client_id: String,
    /// The OAuth client secret.
    pub client_secret: String,
    /// The only scope that is granted.
    pub scope: String,
    /// The bearer of the fraud call (Upload guide, "Fraud Analysis Endpoint") and of
    /// *GetNightlyRefreshStatus*.
    pub api_secret: String,
    /// The customer in the paths of the results host.
    pub customer_id: String,
    /// The secret of *GenerateAuthorizeToken*. If it is set, every *Authorize* requires a token
    /// made with it; by default no token is required or checked.
    pub auth_key: Option<String>,
    /// The `x-api-key` of the legacy data calls; by default it is not required or checked.
    pub x_api_key: Option<String>,
    /// The secret that signs webhooks.
    pub webhook_secret: String,
}

impl Default for SandboxCredentials {
    fn default() -> Self {
        Self {
            client_id: "sandbox-client".to_owned(),
            client_secret: "sandbox:secret+100%25/it's not=real".to_owned(),
            scope: "ocr.write".to_owned(),
            api_secret: "sandbox-api-secret+/not.real==".to_owned(),
            customer_id: "5a9db0c5-0000-4000-8000-000000000000".to_owned(),
            auth_key: None,
            x_api_key: None,
            webhook_secret: "sandbox webhook+secret/not.real==".to_owned(),
        }
    }
}

impl SandboxCredentials {
    /// Sets the keys of the legacy API that are not set.
    pub(crate) fn require_keys(&mut self) {
        let (auth_key, x_api_key) = (&mut self.auth_key, &mut self.x_api_key);
        auth_key.get_or_insert_with(|| "sandbox-auth-key+/not.real==".to_owned());
        x_api_key.get_or_insert_with(|| "sandbox-x-api-key+/not.real==".to_owned());
    }
}

impl fmt::Debug for SandboxCredentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SandboxCredentials")
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .field("customer_id", &self.customer_id)
            .finish_non_exhaustive()
    }
}
