//! Connections through a proxy: a name that only it knows, and each way in which it fails.

use std::time::Duration;

use flinks_sandbox::certificates::{Authority, Validity};
use flinks_sandbox::{ConnectProxy, ProxyConfig, ProxyFault, Sandbox};
use flinks_transport::testing::ScriptedService;
use flinks_transport::{
    Body, CallMeta, ClientIdentity, Delivery, Error, ErrorKind, Proxy, Replay, RetryConfig, Roots,
    Route, Transport, TransportBuilder,
};
use http::Request;
use tokio::io::AsyncWriteExt;

use crate::wire::{listen, read_request};

/// A name that no resolver knows (RFC 6761).
const HOST: &str = "upload.invalid";
const USER: &str = "us er";
const PASSWORD: &str = "p:@ss/word";
const ENCODED: &str = "us%20er:p%3A%40ss%2Fword";

async fn sandbox() -> Sandbox {
    Sandbox::builder()
        .server_name(HOST)
        .start()
        .await
        .expect("a sandbox")
}

fn proxy_config(sandbox: &Sandbox, faults: Vec<ProxyFault>) -> ProxyConfig {
    let mut config = ProxyConfig::default();
    let known = config.resolve(HOST, sandbox.upload_url());
    known.expect("an address");
    config.faults = faults;
    config
}

fn builder(sandbox: &Sandbox) -> TransportBuilder {
    let (cert, key) = (sandbox.client_cert_pem(), sandbox.client_key_pem());
    let identity = ClientIdentity::from_pem(cert.as_bytes(), key.as_bytes());
    Transport::builder()
        .identity(identity.expect("an identity"))
        .roots(Roots::pem(sandbox.ca_pem().as_bytes()).expect("roots"))
        .retry(RetryConfig::none())
        .connect_timeout(Duration::from_secs(5))
}

/// Requests a page that is not there, which proves that the service answered.
async fn get(transport: &Transport, url: &str) -> Result<u16, Error> {
    let meta = CallMeta::new("test.proxy", Route::get("/"), Replay::Safe);
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = url.parse().expect("a URL");
    let response = transport.send(meta, request).await?;
    Ok(response.status().as_u16())
}

fn through(proxy: &ConnectProxy, credentials: &str) -> Proxy {
    let url = proxy.url().replace("://", &format!("://{credentials}"));
    Proxy::new(&url).expect("a proxy")
}

#[tokio::test]
async fn a_host_that_only_the_proxy_knows_is_reached_over_mutual_tls() {
    let sandbox = sandbox().await;
    for over_tls in [false, true] {
        let mut config = proxy_config(&sandbox, vec![]);
        config.credentials = Some((USER.to_owned(), PASSWORD.to_owned()));
        let started = match over_tls {
            false => ConnectProxy::start(config).await,
            true => ConnectProxy::start_tls(config, sandbox.authority()).await,
        };
        let proxy = started.expect("a proxy");
        let transport = builder(&sandbox).proxy(through(&proxy, &format!("{ENCODED}@")));
        let transport = transport.build().expect("a transport");
        for _ in 0..2 {
            let status = get(&transport, &format!("https://{HOST}/")).await;
            assert_eq!(status.expect("an answer"), 404);
        }
        // The identity was presented to the service, which requires it, and not to the proxy.
        assert_eq!(proxy.client_certificates(), 0);
        let heads = proxy.heads();
        assert_eq!(heads.len(), 1, "the tunnel is reused: {heads:?}");
        assert!(heads[0].starts_with("CONNECT upload.invalid:443 HTTP/1.1\r\n"));
        assert!(heads[0].contains("\r\nProxy-Authorization: Basic dXMgZXI6cDpAc3Mvd29yZA==\r\n"));

        let next = sandbox.authority().issue_client("next", Validity::Valid);
        let next = next.expect("a certificate");
        let identity = ClientIdentity::from_pem(next.cert_pem.as_bytes(), next.key_pem.as_bytes());
        let replaced = transport.replace_identity(identity.expect("an identity"));
        replaced.expect("a valid identity");
        let status = get(&transport, &format!("https://{HOST}/")).await;
        assert_eq!(status.expect("an answer"), 404);
        assert_eq!((proxy.heads().len(), proxy.client_certificates()), (2, 0));
    }
    let direct = builder(&sandbox).build().expect("a transport");
    let error = get(&direct, &format!("https://{HOST}/")).await;
    let error = error.expect_err("no resolver knows it");
    assert_eq!((error.kind(), error.proxy()), (ErrorKind::Connect, None));
}

#[tokio::test]
async fn plain_http_to_this_machine_does_not_use_the_proxy() {
    let (authority, _) = listen(|mut stream, _| async move {
        read_request(&mut stream).await;
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        stream.write_all(answer).await.expect("a reader");
    })
    .await;
    let proxy = Proxy::new("http://proxy.invalid:1").expect("a proxy");
    let transport = Transport::builder().proxy(proxy).build();
    let status = get(
        &transport.expect("a transport"),
        &format!("http://{authority}/"),
    )
    .await;
    assert_eq!(status.expect("an answer"), 204);
}

#[tokio::test]
async fn a_proxy_and_a_custom_service_exclude_each_other() {
    let service = ScriptedService::new([]);
    let proxy = Proxy::new("http://proxy.invalid:1").expect("a proxy");
    let error = service.builder().proxy(proxy).build().expect_err("both");
    assert_eq!(error.kind(), ErrorKind::Config);
}

/// How a proxy fails, and what comes of it.
struct Row {
    fault: ProxyFault,
    kind: ErrorKind,
    status: Option<u16>,
    is_retried: bool,
    says: &'static str,
}

/// A failure that may pass.
fn passing(fault: ProxyFault, status: Option<u16>, says: &'static str) -> Row {
    Row {
        fault,
        kind: ErrorKind::Proxy,
        status,
        is_retried: true,
        says,
    }
}

/// A failure that stays.
fn lasting(fault: ProxyFault, status: Option<u16>, says: &'static str) -> Row {
    Row {
        is_retried: false,
        ..passing(fault, status, says)
    }
}

fn answer(text: &str) -> ProxyFault {
    ProxyFault::Answer(text.as_bytes().to_vec())
}

fn rows() -> Vec<Row> {
    let status = ProxyFault::status;
    let not_tls = "the server did not answer in TLS";
    vec![
        lasting(status(407), Some(407), "refused the user or the password"),
        lasting(status(401), Some(401), "refused the user or the password"),
        lasting(
            answer(
                "HTTP/1.1 407 Auth\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n\r\n",
            ),
            Some(407),
            "requires authentication by Negotiate or NTLM",
        ),
        lasting(
            status(403),
            Some(403),
            "refuses connections to upload.invalid:443",
        ),
        lasting(status(405), Some(405), "does not open tunnels"),
        lasting(
            status(302),
            Some(302),
            "did not open a tunnel to upload.invalid:443",
        ),
        passing(
            status(502),
            Some(502),
            "could not connect to upload.invalid:443",
        ),
        passing(
            status(503),
            Some(503),
            "is overloaded, or could not resolve upload.invalid:443",
        ),
        passing(
            status(504),
            Some(504),
            "got no answer from upload.invalid:443",
        ),
        passing(
            ProxyFault::Close,
            None,
            "closed the connection without an answer",
        ),
        passing(
            answer("HTTP/1.1 200 Connection esta"),
            None,
            "closed the connection in the middle of its answer",
        ),
        passing(
            ProxyFault::Silent,
            None,
            "did not open a tunnel within 0.5 s",
        ),
        passing(
            ProxyFault::Slow(Duration::from_millis(100)),
            None,
            "did not open a tunnel within 0.5 s",
        ),
        lasting(
            answer("SSH-2.0-OpenSSH\r\n"),
            None,
            "does not answer in HTTP",
        ),
        lasting(answer("\u{15}\u{3}\u{3}\0\u{2}\u{2}("), None, "expects TLS"),
        lasting(
            ProxyFault::EndlessHead,
            None,
            "sent an answer without an end",
        ),
        passing(
            ProxyFault::TearAfter(0),
            None,
            "was closed during the TLS handshake",
        ),
        passing(
            ProxyFault::TearAfter(100),
            None,
            "was closed during the TLS handshake",
        ),
        Row {
            kind: ErrorKind::Connect,
            ..passing(
                answer("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<html>canary</html>"),
                None,
                not_tls,
            )
        },
        Row {
            kind: ErrorKind::Connect,
            ..passing(
                ProxyFault::Inside(b"HTTP/1.1 400 canary\r\n\r\n".to_vec()),
                None,
                not_tls,
            )
        },
        Row {
            kind: ErrorKind::Connect,
            ..passing(
                ProxyFault::SilentTunnel,
                None,
                "the TLS handshake was not complete within 0.5 s",
            )
        },
    ]
}

#[tokio::test]
async fn each_failure_of_a_proxy_has_its_own_sentence() {
    let sandbox = sandbox().await;
    for row in rows() {
        let faults = vec![row.fault.clone(); 2];
        let proxy = ConnectProxy::start(proxy_config(&sandbox, faults)).await;
        let proxy = proxy.expect("a proxy");
        let transport = builder(&sandbox)
            .proxy(through(&proxy, "canary-user:canary-password@"))
            .connect_timeout(Duration::from_millis(500))
            .retry(
                RetryConfig::new()
                    .max_attempts(2)
                    .backoff(Duration::ZERO, Duration::ZERO),
            )
            .build()
            .expect("a transport");
        let error = get(&transport, &format!("https://{HOST}/")).await;
        let error = error.expect_err(row.says);
        let text = error.report().to_string();
        assert!(text.contains(row.says), "{text}");
        assert!(text.contains(&proxy.address().to_string()), "{text}");
        assert!(text.contains("https://upload.invalid"), "{text}");
        let shown = format!("{text} {error:?} {transport:?}");
        assert!(
            !shown.contains("canary") && !shown.contains("Y2FuYXJ5"),
            "{shown}"
        );
        assert_eq!(error.kind(), row.kind, "{text}");
        assert_eq!(error.delivery(), Delivery::NotSent, "{text}");
        assert_eq!(
            error.proxy_status().map(|it| it.as_u16()),
            row.status,
            "{text}"
        );
        assert_eq!(error.attempts(), 1 + u32::from(row.is_retried), "{text}");
    }
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_named() {
    let sandbox = sandbox().await;
    let authority = sandbox.upload_url().replace("https://", "");
    for (url, says) in [
        (
            "http://proxy.invalid:3128",
            "the name of the proxy proxy.invalid:3128 could not be resolved",
        ),
        (
            "http://127.0.0.1:1",
            "could not connect to the proxy 127.0.0.1:1",
        ),
        // A server that requires a client certificate, and gets none from us.
        (
            &format!("https://{authority}"),
            "requires a client certificate",
        ),
        (&format!("http://{authority}"), "the proxy"),
    ] {
        let transport = builder(&sandbox).proxy(Proxy::new(url).expect("a proxy"));
        let transport = transport.build().expect("a transport");
        let error = get(&transport, &format!("https://{HOST}/")).await;
        let error = error.expect_err(url);
        assert_eq!(error.kind(), ErrorKind::Proxy, "{}", error.report());
        assert!(error.to_string().contains(says), "{}", error.report());
    }
    let other = Transport::builder()
        .roots(Roots::pem(sandbox.ca_pem().as_bytes()).expect("roots"))
        .retry(RetryConfig::none());
    let authority = Authority::new("Another CA").expect("a CA");
    let proxy = ConnectProxy::start_tls(ProxyConfig::default(), &authority).await;
    let proxy = proxy.expect("a proxy");
    let transport = other.proxy(through(&proxy, "")).build();
    let error = get(
        &transport.expect("a transport"),
        &format!("https://{HOST}/"),
    )
    .await;
    let text = error.expect_err("not trusted").report().to_string();
    assert!(text.contains("TLS with the proxy 127.0.0.1"), "{text}");
}
