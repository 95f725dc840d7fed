//! `flinks upload`: checks documents, sends them as one session, completes it, and may wait.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use flinks_transport::{Error, ErrorKind};
use flinks_upload::{Completed, Document, Limits, UploadError};
use sha2::{Digest as _, Sha256};

use crate::arguments::Upload;
use crate::completed::{self, After};
use crate::context::{Context, variable};
use crate::exit::{Exit, is_exhausted};
use crate::failure::{Failure, whole};
use crate::guide;
use crate::interrupt;
use crate::ledger::LedgerFile;
use crate::output::{counted, plain};
use crate::place;
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
    let documents = open_all(&arguments.files)?;
    let checksums = if arguments.sha256 {
        checksums(&arguments.files)?
    } else {
        Vec::new()
    };
    if let Some(introduction) = service.introduction() {
        let introduction = format!("{}\n\n", context.output.faint(&introduction));
        // Nothing is done yet that must be told: the upload goes on.
        drop(context.output.text(&introduction));
    }

    let (ledger, journal) =
        LedgerFile::create(arguments.ledger.as_deref(), context.sandbox, variable).map_err(
            |failure| match arguments.ledger {
                Some(_) => failure,
                None => failure.advised(guide::LEDGER_PLACE),
            },
        )?;
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

/// Opens and checks every document, and names all that are refused, so that one more run is enough.
fn open_all(files: &[PathBuf]) -> Result<Vec<Document>, Failure> {
    let limits = Limits::default();
    let mut documents = Vec::with_capacity(files.len());
    let mut refused = Vec::new();
    for (index, path) in files.iter().enumerate() {
        if let Some(why) = place::is_no_path(path.as_os_str()) {
            let message = format!("file {} of {} {why}", index + 1, files.len());
            refused.push(Error::local(ErrorKind::File, message));
            continue;
        }
        let opened = Document::open(path).and_then(|document| {
            document.check(&limits)?;
            Ok(document)
        });
        match opened {
            Ok(document) => documents.push(document),
            // No fault of this file, and the same for those after it.
            Err(error) if is_exhausted(&error) => return Err(error.into()),
            Err(error) => refused.push(named(path, error)),
        }
    }
    match refused.as_slice() {
        [] => Ok(documents),
        [only] => Err(only.clone().into()),
        several => {
            let list: Vec<_> = several.iter().map(whole).collect();
            let count = counted(list.len(), "file");
            let message = format!("{count} refused: {}", list.join("; "));
            Err(Error::local(ErrorKind::File, message).into())
        }
    }
}

/// The error with the file's name, which some do not have.
fn named(path: &Path, error: Error) -> Error {
    let (name, text) = (path.file_name().unwrap_or(path.as_os_str()), whole(&error));
    let name = plain(&name.to_string_lossy());
    if plain(&text).contains(&name) {
        error
    } else {
        Error::local(ErrorKind::File, format!("{name}: {text}"))
    }
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
