//! A connection that keeps statistics and briefly delays a failed write.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::time::{Sleep, sleep};

use crate::connection::{ConnectionStats, Failures};

/// A connection that keeps statistics.
pub(crate) struct MonitoredIo<T> {
    io: T,
    stats: Arc<ConnectionStats>,
    write_error: Option<DeferredWriteError>,
}

/// A failed write whose error is delayed briefly.
///
/// A server that rejects a request closes the connection while we still write: its answer or TLS
/// alert is then unread in the socket. The delay lets hyper read it first; otherwise a 413 and a
/// rejected certificate would both look like a broken pipe.
struct DeferredWriteError {
    error: Option<io::Error>,
    grace: Pin<Box<Sleep>>,
}

/// The read size: one TLS record.
const READ: usize = 16 * 1024;

/// What the server sent before it closed is already in the socket, or at most one trip away.
const WRITE_ERROR_GRACE: Duration = Duration::from_millis(250);

impl<T> MonitoredIo<T> {
    pub(super) fn new(io: T, failures: Failures) -> Self {
        Self {
            io,
            stats: Arc::new(ConnectionStats::new(failures)),
            write_error: None,
        }
    }

    #[cfg(test)]
    pub(super) fn stats(&self) -> Arc<ConnectionStats> {
        Arc::clone(&self.stats)
    }

    /// Passes on a success, and delays a failure.
    fn on_write<O>(&mut self, cx: &mut Context<'_>, outcome: io::Result<O>) -> Poll<io::Result<O>> {
        match outcome {
            Ok(written) => {
                self.stats.on_write();
                Poll::Ready(Ok(written))
            }
            Err(error) => {
                self.stats.on_error(&error);
                self.write_error = Some(DeferredWriteError {
                    error: Some(error),
                    grace: Box::pin(sleep(WRITE_ERROR_GRACE)),
                });
                self.poll_write_error(cx).map(Err)
            }
        }
    }

    /// Pending while no write has failed, or until the delay is over.
    fn poll_write_error(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(deferred) = &mut self.write_error else {
            return Poll::Pending;
        };
        ready!(deferred.grace.as_mut().poll(cx));
        let again = || io::Error::from(io::ErrorKind::BrokenPipe);
        Poll::Ready(deferred.error.take().unwrap_or_else(again))
    }
}

impl<T: Read + Write + Unpin> Read for MonitoredIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Read here first, because a cursor does not show what was put into it.
        let mut space = [0; READ];
        let room = buffer.remaining().min(READ);
        let mut own = ReadBuf::new(space.get_mut(..room).unwrap_or_default());
        let outcome = ready!(Pin::new(&mut self.io).poll_read(cx, own.unfilled()));
        match &outcome {
            Ok(()) => {
                self.stats.on_read(own.filled());
                buffer.put_slice(own.filled());
            }
            Err(error) => self.stats.on_error(error),
        }
        Poll::Ready(outcome)
    }
}

impl<T: Read + Write + Unpin> Write for MonitoredIo<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.write_error.is_some() {
            return self.poll_write_error(cx).map(Err);
        }
        let outcome = ready!(Pin::new(&mut self.io).poll_write(cx, bytes));
        self.on_write(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.write_error.is_some() {
            return self.poll_write_error(cx).map(Err);
        }
        let outcome = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices));
        self.on_write(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.write_error.is_some() {
            return self.poll_write_error(cx).map(Err);
        }
        let outcome = ready!(Pin::new(&mut self.io).poll_flush(cx));
        match outcome {
            Ok(()) => {
                // A flush of nothing is not a write.
                self.stats.on_flush();
                Poll::Ready(Ok(()))
            }
            Err(error) => self.on_write(cx, Err(error)),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<T: Connection> Connection for MonitoredIo<T> {
    fn connected(&self) -> Connected {
        self.io.connected().extra(Arc::clone(&self.stats))
    }
}
