//! Starting, inspecting and stopping a sandbox.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::{fmt, io};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::builder::SandboxBuilder;
use crate::certificates::{Authority, IssuedCertificate};
use crate::client_files::{self, ClientFiles, Running};
use crate::config::Config;
use crate::fault::Fault;
use crate::fraud::Analysis;
use crate::legacy::SandboxLogin;
use crate::lock::lock;
use crate::log::LogLine;
use crate::operation::{ApiOperation, Host};
use crate::server;
use crate::state::{SandboxState, State};
use crate::upload::SandboxSession;
use crate::webhook;

/// The real hosts, for clients that cannot be given another one. The wildcard is for the instances
/// of the results host.
const REAL_HOSTS: [&str; 3] = [
    "upload-mtls.flinksapp.com",
    "toolbox-api.private.fin.ag",
    "*.private.fin.ag",
];

/// A running test server: both hosts, on loopback.
///
/// Dropping it stops it and closes every connection. Several sandboxes share nothing and may run at
/// the same time.
pub struct Sandbox {
    upload_url: String,
    results_url: String,
    authority: Authority,
    client: IssuedCertificate,
    files: Option<ClientFiles>,
    state: Arc<State>,
    tasks: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox with all defaults on the current tokio runtime.
    ///
    /// Both hosts are listening when this returns.
    ///
    /// # Errors
    ///
    /// Fails if no certificate can be made, or if the loopback address cannot be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns the options of a sandbox, all at their defaults.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    pub(crate) async fn from_config(config: Config) -> io::Result<Self> {
        let mut files = config
            .dir
            .as_deref()
            .map(ClientFiles::prepare)
            .transpose()?;
        let (authority, client) = match &files {
            Some(files) => files.certificates()?,
            None => client_files::new_certificates()?,
        };
        let (upload_port, results_port) = (config.upload_port, config.results_port);
        let (bind, versions) = (config.bind, config.tls);
        let on_untrusted = config.on_untrusted;
        let names = certificate_names(bind, &config.server_names);
        let url = config.webhook.as_deref();
        let sender = url.map(|url| webhook::sender(url, config.webhook_retry, &authority));
        let (queue, sender) = sender.transpose()?.unzip();
        let mut state = State::new(config);
        state.webhooks = queue.unwrap_or_default();
        let state = Arc::new(state);
        let start = async |host, port| {
            let acceptor = server::tls(host, &authority, versions, &names, on_untrusted)
                .map_err(io::Error::other)?;
            let listener = TcpListener::bind((bind, port)).await;
            let listener = listener
                .map_err(|error| io::Error::new(error.kind(), format!("port {port}: {error}")))?;
            let url = format!("https://{}", reachable(listener.local_addr()?));
            let serving = server::serve(listener, acceptor, host, Arc::clone(&state));
            io::Result::Ok((url, serving))
        };
        let (upload_url, upload) = start(Host::Upload, upload_port).await?;
        let (results_url, results) = start(Host::Results, results_port).await?;
        if let Some(files) = &mut files {
            files.write_settings(&Running {
                upload_url: &upload_url,
                results_url: &results_url,
                credentials: &state.config.credentials,
                sends_webhooks: sender.is_some(),
            })?;
        }
        let mut tasks = vec![tokio::spawn(upload), tokio::spawn(results)];
        tasks.extend(sender.map(|sender| tokio::spawn(sender.run(Arc::clone(&state)))));
        Ok(Self {
            upload_url,
            results_url,
            authority,
            client,
            files,
            state,
            tasks,
        })
    }

    /// Returns the base URL of the upload host, `https://127.0.0.1:PORT` unless it is
    /// [bound](SandboxBuilder::bind) to another address.
    #[must_use]
    pub fn upload_url(&self) -> &str {
        &self.upload_url
    }

    /// Returns the base URL of the results host, `https://127.0.0.1:PORT` unless it is
    /// [bound](SandboxBuilder::bind) to another address.
    #[must_use]
    pub fn results_url(&self) -> &str {
        &self.results_url
    }

    /// Returns the authority that both hosts present and trust.
    ///
    /// It issues further client certificates:
    ///
    /// ```
    /// use flinks_sandbox::Sandbox;
    /// use flinks_sandbox::certificates::{Authority, Validity};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let sandbox = Sandbox::start().await?;
    /// let second = sandbox.authority().issue_client("second client", Validity::Valid)?;
    /// let refused = Authority::new("Another CA")?.issue_client("stranger", Validity::Valid)?;
    /// # drop((second, refused));
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Returns the root certificate that a client has to trust, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.authority.ca_pem()
    }

    /// Returns a client certificate that the upload host accepts, as PEM.
    #[must_use]
    pub fn client_cert_pem(&self) -> &str {
        &self.client.cert_pem
    }

    /// Returns the private key of [`client_cert_pem`](Self::client_cert_pem), as PKCS#8 PEM.
    #[must_use]
    pub fn client_key_pem(&self) -> &str {
        &self.client.key_pem
    }

    /// Returns the files in the [folder](SandboxBuilder::dir), if there is one.
    #[must_use]
    pub fn files(&self) -> Option<&ClientFiles> {
        self.files.as_ref()
    }

    /// Returns the OAuth client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.state.config.credentials.client_id
    }

    /// Returns the OAuth client secret.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.state.config.credentials.client_secret
    }

    /// Returns the scope that is granted.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.state.config.credentials.scope
    }

    /// Returns the bearer of the fraud call and of *GetNightlyRefreshStatus*.
    #[must_use]
    pub fn api_secret(&self) -> &str {
        &self.state.config.credentials.api_secret
    }

    /// Returns the secret of *GenerateAuthorizeToken*, if authorize tokens are required.
    #[must_use]
    pub fn auth_key(&self) -> Option<&str> {
        self.state.config.credentials.auth_key.as_deref()
    }

    /// Returns the `x-api-key` of the legacy data calls, if it is required.
    #[must_use]
    pub fn x_api_key(&self) -> Option<&str> {
        self.state.config.credentials.x_api_key.as_deref()
    }

    /// Returns the secret that signs webhooks.
    #[must_use]
    pub fn webhook_secret(&self) -> &str {
        &self.state.config.credentials.webhook_secret
    }

    /// Returns the customer in the paths of the results host.
    #[must_use]
    pub fn customer_id(&self) -> &str {
        &self.state.config.credentials.customer_id
    }

    /// Returns every request so far, in the order in which they were answered, and every connection
    /// whose handshake failed.
    ///
    /// A request is in the log before its answer is sent.
    #[must_use]
    pub fn log(&self) -> Vec<LogLine> {
        self.state.log.lines()
    }

    /// Returns the number of requests of an operation, answered or not.
    #[must_use]
    pub fn requests(&self, operation: ApiOperation) -> usize {
        usize::try_from(self.state.requests(operation)).unwrap_or(usize::MAX)
    }

    /// Returns the number of connections that are open now, on both hosts.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        Arc::strong_count(&self.state.connection) - 1
    }

    /// Returns every upload session, in the order in which they were opened.
    #[must_use]
    pub fn sessions(&self) -> Vec<SandboxSession> {
        lock(&self.state.sessions).all()
    }

    /// Returns every login that the legacy API stores, in the order of the LoginIds.
    #[must_use]
    pub fn logins(&self) -> Vec<SandboxLogin> {
        lock(&self.state.legacy).logins()
    }

    /// Returns what the sandbox has received and stores, as `GET /sandbox/state` answers it.
    #[must_use]
    pub fn state(&self) -> SandboxState {
        self.state.snapshot()
    }

    /// Returns the upload session that *complete* gave this LoginId.
    #[must_use]
    pub fn upload(&self, login_id: &str) -> Option<SandboxSession> {
        let sessions = lock(&self.state.sessions);
        sessions.with_login(login_id).map(|it| it.session.clone())
    }

    /// Goes back to the start: sessions, tokens, logins, analyses, counters and the log are gone,
    /// and the faults are those of the [builder](SandboxBuilder::fault).
    ///
    /// Clients have to request a new token. Connections stay open.
    pub fn reset(&self) {
        self.state.reset();
    }

    /// Sets the fraud analysis of a LoginId, whether the sandbox knows it or not.
    ///
    /// It is served from the next request on, without any
    /// [processing time](SandboxBuilder::processing).
    ///
    /// ```
    /// use flinks_sandbox::{Analysis, Sandbox, Signal};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let sandbox = Sandbox::start().await?;
    /// let signal = Signal::new("DATE_EDITS").page(2).count(1);
    /// sandbox.set_analysis("9d41a1a2-0000-4000-8000-000000000000", Analysis::flagged([signal]));
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_analysis(&self, login_id: &str, analysis: Analysis) {
        self.state.set_analysis(login_id, analysis);
    }

    /// Sets the accounts of a LoginId, which gets a card if it has none: a cached *Authorize* then
    /// opens a session of it, as of the LoginId of an upload.
    ///
    /// A JSON array is the `Accounts` of *GetAccountsDetail* and *GetAccountsSummary*, and the sandbox
    /// adds the rest of the answer. A JSON object is the whole answer. Either is served from the next
    /// request on, as it is: without any [processing time](SandboxBuilder::processing), and whatever
    /// the call's options select.
    ///
    /// ```
    /// use flinks_sandbox::{CLEAN_LOGIN_ID, Sandbox};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let sandbox = Sandbox::start().await?;
    /// let accounts = r#"[{"Title": "Chequing", "Balance": {"Current": 1250.10}, "Transactions": []}]"#;
    /// sandbox.set_accounts(CLEAN_LOGIN_ID, accounts)?;
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the text is not a JSON array or object.
    pub fn set_accounts(&self, login_id: &str, json: &str) -> io::Result<()> {
        self.state.set_accounts(login_id, json)
    }

    /// Sets the fraud analysis of the next upload that is completed, whose LoginId is not known
    /// yet.
    ///
    /// Several calls are for several uploads, in their order. Otherwise as
    /// [`set_analysis`](Self::set_analysis).
    pub fn set_next_analysis(&self, analysis: Analysis) {
        self.state.set_next_analysis(analysis);
    }

    /// Adds a fault.
    ///
    /// Requests are counted from the start of the sandbox or its last [reset](Self::reset), not
    /// from this call, unless the fault says so: `upload@+1=torn` is about the next upload.
    pub fn inject(&self, fault: Fault) {
        self.state.inject(vec![fault]);
    }

    /// Removes every fault, those of the [builder](SandboxBuilder::fault) too.
    pub fn clear_faults(&self) {
        self.state.clear_faults();
    }

    /// Stops both hosts. Neither is listening when this returns.
    pub async fn shutdown(mut self) {
        for task in &mut self.tasks {
            task.abort();
            // The error says that it was aborted.
            drop(task.await);
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sandbox")
            .field("upload_url", &self.upload_url)
            .field("results_url", &self.results_url)
            .finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Returns the names in the certificates of both hosts.
fn certificate_names(bind: IpAddr, further: &[String]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string()];
    let bound = if bind == Ipv6Addr::UNSPECIFIED {
        Ipv6Addr::LOCALHOST.into()
    } else {
        bind
    };
    if !bound.is_unspecified() && bound != Ipv4Addr::LOCALHOST {
        names.push(bound.to_string());
    }
    names.extend(REAL_HOSTS.map(str::to_owned));
    names.extend_from_slice(further);
    names
}

/// Returns an address at which a client on this machine reaches a listener.
fn reachable(mut listening: SocketAddr) -> SocketAddr {
    match listening.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => listening.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => listening.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    listening
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificates_name_what_is_bound() {
        let names = |bind: &str| certificate_names(bind.parse().unwrap(), &["own".to_owned()]);
        let own = names("127.0.0.1");
        assert_eq!(own.first().map(String::as_str), Some("localhost"));
        for name in ["127.0.0.1", "upload-mtls.flinksapp.com", "own"] {
            assert_eq!(
                own.iter().filter(|other| *other == name).count(),
                1,
                "{name}"
            );
        }
        assert!(!own.contains(&"::1".to_owned()));
        assert!(names("::").contains(&"::1".to_owned()));
        assert!(names("192.0.2.7").contains(&"192.0.2.7".to_owned()));
        assert_eq!(names("0.0.0.0"), own);
    }

    #[test]
    fn a_client_connects_to_loopback_if_every_address_is_bound() {
        for (listening, to) in [
            ("0.0.0.0:7", "127.0.0.1:7"),
            ("[::]:7", "[::1]:7"),
            ("192.0.2.7:7", "192.0.2.7:7"),
        ] {
            assert_eq!(reachable(listening.parse().unwrap()).to_string(), to);
        }
    }
}
