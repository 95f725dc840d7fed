//! How the proxy misbehaves.

use std::future::pending;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

pub(super) const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// What goes wrong on one connection to a [`ConnectProxy`](crate::ConnectProxy).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyFault {
    /// Closes the connection without reading from it.
    Close,
    /// Reads the request and never answers.
    Silent,
    /// Answers with these bytes instead, and closes.
    Answer(Vec<u8>),
    /// Sends the bytes of a success one by one, with this pause before each, and then closes.
    Slow(Duration),
    /// Answers with header lines without an end.
    EndlessHead,
    /// Opens the tunnel and closes it after this many bytes from the host.
    TearAfter(u64),
    /// Answers with success, connects to nothing, sends these bytes once the client has sent some
    /// through the tunnel, and closes.
    Inside(Vec<u8>),
    /// Answers with success, connects to nothing and never sends anything.
    SilentTunnel,
}

impl ProxyFault {
    /// Refuses the request with this status and an HTML page.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Answer(refusal(status))
    }

    /// Plays the fault; returns whether the connection is over.
    pub(super) async fn answer<T>(&self, client: &mut T) -> io::Result<bool>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        match self {
            Self::Close | Self::TearAfter(_) => return Ok(false),
            Self::Silent => pending().await,
            Self::Answer(bytes) => client.write_all(bytes).await?,
            Self::Slow(pause) => {
                for byte in ESTABLISHED {
                    sleep(*pause).await;
                    client.write_u8(*byte).await?;
                    client.flush().await?;
                }
            }
            Self::EndlessHead => {
                client.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                loop {
                    client.write_all(b"X-Filler: endless\r\n").await?;
                    client.flush().await?;
                }
            }
            Self::Inside(bytes) => {
                client.write_all(ESTABLISHED).await?;
                client.flush().await?;
                let mut hello = [0; 4096];
                let _: usize = client.read(&mut hello).await?;
                client.write_all(bytes).await?;
            }
            Self::SilentTunnel => {
                client.write_all(ESTABLISHED).await?;
                client.flush().await?;
                pending().await
            }
        }
        Ok(true)
    }
}

/// Returns an answer with this status, as proxies word it.
pub(super) fn refusal(status: u16) -> Vec<u8> {
    let body = format!("<html><head><title>Access to the web: {status}</title></head></html>");
    let challenge = match status {
        407 => "Proxy-Authenticate: Basic realm=\"proxy\"\r\n",
        _ => "",
    };
    format!(
        "HTTP/1.1 {status} Refused\r\n{challenge}Content-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
