//! The sandbox itself: starting it, asking it, stopping it.

use std::{fmt, io, net::Ipv4Addr, path::Path, sync::Arc};

use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    certificates::{Authorities, ClientCertificate, Identity},
    config::Config,
    directory::Directory,
    fault::Fault,
    legacy::Login,
    lock,
    log::LogLine,
    operation::{Host, Operation},
    server,
    state::{Session, State},
};

/// A running test server: both hosts, on loopback.
///
/// Dropping it stops it, with every connection. Several may run at once: they share nothing.
pub struct Sandbox {
    upload_url: String,
    results_url: String,
    authorities: Authorities,
    client: Identity,
    state: Arc<State>,
    hosts: [JoinHandle<()>; 2],
}

impl Sandbox {
    /// Makes certificates and starts both hosts on the current tokio runtime.
    ///
    /// When this returns, both are listening.
    ///
    /// # Errors
    ///
    /// A port that is taken, or a certificate that could not be made.
    pub async fn start(config: Config) -> io::Result<Self> {
        let authorities = Authorities::new().map_err(io::Error::other)?;
        let client = authorities
            .issue(&ClientCertificate::new("sandbox client"))
            .map_err(io::Error::other)?;
        let (upload_port, results_port) = (config.upload_port, config.results_port);
        let versions = config.tls;
        let state = Arc::new(State::new(config));
        let start = async |host, port| {
            let acceptor =
                server::tls(host, &authorities.own, versions).map_err(io::Error::other)?;
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
            let listener = listener
                .map_err(|error| io::Error::new(error.kind(), format!("port {port}: {error}")))?;
            let url = format!("https://{}", listener.local_addr()?);
            let serving = server::serve(listener, acceptor, host, Arc::clone(&state));
            io::Result::Ok((url, serving))
        };
        let (upload_url, upload) = start(Host::Upload, upload_port).await?;
        let (results_url, results) = start(Host::Results, results_port).await?;
        let hosts = [tokio::spawn(upload), tokio::spawn(results)];
        Ok(Self {
            upload_url,
            results_url,
            authorities,
            client,
            state,
            hosts,
        })
    }

    /// Base URL of the upload host, `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn upload_url(&self) -> &str {
        &self.upload_url
    }

    /// Base URL of the results host, `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn results_url(&self) -> &str {
        &self.results_url
    }

    /// The authority of both hosts, the root that a client has to trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.authorities.own.pem()
    }

    /// A client certificate that the upload host accepts.
    #[must_use]
    pub fn client_cert_pem(&self) -> &str {
        &self.client.cert_pem
    }

    /// The private key of that certificate: PKCS#8, P-256.
    #[must_use]
    pub fn client_key_pem(&self) -> &str {
        &self.client.key_pem
    }

    /// OAuth client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.state.config.credentials.client_id
    }

    /// OAuth client secret.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.state.config.credentials.client_secret
    }

    /// The scope that is granted.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.state.config.credentials.scope
    }

    /// The bearer of the fraud call and of *GetNightlyRefreshStatus*.
    #[must_use]
    pub fn api_secret(&self) -> &str {
        &self.state.config.credentials.api_secret
    }

    /// The secret of *GenerateAuthorizeToken*, if authorize tokens are asked for.
    #[must_use]
    pub fn auth_key(&self) -> Option<&str> {
        self.state.config.credentials.auth_key.as_deref()
    }

    /// The `x-api-key` of the legacy data calls, if it is asked for.
    #[must_use]
    pub fn x_api_key(&self) -> Option<&str> {
        self.state.config.credentials.x_api_key.as_deref()
    }

    /// The customer in the path of the fraud call and of all legacy calls.
    #[must_use]
    pub fn customer_id(&self) -> &str {
        &self.state.config.credentials.customer_id
    }

    /// Issues another client certificate, valid or not, each with its own key.
    ///
    /// # Panics
    ///
    /// If the operating system gives no random bytes for the key.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a test can do nothing without its certificate"
    )]
    pub fn issue_client(&self, certificate: ClientCertificate) -> Identity {
        self.authorities
            .issue(&certificate)
            .expect("a key and a certificate can be made")
    }

    /// Every request so far, in the order in which they were answered.
    ///
    /// A line is here before its answer is sent.
    #[must_use]
    pub fn log(&self) -> Vec<LogLine> {
        self.state.log.lines()
    }

    /// How many requests of an operation have arrived, answered or not.
    #[must_use]
    pub fn requests(&self, operation: Operation) -> usize {
        usize::try_from(self.state.requests(operation)).unwrap_or(usize::MAX)
    }

    /// Every upload session, in the order in which they were opened.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        lock(&self.state.sessions).all()
    }

    /// Every login that the legacy API keeps, in the order of the LoginIds.
    #[must_use]
    pub fn logins(&self) -> Vec<Login> {
        lock(&self.state.legacy).logins()
    }

    /// Adds a fault. Requests are counted from the start of the sandbox, not from here.
    pub fn inject(&self, fault: Fault) {
        self.state.inject(fault);
    }

    /// Writes `ca.pem`, `client.pem`, `client.key` and `env` into `directory`, creating it with
    /// mode 0700.
    ///
    /// `env` holds `export FLINKS_…='…'` lines for a shell. All are readable by their owner only.
    /// Files of these names are replaced; a link of such a name is replaced too, not followed.
    ///
    /// # Errors
    ///
    /// What the file system says; on Unix, a directory that belongs to another user or that
    /// everybody may write into.
    pub fn write_dir(&self, directory: &Path) -> io::Result<Directory> {
        Directory::write(directory, self)
    }

    /// Stops both hosts; when this returns, nothing listens any more.
    pub async fn shutdown(mut self) {
        for host in &mut self.hosts {
            host.abort();
            // Being aborted is how it ends.
            drop(host.await);
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
        for host in &self.hosts {
            host.abort();
        }
    }
}
