//! Uploads the statements of many borrowers: one client, a session each, and a few sessions at a time.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example starts tasks and shows its result"
)]

use std::sync::Arc;

use flinks_sandbox::{ApiOperation, Sandbox, upload_client};
use flinks_upload::{BoxError, Document, LoginId, UploadClient, UploadError};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const AT_ONCE: usize = 4;

async fn upload(uploads: UploadClient, borrower: &str) -> Result<LoginId, UploadError> {
    let statements = ["january.pdf", "february.pdf"]
        .map(|name| Document::from_bytes(name, "%PDF-1.7\nstartxref\n0\n%%EOF\n"))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    // The tag and the name are how a borrower is found again at Flinks. Add a ledger to resume after a crash.
    let session = uploads.session().tag(borrower).client_name(borrower);
    Ok(session.upload(statements).await?.login_id)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let sandbox = Sandbox::start().await?;
    let uploads = upload_client!(sandbox)?; // its clones share one token and one connection pool

    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for number in 1..=20 {
        let (uploads, permits) = (uploads.clone(), Arc::clone(&permits));
        tasks.spawn(async move {
            let borrower = format!("loan-{number}");
            let _permit = permits.acquire_owned().await;
            let outcome = upload(uploads, &borrower).await;
            (borrower, outcome)
        });
    }
    // One that failed does not stop the others.
    while let Some(task) = tasks.join_next().await {
        match task? {
            (borrower, Ok(login_id)) => println!("{borrower}: {}", login_id.as_str()),
            (borrower, Err(error)) => println!("{borrower}: {}", error.report()),
        }
    }
    assert_eq!(sandbox.requests(ApiOperation::Token), 1);
    assert_eq!(sandbox.requests(ApiOperation::Complete), 20);
    Ok(())
}
