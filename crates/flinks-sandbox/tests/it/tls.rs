//! Who gets through the handshake, under each TLS version.

use flinks_sandbox::certificates::{Authority, Validity};
use flinks_sandbox::{ApiOperation, Host, OnUntrusted, Sandbox, TlsVersions};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::client::{Client, FORM, GOOD_FORM, fraud, post};

type Version = &'static SupportedProtocolVersion;

/// The status of a token request, if it is answered at all.
async fn status(client: &Client) -> Result<u16, std::io::Error> {
    let mut connection = client.connect().await?;
    let request = post("/api/v1/token", &client.basic, FORM, GOOD_FORM);
    let answer = connection.send(request).await;
    answer
        .map(|answer| answer.status)
        .map_err(std::io::Error::other)
}

/// A client of the upload host with this certificate and key.
fn client(sandbox: &Sandbox, cert_pem: &str, key_pem: &str, version: Version) -> Client {
    let pair = Some((cert_pem, key_pem));
    Client::new(sandbox, sandbox.upload_url(), pair, &[version])
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_gets_403_or_an_alert() {
    for action in [OnUntrusted::Forbid, OnUntrusted::Alert] {
        let (lines, mut log) = mpsc::unbounded_channel();
        let sandbox = Sandbox::builder()
            .on_untrusted(action)
            .on_request(move |line| drop(lines.send(line.clone())))
            .start()
            .await
            .unwrap();
        let (own, other) = (sandbox.authority(), Authority::new("Another CA").unwrap());
        for (issuer, validity, reason) in [
            (own, Validity::Valid, None),
            (own, Validity::Expired, Some("has expired")),
            (own, Validity::NotYetValid, Some("is not valid yet")),
            (&other, Validity::Valid, Some("not issued by the sandbox")),
        ] {
            let identity = issuer.issue_client("a client", validity).unwrap();
            for version in [&TLS12, &TLS13] {
                let (cert, key) = (&identity.cert_pem, &identity.key_pem);
                let status = status(&client(&sandbox, cert, key, version)).await.ok();
                let line = log.recv().await.unwrap();
                assert_eq!(line.client_serial.as_ref(), Some(&identity.serial));
                assert_eq!(line.status, status);
                assert_eq!(
                    (status, line.operation),
                    match (reason, action) {
                        (None, _) => (Some(200), ApiOperation::Token),
                        (Some(_), OnUntrusted::Alert) => (None, ApiOperation::Handshake),
                        (Some(_), _) => (Some(403), ApiOperation::Token),
                    }
                );
                let why = line.reason.unwrap_or_default();
                assert!(why.contains(reason.unwrap_or_default()), "{why}");
                assert_eq!(why.contains("is not trusted"), reason.is_some(), "{why}");
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_without_its_key_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let other = Authority::new("Another CA").unwrap();
    let stranger = other.issue_client("stranger", Validity::Valid).unwrap();
    for version in [&TLS12, &TLS13] {
        for cert in [sandbox.client_cert_pem(), &stranger.cert_pem] {
            let other_key = sandbox.authority().issue_client("b", Validity::Valid);
            let client = client(&sandbox, cert, &other_key.unwrap().key_pem, version);
            assert!(status(&client).await.is_err());
        }
    }
}

#[tokio::test]
async fn the_log_says_why_a_handshake_failed() {
    let (lines, mut log) = mpsc::unbounded_channel();
    let sandbox = Sandbox::builder()
        .on_request(move |line| drop(lines.send(line.clone())))
        .start()
        .await
        .unwrap();
    let other = Sandbox::start().await.unwrap();
    for version in [&TLS12, &TLS13] {
        let without = Client::new(&sandbox, sandbox.upload_url(), None, &[version]);
        assert!(status(&without).await.is_err());
        // It trusts another CA of the same name.
        let distrusting = Client::new(&other, sandbox.results_url(), None, &[version]);
        assert!(status(&distrusting).await.is_err());
        let mut plain = distrusting.tcp().await.unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let one = log.recv().await.unwrap();
        assert_eq!(one.host, Host::Upload);
        let reasons = [one, log.recv().await.unwrap(), log.recv().await.unwrap()];
        for (line, part) in reasons
            .iter()
            .zip(["no certificate", "another CA", "not TLS"])
        {
            let reason = line.reason.as_deref().unwrap_or_default();
            assert!(reason.contains(part), "{reason}");
            assert_eq!((line.status, line.acted), (None, false));
        }
    }
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
                status(&client).await.is_ok(),
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
