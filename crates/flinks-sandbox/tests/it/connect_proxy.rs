//! The forward proxy: whom it lets through, and where to.

use flinks_sandbox::{ConnectProxy, ProxyConfig, ProxyFault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Sends a request head and returns all that comes back.
async fn answer(proxy: &ConnectProxy, head: &str) -> String {
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_proxy_connects_to_the_hosts_of_its_table_only() {
    let host = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", host.local_addr().unwrap());
    let greeting = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = host.accept().await.unwrap();
            stream.write_all(b"hello").await.unwrap();
        }
    });
    let mut config = ProxyConfig::default();
    config.resolve("upload.invalid", &url).unwrap();
    config.credentials = Some(("user".to_owned(), "a:b".to_owned()));
    config.faults = vec![ProxyFault::status(503)];
    let proxy = ConnectProxy::start(config).await.unwrap();
    let authorized = |target: &str| {
        format!("CONNECT {target} HTTP/1.1\r\nProxy-Authorization: Basic dXNlcjphOmI=\r\n\r\n")
    };
    let near = url.replace("https://", "");
    for (head, expected) in [
        (authorized("upload.invalid:443"), "HTTP/1.1 503 "),
        (authorized("upload.invalid:443"), "hello"),
        (authorized(&near), "hello"),
        (authorized("other.invalid:443"), "HTTP/1.1 502 "),
        (authorized("192.0.2.1:443"), "HTTP/1.1 502 "),
        (
            "CONNECT upload.invalid:443 HTTP/1.1\r\n\r\n".to_owned(),
            "HTTP/1.1 407 ",
        ),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "HTTP/1.1 405 "),
    ] {
        let answer = answer(&proxy, &head).await;
        assert!(answer.contains(expected), "{head}: {answer}");
        assert_eq!(proxy.heads().last(), Some(&head));
    }
    greeting.await.unwrap();
}
