//! A document to upload, from a path, from memory, from a reader or from a function that opens one.

mod async_reader;
mod reader;

use std::ffi::OsStr;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::io::AsyncRead;

use self::async_reader::{Blocking, read_some};
use self::reader::{Input, Seen};
use crate::error::{UploadError, file_error};
use crate::limits::{HEAD, Limits};

pub(crate) use self::reader::Reader;

/// A document to upload.
///
/// Cheap to clone. `Debug` prints its size, not its name or contents.
#[derive(Clone)]
pub struct Document {
    name: String,
    len: u64,
    head: Bytes,
    source: Source,
    inspect: Option<Inspect>,
}

/// Begins a pass over a document.
type Inspect = Arc<dyn Fn() -> Seen + Send + Sync>;

#[derive(Clone)]
enum Source {
    Path {
        path: PathBuf,
        modified: Option<Duration>,
    },
    Memory(Bytes),
    Opened(Open),
    Once(Arc<Mutex<Option<Box<dyn Read + Send>>>>),
}

/// Opens a document from its start.
type Open = Arc<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync>;

impl Document {
    /// A file, sent under its own name. It is opened again for each attempt. If its size or
    /// modification time changes before it is sent, the upload fails and the request is incomplete.
    ///
    /// # Errors
    /// [`UploadErrorKind::File`](crate::UploadErrorKind::File): it cannot be read, is not a regular
    /// file, or its name is not UTF-8.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, UploadError> {
        let path = path.as_ref();
        let shown = shown(&path.to_string_lossy());
        let name = path.file_name().and_then(OsStr::to_str).ok_or_else(|| {
            file_error(format!("{shown} has no name that can be sent: rename it"))
        })?;
        check_name(name)?;
        let unreadable = |error| file_error(format!("{shown} cannot be read")).with_source(error);
        // The ledger is resumed from any directory.
        let absolute = std::path::absolute(path).map_err(unreadable)?;
        // Asked before opening: opening a pipe would wait for its writer.
        let metadata = std::fs::metadata(&absolute).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(file_error(format!("{shown} is a folder, not a file")));
        }
        if !metadata.is_file() {
            return Err(file_error(format!("{shown} is not a regular file")));
        }
        let mut file = File::open(&absolute).map_err(unreadable)?;
        let head = read_head(&mut file).map_err(unreadable)?;
        let source = Source::Path {
            path: absolute,
            modified: modified(&metadata),
        };
        Ok(Self {
            name: name.to_owned(),
            len: metadata.len(),
            head,
            source,
            inspect: None,
        })
    }

    /// A document in memory.
    ///
    /// # Errors
    /// [`UploadErrorKind::File`](crate::UploadErrorKind::File): the name is empty, a path, or holds control characters.
    pub fn from_bytes(
        name: impl Into<String>,
        bytes: impl Into<Bytes>,
    ) -> Result<Self, UploadError> {
        let (name, bytes) = (name.into(), bytes.into());
        check_name(&name)?;
        let head = bytes.slice(..bytes.len().min(HEAD));
        Ok(Self {
            name,
            len: bytes.len() as u64,
            head,
            source: Source::Memory(bytes),
            inspect: None,
        })
    }

    /// A document of exactly `len` bytes from any source that can be opened again, such as an object
    /// store.
    ///
    /// `open` is called here and for each attempt, and returns a reader at the start of the same
    /// bytes. It blocks: here to read the first 1,024 bytes, later on the blocking pool. Bytes that
    /// differ between two calls are not noticed unless their number does.
    ///
    /// ```
    /// use flinks_upload::Document;
    ///
    /// fn fetch() -> std::io::Result<impl std::io::Read> {
    ///     Ok("%PDF-1.7\n%%EOF\n".as_bytes())
    /// }
    /// let document = Document::from_fn("january.pdf", 15, fetch)?;
    /// assert!(document.is_replayable());
    /// # Ok::<(), flinks_upload::UploadError>(())
    /// ```
    ///
    /// # Errors
    /// [`UploadErrorKind::File`](crate::UploadErrorKind::File): it cannot be opened or read, or the
    /// name is empty, a path, or holds control characters.
    pub fn from_fn<R: Read + Send + 'static>(
        name: impl Into<String>,
        len: u64,
        open: impl Fn() -> io::Result<R> + Send + Sync + 'static,
    ) -> Result<Self, UploadError> {
        let name = name.into();
        check_name(&name)?;
        let head = open().and_then(|mut reader| read_head(&mut reader));
        let head = head.map_err(|error| unreadable(&name, error))?;
        let source = Source::Opened(Arc::new(move || Ok(Box::new(open()?))));
        Ok(Self {
            name,
            len,
            head,
            source,
            inspect: None,
        })
    }

    /// A document of exactly `len` bytes that can be read only once, from an asynchronous reader. As
    /// [`from_reader`](Self::from_reader), but only its first 1,024 bytes are awaited here.
    ///
    /// ```
    /// use flinks_upload::Document;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let reader = "%PDF-1.7\n%%EOF\n".as_bytes(); // for instance the body of an HTTP request
    /// let document = Document::from_async_reader("january.pdf", 15, reader).await?;
    /// assert!(!document.is_replayable());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`UploadErrorKind::File`](crate::UploadErrorKind::File): it cannot be read, or the name is
    /// empty, a path, or holds control characters.
    pub async fn from_async_reader(
        name: impl Into<String>,
        len: u64,
        mut reader: impl AsyncRead + Send + Unpin + 'static,
    ) -> Result<Self, UploadError> {
        let name = name.into();
        check_name(&name)?;
        let mut head = vec![0; HEAD];
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match read_some(&mut reader, rest).await {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) => return Err(unreadable(&name, error)),
            }
        }
        head.truncate(filled);
        Ok(Self::once(name, len, head.into(), Blocking(reader)))
    }

    /// A document of exactly `len` bytes that can be read only once: an unknown outcome or a 401 then
    /// ends the session. The first 1,024 bytes are read here, blocking; the rest on the blocking pool
    /// while the document is sent.
    ///
    /// # Errors
    /// [`UploadErrorKind::File`](crate::UploadErrorKind::File): it cannot be read, or the name is empty, a path, or holds control
    /// characters.
    pub fn from_reader(
        name: impl Into<String>,
        len: u64,
        mut reader: impl Read + Send + 'static,
    ) -> Result<Self, UploadError> {
        let name = name.into();
        check_name(&name)?;
        let head = read_head(&mut reader).map_err(|error| unreadable(&name, error))?;
        Ok(Self::once(name, len, head, reader))
    }

    /// A document whose first bytes were read already.
    fn once(name: String, len: u64, head: Bytes, rest: impl Read + Send + 'static) -> Self {
        let whole: Box<dyn Read + Send> = Box::new(Cursor::new(head.clone()).chain(rest));
        Self {
            name,
            len,
            head,
            source: Source::Once(Arc::new(Mutex::new(Some(whole)))),
            inspect: None,
        }
    }

    /// Passes the document's bytes to a callback while they are read for sending, for example to hash
    /// them.
    ///
    /// `begin` is called on the blocking pool for each attempt; the callback that it returns gets the
    /// bytes of that attempt in order. Bytes that were passed may still not be sent.
    #[must_use]
    pub fn inspect<I>(mut self, begin: impl Fn() -> I + Send + Sync + 'static) -> Self
    where
        I: FnMut(&[u8]) + Send + 'static,
    {
        self.inspect = Some(Arc::new(move || Box::new(begin())));
        self
    }

    /// Returns the name that is sent, with its extension.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the size in bytes, before encoding.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "an empty document is always refused"
    )]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it can be read again for another attempt.
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        !matches!(self.source, Source::Once(_))
    }

    /// Returns the absolute path of a file, which a ledger needs to resume in another process.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::Path { path, .. } => Some(path),
            Source::Memory(_) | Source::Opened(_) | Source::Once(_) => None,
        }
    }

    /// When a file was last modified, since the epoch.
    pub(crate) fn modified(&self) -> Option<Duration> {
        match &self.source {
            Source::Path { modified, .. } => *modified,
            Source::Memory(_) | Source::Opened(_) | Source::Once(_) => None,
        }
    }

    /// Checks the name, the size and the first bytes, as a session does before it sends anything.
    ///
    /// # Errors
    /// [`UploadErrorKind::File`](crate::UploadErrorKind::File): it is empty, too large, of another type, or not what its name says.
    pub fn check(&self, limits: &Limits) -> Result<(), UploadError> {
        limits.check(&self.name, self.len, &self.head)
    }

    /// Opens the document for one attempt. Blocks: called on the blocking pool.
    pub(crate) fn reader(&self) -> Result<Reader, UploadError> {
        let input = match &self.source {
            Source::Memory(bytes) => Input::Memory(Cursor::new(bytes.clone())),
            Source::Once(reader) => {
                let taken = reader.lock().unwrap_or_else(PoisonError::into_inner).take();
                Input::Reader(taken.ok_or_else(|| {
                    file_error(format!("{} can be read only once", shown(&self.name)))
                })?)
            }
            Source::Opened(open) => Input::Reader(open().map_err(|error| self.unreadable(error))?),
            Source::Path { path, .. } => {
                Input::File(File::open(path).map_err(|error| self.unreadable(error))?)
            }
        };
        let seen = self.inspect.as_ref().map(|begin| begin());
        let reader = Reader { input, seen };
        self.check_unchanged(&reader)?;
        Ok(reader)
    }

    /// Fails when the open file is another one than the document was made from. Asked again after
    /// the last byte: a file that is rewritten while it is read gives half of each.
    pub(crate) fn check_unchanged(&self, reader: &Reader) -> Result<(), UploadError> {
        let (
            Input::File(file),
            Source::Path {
                modified: known, ..
            },
        ) = (&reader.input, &self.source)
        else {
            return Ok(());
        };
        let metadata = file.metadata().map_err(|error| self.unreadable(error))?;
        if metadata.len() == self.len && modified(&metadata) == *known {
            Ok(())
        } else {
            Err(self.changed())
        }
    }

    pub(crate) fn changed(&self) -> UploadError {
        file_error(format!("{} changed while it was read", shown(&self.name)))
    }

    pub(crate) fn unreadable(&self, error: io::Error) -> UploadError {
        unreadable(&self.name, error)
    }
}

fn unreadable(name: &str, error: io::Error) -> UploadError {
    file_error(format!("{} cannot be read", shown(name))).with_source(error)
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

fn modified(metadata: &Metadata) -> Option<Duration> {
    metadata
        .modified()
        .ok()?
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
}

fn read_head(reader: &mut impl Read) -> io::Result<Bytes> {
    let mut head = Vec::with_capacity(HEAD);
    reader.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head.into())
}

fn check_name(name: &str) -> Result<(), UploadError> {
    if name.is_empty() || name.len() > 255 {
        return Err(file_error("a file name has 1 to 255 bytes"));
    }
    if name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        let why = "a file name must not contain \"/\", \"\\\" or control characters";
        return Err(file_error(format!("{} cannot be sent: {why}", shown(name))));
    }
    Ok(())
}

/// Formats a name or path for a message, unless it does not look like one: a key that was given
/// instead of a path must not be shown.
fn shown(name: &str) -> String {
    if name.contains(['\n', '\r']) || name.contains("-----BEGIN") {
        "a text of several lines".to_owned()
    } else {
        name.escape_debug().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::UploadErrorKind;

    #[test]
    fn names_are_checked_before_anything_else() {
        for bad in [
            "-----BEGIN PRIVATE KEY-----\nMIGH",
            "",
            "a/b.pdf",
            "..\\b.pdf",
            "a\n.pdf",
            "a\0.pdf",
            &"x".repeat(256),
        ] {
            let error = Document::from_bytes(bad, "x").expect_err(bad);
            assert!(!error.to_string().contains("MIGH"), "{error}");
        }
        let error = Document::from_bytes("b\tc.pdf", "x").expect_err("a control character");
        assert!(error.to_string().contains("b\\tc.pdf"), "{error}");
        Document::from_bytes("Relevé d'été.pdf", "x").expect("any other text");
    }

    #[test]
    fn a_changed_file_is_noticed_when_it_is_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pdf");
        std::fs::write(&path, "%PDF-1.7 one").expect("written");
        let document = Document::open(&path).expect("opened");
        document.reader().map(|_| ()).expect("unchanged");
        std::fs::write(&path, "%PDF-1.7 other").expect("written");
        let error = document.reader().map(|_| ()).expect_err("changed");
        assert!(error.to_string().contains("a.pdf changed"), "{error}");
    }

    #[test]
    fn a_path_is_good_in_any_directory() {
        let document = Document::open("Cargo.toml").expect("this crate's manifest");
        let path = document.path().expect("a path");
        assert!(
            path.is_absolute() && path.ends_with("Cargo.toml"),
            "{path:?}"
        );
    }

    #[test]
    fn folders_and_missing_files_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(
            Document::open(folder.path()).expect_err("a folder").kind(),
            UploadErrorKind::File
        );
        let missing = Document::open(folder.path().join("a.pdf")).expect_err("missing");
        assert!(missing.to_string().contains("a.pdf"), "{missing}");
    }

    #[test]
    fn a_reader_is_read_once_and_whole() {
        let bytes = vec![7u8; 5000];
        let document =
            Document::from_reader("a.pdf", 5000, Cursor::new(bytes.clone())).expect("readable");
        let mut seen = Vec::new();
        document
            .reader()
            .expect("once")
            .read_to_end(&mut seen)
            .expect("read");
        assert_eq!(seen, bytes);
        assert!(document.reader().is_err());
        assert!(!document.is_replayable());
    }

    #[test]
    fn a_function_opens_the_document_for_each_attempt() {
        let bytes = vec![7u8; 5000];
        let content = bytes.clone();
        let open = move || Ok(Cursor::new(content.clone()));
        let document = Document::from_fn("a.pdf", 5000, open).expect("readable");
        assert!(document.is_replayable());
        for _ in 0..2 {
            let mut seen = Vec::new();
            let mut reader = document.reader().expect("opened");
            reader.read_to_end(&mut seen).expect("read");
            assert_eq!(seen, bytes);
        }
        let failing = || io::Result::<&[u8]>::Err(io::ErrorKind::NotFound.into());
        let error = Document::from_fn("b.pdf", 1, failing).expect_err("not there");
        assert!(error.to_string().contains("b.pdf cannot be read"));
    }

    #[tokio::test]
    async fn an_asynchronous_reader_is_read_on_the_blocking_pool() {
        for size in [0usize, 10, HEAD, HEAD + 1, 100_000] {
            let bytes: Vec<u8> = (0..size).map(|index| index as u8).collect();
            let (mut writer, reader) = tokio::io::duplex(700);
            let document = Document::from_async_reader("a.pdf", size as u64, reader);
            let write = async {
                tokio::io::AsyncWriteExt::write_all(&mut writer, &bytes).await?;
                drop(writer);
                io::Result::Ok(())
            };
            let read = async {
                let document = document.await.expect("a document");
                assert_eq!(document.head, &bytes[..size.min(HEAD)]);
                let read = tokio::task::spawn_blocking(move || {
                    let mut seen = Vec::new();
                    document.reader()?.read_to_end(&mut seen).expect("read");
                    Ok::<_, UploadError>(seen)
                });
                read.await.expect("no panic").expect("once")
            };
            let (written, seen) = tokio::join!(write, read);
            written.expect("written");
            assert!(seen == bytes, "{size}");
        }
    }
}
