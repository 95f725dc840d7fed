//! What a connection's own memory is for, over pipes in paused time.

use std::io;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::AlertDescription;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::{Replay, RetryConfig, Route, Transport};

/// A pipe whose reads fail with a TLS alert once as many bytes have been written.
struct Pipe {
    io: TokioIo<DuplexStream>,
    alert: Option<(usize, AlertDescription)>,
    written: usize,
}

impl Pipe {
    fn alerted(&self) -> Option<AlertDescription> {
        let (after, alert) = self.alert?;
        (self.written >= after).then_some(alert)
    }
}

impl Read for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.alerted() {
            Some(alert) => {
                let alert = rustls::Error::AlertReceived(alert);
                Poll::Ready(Err(io::Error::other(alert)))
            }
            None => Pin::new(&mut self.io).poll_read(cx, buffer),
        }
    }
}

impl Write for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.written += written;
            if self.alerted().is_some() {
                cx.waker().wake_by_ref();
            }
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl Connection for Pipe {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// A transport whose connections are such pipes; the far end of each is served.
fn over_pipes<F>(
    alert: Option<(usize, AlertDescription)>,
    serve: impl Fn(DuplexStream) -> F + Clone + Send + Sync + 'static,
) -> Transport
where
    F: Future<Output = ()> + Send + 'static,
{
    let failures = Failures::default();
    let of_pipes = failures.clone();
    let connector = tower::service_fn(move |_: Uri| {
        let (near, far) = duplex(16 * 1024);
        hyper::rt::Executor::execute(&TokioExecutor::new(), serve(far));
        let io = Pipe {
            io: TokioIo::new(near),
            alert,
            written: 0,
        };
        std::future::ready(Ok::<_, BoxError>(MonitoredIo::new(io, of_pipes.clone())))
    });
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build(connector);
    let leaf = tower::service_fn(move |mut request: Request<Body>| {
        let state = request.extensions().get::<Arc<AttemptState>>().cloned();
        let state = state.expect("an attempt");
        state.set_connection(capture_connection(&mut request));
        let (answer, failures) = (client.request(request), failures.clone());
        async move {
            let answer = answer.await;
            answer.map_err(|error| of_client(error, Some(&state), &failures))
        }
    });
    let transport = Transport::builder()
        .service(leaf)
        .retry(RetryConfig::none());
    transport.build().expect("a transport")
}

fn post(size: usize) -> Request<Body> {
    let body = Body::from(vec![0; size]);
    Request::post("http://127.0.0.1/")
        .body(body)
        .expect("a request")
}

#[tokio::test(start_paused = true)]
async fn bytes_that_the_connection_takes_are_progress() {
    // The whole body is handed over at once, and leaves within minutes.
    let transport = over_pipes(None, |mut far| async move {
        let mut space = vec![0; 16 * 1024];
        let mut left = 1 << 20;
        while left > 0 {
            tokio::time::sleep(Duration::from_secs(20)).await;
            let read = far.read(&mut space).await.expect("bytes");
            // The head has no zero in it.
            left -= space.iter().take(read).filter(|byte| **byte == 0).count();
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        far.write_all(answer).await.expect("a reader");
    });
    let limit = Duration::from_secs(30);
    let meta = CallMeta::new("test.slow", Route::post("/"), Replay::Unsent).without_timeout();
    let start = Instant::now();
    let answer = transport.send(meta.with_stall_timeout(limit, limit), post(1 << 20));
    answer.await.expect("an answer");
    assert!(start.elapsed() > limit * 20);
}

#[tokio::test(start_paused = true)]
async fn an_alert_after_the_request_says_whether_it_was_read() {
    use AlertDescription as Alert;
    for (alert, kind, delivery) in [
        (
            Alert::UnknownCA,
            ErrorKind::ClientCertificate,
            Delivery::NotSent,
        ),
        (
            Alert::HandshakeFailure,
            ErrorKind::Connect,
            Delivery::Unknown,
        ),
        (
            Alert::InternalError,
            ErrorKind::Connection,
            Delivery::Unknown,
        ),
    ] {
        // The alert is there once the whole request is.
        let transport = over_pipes(Some((1000, alert)), |mut far| async move {
            drop(far.read_to_end(&mut Vec::new()).await);
        });
        let meta = CallMeta::new("test.alert", Route::post("/"), Replay::Unsent);
        let error = transport
            .send(meta, post(1000))
            .await
            .expect_err("an alert");
        let seen = (error.kind(), error.delivery());
        assert_eq!(seen, (kind, delivery), "{alert:?}: {}", error.report());
    }
}

#[tokio::test]
async fn what_tls_says_is_remembered_even_when_hyper_drops_it() {
    let start = Instant::now();
    let failures = Failures::default();
    let (near, _far) = duplex(1);
    let io = Pipe {
        io: TokioIo::new(near),
        alert: Some((0, AlertDescription::UnknownCA)),
        written: 0,
    };
    let mut monitored = MonitoredIo::new(io, failures.clone());
    let stats = monitored.stats();
    let mut space = [0; 1];
    let mut buffer = hyper::rt::ReadBuf::new(&mut space);
    std::future::poll_fn(|cx| Pin::new(&mut monitored).poll_read(cx, buffer.unfilled()))
        .await
        .expect_err("an alert");
    let kinds = [stats.failure(), failures.since(start)]
        .map(|failure| failure.expect("remembered").error_kind());
    assert_eq!(kinds, [ErrorKind::ClientCertificate; 2]);
    assert!(failures.since(Instant::now() + DISTRUST).is_none());
}
