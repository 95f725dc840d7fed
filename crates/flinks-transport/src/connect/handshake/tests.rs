//! Handshakes over loopback with servers that request a certificate, request none, or refuse it.

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::connect::{Network, Settings};
use crate::tls::TlsSettings;
use crate::tls::tests::{Authority, HOST, Leaf, VERSIONS, authority, expired, roots, server};
use crate::{AddressOutcome, ClientIdentity, ErrorKind};

/// Reports a handshake with a server that then waits for the connection to end.
async fn report(
    server: TlsAcceptor,
    servers: &Authority,
    identity: Option<&ClientIdentity>,
) -> Handshake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async {
        let (tcp, _) = listener.accept().await.unwrap();
        match server.accept(tcp).into_fallible().await {
            Ok(mut stream) => drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await),
            // Reading on keeps the alert in the socket until the client has seen it.
            Err((_, mut tcp)) => drop(tokio::io::copy(&mut tcp, &mut tokio::io::sink()).await),
        }
    };
    let mut network = Network::new(None);
    network.names = Arc::new(move |_, _| Box::pin(async move { Ok(vec![address]) }));
    let settings = Settings {
        tls: TlsSettings::new(&roots(servers), None, None).unwrap(),
        network,
        timeout: Duration::from_secs(30),
    };
    let connector = settings.connector(identity).unwrap();
    let uri = format!("https://{HOST}/").parse().unwrap();
    let (report, ()) = tokio::join!(Box::pin(connector.handshake(uri)), serve);
    let outcomes: Vec<_> = report.addresses.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [AddressOutcome::Connected]);
    report
}

#[tokio::test]
async fn both_certificates_are_reported_when_all_is_well() {
    let (servers, clients) = (authority("servers"), authority("clients"));
    let leaf = Leaf::new(&servers, |_| {});
    let identity = Leaf::new(&clients, |_| {}).identity();
    for version in VERSIONS {
        let server = server(&leaf, version, Some(&clients));
        let report = report(server, &servers, Some(&identity)).await;
        assert!(report.error.is_none(), "{report:?}");
        assert_eq!(report.tls_version, Some(version));
        assert!(report.cipher_suite.is_some());
        let sent = ClientAuth::Sent {
            issuer_accepted: Some(true),
        };
        assert_eq!(report.client, Some(sent));
        let shown = report.server.expect("a certificate");
        assert_eq!(shown.issuer, "CN=servers");
        assert!(shown.trusted && !shown.self_signed);
        assert_eq!(shown.chain_length, 1);
    }
}

#[tokio::test]
async fn a_server_that_requests_no_certificate_is_reported_even_if_it_is_not_trusted() {
    let (servers, others) = (authority("servers"), authority("Zscaler"));
    let identity = Leaf::new(&servers, |_| {}).identity();
    for version in VERSIONS {
        let leaf = Leaf::new(&servers, |_| {});
        let known = report(server(&leaf, version, None), &servers, Some(&identity)).await;
        assert!(known.error.is_none(), "{known:?}");
        assert_eq!(known.client, Some(ClientAuth::NotRequested));

        let leaf = Leaf::new(&others, expired);
        let report = report(server(&leaf, version, None), &servers, Some(&identity)).await;
        let error = report.error.expect("not trusted");
        assert_eq!(error.kind(), ErrorKind::ServerCertificate);
        assert_eq!(report.client, Some(ClientAuth::NotRequested));
        let shown = report.server.expect("a certificate");
        assert!(!shown.trusted);
        assert_eq!(shown.issuer, "CN=Zscaler");
        assert!(shown.expires_in().is_zero());
    }
}

#[tokio::test]
async fn a_refused_client_certificate_is_reported_under_both_versions() {
    let (servers, clients) = (authority("servers"), authority("clients"));
    let leaf = Leaf::new(&servers, |_| {});
    let stranger = Leaf::new(&servers, |_| {}).identity();
    for version in VERSIONS {
        let of = |identity| report(server(&leaf, version, Some(&clients)), &servers, identity);
        let refused = of(Some(&stranger)).await;
        let error = refused.error.expect("refused");
        assert_eq!(error.kind(), ErrorKind::ClientCertificate, "{error}");
        let sent = ClientAuth::Sent {
            issuer_accepted: Some(false),
        };
        assert_eq!(refused.client, Some(sent));

        let none = of(None).await;
        assert_eq!(none.client, Some(ClientAuth::NotSent));
        none.error.expect("a certificate is required");
    }
}
