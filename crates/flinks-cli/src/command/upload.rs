//! `flinks upload`: checks documents, sends them as one session, completes it, and may wait.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use flinks_transport::{Error, ErrorKind};
use flinks_upload::{Completed, Document, UploadError};
use sha2::{Digest as _, Sha256};

use crate::arguments::Upload;
use crate::completed::{self, After};
use crate::context::{Context, variable};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::ledger::LedgerFile;
use crate::progress::UploadBar;
use crate::service::Service;

/// Uploads the files; everything that can be wrong on this machine is found before the first byte
/// leaves.
pub(crate) async fn run(arguments: &Upload, context: &Context) -> Result<Exit, Failure> {
    let service = Service::start(context, &arguments.connection).await?;
    let uploads = service.uploads()?;
    let fraud = if arguments.wait.wait {
        Some(service.fraud()?)
    } else {
        None
    };
    let documents = arguments
        .files
        .iter()
        .map(Document::open)
        .collect::<Result<Vec<_>, Error>>()?;
    let checksums = if arguments.sha256 {
        checksums(&arguments.files)?
    } else {
        Vec::new()
    };
    if let Some(introduction) = service.introduction() {
        context
            .output
            .text(&format!("{}\n\n", context.output.faint(&introduction)))?;
    }

    let (ledger, journal) =
        LedgerFile::create(arguments.ledger.as_deref(), context.sandbox, variable)?;
    let mut session = uploads
        .session()
        .journal(journal)
        .on_unknown(arguments.on_unknown.into())
        .concurrency(usize::from(arguments.concurrency));
    if let Some(tag) = &arguments.tag {
        session = session.tag(tag);
    }
    if let Some(name) = &arguments.client_name {
        session = session.client_name(name);
    }
    let (session, bar) = UploadBar::follow(session, context.output.progress);
    if let Some(bar) = &bar {
        bar.set_total(documents.iter().map(Document::bytes).sum());
    }
    let done = with_ledger(&ledger, Box::pin(session.upload(documents))).await?;
    drop(bar);
    completed::settle(
        context,
        &done,
        &ledger,
        After {
            fraud,
            wait: &arguments.wait,
            checksums,
        },
    )
    .await
}

/// Runs a session until it ends or is interrupted; a failure names the ledger it can go on with.
pub(crate) async fn with_ledger(
    ledger: &LedgerFile,
    session: impl Future<Output = Result<Completed, UploadError>>,
) -> Result<Completed, Failure> {
    let task = async { session.await.map_err(Failure::from) };
    interrupt::or_interrupted(task)
        .await
        .map_err(|mut failure| {
            failure.ledger = ledger.left();
            failure
        })
}

fn checksums(files: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let unreadable = |path: &Path, error: io::Error| {
        let message = format!("{} cannot be read", path.display());
        Failure::from(Error::local(ErrorKind::File, message).with_source(error))
    };
    files
        .iter()
        .map(|path| sha256(path).map_err(|error| unreadable(path, error)))
        .collect()
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            break;
        };
        hash.update(piece);
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_whole_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pdf");
        std::fs::write(&path, "abc").expect("written");
        assert_eq!(
            sha256(&path).expect("readable"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(checksums(&[folder.path().join("missing")]).is_err());
    }
}
