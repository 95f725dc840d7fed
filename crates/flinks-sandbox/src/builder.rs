//! The options of a sandbox.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, OnUntrusted, SandboxCredentials, TlsVersions};
use crate::fault::Fault;
use crate::fraud::Analysis;
use crate::legacy::SandboxUser;
use crate::log::LogLine;
use crate::sandbox::Sandbox;

/// The options of a [`Sandbox`], which [`start`](Self::start) starts.
///
/// ```
/// use std::time::Duration;
/// use flinks_sandbox::Sandbox;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let sandbox = Sandbox::builder()
///     .processing(Duration::ZERO)
///     .fault("upload@2=reset-after".parse()?)
///     .start()
///     .await?;
/// # drop(sandbox);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a sandbox starts with `start`"]
pub struct SandboxBuilder {
    config: Config,
}

impl SandboxBuilder {
    /// Sets the address that both hosts listen on: 127.0.0.1 by default.
    ///
    /// All credentials of a sandbox are public ones. Behind another address than loopback, whatever
    /// reaches the network can use it.
    pub const fn bind(mut self, address: IpAddr) -> Self {
        self.config.bind = address;
        self
    }

    /// Sets a folder with which any program can use the sandbox; by default none is written.
    ///
    /// It holds certificates, settings and a guide: [`Sandbox::files`]. The folder is created with
    /// mode 0700, each file with mode 0600; files and links of these names are replaced. The
    /// authority and the client certificates that it already holds are used again, and their private
    /// keys are among the files.
    ///
    /// ```
    /// use flinks_sandbox::Sandbox;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let sandbox = Sandbox::builder().dir(folder.path()).start().await?;
    /// let env = &sandbox.files().expect("a folder was set").env;
    /// assert!(std::fs::read_to_string(env)?.contains("export FLINKS_UPLOAD_URL="));
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.dir = Some(path.into());
        self
    }

    /// Sets the port of the upload host; 0 (the default) picks a free one.
    pub const fn upload_port(mut self, port: u16) -> Self {
        self.config.upload_port = port;
        self
    }

    /// Sets the port of the results host; 0 (the default) picks a free one.
    pub const fn results_port(mut self, port: u16) -> Self {
        self.config.results_port = port;
        self
    }

    /// Sets the lifetime of an access token: 300 s by default (Upload guide, "Successful
    /// Response").
    ///
    /// `expires_in` is this in whole seconds, rounded down.
    pub const fn token_ttl(mut self, ttl: Duration) -> Self {
        self.config.token_ttl = ttl;
        self
    }

    /// Sets the time from *complete* until the analysis is final: 10 s by default.
    pub const fn processing(mut self, processing: Duration) -> Self {
        self.config.processing = processing;
        self
    }

    /// Sets the lifetime of a legacy session without a call: 8 min by default, the documented
    /// lifetime of a RequestId.
    ///
    /// Polling for data keeps a session alive.
    pub const fn session_idle(mut self, idle: Duration) -> Self {
        self.config.session_idle = idle;
        self
    }

    /// Sets the time that the legacy API takes to gather data: none by default, so that a data call
    /// is answered at once.
    ///
    /// Until the time is over since the first call, repeated calls and polls are answered with 202.
    pub const fn data_pending(mut self, pending: Duration) -> Self {
        self.config.data_pending = pending;
        self
    }

    /// Sets the time from the challenge of a trusted device until it is approved, which happens by
    /// itself: 2 s by default.
    ///
    /// An earlier answer is challenged again.
    pub const fn device_approval(mut self, approval: Duration) -> Self {
        self.config.device_approval = approval;
        self
    }

    /// Adds a fault; [`Sandbox::inject`] adds more while the sandbox runs.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.config.faults.push(fault);
        self
    }

    /// Adds faults; see [`fault`](Self::fault).
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.config.faults.extend(faults);
        self
    }

    /// Adds a user of a bank, or replaces one that is built in.
    pub fn user(mut self, user: SandboxUser) -> Self {
        self.config.users.push(user.into_static());
        self
    }

    /// Sets the fraud analysis of a LoginId from the start; [`Sandbox::set_analysis`] sets more while
    /// the sandbox runs.
    pub fn analysis(mut self, login_id: &str, analysis: Analysis) -> Self {
        self.config.analyses.push((login_id.to_owned(), analysis));
        self
    }

    /// Sets the TLS versions that both hosts accept: 1.2 and 1.3 by default.
    pub const fn tls(mut self, versions: TlsVersions) -> Self {
        self.config.tls = versions;
        self
    }

    /// Sets what is done with a client certificate that is not trusted: by default, every request is
    /// answered with 403.
    pub const fn on_untrusted(mut self, action: OnUntrusted) -> Self {
        self.config.on_untrusted = action;
        self
    }

    /// Adds a DNS name or IP address to the certificates of both hosts, for clients that reach them
    /// by another name than `localhost`, the bound address or the name of the real host.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.config.server_names.push(name.into());
        self
    }

    /// Sets the credentials that clients have to send.
    pub fn credentials(mut self, credentials: SandboxCredentials) -> Self {
        self.config.credentials = credentials;
        self
    }

    /// Sets [`SandboxCredentials::auth_key`]: every *Authorize* then requires a token made with it.
    pub fn auth_key(mut self, key: impl Into<String>) -> Self {
        self.config.credentials.auth_key = Some(key.into());
        self
    }

    /// Sets [`SandboxCredentials::x_api_key`]: every legacy data call then requires it.
    pub fn x_api_key(mut self, key: impl Into<String>) -> Self {
        self.config.credentials.x_api_key = Some(key.into());
        self
    }

    /// Sends webhooks to this URL, signed with [`SandboxCredentials::webhook_secret`]. Off by default.
    ///
    /// When the [processing time](Self::processing) of an upload is over, *GetAccountsDetail* is sent
    /// with the accounts of its LoginId, and a fraud alert if the analysis has a signal. The
    /// form of the alert is not published: the `ResponseType` is `UploadFraudAlert` here, which is a
    /// guess, and `Login.LoginId` is all that it says. A *GetAccountsDetail* that was answered with 202
    /// is sent as well, once its data are ready.
    ///
    /// Any answer but 200 is a failure, and the webhook is sent again after
    /// [`webhook_retry`](Self::webhook_retry), at most 10 times in all (docs.flinks.com, Webhooks).
    /// Every attempt is a line of the log with the operation [`ApiOperation::Webhook`].
    ///
    /// The URL may be `http`, unlike the service's. The certificate for `https` has to be issued by
    /// [`Sandbox::authority`] or by a public authority.
    ///
    /// [`ApiOperation::Webhook`]: crate::ApiOperation::Webhook
    pub fn webhook(mut self, url: impl Into<String>) -> Self {
        self.config.webhook = Some(url.into());
        self
    }

    /// Sets the time between two attempts to send a webhook: the documented 30 min by default.
    pub const fn webhook_retry(mut self, retry: Duration) -> Self {
        self.config.webhook_retry = retry;
        self
    }

    /// Turns the control endpoint of the results host, `/sandbox/…`, on or off: on by default, and
    /// off if the hosts are [bound](Self::bind) to another address than a loopback one.
    pub const fn control(mut self, is_on: bool) -> Self {
        self.config.control = Some(is_on);
        self
    }

    /// Requires the keys of the legacy API, or not (the default): *GenerateAuthorizeToken* the
    /// `flinks-auth-key`, *Authorize* a token, and the data calls the `x-api-key`.
    ///
    /// Keys that are not set get throw-away values: [`Sandbox::auth_key`] and
    /// [`Sandbox::x_api_key`].
    pub const fn check_keys(mut self, are_checked: bool) -> Self {
        self.config.check_keys = are_checked;
        self
    }

    /// Sets a function that is called with each line of the log, on the thread that answers the
    /// request: it must not block.
    pub fn on_request(mut self, call: impl Fn(&LogLine) + Send + Sync + 'static) -> Self {
        self.config.on_request = Some(Arc::new(call));
        self
    }

    /// Makes certificates and starts both hosts on the current tokio runtime.
    ///
    /// Both are listening when this returns.
    ///
    /// # Errors
    ///
    /// Fails if a port is in use, if no certificate can be made, or if a file of the
    /// [folder](Self::dir) cannot be written or read. It also fails if another user can write into
    /// the folder (on Unix), if a setting has characters that the readers of `env` read
    /// differently, and if the URL for webhooks is not one. The text quotes neither paths nor settings.
    pub async fn start(self) -> io::Result<Sandbox> {
        let mut config = self.config;
        if config.check_keys {
            config.credentials.require_keys();
        }
        Sandbox::from_config(config).await
    }
}
