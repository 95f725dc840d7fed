//! Level 3: the same case over real TLS on loopback.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};

use flinks_sandbox::certificates::{Authority, Validity};
use flinks_sandbox::{ConnectProxy, ProxyConfig};
use flinks_transport::{ClientIdentity, Endpoint, Proxy, Roots, TlsVersion, Transport};
use flinks_types::Secret;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpListener;
use tokio::time::{Duration, timeout};

use super::stack::runtime;
use super::{Assemble, CaseRun, SetupError, setup_error};
use crate::case::{ClientCertificate, ServerCertificate};
use crate::check;
use crate::corpus::Fixture;
use crate::keys::Keys;
use crate::layer_probes::LayerProbes;
use crate::logs::Logs;
use crate::operations::{CaseCall, Host, Outcome, Stack};
use crate::script::Script;
use crate::server::serve;

/// A case at this level waits at most 1.5 s at a time.
const PATIENCE: Duration = Duration::from_secs(20);

/// How level 3 speaks TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Wire {
    /// The version that both sides speak.
    pub version: TlsVersion,
    /// Whose cryptography the server uses. The client uses the process's own.
    pub provider: Provider,
    /// Whether the client reaches the server through a proxy that requires a password. The cases of a
    /// refused connection do not apply: the proxy accepts it.
    pub through_proxy: bool,
}

impl Wire {
    /// TLS with this version and provider.
    #[must_use]
    pub const fn new(version: TlsVersion, provider: Provider) -> Self {
        Self {
            version,
            provider,
            through_proxy: false,
        }
    }

    /// The same, through a proxy.
    #[must_use]
    pub const fn through_proxy(mut self) -> Self {
        self.through_proxy = true;
        self
    }
}

/// Whose cryptography is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Provider {
    /// *ring*.
    Ring,
    /// AWS-LC.
    #[cfg(feature = "aws-lc-rs")]
    AwsLcRs,
}

impl Provider {
    fn load(self) -> CryptoProvider {
        match self {
            Self::Ring => rustls::crypto::ring::default_provider(),
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs => rustls::crypto::aws_lc_rs::default_provider(),
        }
    }

    /// Makes it the process's own, as an application would: transports built from now on use it.
    ///
    /// # Errors
    /// The process has one already.
    pub fn install(self) -> Result<(), &'static str> {
        self.load()
            .install_default()
            .map_err(|_| "the process has a crypto provider already")
    }
}

/// The name that the client connects to.
const HOST: &str = "localhost";

/// Two authorities, of which one is trusted; made once a process.
struct Authorities {
    trusted: Authority,
    other: Authority,
}

impl Authorities {
    fn get() -> Result<&'static Self, SetupError> {
        static MADE: OnceLock<Authorities> = OnceLock::new();
        if MADE.get().is_none() {
            let made = Self {
                trusted: Authority::new("Conformance CA").map_err(setup_error)?,
                other: Authority::new("Another CA").map_err(setup_error)?,
            };
            drop(MADE.set(made));
        }
        MADE.get().ok_or_else(|| setup_error("no certificates"))
    }
}

pub(super) fn run(
    fixture: &Fixture,
    call: &dyn CaseCall,
    wire: &Wire,
    assemble: &Assemble,
    logs: &Logs,
) -> Result<CaseRun, SetupError> {
    let script = Script::new(fixture);
    let authorities = Authorities::get()?;
    let is_upload = call.host() == Host::Upload;
    let tls = Arc::new(server_config(authorities, fixture, wire, is_upload)?);
    let probes = LayerProbes::default();
    let identity = identity(authorities, fixture, is_upload)?;
    let outcome = runtime(logs, false)?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(setup_error)?;
        let port = listener.local_addr().map_err(setup_error)?.port();
        let endpoint = Endpoint::new(&format!("https://{HOST}:{port}")).map_err(setup_error)?;
        let roots = Roots::pem(authorities.trusted.ca_pem().as_bytes()).map_err(setup_error)?;
        let mut builder = Transport::builder().roots(roots).tls_version(wire.version);
        let proxy = match wire.through_proxy {
            true => Some(proxy(port).await.map_err(setup_error)?),
            false => None,
        };
        if let Some(proxy) = &proxy {
            let setting = Proxy::new(&proxy.url())
                .and_then(|it| it.with_credentials(PROXY.0, Secret::new(PROXY.1)));
            builder = builder.proxy(setting.map_err(setup_error)?);
        }
        if let Some(identity) = identity {
            builder = builder.identity(identity);
        }
        let transport = match assemble(probes.add(builder)) {
            Ok(transport) => transport,
            Err(error) => return Ok(Outcome::failed(error)),
        };
        let stack = Stack {
            transport,
            endpoint,
            credentials: fixture.case.call.credentials,
            keys: Keys::standard(),
        };
        let mut outcome = tokio::select! {
            () = serve(listener, tls, script.clone()) => Err(setup_error("the server stopped")),
            outcome = timeout(PATIENCE, call.run(&stack)) => {
                outcome.map_err(|_| setup_error("the call does not end"))
            }
        }?;
        if let Some(proxy) = proxy {
            let heads = proxy.heads().concat();
            let lines = heads.lines();
            let rest = lines.filter(|line| !line.starts_with("Proxy-Authorization: "));
            outcome
                .texts
                .push(("what the proxy received", rest.collect()));
        }
        Ok(outcome)
    })?;
    let (mut requests, _) = script.close();
    // A flow makes several calls.
    requests.extend(probes.misplaced(false, script.arrived()));
    let problems = check::outcome(fixture, &outcome);
    Ok(CaseRun::of(requests, problems, outcome).probed(&probes, call, fixture))
}

/// The user and password of the proxy.
pub(super) const PROXY: (&str, &str) = ("proxy-user", "canary-of-the-proxy");

/// A proxy that alone knows where the server is.
async fn proxy(port: u16) -> io::Result<ConnectProxy> {
    let mut config = ProxyConfig::default();
    config.resolve(HOST, &format!("https://127.0.0.1:{port}"))?;
    config.credentials = Some((PROXY.0.to_owned(), PROXY.1.to_owned()));
    ConnectProxy::start(config).await
}

/// The client's certificate: only the upload host requires one.
fn identity(
    authorities: &Authorities,
    fixture: &Fixture,
    is_upload: bool,
) -> Result<Option<ClientIdentity>, SetupError> {
    let (authority, validity) = match fixture.case.tls.client {
        ClientCertificate::Valid if !is_upload => return Ok(None),
        ClientCertificate::Valid => (&authorities.trusted, Validity::Valid),
        ClientCertificate::None => return Ok(None),
        ClientCertificate::OtherCa => (&authorities.other, Validity::Valid),
        ClientCertificate::Expired => (&authorities.trusted, Validity::Expired),
    };
    let issued = authority.issue_client("conformance-client", validity);
    let issued = issued.map_err(setup_error)?;
    let identity = ClientIdentity::from_pem(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes());
    identity.map(Some).map_err(setup_error)
}

fn server_config(
    authorities: &Authorities,
    fixture: &Fixture,
    wire: &Wire,
    is_upload: bool,
) -> Result<rustls::ServerConfig, SetupError> {
    let provider = Arc::new(wire.provider.load());
    let version = match wire.version {
        TlsVersion::Tls12 => &rustls::version::TLS12,
        TlsVersion::Tls13 | _ => &rustls::version::TLS13,
    };
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .map_err(setup_error)?;
    let builder = if is_upload {
        let ca = CertificateDer::from_pem_slice(authorities.trusted.ca_pem().as_bytes());
        let mut trusted = RootCertStore::empty();
        trusted.add(ca.map_err(setup_error)?).map_err(setup_error)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider);
        builder.with_client_cert_verifier(verifier.build().map_err(setup_error)?)
    } else {
        builder.with_no_client_auth()
    };
    let (authority, host, validity) = match fixture.case.tls.server {
        ServerCertificate::Valid => (&authorities.trusted, HOST, Validity::Valid),
        ServerCertificate::OtherCa => (&authorities.other, HOST, Validity::Valid),
        ServerCertificate::WrongHost => (&authorities.trusted, "other.test", Validity::Valid),
        ServerCertificate::Expired => (&authorities.trusted, HOST, Validity::Expired),
    };
    let issued = authority
        .issue_server(&[host], validity)
        .map_err(setup_error)?;
    let certificate = CertificateDer::from_pem_slice(issued.cert_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes());
    builder
        .with_single_cert(
            vec![certificate.map_err(setup_error)?],
            key.map_err(setup_error)?,
        )
        .map_err(setup_error)
}
