//! The sandbox itself: starting it, asking it, stopping it.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::certificates::{Authority, IssuedCertificate, Validity};
use crate::client_files::ClientFiles;
use crate::config::Config;
use crate::fault::Fault;
use crate::legacy::SandboxLogin;
use crate::lock::lock;
use crate::log::LogLine;
use crate::operation::{ApiOperation, Host};
use crate::server;
use crate::state::State;
use crate::upload::SandboxSession;

/// A running test server: both hosts, on loopback.
///
/// Dropping it stops it, with every connection. Several may run at once: they share nothing.
pub struct Sandbox {
    upload_url: String,
    results_url: String,
    authority: Authority,
    client: IssuedCertificate,
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
        let authority = Authority::new("flinks sandbox authority")?;
        let client = authority.issue_client("sandbox client", Validity::Valid)?;
        let (upload_port, results_port) = (config.upload_port, config.results_port);
        let versions = config.tls;
        let state = Arc::new(State::new(config));
        let start = async |host, port| {
            let acceptor = server::tls(host, &authority, versions).map_err(io::Error::other)?;
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
            authority,
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

    /// Returns the authority that both hosts present and trust.
    ///
    /// It issues further client certificates:
    ///
    /// ```
    /// use flinks_sandbox::{Config, Sandbox};
    /// use flinks_sandbox::certificates::{Authority, Validity};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let sandbox = Sandbox::start(Config::default()).await?;
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

    /// Every request so far, in the order in which they were answered.
    ///
    /// A line is here before its answer is sent.
    #[must_use]
    pub fn log(&self) -> Vec<LogLine> {
        self.state.log.lines()
    }

    /// How many requests of an operation have arrived, answered or not.
    #[must_use]
    pub fn requests(&self, operation: ApiOperation) -> usize {
        usize::try_from(self.state.requests(operation)).unwrap_or(usize::MAX)
    }

    /// Every upload session, in the order in which they were opened.
    #[must_use]
    pub fn sessions(&self) -> Vec<SandboxSession> {
        lock(&self.state.sessions).all()
    }

    /// Every login that the legacy API keeps, in the order of the LoginIds.
    #[must_use]
    pub fn logins(&self) -> Vec<SandboxLogin> {
        lock(&self.state.legacy).logins()
    }

    /// Sets the fraud analysis of a LoginId, whether the sandbox knows it or not.
    ///
    /// A JSON array is the `DocumentAnalysis`, and the sandbox adds the rest of the answer. A JSON
    /// object is the whole answer. Either is served from the next request on, without any
    /// [processing time](Config::processing).
    ///
    /// ```
    /// use flinks_sandbox::{Config, Sandbox};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let sandbox = Sandbox::start(Config::default()).await?;
    /// sandbox.set_analysis(
    ///     "9d41a1a2-0000-4000-8000-000000000000",
    ///     r#"[{"Status": "COMPLETED", "FullAnalysis": [{
    ///         "DocumentType": "BANK_STATEMENT",
    ///         "FraudSignals": [{"Type": "DATE_EDITS", "PageNumber": 2, "Count": 1}]
    ///     }]}]"#,
    /// )?;
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the text is not a JSON array or object.
    pub fn set_analysis(&self, login_id: &str, json: &str) -> io::Result<()> {
        let analysis: Value = serde_json::from_str(json)?;
        if !analysis.is_array() && !analysis.is_object() {
            let kind = io::ErrorKind::InvalidData;
            return Err(io::Error::new(
                kind,
                "an analysis is a JSON array or object",
            ));
        }
        lock(&self.state.analyses).insert(login_id.to_owned(), analysis);
        Ok(())
    }

    /// Adds a fault. Requests are counted from the start of the sandbox, not from here.
    pub fn inject(&self, fault: Fault) {
        lock(&self.state.faults).push(fault);
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
    pub fn write_dir(&self, directory: &Path) -> io::Result<ClientFiles> {
        ClientFiles::write(directory, self)
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
