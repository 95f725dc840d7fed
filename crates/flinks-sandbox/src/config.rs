//! How a sandbox is set up.

use std::fmt;
use std::time::Duration;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use crate::fault::Fault;
use crate::log::OnRequest;

/// The set-up of a [`Sandbox`](crate::Sandbox); start from the default and change fields.
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
    /// Port of the upload host on 127.0.0.1; 0, the default, takes a free one.
    pub upload_port: u16,
    /// Port of the results host on 127.0.0.1; 0, the default, takes a free one.
    pub results_port: u16,
    /// Lifetime of an access token: 300 s by default (Upload guide, "Successful Response").
    /// `expires_in` tells it in whole seconds, rounded down.
    pub token_ttl: Duration,
    /// From *complete* until the analysis is final: 10 s by default.
    pub processing: Duration,
    /// How long a legacy session lives without a call: 8 min by default, the documented life
    /// of a RequestId. A data call that waits for its answer is kept alive by being asked.
    pub session_idle: Duration,
    /// How many times a legacy data call is answered 202 before its data come: once by
    /// default, so that the POST is answered 202 and the first poll 200.
    pub data_pending: u32,
    /// From the challenge of a trusted device until its owner approves, which happens by
    /// itself: 2 s by default. An answer before that is challenged again.
    pub device_approval: Duration,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// The TLS versions that both hosts accept: 1.2 and 1.3 by default.
    pub tls: TlsVersions,
    /// What clients have to present.
    pub credentials: SandboxCredentials,
    /// Called with each line of the log, on whichever thread answered the request.
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

/// The credentials that the sandbox accepts; the defaults are fixed and open no other door.
///
/// The client secret and the API secret hold characters that are not the same once percent-encoded, escaped by a
/// shell or split at a colon, so that a client that does so by mistake fails here.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SandboxCredentials {
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: String,
    /// The only scope granted.
    pub scope: String,
    /// Bearer of the fraud call (Upload guide, "Fraud Analysis Endpoint") and of
    /// *GetNightlyRefreshStatus*.
    pub api_secret: String,
    /// The customer whose results these are.
    pub customer_id: String,
    /// Secret of *GenerateAuthorizeToken*. If there is one, every *Authorize* needs a token
    /// made with it; if there is none, the default, no token is asked for or looked at.
    pub auth_key: Option<String>,
    /// The `x-api-key` of the legacy data calls. If there is none, the default, it is not
    /// asked for or looked at.
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
