//! A ledger of one's own, such as a table of a database: another process resumes the upload from it.

use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use flinks_sandbox::{Sandbox, upload_client};
use flinks_upload::{BoxError, Document, Ledger, LedgerEntry, OnUnknown};

/// Stands for a table with the columns `upload` and `entry`, whose rows keep their order.
#[derive(Clone, Default)]
struct Table(Arc<Mutex<Vec<(String, String)>>>);

impl Table {
    /// One transaction: it is durable when this returns.
    async fn insert(&self, upload: &str, rows: Vec<String>) -> Result<(), BoxError> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.extend(rows.into_iter().map(|row| (upload.to_owned(), row)));
        Ok(())
    }

    async fn select(&self, upload: &str) -> Result<Vec<LedgerEntry>, BoxError> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = table.iter().filter(|(of, _)| of == upload);
        Ok(rows
            .map(|(_, row)| serde_json::from_str(row))
            .collect::<Result<_, _>>()?)
    }
}

/// The ledger of one upload. Only one process at a time may have it open: lock the upload in the database.
struct TableLedger {
    table: Table,
    upload: String,
}

impl Ledger for TableLedger {
    fn append<'a>(
        &'a mut self,
        entries: &'a [LedgerEntry],
    ) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>> {
        Box::pin(async move {
            let rows = entries.iter().map(serde_json::to_string);
            let rows = rows.collect::<Result<_, _>>()?;
            self.table.insert(&self.upload, rows).await
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let sandbox = Sandbox::start().await?;
    let uploads = upload_client!(sandbox)?;
    let folder = tempfile::tempdir()?;
    let paths = ["january.pdf", "february.pdf"].map(|name| folder.path().join(name));
    for path in &paths {
        fs::write(path, "%PDF-1.7\nstartxref\n0\n%%EOF\n")?;
    }
    let table = Table::default();
    let ledger = || TableLedger {
        table: table.clone(),
        upload: "loan-4711".to_owned(),
    };

    // The answer to the second file is lost, and this process ends there.
    sandbox.inject("upload@2=reset-after".parse()?);
    let session = uploads
        .session()
        .ledger(ledger())
        .on_unknown(OnUnknown::Stop);
    let documents = [Document::open(&paths[0])?, Document::open(&paths[1])?];
    let error = session.upload(documents).await.err().ok_or("not lost")?;
    assert!(error.delivery().may_have_acted());

    // Another one reads the table, and completes a session that holds each file exactly once.
    let entries = table.select("loan-4711").await?;
    let done = uploads.resume(ledger(), &entries)?.complete().await?;
    let received = sandbox.upload(done.login_id.as_str()).ok_or("no upload")?;
    assert_eq!((received.files.len(), done.abandoned.len()), (2, 1));
    Ok(())
}
