//! Reading an asynchronous reader, awaited or on the blocking pool.

use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::runtime::Handle;

/// Reads an asynchronous reader on the blocking pool.
pub(super) struct Blocking<R>(pub(super) R);

impl<R: AsyncRead + Unpin> Read for Blocking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        runtime.block_on(read_some(&mut self.0, buffer))
    }
}

/// Reads what is there next; 0 bytes are the end.
pub(super) async fn read_some(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
) -> io::Result<usize> {
    let mut buffer = ReadBuf::new(buffer);
    poll_fn(|context| Pin::new(&mut *reader).poll_read(context, &mut buffer)).await?;
    Ok(buffer.filled().len())
}
