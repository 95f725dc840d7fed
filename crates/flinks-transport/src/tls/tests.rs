//! Handshakes over loopback: a rejected client certificate is distinguished from a bad server certificate.

use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose as Purpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::ErrorKind;
use crate::IdentityErrorKind as Kind;

pub(crate) const HOST: &str = "upload.test";
pub(crate) const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority(name: &str) -> Authority {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn client_config(
    identity: Option<&ClientIdentity>,
    roots: &Roots,
    version: Option<TlsVersion>,
    crypto: Option<CryptoProvider>,
) -> ClientConfig {
    let settings = TlsSettings::new(roots, version, crypto).unwrap();
    settings.client_config(identity).unwrap()
}

/// A provider chosen on the builder, for which the identity's key is loaded again.
fn chosen() -> Option<CryptoProvider> {
    #[cfg(feature = "aws-lc-rs")]
    return Some(CryptoProvider::aws_lc_rs());
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    return Some(CryptoProvider::ring());
    #[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
    return None;
}

pub(crate) struct Leaf {
    certificate: Certificate,
    key: KeyPair,
}

impl Leaf {
    pub(crate) fn new(issuer: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
        change(&mut parameters);
        let certificate = parameters.signed_by(&key, issuer).unwrap();
        Self { certificate, key }
    }

    pub(crate) fn identity(&self) -> ClientIdentity {
        let (certificate, key) = (self.certificate.pem(), self.key.serialize_pem());
        ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
    }
}

pub(crate) fn expired(parameters: &mut CertificateParams) {
    parameters.not_after = date_time_ymd(2001, 1, 1);
}

fn not_yet_valid(parameters: &mut CertificateParams) {
    parameters.not_before = date_time_ymd(4000, 1, 1);
}

fn for_clients_only(parameters: &mut CertificateParams) {
    parameters.extended_key_usages = vec![Purpose::ClientAuth];
}

pub(crate) fn roots(authority: &Authority) -> Roots {
    Roots::pem(authority.pem().as_bytes()).unwrap()
}

fn supported(version: TlsVersion) -> &'static SupportedProtocolVersion {
    match version {
        TlsVersion::Tls12 => &rustls::version::TLS12,
        TlsVersion::Tls13 => &rustls::version::TLS13,
    }
}

/// A server that speaks `version` and demands a certificate of `clients`, if given.
pub(crate) fn server(leaf: &Leaf, version: TlsVersion, clients: Option<&Authority>) -> TlsAcceptor {
    let provider = provider(None).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[supported(version)])
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut store = RootCertStore::empty();
            store.add(authority.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf.key.serialize_der()));
    let mut config = builder
        .with_single_cert(vec![leaf.certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// What the client learns: the protocol agreed on and the server's greeting, or its error.
async fn connect(server: TlsAcceptor, config: ClientConfig, host: &str) -> io::Result<Vec<u8>> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async {
        let (tcp, _) = listener.accept().await.unwrap();
        match server.accept(tcp).into_fallible().await {
            Ok(mut stream) => {
                stream.write_all(b" hello").await.unwrap();
                stream.shutdown().await.unwrap();
                Ok(stream)
            }
            // Handing the socket on keeps it open until the client has read the alert.
            Err((_, tcp)) => Err(tcp),
        }
    };
    let client = async {
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut stream = TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await?;
        let mut seen = stream
            .get_ref()
            .1
            .alpn_protocol()
            .unwrap_or_default()
            .to_vec();
        stream.read_to_end(&mut seen).await?;
        Ok(seen)
    };
    let (_server, seen) = tokio::join!(serve, client);
    seen
}

async fn failure(server: TlsAcceptor, config: ClientConfig) -> TlsFailure {
    let error = connect(server, config, HOST).await.unwrap_err();
    classify(&error).unwrap_or_else(|| panic!("not classified: {error}"))
}

#[tokio::test]
async fn a_good_identity_is_presented_and_http_1_is_agreed_on() {
    let (servers, clients) = (authority("servers"), authority("clients"));
    let leaf = Leaf::new(&servers, |_| {});
    let identity = Leaf::new(&clients, |_| {}).identity();
    for version in VERSIONS {
        for restricted in [None, Some(version)] {
            let server = server(&leaf, version, Some(&clients));
            let config = client_config(Some(&identity), &roots(&servers), restricted, chosen());
            assert_eq!(
                connect(server, config, HOST).await.unwrap(),
                b"http/1.1 hello"
            );
        }
        // An identity is not presented to a server that does not request one.
        let config = client_config(Some(&identity), &roots(&servers), None, None);
        let server = server(&leaf, version, None);
        assert_eq!(
            connect(server, config, HOST).await.unwrap(),
            b"http/1.1 hello"
        );
    }
}

#[tokio::test]
async fn a_refused_client_certificate_is_recognised() {
    let (servers, clients) = (authority("servers"), authority("clients"));
    let leaf = Leaf::new(&servers, |_| {});
    let stranger = Leaf::new(&authority("others"), |_| {}).identity();
    // Same name, another key: the server finds the issuer but the signature does not fit.
    let forged = Leaf::new(&authority("clients"), |_| {}).identity();
    let late = Leaf::new(&clients, expired).identity();
    let early = Leaf::new(&clients, not_yet_valid).identity();
    let for_servers = Leaf::new(&clients, |parameters| {
        parameters.extended_key_usages = vec![Purpose::ServerAuth];
    })
    .identity();
    for version in VERSIONS {
        for (case, identity, advice) in [
            ("missing", None, "got none"),
            ("unknown issuer", Some(&stranger), "client certificate"),
            ("forged", Some(&forged), "issuer"),
            ("expired", Some(&late), "expired or is not valid yet"),
            ("not yet valid", Some(&early), "expired or is not valid yet"),
            ("wrong purpose", Some(&for_servers), "client certificate"),
        ] {
            let server = server(&leaf, version, Some(&clients));
            let config = client_config(identity, &roots(&servers), None, None);
            let failure = failure(server, config).await;
            assert_eq!(
                failure.error_kind(),
                ErrorKind::ClientCertificate,
                "{version:?} {case}"
            );
            assert!(failure.is_certificate());
            let message = failure.message();
            assert!(message.contains(advice), "{version:?} {case}: {message}");
        }
    }
}

#[tokio::test]
async fn a_bad_server_certificate_is_recognised() {
    let (servers, others) = (authority("servers"), authority("others"));
    let other_host = |parameters: &mut CertificateParams| {
        *parameters = CertificateParams::new(vec!["other.test".to_owned()]).unwrap();
    };
    for version in VERSIONS {
        for (case, leaf, advice) in [
            (
                "unknown issuer",
                Leaf::new(&others, |_| {}),
                "root certificates",
            ),
            (
                "forged",
                Leaf::new(&authority("servers"), |_| {}),
                "with another key",
            ),
            (
                "wrong host",
                Leaf::new(&servers, other_host),
                "not for `upload.test` but for `other.test`",
            ),
            ("expired", Leaf::new(&servers, expired), "expired on"),
            (
                "not yet valid",
                Leaf::new(&servers, not_yet_valid),
                "not valid until",
            ),
            (
                "wrong purpose",
                Leaf::new(&servers, for_clients_only),
                "not meant for servers",
            ),
        ] {
            let server = server(&leaf, version, None);
            let config = client_config(None, &roots(&servers), None, None);
            let failure = failure(server, config).await;
            assert_eq!(
                failure.error_kind(),
                ErrorKind::ServerCertificate,
                "{version:?} {case}"
            );
            assert!(failure.is_certificate());
            let message = failure.message();
            assert!(message.contains(advice), "{version:?} {case}: {message}");
        }
    }
}

#[tokio::test]
async fn an_address_is_checked_like_a_name() {
    let servers = authority("servers");
    let leaf = Leaf::new(&servers, |_| {});
    let config = client_config(None, &roots(&servers), None, None);
    let server = server(&leaf, TlsVersion::Tls13, None);
    let error = connect(server, config, "127.0.0.1").await.unwrap_err();
    assert!(classify(&error).unwrap().message().contains("`127.0.0.1`"));
}

#[tokio::test]
async fn no_version_in_common_is_a_matter_of_the_handshake() {
    let servers = authority("servers");
    let leaf = Leaf::new(&servers, |_| {});
    for (theirs, ours) in [
        (TlsVersion::Tls12, TlsVersion::Tls13),
        (TlsVersion::Tls13, TlsVersion::Tls12),
    ] {
        let config = client_config(None, &roots(&servers), Some(ours), None);
        let failure = failure(server(&leaf, theirs, None), config).await;
        assert_eq!(failure.error_kind(), ErrorKind::Connect);
        assert!(!failure.is_certificate());
        assert!(failure.message().contains("TLS"));
    }
}

#[tokio::test]
async fn plain_http_on_the_port_is_recognised() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tcp.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        tcp
    };
    let config = client_config(None, &roots(&authority("servers")), None, None);
    let client = async {
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await
            .unwrap_err()
    };
    let (_server, error) = tokio::join!(serve, client);
    let failure = classify(&error).unwrap();
    assert_eq!(failure.error_kind(), ErrorKind::Connect);
    assert!(failure.message().contains("plain HTTP"));
}

/// An error as hyper and its connectors wrap it.
#[derive(Debug)]
struct Wrapped(io::Error);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("wrapped")
    }
}

impl StdError for Wrapped {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn the_cause_is_found_inside_nested_io_errors() {
    use rustls::{AlertDescription as Alert, Error as TlsError};

    let wrap = |error: TlsError| {
        let inner = io::Error::new(io::ErrorKind::InvalidData, error);
        Wrapped(io::Error::other(Wrapped(io::Error::other(inner))))
    };
    for (alert, kind) in [
        (
            Alert::CertificateRequired,
            Some(ErrorKind::ClientCertificate),
        ),
        (Alert::UnknownCA, Some(ErrorKind::ClientCertificate)),
        (Alert::BadCertificate, Some(ErrorKind::ClientCertificate)),
        (
            Alert::CertificateExpired,
            Some(ErrorKind::ClientCertificate),
        ),
        (
            Alert::CertificateRevoked,
            Some(ErrorKind::ClientCertificate),
        ),
        (
            Alert::CertificateUnknown,
            Some(ErrorKind::ClientCertificate),
        ),
        (
            Alert::UnsupportedCertificate,
            Some(ErrorKind::ClientCertificate),
        ),
        (Alert::AccessDenied, Some(ErrorKind::ClientCertificate)),
        (Alert::DecryptError, Some(ErrorKind::ClientCertificate)),
        (Alert::HandshakeFailure, Some(ErrorKind::Connect)),
        (Alert::ProtocolVersion, Some(ErrorKind::Connect)),
        (Alert::InternalError, None),
        (Alert::BadRecordMac, None),
    ] {
        let found = classify(&wrap(TlsError::AlertReceived(alert)));
        assert_eq!(found.map(|failure| failure.error_kind()), kind, "{alert:?}");
    }
    assert!(classify(&wrap(TlsError::DecryptError)).is_none());
    assert!(classify(&io::Error::from(io::ErrorKind::BrokenPipe)).is_none());
    assert!(classify(&io::Error::other("text")).is_none());
}

#[test]
fn nothing_but_the_certificate_and_the_protocol_differs_from_the_default() {
    let config = client_config(None, &roots(&authority("servers")), None, None);
    assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    assert!(!config.enable_early_data);
    assert!(config.enable_sni);
    assert!(!config.client_auth_cert_resolver.has_certs());
    assert!(!config.key_log.will_log("CLIENT_RANDOM"));
}

#[test]
fn given_roots_are_read_like_certificates() {
    let (one, two) = (authority("one"), authority("two"));
    let both = Roots::pem((one.pem() + &two.pem()).as_bytes()).unwrap();
    assert_eq!(format!("{both:?}"), "Roots(2 given)");
    assert_eq!(
        format!("{:?}", Roots::pem(one.der()).unwrap()),
        "Roots(1 given)"
    );

    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default()
        .serialize_request(&key)
        .unwrap()
        .pem()
        .unwrap();
    for (bytes, kind) in [
        (&b""[..], Kind::Empty),
        (b"not a certificate", Kind::Unrecognized),
        (request.as_bytes(), Kind::RequestGiven),
        (key.serialize_pem().as_bytes(), Kind::KeyGiven),
        (
            b"-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n",
            Kind::NoCertificate,
        ),
    ] {
        let error = Roots::pem(bytes).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(
            error.to_string().starts_with("root certificates: "),
            "{error}"
        );
        assert!(!error.to_string().contains("Flinks"), "{error}");
    }

    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Roots::pem_file(file.path()).unwrap_err();
    assert_eq!(
        (error.kind(), error.part()),
        (Kind::Empty, IdentityPart::Roots)
    );
}

/// Variables of the environment belong to the whole process, so the question is put to another.
#[cfg(all(feature = "platform-roots", target_os = "linux"))]
#[test]
fn the_platforms_roots_are_loaded_once_and_must_exist() {
    const EXPECTED: &str = "FLINKS_TEST_EXPECTED_ROOTS";

    #[expect(
        clippy::disallowed_methods,
        reason = "distinguishes the child process from its parent"
    )]
    if let Ok(expected) = std::env::var(EXPECTED) {
        let provider = provider(None).unwrap();
        let load = || Roots::platform().verifier(&provider);
        if expected == "some" {
            let (first, second) = (load().unwrap(), load().unwrap());
            assert!(Arc::ptr_eq(&first, &second));
        } else {
            let error = load().unwrap_err();
            assert_eq!(error.kind(), Kind::NoRoots);
            assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
        }
        return;
    }

    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = |file: &Path, expected: &str| {
        let test = "tls::tests::the_platforms_roots_are_loaded_once_and_must_exist";
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test])
            .env("SSL_CERT_FILE", file)
            .env_remove("SSL_CERT_DIR")
            .env(EXPECTED, expected)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
    };
    run(file.path(), "none");
    run(&folder.path().join("missing.pem"), "none");
    std::fs::write(file.path(), authority("platform").pem()).unwrap();
    run(file.path(), "some");
}
