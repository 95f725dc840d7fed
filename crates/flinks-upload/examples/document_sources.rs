//! Documents that are not files: bytes in memory, an object store, the body of a web request.

use std::io::{self, Cursor};

use flinks_sandbox::{Sandbox, upload_client};
use flinks_upload::{BoxError, Document};
use tokio::io::AsyncRead;

const STATEMENT: &[u8] = b"%PDF-1.7\nstartxref\n0\n%%EOF\n";

/// Stands for an object store that is read over the network, such as S3.
struct Bucket;

impl Bucket {
    fn size(&self, _key: &str) -> io::Result<u64> {
        Ok(STATEMENT.len().try_into().unwrap_or(u64::MAX))
    }

    /// Blocks, and can be called again: after a failed attempt the document is read again.
    fn open(&self, _key: &str) -> io::Result<impl io::Read + Send + use<>> {
        Ok(Cursor::new(STATEMENT))
    }
}

/// Stands for the body of a web request, which can be read once.
fn body() -> impl AsyncRead + Send + Unpin + 'static {
    STATEMENT
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let sandbox = Sandbox::start().await?;
    let uploads = upload_client!(sandbox)?;

    let in_memory = Document::from_bytes("january.pdf", STATEMENT)?;

    let size = Bucket.size("loans/4711/february.pdf")?;
    let stored = Document::from_fn("february.pdf", size, || {
        Bucket.open("loans/4711/february.pdf")
    })?;

    // The length is known from `Content-Length`. It is not replayable: if an attempt fails, the
    // session ends with an error that says whether the service has the file.
    let streamed = Document::from_async_reader("march.pdf", size, body()).await?;
    assert!(stored.is_replayable() && !streamed.is_replayable());

    let done = uploads
        .session()
        .upload([in_memory, stored, streamed])
        .await?;
    let received = sandbox.upload(done.login_id.as_str()).ok_or("no upload")?;
    assert_eq!(received.files.len(), 3);
    Ok(())
}
