//! The body of an upload: JSON head, the document as base64 piece by piece, JSON tail, of exactly known length.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine;
use bytes::Bytes;
use flinks_transport::{BoxError, Error, ErrorKind};
use flinks_types::AggregationId;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::document::{Document, Reader};
use crate::error::{UploadError, file_error};

/// What is read at a time: large enough that the blocking pool costs a tenth, not a half.
const CHUNK: usize = 4 * PIECE;

/// What is encoded at a time: a multiple of 3, so that only the last piece is padded.
const PIECE: usize = 48 * 1024;

#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon")
))]
fn base64() -> base64::engine::Simd {
    base64::engine::Simd::standard(base64::engine::general_purpose::PAD)
}

#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon")
)))]
fn base64() -> base64::engine::GeneralPurpose {
    base64::engine::general_purpose::STANDARD
}

/// The JSON around a document's content. The content itself never passes through serde: its
/// alphabet needs no escaping, and the scan would cost more than everything else.
#[derive(Clone)]
pub(crate) struct Envelope {
    head: Bytes,
    tail: Bytes,
}

impl Envelope {
    pub(crate) fn new(
        aggregation_id: Option<&AggregationId>,
        file_name: &str,
        tag: Option<&str>,
        client_name: Option<&str>,
    ) -> Result<Self, Error> {
        let mut head = String::from("{");
        if let Some(id) = aggregation_id {
            head.push_str("\"AggregationId\":");
            head.push_str(&json(id.as_str())?);
            head.push(',');
        }
        head.push_str("\"Files\":[{\"FileName\":");
        head.push_str(&json(file_name)?);
        head.push_str(",\"Content\":\"");
        let mut tail = String::from("\"}]");
        for (key, value) in [("Tag", tag), ("ClientName", client_name)] {
            if let Some(value) = value {
                tail.push_str(&format!(",\"{key}\":{}", json(value)?));
            }
        }
        tail.push('}');
        Ok(Self {
            head: head.into(),
            tail: tail.into(),
        })
    }

    /// The exact length of the body around a document of `bytes` bytes.
    pub(crate) fn length(&self, bytes: u64) -> Result<u64, Error> {
        let content = bytes.div_ceil(3).checked_mul(4);
        content
            .and_then(|content| content.checked_add((self.head.len() + self.tail.len()) as u64))
            .ok_or_else(|| file_error("the document is too large to encode").into())
    }
}

fn json(text: &str) -> Result<String, Error> {
    serde_json::to_string(text)
        .map_err(|_| Error::new(ErrorKind::Input, "a text cannot be written as JSON"))
}

/// A callback that gets the number of bytes of the document taken for sending so far.
pub(crate) type OnBytes = Arc<dyn Fn(u64) + Send + Sync>;

/// One pass over a document.
pub(crate) struct Upload {
    document: Document,
    envelope: Envelope,
    on_bytes: Option<OnBytes>,
    length: u64,
    taken: u64,
    state: State,
    frames: Frames,
}

enum State {
    Head,
    /// A chunk is being read on the blocking pool.
    Reading(JoinHandle<Result<Chunk, UploadError>>),
    /// A chunk is being encoded from this byte on.
    Encoding(Chunk, usize),
    Tail,
    Done,
}

/// A reader with its buffer, and what it read last.
struct Chunk {
    reader: Reader,
    buffer: Vec<u8>,
    len: usize,
    /// What of the document is still to be read.
    left: u64,
}

impl Upload {
    pub(crate) fn new(
        document: Document,
        envelope: Envelope,
        length: u64,
        on_bytes: Option<OnBytes>,
    ) -> Self {
        Self {
            document,
            envelope,
            on_bytes,
            length,
            taken: 0,
            state: State::Head,
            frames: Frames::default(),
        }
    }

    fn open(&self) -> JoinHandle<Result<Chunk, UploadError>> {
        let document = self.document.clone();
        spawn_blocking(move || {
            let reader = document.reader()?;
            let left = document.len();
            let buffer = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK)).max(1)];
            Chunk {
                reader,
                buffer,
                len: 0,
                left,
            }
            .read(&document)
        })
    }

    /// Encodes the next piece of a chunk: a few microseconds, so that no more is encoded than the
    /// connection takes.
    fn encode(&mut self, chunk: Chunk, start: usize) -> Result<Bytes, UploadError> {
        let end = chunk.len.min(start + PIECE);
        let piece = chunk.buffer.get(start..end).unwrap_or_default();
        let frame = self.frames.encode(piece)?;
        self.taken += piece.len() as u64;
        if let Some(on_bytes) = &self.on_bytes {
            on_bytes(self.taken);
        }
        self.state = if end < chunk.len {
            State::Encoding(chunk, end)
        } else if chunk.left > 0 {
            let document = self.document.clone();
            State::Reading(spawn_blocking(move || chunk.read(&document)))
        } else {
            State::Tail
        };
        Ok(frame)
    }
}

impl Chunk {
    /// Reads the next chunk, and after the last one makes sure that it was the last.
    fn read(mut self, document: &Document) -> Result<Self, UploadError> {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.len = self.buffer.len().min(left);
        let chunk = self.buffer.get_mut(..self.len).unwrap_or_default();
        self.reader.read_exact(chunk).map_err(|error| {
            let ends_early = error.kind() == std::io::ErrorKind::UnexpectedEof;
            if ends_early {
                document.changed()
            } else {
                document.unreadable(error)
            }
        })?;
        self.left -= self.len as u64;
        if self.left == 0 {
            match self.reader.read(&mut [0]) {
                Ok(0) => {}
                Ok(_) => return Err(document.changed()),
                Err(error) => return Err(document.unreadable(error)),
            }
            // Before the last chunk is handed over: without it the request is incomplete.
            document.check_unchanged(&self.reader)?;
        }
        Ok(self)
    }
}

/// The frames that the connection holds. The memory of one that was sent is reused; otherwise the
/// allocator returns it to the system and requests it again.
#[derive(Default)]
struct Frames(VecDeque<Bytes>);

impl Frames {
    fn encode(&mut self, piece: &[u8]) -> Result<Bytes, UploadError> {
        let is_sent = self.0.front().is_some_and(Bytes::is_unique);
        let sent = if is_sent { self.0.pop_front() } else { None };
        let sent = sent.and_then(|frame| frame.try_into_mut().ok());
        let mut frame = sent.unwrap_or_default();
        frame.resize(piece.len().div_ceil(3) * 4, 0);
        let written = base64().encode_slice(piece, &mut frame);
        written.map_err(|_| file_error("the document cannot be encoded"))?;
        let frame = frame.freeze();
        self.0.push_back(frame.clone());
        Ok(frame)
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let frame = match std::mem::replace(&mut this.state, State::Done) {
            State::Head => {
                this.state = State::Reading(this.open());
                Ok(this.envelope.head.clone())
            }
            State::Reading(mut step) => {
                let Poll::Ready(step) = Pin::new(&mut step).poll(cx) else {
                    this.state = State::Reading(step);
                    return Poll::Pending;
                };
                let chunk = step.unwrap_or_else(|_| {
                    Err(file_error("the runtime stopped while a file was read"))
                });
                chunk.and_then(|chunk| this.encode(chunk, 0))
            }
            State::Encoding(chunk, start) => this.encode(chunk, start),
            State::Tail => Ok(this.envelope.tail.clone()),
            State::Done => return Poll::Ready(None),
        };
        let frame = frame.map(Frame::data);
        Poll::Ready(Some(frame.map_err(|error| Error::from(error).into())))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Done)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;

    fn upload(document: Document, id: Option<&str>, tag: Option<&str>) -> Upload {
        let id = id.map(|id| AggregationId::new(id).expect("an id"));
        let envelope =
            Envelope::new(id.as_ref(), document.name(), tag, Some("Zoë \"Z\"")).expect("text");
        let length = envelope.length(document.len()).expect("a length");
        Upload::new(document, envelope, length, None)
    }

    /// As a connection takes a body: three frames wait while the next is encoded.
    fn collect(mut body: Upload) -> Result<Bytes, BoxError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let mut bytes = Vec::new();
        let mut waiting = VecDeque::new();
        while let Some(frame) = runtime.block_on(body.frame()) {
            let frame = frame?.into_data().expect("no trailers");
            waiting.push_back((bytes.len(), frame.clone()));
            bytes.extend(frame);
            if waiting.len() > 3 {
                let (start, frame) = waiting.pop_front().expect("four frames");
                assert_eq!(frame, bytes[start..start + frame.len()]);
            }
        }
        Ok(bytes.into())
    }

    /// The same request by way of serde and one whole string.
    fn simple(
        name: &str,
        content: &[u8],
        id: Option<&str>,
        tag: Option<&str>,
    ) -> serde_json::Value {
        let content = base64::engine::general_purpose::STANDARD.encode(content);
        let mut value = serde_json::json!({
            "Files": [{ "FileName": name, "Content": content }], "ClientName": "Zoë \"Z\"",
        });
        for (key, text) in [("AggregationId", id), ("Tag", tag)] {
            if let Some(text) = text {
                value[key] = text.into();
            }
        }
        value
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn equals_the_simple_encoding(
            size in prop_oneof![1usize..2000, (PIECE - 4)..(PIECE + 5), (CHUNK - 4)..(CHUNK + 5), (2 * CHUNK)..(2 * CHUNK + 7)],
            seed in any::<u8>(),
            name in "[^/\\\\\\pC]{1,20}",
            tag in proptest::option::of("\\PC{0,20}"),
            id in proptest::option::of("[a-z0-9-]{1,36}"),
        ) {
            let content: Vec<u8> = (0..size).map(|i| (i as u8).wrapping_mul(31) ^ seed).collect();
            let document = Document::from_bytes(name.clone(), content.clone()).expect("a document");
            let body = upload(document, id.as_deref(), tag.as_deref());
            let length = body.size_hint().exact().expect("an exact length");
            let bytes = collect(body).expect("a whole body");
            prop_assert_eq!(bytes.len() as u64, length);
            let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            prop_assert_eq!(value, simple(&name, &content, id.as_deref(), tag.as_deref()));
        }
    }

    #[test]
    fn a_source_of_another_length_than_it_said_is_an_error() {
        for (said, has) in [
            (10, 9),
            (10, 11),
            (CHUNK, CHUNK - 1),
            (CHUNK, CHUNK + 1),
            (2000, 2001),
        ] {
            let document = Document::from_reader("a.pdf", said as u64, Cursor::new(vec![1u8; has]))
                .expect("read");
            let error = collect(upload(document, None, None)).expect_err("another length");
            assert!(
                error.to_string().contains("changed while it was read"),
                "{said} {has}: {error}"
            );
        }
    }

    #[test]
    fn a_file_rewritten_while_it_is_read_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pdf");
        let modified = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1);
        std::fs::write(&path, vec![b'a'; 3 * CHUNK]).expect("written");
        let file = std::fs::File::options()
            .write(true)
            .open(&path)
            .expect("open");
        file.set_modified(modified).expect("dated");
        let document = Document::open(&path).expect("a document");
        let rewrite = move |bytes: &[u8]| {
            if bytes.first() == Some(&b'a') {
                std::fs::write(&path, vec![b'b'; 3 * CHUNK]).expect("rewritten");
            }
        };
        let document = document.inspect(move || rewrite.clone());
        let error = collect(upload(document, None, None)).expect_err("half old, half new");
        let text = error.to_string();
        assert!(text.contains("changed while it was read"), "{text}");
    }

    #[test]
    fn what_is_inspected_is_what_is_sent() {
        let sent = Arc::new(std::sync::Mutex::new(Vec::new()));
        let sink = Arc::clone(&sent);
        let content: Vec<u8> = (0..2 * CHUNK + 5).map(|i| i as u8).collect();
        let document = Document::from_bytes("a.pdf", content.clone()).expect("a document");
        let document = document.inspect(move || {
            let sink = Arc::clone(&sink);
            sink.lock().expect("lock").clear();
            move |bytes: &[u8]| sink.lock().expect("lock").extend_from_slice(bytes)
        });
        for _attempt in 0..2 {
            collect(upload(document.clone(), None, None)).expect("a whole body");
            assert_eq!(*sent.lock().expect("lock"), content);
        }
    }

    #[test]
    fn progress_ends_at_the_size_of_the_document() {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let document = Document::from_bytes("a.pdf", vec![1u8; 3 * CHUNK + 1]).expect("a document");
        let mut body = upload(document, None, None);
        let sink = Arc::clone(&seen);
        body.on_bytes = Some(Arc::new(move |bytes| {
            sink.lock().expect("lock").push(bytes)
        }));
        collect(body).expect("a whole body");
        let seen = seen.lock().expect("lock");
        assert_eq!(seen.len(), 13);
        assert_eq!(seen.last(), Some(&(3 * CHUNK as u64 + 1)));
    }

    #[tokio::test]
    async fn a_body_is_at_its_end_after_its_tail_and_no_sooner() {
        let document = Document::from_bytes("a.pdf", vec![1u8; CHUNK + 1]).expect("a document");
        let mut body = upload(document, None, None);
        for _head_pieces_and_tail in 0..7 {
            assert!(!body.is_end_stream());
            body.frame().await.expect("a frame").expect("bytes");
        }
        assert!(body.is_end_stream());
    }
}
