//! Notices a server that asks for renegotiation, usually for the client certificate.
//!
//! rustls answers it with a warning, and some servers then wait for ever. The record headers of TLS 1.2
//! show it: after the server's Finished, no handshake message but HelloRequest follows.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use rustls::{Error as TlsError, OtherError};
use tokio::time::{Instant, Sleep, sleep};

use crate::clock::after;

/// How long a server that asked for renegotiation has to answer without it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The read size: one TLS record.
const READ: usize = 16 * 1024;

/// A connection below TLS that fails once its server has asked for renegotiation and does not go on.
pub(crate) struct RenegotiationWatch<T> {
    io: T,
    records: Records,
    /// Runs while the server neither answers nor reads.
    patience: Option<Pin<Box<Sleep>>>,
}

impl<T> RenegotiationWatch<T> {
    pub(super) fn new(io: T) -> Self {
        Self {
            io,
            records: Records::default(),
            patience: None,
        }
    }

    fn on_write(&mut self, written: &Poll<io::Result<usize>>) {
        if let (Some(patience), Poll::Ready(Ok(1..))) = (&mut self.patience, written) {
            patience.as_mut().reset(after(Instant::now(), PATIENCE));
        }
    }
}

impl<T: Read + Unpin> Read for RenegotiationWatch<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.records.cannot_renegotiate {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        // A cursor does not show what was put into it.
        let mut space = [0; READ];
        let room = buffer.remaining().min(READ);
        let mut own = ReadBuf::new(space.get_mut(..room).unwrap_or_default());
        let Poll::Ready(outcome) = Pin::new(&mut self.io).poll_read(cx, own.unfilled()) else {
            let Some(patience) = &mut self.patience else {
                return Poll::Pending;
            };
            ready!(patience.as_mut().poll(cx));
            return Poll::Ready(Err(unsupported()));
        };
        let bytes = own.filled();
        let is_over = outcome.is_err() || bytes.is_empty();
        if self.records.take(bytes) == Asked::AndEnded || (is_over && self.patience.is_some()) {
            return Poll::Ready(Err(unsupported()));
        }
        outcome?;
        if self.records.asked == Asked::No {
            self.patience = None;
        } else if self.patience.is_none() {
            self.patience = Some(Box::pin(sleep(PATIENCE)));
        }
        buffer.put_slice(bytes);
        Poll::Ready(Ok(()))
    }
}

fn unsupported() -> io::Error {
    let error = OtherError(Arc::new(RenegotiationRequested));
    io::Error::other(TlsError::Other(error))
}

/// The server has asked for renegotiation, and does not go on without it.
#[derive(Debug)]
pub(crate) struct RenegotiationRequested;

impl fmt::Display for RenegotiationRequested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HelloRequest received")
    }
}

impl StdError for RenegotiationRequested {}

impl<T: Write + Unpin> Write for RenegotiationWatch<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.on_write(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.on_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<T: Connection> Connection for RenegotiationWatch<T> {
    fn connected(&self) -> Connected {
        self.io.connected()
    }
}

/// Whether a server has asked for renegotiation, since its last application data.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Asked {
    #[default]
    No,
    Yes,
    /// And then sent an alert.
    AndEnded,
}

/// Follows the records of a server by their headers.
#[derive(Debug, Default)]
struct Records {
    header: Vec<u8>,
    /// How much of the current record is to come.
    rest: usize,
    /// Handshake records after ChangeCipherSpec, which the server's Finished follows.
    handshakes: Option<u32>,
    asked: Asked,
    /// Set once this is known to be TLS 1.3, whose records all look alike, or not TLS.
    cannot_renegotiate: bool,
}

impl Records {
    const HEADER: usize = 5;
    const CHANGE_CIPHER_SPEC: u8 = 20;
    const ALERT: u8 = 21;
    const HANDSHAKE: u8 = 22;
    const APPLICATION_DATA: u8 = 23;

    fn take(&mut self, mut bytes: &[u8]) -> Asked {
        while !bytes.is_empty() && !self.cannot_renegotiate {
            let missing = match self.rest {
                0 => Self::HEADER - self.header.len(),
                rest => rest,
            };
            let (taken, after) = bytes.split_at(missing.min(bytes.len()));
            bytes = after;
            if self.rest > 0 {
                self.rest -= taken.len();
                continue;
            }
            self.header.extend_from_slice(taken);
            if let [kind, _, _, high, low] = *self.header {
                self.rest = usize::from(u16::from_be_bytes([high, low]));
                self.header.clear();
                self.begin(kind);
            }
        }
        self.asked
    }

    fn begin(&mut self, kind: u8) {
        match (kind, self.handshakes) {
            (Self::CHANGE_CIPHER_SPEC, _) => self.handshakes = Some(0),
            (Self::HANDSHAKE, None) => {}
            (Self::HANDSHAKE, Some(count)) => {
                self.handshakes = Some(count.saturating_add(1));
                if count > 0 {
                    self.asked = Asked::Yes;
                }
            }
            (Self::ALERT, _) if self.asked == Asked::Yes => self.asked = Asked::AndEnded,
            (Self::ALERT, _) => {}
            (Self::APPLICATION_DATA, Some(1..)) => self.asked = Asked::No,
            _ => self.cannot_renegotiate = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn record(kind: u8) -> [u8; 7] {
        [kind, 3, 3, 0, 2, 22, 22]
    }

    fn records(kinds: &[u8]) -> Vec<u8> {
        kinds.iter().flat_map(|kind| record(*kind)).collect()
    }

    /// What came before a reader's error or end, and whether it was this error.
    async fn read(server: &[u8], is_closed: bool) -> (usize, bool) {
        let (ours, mut theirs) = duplex(64 * 1024);
        theirs.write_all(server).await.unwrap();
        let kept = (!is_closed).then_some(theirs);
        let mut watch = TokioIo::new(RenegotiationWatch::new(TokioIo::new(ours)));
        let mut seen = Vec::new();
        let limit = Duration::from_secs(60);
        let outcome = tokio::time::timeout(limit, watch.read_to_end(&mut seen)).await;
        drop(kept);
        (seen.len(), matches!(outcome, Ok(Err(_))))
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_for_renegotiation_without_an_answer_fails() {
        let handshake = [22, 22, 20, 22];
        let rows: [(&[u8], bool); 9] = [
            (&[], false),
            (&[23, 23], false),
            (&[22], true),
            (&[22, 23], false),
            (&[22, 23, 21], false),
            (&[23, 22, 21], true),
            (&[23, 21], false),
            (&[22, 21], true),
            (&[22, 23, 22], true),
        ];
        for (after, fails) in rows {
            for is_closed in [false, true] {
                let sent = records(&[&handshake, after].concat());
                let start = Instant::now();
                assert_eq!(read(&sent, is_closed).await.1, fails, "{after:?}");
                assert!(!fails || start.elapsed() <= PATIENCE, "{after:?}");
            }
        }
        let tls13 = records(&[22, 20, 23, 23, 22, 22]);
        assert_eq!(read(&tls13, true).await, (tls13.len(), false));
        assert_eq!(read(b"HTTP/1.1 200 OK", true).await, (15, false));
    }

    proptest! {
        #[test]
        fn records_are_followed_however_they_arrive(kinds in proptest::collection::vec(20u8..24, 0..12), cuts in proptest::collection::vec(1usize..9, 1..40)) {
            let bytes = records(&kinds);
            let mut whole = Records::default();
            whole.take(&bytes);
            let (mut parts, mut rest) = (Records::default(), &bytes[..]);
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (part, after) = rest.split_at((*cut).min(rest.len()));
                parts.take(part);
                rest = after;
            }
            prop_assert_eq!((whole.asked, whole.cannot_renegotiate), (parts.asked, parts.cannot_renegotiate));
        }
    }
}
