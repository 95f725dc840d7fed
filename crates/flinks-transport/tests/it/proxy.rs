//! Connections through a proxy: a name that only it knows, and each way in which it fails.

use std::time::Duration;

use flinks_sandbox::{Config, ConnectProxy, ProxyConfig, ProxyFault, Sandbox};
use flinks_transport::testing::ScriptedService;
use flinks_transport::{
    Body, CallMeta, ClientIdentity, Error, ErrorKind, Proxy, Replay, RetryConfig, Roots, Route,
    Transport, TransportBuilder,
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
    let mut config = Config::default();
    config.server_names.push(HOST.to_owned());
    Sandbox::start(config).await.expect("a sandbox")
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
