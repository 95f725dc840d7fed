//! Real sockets and real TLS on loopback: what failures of the wire mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flinks_transport::{
    Body, CallMeta, DecodeError, Delivery, Error, ErrorKind, Operation, Replay, RetryConfig, Route,
    TlsVersion, Transport,
};
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::authority::Authority;

/// Serves each connection with `serve`; returns the base URL's authority and how many came.
pub(crate) async fn listen<F, Fut>(serve: F) -> (String, Arc<AtomicUsize>)
where
    F: Fn(TcpStream, usize) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = format!("localhost:{}", listener.local_addr().unwrap().port());
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let turn = counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream, turn));
        }
    });
    (authority, count)
}

/// Reads one request whole, by its Content-Length; `None` at the end of the stream.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut seen = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let head = seen.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&seen[..head]).to_ascii_lowercase();
            let length: usize = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if seen.len() >= head + 4 + length {
                return Some(seen);
            }
        }
        let read = stream
            .read(&mut buffer)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        seen.extend_from_slice(&buffer[..read]);
    }
}

pub(crate) const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nup";

pub(crate) fn plain() -> Transport {
    Transport::builder()
        .roots(Authority::new().roots())
        .retry(RetryConfig::none())
        .build()
        .unwrap()
}

async fn post(transport: &Transport, url: String, body: Vec<u8>) -> Result<String, Error> {
    let meta =
        CallMeta::new("test.post", Route::post("/"), Replay::Unsent).with_reused_connection();
    post_as(meta, transport, url, body).await
}

pub(crate) async fn post_as(
    meta: CallMeta,
    transport: &Transport,
    url: String,
    body: Vec<u8>,
) -> Result<String, Error> {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = url.parse().unwrap();
    let meta = meta.with_attempt_timeout(Duration::from_secs(20));
    let answer: Response<bytes::Bytes> = transport.send(meta, request).await?;
    assert_eq!(answer.status(), 200);
    Ok(String::from_utf8_lossy(answer.body()).into_owned())
}

/// Closes with a reset instead of a goodbye.
fn reset(stream: &TcpStream) {
    #[expect(deprecated, reason = "a zero linger does not block, it resets")]
    stream.set_linger(Some(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn a_kept_connection_serves_all_calls_over_mutual_tls() {
    let authority = Authority::new();
    let acceptor = authority.acceptor();
    let (host, connections) = listen(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let mut tls = acceptor.accept(stream).await.unwrap();
            while read_request(&mut tls).await.is_some() {
                tls.write_all(ANSWER).await.unwrap();
            }
        }
    })
    .await;
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let transport = Transport::builder()
            .identity(authority.identity())
            .roots(authority.roots())
            .tls_version(version)
            .build()
            .unwrap();
        for size in [0, 10, 3 << 20] {
            let answer = post(&transport, format!("https://{host}/"), vec![b'x'; size]).await;
            assert_eq!(answer.unwrap(), "up");
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_client_certificate_is_told_apart_from_a_bad_server() {
    let (authority, other) = (Authority::new(), Authority::new());
    let acceptor = authority.acceptor();
    let (host, _) = listen(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut tls) = acceptor.accept(stream).await {
                while read_request(&mut tls).await.is_some() {
                    tls.write_all(ANSWER).await.unwrap();
                }
            }
        }
    })
    .await;
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let builder = || {
            Transport::builder()
                .roots(authority.roots())
                .tls_version(version)
        };
        let refused = [
            builder().build().unwrap(),
            builder().identity(other.identity()).build().unwrap(),
        ];
        for (transport, size) in refused.iter().flat_map(|t| [(t, 10), (t, 8 << 20)]) {
            // Under TLS 1.3 the refusal races with the request: it must be recognised every time.
            for round in 0..10 {
                let url = format!("https://{host}/");
                let error = post(transport, url, vec![b'x'; size]).await.unwrap_err();
                let seen = (error.kind(), error.delivery(), error.attempts());
                let expected = (ErrorKind::ClientCertificate, Delivery::NotSent, 1);
                // OpenSSL and rustls servers answer a missing certificate under TLS 1.2 alike.
                assert_eq!(
                    seen,
                    expected,
                    "{version:?} {size} {round}: {}",
                    error.report()
                );
            }
        }
        let distrusting = Transport::builder()
            .identity(authority.identity())
            .roots(other.roots())
            .tls_version(version)
            .build()
            .unwrap();
        let error = post(&distrusting, format!("https://{host}/"), Vec::new())
            .await
            .unwrap_err();
        let seen = (error.kind(), error.delivery(), error.attempts());
        assert_eq!(seen, (ErrorKind::ServerCertificate, Delivery::NotSent, 1));
        let misnamed = builder().identity(authority.identity()).build().unwrap();
        let url = format!("https://{}/", host.replace("localhost", "127.0.0.1"));
        let error = post(&misnamed, url, Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerCertificate);
    }
}

#[tokio::test]
async fn a_server_that_never_asked_for_the_certificate_is_named_when_it_hangs_up() {
    let authority = Authority::new();
    for asks in [true, false] {
        let silent = authority.acceptor_with(|builder| builder.with_no_client_auth());
        let acceptor = if asks { authority.acceptor() } else { silent };
        let (host, _) = listen(move |stream, _| {
            let acceptor = acceptor.clone();
            async move {
                let mut tls = acceptor.accept(stream).await.unwrap();
                read_request(&mut tls).await;
            }
        })
        .await;
        let transport = Transport::builder()
            .identity(authority.identity())
            .roots(authority.roots())
            .build()
            .unwrap();
        let url = format!("https://{host}/");
        let error = post(&transport, url, Vec::new()).await.unwrap_err();
        let seen = (error.kind(), error.delivery());
        assert_eq!(seen, (ErrorKind::Connection, Delivery::Unknown));
        let is_named = error.to_string().contains("did not ask for the client");
        assert_eq!(is_named, !asks, "{}", error.report());
    }
}

#[tokio::test]
async fn what_a_broken_wire_means() {
    type Serve = fn(TcpStream) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
    let cases: [(&str, Serve, ErrorKind, Delivery); 7] = [
        (
            "closed on accept",
            |stream| Box::pin(async move { drop(stream) }),
            ErrorKind::Connection,
            Delivery::NotSent,
        ),
        (
            "reset on accept",
            |stream| Box::pin(async move { reset(&stream) }),
            ErrorKind::Connection,
            Delivery::NotSent,
        ),
        (
            "closed after the whole request",
            |mut stream| Box::pin(async move { drop(read_request(&mut stream).await) }),
            ErrorKind::Connection,
            Delivery::Unknown,
        ),
        (
            "reset after the whole request",
            |mut stream| {
                Box::pin(async move {
                    read_request(&mut stream).await;
                    reset(&stream);
                })
            },
            ErrorKind::Connection,
            Delivery::Unknown,
        ),
        (
            "garbage instead of an answer",
            |mut stream| {
                Box::pin(async move {
                    read_request(&mut stream).await;
                    stream.write_all(b"SSH-2.0-nope\r\n\r\n").await.unwrap();
                })
            },
            ErrorKind::Connection,
            Delivery::Unknown,
        ),
        (
            "an answer cut short",
            |mut stream| {
                Box::pin(async move {
                    read_request(&mut stream).await;
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nup")
                        .await
                        .unwrap();
                })
            },
            ErrorKind::Connection,
            Delivery::Unknown,
        ),
        (
            "a refusal cut short is still a refusal",
            |mut stream| {
                Box::pin(async move {
                    read_request(&mut stream).await;
                    stream
                        .write_all(b"HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nno")
                        .await
                        .unwrap();
                })
            },
            ErrorKind::Api,
            Delivery::Rejected,
        ),
    ];
    for (name, serve, kind, delivery) in cases {
        let (host, _) = listen(move |stream, _| serve(stream)).await;
        // `Unsent` would try again what was not sent, so one attempt is asked for.
        let transport = plain();
        let mut request = Request::new(Body::from(vec![b'x'; 4096]));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = format!("http://{host}/").parse().unwrap();
        let meta = CallMeta::new("test.post", Route::post("/"), Replay::Unsent);
        let outcome = transport.send(meta, request).await;
        match outcome {
            Ok(answer) => assert_eq!(
                (kind, answer.status().as_u16()),
                (ErrorKind::Api, 403),
                "{name}"
            ),
            Err(error) => {
                let seen = (error.kind(), error.delivery());
                assert_eq!(seen, (kind, delivery), "{name}: {}", error.report());
            }
        }
    }
}

#[tokio::test]
async fn nobody_listening_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = post(&plain(), url, Vec::new()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Connect, Delivery::NotSent)
    );
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_ends_at_the_connect_limit() {
    let (host, _) = listen(|stream, _| async move {
        // Accepts the connection, says nothing of TLS.
        let mut stream = stream;
        let mut sink = Vec::new();
        drop(stream.read_to_end(&mut sink).await);
    })
    .await;
    let transport = Transport::builder()
        .roots(Authority::new().roots())
        .retry(RetryConfig::none())
        .connect_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let error = post(&transport, format!("https://{host}/"), Vec::new())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Connect, Delivery::NotSent)
    );
    assert!(error.to_string().contains("0.1 s"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_refusal_of_a_large_body_is_read() {
    for drains in [true, false] {
        let (host, _) = listen(move |mut stream, _| async move {
            let mut head = [0; 1024];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            let answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            // Without draining, closing resets the connection while the body is on its way.
            let mut sink = vec![0; 1 << 20];
            while drains && stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
        })
        .await;
        for round in 0..20 {
            let mut request = Request::new(Body::from(vec![b'x'; 8 << 20]));
            *request.uri_mut() = format!("http://{host}/").parse().unwrap();
            let meta = CallMeta::new("test.post", Route::post("/"), Replay::Unsent);
            let answer = plain().send(meta, request).await;
            let status = answer.map(|answer| answer.status().as_u16());
            assert_eq!(
                status.map_err(|e| e.report().to_string()),
                Ok(413),
                "{drains} {round}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_success_of_a_large_body_is_an_unknown_outcome() {
    for closes in [true, false] {
        let (host, connections) = listen(move |mut stream, _| async move {
            let mut head = [0; 1024];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            stream.write_all(ANSWER).await.unwrap();
            if !closes {
                std::future::pending::<()>().await;
            }
        })
        .await;
        let url = format!("http://{host}/");
        let transport = Transport::builder().build().unwrap();
        for (replay, sends) in [(Replay::Unsent, 1), (Replay::Safe, 3)] {
            let before = connections.load(Ordering::SeqCst);
            let call = transport.call(Recovering(url.clone(), replay, 24 << 20));
            let error = call.await.unwrap_err();
            let seen = (error.kind(), error.delivery(), error.answer());
            let answer = bytes::Bytes::from_static(b"up");
            assert_eq!(
                seen,
                (ErrorKind::Connection, Delivery::Unknown, Some(&answer)),
                "{closes}: {}",
                error.report()
            );
            let made = connections.load(Ordering::SeqCst) - before;
            assert_eq!(made, sends, "{closes} {replay:?}");
        }
    }
}

/// Posts as many bytes, and reads `id` from any answer that decode refuses.
struct Recovering(String, Replay, usize);

impl Operation for Recovering {
    type Output = String;

    fn meta(&self) -> CallMeta {
        CallMeta::new("test.recover", Route::post("/"), self.1)
            .with_attempt_timeout(Duration::from_secs(2))
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let size = self.2;
        let open = move || http_body_util::Full::new(bytes::Bytes::from(vec![b'x'; size]));
        let mut request = Request::new(Body::replayable(size as u64, open));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.0.parse().unwrap();
        Ok(request)
    }

    fn decode(&self, _: Response<bytes::Bytes>) -> Result<String, DecodeError> {
        Err(DecodeError::Malformed("no answer".to_owned()))
    }

    fn recover(&self, answer: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(answer);
        text.contains("id").then(|| text.into_owned())
    }
}

#[tokio::test]
async fn what_arrived_of_a_success_is_recovered_or_kept() {
    let answers = [
        ("200 OK\r\nContent-Length: 9", "close"),
        ("200 OK\r\nContent-Length: 9", "stay"),
        (
            "200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip",
            "stay",
        ),
        ("200 OK\r\nContent-Length: 2", "stay"),
        ("200 OK\r\nTransfer-Encoding: chunked", "close"),
        ("200 OK", "close"),
        // What hyper refuses to read at all.
        ("200 OK\r\nContent-Length: 2\r\nContent-Length: 3", "stay"),
        ("200 OK\r\nContent-Length: -2", "stay"),
        ("200 OK\r\nno header", "stay"),
        // What hyper leaves unread, because the head says that there is nothing, or less.
        ("204 No Content", "stay"),
        ("200 OK\r\nContent-Length: 0", "stay"),
        ("200 OK\r\nContent-Length: 1", "stay"),
    ];
    for (head, end) in answers {
        for body in ["id", "no"] {
            let chunk = if head.contains("chunked") {
                "2\r\n"
            } else {
                ""
            };
            let answer = format!("HTTP/1.1 {head}\r\n\r\n{chunk}{body}");
            let (host, connections) = listen(move |mut stream, _| {
                let answer = answer.clone();
                async move {
                    read_request(&mut stream).await;
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    if end == "stay" {
                        drop(stream.read(&mut [0]).await);
                    }
                }
            })
            .await;
            let url = format!("http://{host}/");
            let call = plain().call(Recovering(url, Replay::Unsent, 10));
            match call.attempt_timeout(Duration::from_millis(300)).await {
                Ok(text) => assert!(text.ends_with(body) && body == "id", "{head} {end}"),
                Err(error) => {
                    let kept = error.answer().expect("an answer");
                    assert!(kept.ends_with(b"no") && body == "no", "{head} {end}");
                    assert!(error.delivery().may_have_acted(), "{head} {end}: {error}");
                }
            }
            assert_eq!(connections.load(Ordering::SeqCst), 1, "{head} {end}");
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_of_http_is_kept_too() {
    for (answer, kept) in [
        ("{\"id\":1}", true),
        ("<p>id</p>", true),
        (
            "HTTP/1.1 101 Up\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nid",
            true,
        ),
        ("\0\0\x04\x08\0", false),
    ] {
        let (host, _) = listen(move |mut stream, _| async move {
            read_request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let call = plain().call(Recovering(format!("http://{host}/"), Replay::Unsent, 10));
        let error = call.await.unwrap_err();
        assert_eq!(error.delivery(), Delivery::Unknown, "{answer}");
        let expected = kept.then_some(answer.as_bytes());
        assert_eq!(error.answer().map(|raw| &raw[..]), expected, "{answer}");
        let report = error.report().to_string();
        assert!(!report.contains("SendRequest"), "{report}");
    }
}

#[tokio::test]
async fn plain_http_leaves_this_machine_never() {
    let request = |url: &str| {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = url.parse().unwrap();
        request
    };
    let meta = CallMeta::new("test.post", Route::post("/"), Replay::Safe);
    for url in [
        "http://example.com/",
        "http://192.0.2.1/",
        "http://localhost.example.com/",
    ] {
        let error = plain().send(meta, request(url)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Config, Delivery::NotSent),
            "{url}"
        );
    }
}
