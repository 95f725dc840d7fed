//! One pass over a document.

use std::fs::File;
use std::io::{self, Cursor, Read};

use bytes::Bytes;

/// Sees the bytes of one pass over a document.
pub(super) type Seen = Box<dyn FnMut(&[u8]) + Send>;

/// What is read while a document is sent, in one pass.
pub(crate) struct Reader {
    pub(super) input: Input,
    pub(super) seen: Option<Seen>,
}

pub(super) enum Input {
    File(File),
    Memory(Cursor<Bytes>),
    Reader(Box<dyn Read + Send>),
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.input {
            Input::File(file) => file.read(buffer),
            Input::Memory(bytes) => bytes.read(buffer),
            Input::Reader(reader) => reader.read(buffer),
        }?;
        if let (Some(seen), Some(bytes)) = (&mut self.seen, buffer.get(..read)) {
            seen(bytes);
        }
        Ok(read)
    }
}
