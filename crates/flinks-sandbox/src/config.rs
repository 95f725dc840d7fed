//! The configuration of a sandbox.

use std::fmt;
use std::time::Duration;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use crate::fault::Fault;
use crate::log::OnRequest;

/// The configuration of a [`Sandbox`](crate::Sandbox). Start from the default and change fields.
///
/// ```
/// use std::time::Duration;
/// use flinks_sandbox::Config;
///
/// let mut config = Config::default();
/// config.processing = Duration::ZERO;
/// config.faults.push("upload@2=reset-after".parse()?);
/// # Ok::<(), flinks_sandbox::FaultError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The port of the upload host on 127.0.0.1; 0 (the default) picks a free one.
    pub upload_port: u16,
    /// The port of the results host on 127.0.0.1; 0 (the default) picks a free one.
    pub results_port: u16,
    /// The lifetime of an access token: 300 s by default (Upload guide, "Successful Response").
    /// `expires_in` is this in whole seconds, rounded down.
    pub token_ttl: Duration,
    /// The time from *complete* until the analysis is final: 10 s by default.
    pub processing: Duration,
    /// The lifetime of a legacy session without a call: 8 min by default, the documented lifetime
    /// of a RequestId. Polling for data keeps a session alive.
    pub session_idle: Duration,
    /// How many times a legacy data call is answered with 202 before its data: 1 by default, so
    /// that the POST is answered with 202 and the first poll with 200.
    pub data_pending: u32,
    /// The time from the challenge of a trusted device until it is approved, which happens by
    /// itself: 2 s by default. An earlier answer is challenged again.
    pub device_approval: Duration,
    /// The faults from the start; [`Sandbox::inject`](crate::Sandbox::inject) adds more.
    pub faults: Vec<Fault>,
    /// The TLS versions that both hosts accept: 1.2 and 1.3 by default.
    pub tls: TlsVersions,
    /// Further DNS names in the certificates of both hosts, for clients that reach them by another
    /// name than `localhost`.
    pub server_names: Vec<String>,
    /// The credentials that clients have to send.
    pub credentials: SandboxCredentials,
    /// Called with each line of the log, on the thread that answers the request.
    pub on_request: Option<OnRequest>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            upload_port: 0,
            results_port: 0,
            token_ttl: Duration::from_secs(300),
            processing: Duration::from_secs(10),
            session_idle: Duration::from_secs(8 * 60),
            data_pending: 1,
            device_approval: Duration::from_secs(2),
            faults: Vec::new(),
            tls: TlsVersions::default(),
            server_names: Vec::new(),
            credentials: SandboxCredentials::default(),
            on_request: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Config")
            .field("upload_port", &self.upload_port)
            .field("results_port", &self.results_port)
            .field("token_ttl", &self.token_ttl)
            .field("processing", &self.processing)
            .field("session_idle", &self.session_idle)
            .field("data_pending", &self.data_pending)
            .field("device_approval", &self.device_approval)
            .field("faults", &self.faults)
            .field("tls", &self.tls)
            .field("server_names", &self.server_names)
            .finish_non_exhaustive()
    }
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
        }
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
