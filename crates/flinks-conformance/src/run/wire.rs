//! Level 3: the same case over real TLS on loopback.

use std::net::Ipv4Addr;
use std::sync::Arc;

use flinks_transport::{
    ClientIdentity, Endpoint, Error, Roots, TlsVersion, Transport, TransportBuilder,
};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpListener;
use tokio::time::{Duration, timeout};

use super::stack::runtime;
use super::{Assemble, Broken, Ran, broken, credentials};
use crate::case::{ClientCertificate, Credentials, ServerCertificate};
use crate::certificates::{Certificates, HOST, Identity, certificates};
use crate::check;
use crate::corpus::Fixture;
use crate::keys::Keys;
use crate::logs::Logs;
use crate::operations::{Outcome, Parsed, Stack};
use crate::script::Script;
use crate::server::serve;
use crate::watch::Watches;

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
}

impl Wire {
    /// TLS with this version and provider.
    #[must_use]
    pub const fn new(version: TlsVersion, provider: Provider) -> Self {
        Self { version, provider }
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

pub(super) fn run(
    fixture: &Fixture,
    parsed: &Parsed,
    wire: &Wire,
    assemble: &Assemble,
    logs: &Logs,
) -> Result<Ran, Broken> {
    let credentials = credentials(&fixture.case.call, parsed);
    let script = Script::new(&fixture.steps, fixture.case.any_order, credentials);
    let made = certificates().map_err(broken)?;
    let tls = Arc::new(server_config(made, fixture, wire, credentials)?);
    let watches = Watches::default();
    let outcome = runtime(logs, false)?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(broken)?;
        let port = listener.local_addr().map_err(broken)?.port();
        let endpoint = Endpoint::new(&format!("https://{HOST}:{port}")).map_err(broken)?;
        let builder = builder(made, fixture, wire, credentials);
        let builder = builder.map(|builder| watches.add(builder));
        let transport = match builder.and_then(assemble) {
            Ok(transport) => transport,
            Err(error) => return Ok(Outcome::failed(error)),
        };
        let stack = Stack {
            transport,
            endpoint,
            credentials,
            keys: Keys::standard(),
        };
        tokio::select! {
            () = serve(listener, tls, script.clone()) => Err(broken("the server stopped")),
            outcome = timeout(PATIENCE, parsed.run(&stack)) => {
                outcome.map_err(|_| broken("the call does not end"))
            }
        }
    })?;
    let (mut asked, _) = script.close();
    // A flow makes several calls.
    asked.extend(watches.misplaced(false, script.arrived()));
    let came = check::outcome(fixture, &outcome);
    Ok(Ran::of(asked, came, outcome).watched(&watches, credentials))
}

fn builder(
    made: &Certificates,
    fixture: &Fixture,
    wire: &Wire,
    credentials: Credentials,
) -> Result<TransportBuilder, Error> {
    let roots = Roots::pem(made.ca_pem.as_bytes())?;
    let builder = Transport::builder().roots(roots).tls_version(wire.version);
    let identity = match fixture.case.tls.client {
        // Only the upload host asks for a certificate.
        ClientCertificate::Valid if !wants_certificate(credentials) => None,
        ClientCertificate::Valid => Some(&made.client),
        ClientCertificate::None => None,
        ClientCertificate::OtherCa => Some(&made.client_of_other_ca),
        ClientCertificate::Expired => Some(&made.client_expired),
    };
    match identity {
        Some(Identity {
            certificate_pem,
            key_pem,
            ..
        }) => {
            let identity =
                ClientIdentity::from_pem(certificate_pem.as_bytes(), key_pem.as_bytes())?;
            Ok(builder.identity(identity))
        }
        None => Ok(builder),
    }
}

/// The upload host; a case without credentials presents its certificate anywhere.
const fn wants_certificate(credentials: Credentials) -> bool {
    matches!(credentials, Credentials::Oauth | Credentials::None)
}

fn server_config(
    made: &Certificates,
    fixture: &Fixture,
    wire: &Wire,
    credentials: Credentials,
) -> Result<rustls::ServerConfig, Broken> {
    let provider = Arc::new(wire.provider.load());
    let version = match wire.version {
        TlsVersion::Tls12 => &rustls::version::TLS12,
        TlsVersion::Tls13 | _ => &rustls::version::TLS13,
    };
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .map_err(broken)?;
    let builder = if !wants_certificate(credentials) {
        builder.with_no_client_auth()
    } else {
        let mut trusted = RootCertStore::empty();
        trusted.add(made.ca.clone()).map_err(broken)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider);
        builder.with_client_cert_verifier(verifier.build().map_err(broken)?)
    };
    let server = match fixture.case.tls.server {
        ServerCertificate::Valid => &made.server,
        ServerCertificate::OtherCa => &made.server_of_other_ca,
        ServerCertificate::WrongHost => &made.server_of_other_host,
        ServerCertificate::Expired => &made.server_expired,
    };
    let key = server.key().map_err(broken)?;
    builder
        .with_single_cert(vec![server.certificate.clone()], key)
        .map_err(broken)
}
