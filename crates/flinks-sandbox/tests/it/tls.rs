//! Who gets through the handshake, under each TLS version.

use flinks_sandbox::certificates::{Authority, Validity};
use flinks_sandbox::{ApiOperation, Sandbox, TlsVersions};
use rustls::version::{TLS12, TLS13};

use crate::client::{Client, FORM, GOOD_FORM, fraud, post};

/// Whether a token request is answered at all.
async fn is_answered(client: &Client) -> Result<(), std::io::Error> {
    let mut connection = client.connect().await?;
    let request = post("/api/v1/token", &client.basic, FORM, GOOD_FORM);
    connection
        .send(request)
        .await
        .map(drop)
        .map_err(std::io::Error::other)
}

#[tokio::test]
async fn only_valid_certificates_of_the_own_authority_get_through() {
    let sandbox = Sandbox::start().await.unwrap();
    let (own, other) = (sandbox.authority(), Authority::new("Another CA").unwrap());
    let certificates = [
        (
            true,
            Some(own.issue_client("second client", Validity::Valid)),
        ),
        (false, Some(own.issue_client("expired", Validity::Expired))),
        (
            false,
            Some(own.issue_client("early", Validity::NotYetValid)),
        ),
        (false, Some(other.issue_client("stranger", Validity::Valid))),
        (false, None),
    ];
    for (place, (accepted, certificate)) in certificates.into_iter().enumerate() {
        let identity = certificate.map(Result::unwrap);
        for version in [&TLS12, &TLS13] {
            let pair = identity
                .as_ref()
                .map(|identity| (identity.cert_pem.as_str(), identity.key_pem.as_str()));
            let client = Client::new(&sandbox, sandbox.upload_url(), pair, &[version]);
            let result = is_answered(&client).await;
            assert_eq!(result.is_ok(), accepted, "{place} {version:?}: {result:?}");
        }
    }
    assert_eq!(sandbox.requests(ApiOperation::Token), 2);
}

#[tokio::test]
async fn a_refused_client_is_told_why() {
    // The alert must not be lost to a reset, or clients could not name the cause.
    let sandbox = Sandbox::start().await.unwrap();
    for (version, part) in [
        (&TLS12, "HandshakeFailure"),
        (&TLS13, "CertificateRequired"),
    ] {
        for _ in 0..20 {
            let client = Client::new(&sandbox, sandbox.upload_url(), None, &[version]);
            let (_, result) = client.raw(b"POST /upload HTTP/1.1\r\n\r\n").await;
            let error = format!("{:?}", result.unwrap_err());
            assert!(
                error.contains(part) || error.contains("AlertReceived"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn the_versions_can_be_narrowed() {
    for (versions, only12, only13) in [
        (TlsVersions::Both, true, true),
        (TlsVersions::Only12, true, false),
        (TlsVersions::Only13, false, true),
    ] {
        let sandbox = Sandbox::builder().tls(versions).start().await.unwrap();
        let pair = Some((sandbox.client_cert_pem(), sandbox.client_key_pem()));
        for (version, accepted) in [(&TLS12, only12), (&TLS13, only13)] {
            let client = Client::new(&sandbox, sandbox.upload_url(), pair, &[version]);
            assert_eq!(
                is_answered(&client).await.is_ok(),
                accepted,
                "{versions:?} {version:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_results_host_asks_for_no_certificate() {
    let sandbox = Sandbox::start().await.unwrap();
    let request = fraud(
        sandbox.api_secret(),
        sandbox.customer_id(),
        flinks_sandbox::CLEAN_LOGIN_ID,
    );
    assert_eq!(Client::results(&sandbox).send(request).await.status, 200);
}

#[tokio::test]
async fn nothing_listens_after_shutdown() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::upload(&sandbox);
    let mut kept = client.connect().await.unwrap();
    sandbox.shutdown().await;
    assert!(client.connect().await.is_err());
    assert!(kept.send(post("/upload", "", FORM, "")).await.is_err());
}
