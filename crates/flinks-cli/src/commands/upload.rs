//! `flinks upload`: checks documents, sends them as one session, completes it, and may wait.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flinks_upload::{Completed, Document, Limits, UploadError, UploadErrorKind};
use sha2::{Digest as _, Sha256};

use crate::arguments::Upload;
use crate::clients::Service;
use crate::commands::upload_result::{self, After};
use crate::context::{Context, variable};
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::io_error::too_many_open_files;
use crate::output::progress::UploadBar;
use crate::output::text::{counted, shown_path};
use crate::settings::path_value;
use crate::state::ledger_file::LedgerFile;
use flinks_types::text::escaped;

/// Uploads the files; everything that can be wrong on this machine is found before the first byte
/// leaves.
pub(crate) async fn run(arguments: &Upload, context: &Context) -> Result<Exit, CliError> {
    let service = Service::start(context, &arguments.connection).await?;
    let uploads = service.uploads()?;
    let fraud = if arguments.wait.wait {
        Some(service.fraud()?)
    } else {
        None
    };
    let mut documents = open_all(&arguments.files)?;
    let mut checksums = Vec::new();
    if arguments.sha256 {
        (documents, checksums) = documents.into_iter().map(hashed).unzip();
    }
    if let Some(introduction) = service.introduction() {
        let introduction = format!("{}\n\n", context.output.faint(&introduction));
        // Nothing is done yet that must be told: the upload goes on.
        drop(context.output.text(&introduction));
    }

    let (place, ledger) =
        LedgerFile::create(arguments.ledger.as_deref(), context.sandbox, variable)?;
    let mut session = uploads
        .session()
        .ledger(ledger)
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
    let done = with_ledger(&place, Box::pin(session.upload(documents))).await?;
    drop(bar);
    upload_result::settle(
        context,
        &done,
        &place,
        After {
            fraud,
            wait: &arguments.wait,
            checksums: checksums.iter().map(Checksum::text).collect(),
        },
    )
    .await
}

/// Runs a session until it ends or is interrupted; a failure names the ledger it can go on with.
pub(crate) async fn with_ledger(
    ledger: &LedgerFile,
    session: impl Future<Output = Result<Completed, UploadError>>,
) -> Result<Completed, CliError> {
    let task = async { session.await.map_err(CliError::from) };
    interrupt::or_interrupted(task)
        .await
        .map_err(|mut failure| {
            failure.ledger = ledger.left_after(&failure);
            failure
        })
}

/// Opens and checks every document, and names all that are refused, so that one more run is enough.
fn open_all(files: &[PathBuf]) -> Result<Vec<Document>, CliError> {
    let limits = Limits::default();
    let mut documents = Vec::with_capacity(files.len());
    let mut refused = Vec::new();
    for (index, path) in files.iter().enumerate() {
        if let Some(why) = path_value::mistake(path.as_os_str()) {
            let message = format!("file {} of {} {why}", index + 1, files.len());
            refused.push(UploadError::new(UploadErrorKind::File, message));
            continue;
        }
        let opened = Document::open(path).and_then(|document| {
            document.check(&limits)?;
            Ok(document)
        });
        match opened {
            Ok(document) => documents.push(document),
            // No fault of this file, and the same for those after it.
            Err(error) if too_many_open_files(&error) => return Err(error.into()),
            Err(error) => refused.push(with_name(path, error)),
        }
    }
    match refused.as_slice() {
        [] => Ok(documents),
        [only] => Err(only.clone().into()),
        several => {
            let list: Vec<_> = several
                .iter()
                .map(|error| error.report().to_string())
                .collect();
            let count = counted(list.len(), "file");
            let message = format!("{count} refused: {}", list.join("; "));
            Err(UploadError::new(UploadErrorKind::File, message).into())
        }
    }
}

/// Adds the file's name to an error that does not have it.
fn with_name(path: &Path, error: UploadError) -> UploadError {
    let name = shown_path(path.file_name().unwrap_or(path.as_os_str()).as_ref());
    let text = error.report().to_string();
    if escaped(&text).contains(&name) {
        error
    } else {
        UploadError::new(UploadErrorKind::File, format!("{name}: {text}"))
    }
}

/// The SHA-256 of what was read of a document for its last attempt.
#[derive(Clone, Default)]
struct Checksum(Arc<Mutex<Sha256>>);

impl Checksum {
    fn text(&self) -> String {
        let hash = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = hash.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The document, and the checksum of what is sent of it: the file may be another one by then.
fn hashed(document: Document) -> (Document, Checksum) {
    let checksum = Checksum::default();
    let hash = Arc::clone(&checksum.0);
    let document = document.inspect(move || {
        let hash = Arc::clone(&hash);
        *hash.lock().unwrap_or_else(PoisonError::into_inner) = Sha256::new();
        move |piece: &[u8]| {
            let mut hash = hash.lock().unwrap_or_else(PoisonError::into_inner);
            hash.update(piece);
        }
    });
    (document, checksum)
}
