//! Level 3's server: TLS on loopback and HTTP/1.1 written by hand, so that it can be broken anywhere.

use std::future::pending;
use std::io;
use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::case::Fault;
use crate::leaf::TORN;
use crate::matching::Head;
use crate::script::{Action, Script, ScriptedReply};

/// No head of ours is larger.
const MAX_HEAD: usize = 64 * 1024;
/// How long an early answer waits for the client to stop sending.
const DRAIN: Duration = Duration::from_secs(1);

/// Serves connections until it is dropped.
pub(crate) async fn serve(listener: TcpListener, tls: Arc<rustls::ServerConfig>, script: Script) {
    let acceptor = TlsAcceptor::from(tls);
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        if script.refuse_connection() {
            reset(&stream);
            continue;
        }
        let (acceptor, script) = (acceptor.clone(), script.clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "a server serves its connections at once"
        )]
        connections.spawn(async move {
            // A client that goes away, or is refused, is part of many cases.
            if let Ok(tls) = acceptor.accept(stream).await {
                let certificates = tls.get_ref().1.peer_certificates();
                if let Some([certificate, ..]) = certificates {
                    script.certificate(certificate);
                }
                Connection {
                    tls,
                    buffer: BytesMut::new(),
                    script,
                }
                .serve()
                .await
                .unwrap_or_default();
            }
        });
    }
}

fn reset(stream: &TcpStream) {
    stream.set_zero_linger().unwrap_or_default();
}

struct Connection {
    tls: TlsStream<TcpStream>,
    /// Bytes that were read and not used yet.
    buffer: BytesMut,
    script: Script,
}

impl Connection {
    /// Answers requests until one ends the connection.
    async fn serve(mut self) -> io::Result<()> {
        while let Some(head) = self.head().await? {
            let length = self.length(&head);
            let read = if self.script.any_order() {
                Some(self.body(length).await?)
            } else {
                None
            };
            let turn = self.script.begin(&head, read.as_ref());
            if turn.action.reads_body() && read.is_none() {
                turn.check_body(&self.body(length).await?);
            }
            sleep(turn.after).await;
            match &turn.action {
                Action::Reply(reply) => {
                    let last = reply.early || self.script.next_is_refusal();
                    self.reply(reply, last).await?;
                    if reply.early {
                        drop(timeout(DRAIN, self.drain()).await);
                    }
                    if last {
                        drop(turn);
                        return self.tls.shutdown().await;
                    }
                }
                Action::Fault(fault) => return self.fail(*fault).await,
            }
        }
        Ok(())
    }

    async fn fail(mut self, fault: Fault) -> io::Result<()> {
        match fault {
            Fault::Refuse | Fault::ResetBeforeSend | Fault::ResetAfterSend => {
                reset(self.tls.get_ref().0);
                Ok(())
            }
            Fault::CloseAfterSend => self.tls.shutdown().await,
            Fault::TornBody => {
                self.tls
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
                    .await?;
                let whole = TORN.len() * 2;
                self.tls
                    .write_all(format!("content-length: {whole}\r\n\r\n").as_bytes())
                    .await?;
                self.tls.write_all(TORN).await?;
                self.tls.shutdown().await
            }
            Fault::Garbage => {
                self.tls.write_all(b"SSH-2.0-OpenSSH_9.6\r\n\r\n").await?;
                self.tls.shutdown().await
            }
            Fault::Hang | Fault::Stall => pending().await,
        }
    }

    async fn reply(&mut self, reply: &ScriptedReply, last: bool) -> io::Result<()> {
        // The reason phrase is for people, and may be anything.
        let mut head = format!("HTTP/1.1 {} scripted\r\n", reply.status);
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if last {
            head.push_str("connection: close\r\n");
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", reply.body.len()));
        self.tls.write_all(head.as_bytes()).await?;
        self.tls.write_all(&reply.body).await?;
        self.tls.flush().await
    }

    /// The next request's head; `None` when the client is done.
    async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = self
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                let text = self.buffer.split_to(end);
                self.buffer.advance(4);
                let head = parse(&String::from_utf8_lossy(&text));
                if head.is_none() {
                    self.script.problem("a request's head is not HTTP/1.1");
                }
                return Ok(head);
            }
            if self.buffer.len() > MAX_HEAD || self.tls.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The body's length. Uploads must name it: whether chunked bodies are taken is not documented.
    fn length(&self, head: &Head) -> usize {
        let length = head
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok());
        let length = length.and_then(|value| value.parse().ok());
        let chunked = head.headers.contains_key(TRANSFER_ENCODING);
        let bodiless = matches!(head.method.as_str(), "GET" | "DELETE");
        if chunked || (length.is_none() && !bodiless) {
            self.script.problem(format!(
                "{} {}: has no Content-Length",
                head.method, head.path
            ));
        }
        length.unwrap_or(0)
    }

    async fn body(&mut self, length: usize) -> io::Result<Bytes> {
        while self.buffer.len() < length {
            self.buffer.reserve(length - self.buffer.len());
            if self.tls.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    /// Reads until the client stops: a close with bytes unread would become a reset.
    async fn drain(&mut self) -> io::Result<()> {
        loop {
            self.buffer.clear();
            if self.tls.read_buf(&mut self.buffer).await? == 0 {
                return Ok(());
            }
        }
    }
}

fn parse(text: &str) -> Option<Head> {
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path, version) = (first.next()?, first.next()?, first.next()?);
    if version != "HTTP/1.1" {
        return None;
    }
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    Some(Head {
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_strictly() {
        let head = parse("POST /a HTTP/1.1\r\nHost: b\r\nX: 1\r\nx: 2").expect("a head");
        assert_eq!((head.method.as_str(), head.path.as_str()), ("POST", "/a"));
        assert_eq!(head.headers.get_all("x").iter().count(), 2);
        for bad in [
            "",
            "POST /a",
            "POST /a HTTP/2",
            "POST /a HTTP/1.1\r\nno colon",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
