//! `flinks upload`: checks documents, uploads them in one session, completes it, and may wait.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flinks_types::text::escaped;
use flinks_upload::{Completed, Document, Limits, UploadError, UploadErrorKind};
use sha2::{Digest as _, Sha256};

use crate::arguments::Upload;
use crate::clients::Clients;
use crate::commands::upload_notes::notes;
use crate::commands::upload_result::AfterUpload;
use crate::context::{Context, variable};
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::io_error::too_many_open_files;
use crate::output::progress::UploadBar;
use crate::output::report_page;
use crate::output::text::{counted, shown_path};
use crate::output::write_stderr;
use crate::settings::path_value;
use crate::state::ledger_place::LedgerPlace;

/// Uploads the files. Everything that can be checked on this machine is checked before the first byte
/// is sent.
pub(crate) async fn run(arguments: &Upload, context: &Context) -> Result<Exit, CliError> {
    if let Some(page) = &arguments.wait.html {
        report_page::check(page)?;
    }
    let clients = Clients::start(context, &arguments.connection).await?;
    let (uploads, watcher) = clients.upload()?;
    let fraud = clients.fraud_if(arguments.wait.wait)?;
    let mut documents = open_all(&arguments.files)?;
    for note in notes(&documents) {
        write_stderr(&format!("note: {note}\n"));
    }
    let mut checksums = Vec::new();
    if arguments.sha256 {
        (documents, checksums) = documents.into_iter().map(with_checksum).unzip();
    }
    if let Some(introduction) = clients.introduction() {
        let introduction = format!("{}\n\n", context.output.faint(&introduction));
        // A failure to print it is ignored.
        drop(context.output.text(&introduction));
    }

    let (place, ledger) =
        LedgerPlace::create(arguments.ledger.as_deref(), context.sandbox, variable)?;
    let mut session = uploads
        .session()
        .ledger(ledger)
        .on_unknown(arguments.unknown.on_unknown.into())
        .concurrency(usize::from(arguments.concurrency));
    if let Some(tag) = &arguments.tag {
        session = session.tag(tag);
    }
    if let Some(name) = &arguments.client_name {
        session = session.client_name(name);
    }
    let (session, bar) = UploadBar::follow(session, context.output.progress);
    let watch = watcher.start(write_stderr);
    let completed = run_session(&place, Box::pin(session.upload(documents))).await?;
    drop((watch, bar));
    let after = AfterUpload {
        fraud,
        wait: &arguments.wait,
        tag: arguments.tag.as_deref(),
        client_name: arguments.client_name.as_deref(),
        checksums: checksums.iter().map(Checksum::to_hex).collect(),
    };
    after.finish(&completed, &place, context).await
}

/// Runs a session until it ends or is interrupted. An error names the ledger to resume from.
pub(crate) async fn run_session(
    place: &LedgerPlace,
    session: impl Future<Output = Result<Completed, UploadError>>,
) -> Result<Completed, CliError> {
    let task = async { session.await.map_err(CliError::from) };
    interrupt::or_interrupted(task).await.map_err(|mut error| {
        error.ledger = place.path_after(&error).map(Into::into);
        error
    })
}

/// Opens and checks every document. The error names all that are refused.
fn open_all(files: &[PathBuf]) -> Result<Vec<Document>, CliError> {
    let limits = Limits::default();
    let mut documents = Vec::with_capacity(files.len());
    let mut refused = Vec::new();
    for (index, path) in files.iter().enumerate() {
        if let Some(mistake) = path_value::mistake(path.as_os_str()) {
            let message = format!("file {} of {} {mistake}", index + 1, files.len());
            refused.push(UploadError::new(UploadErrorKind::File, message));
            continue;
        }
        let opened = Document::open(path).and_then(|document| {
            document.check(&limits)?;
            Ok(document)
        });
        match opened {
            Ok(document) => documents.push(document),
            // All other files would fail too.
            Err(error) if too_many_open_files(&error) => return Err(error.into()),
            Err(error) => refused.push(with_name(path, error)),
        }
    }
    match refused.as_slice() {
        [] => Ok(documents),
        [only] => Err(only.clone().into()),
        several => {
            let reports: Vec<_> = several.iter().map(|it| it.report().to_string()).collect();
            let message = format!("{} refused", counted(reports.len(), "file"));
            let error = CliError::from(UploadError::new(UploadErrorKind::File, message));
            Err(error.with_reasons(reports))
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

/// The SHA-256 of what the last attempt read of a document.
#[derive(Clone, Default)]
struct Checksum(Arc<Mutex<Sha256>>);

impl Checksum {
    fn to_hex(&self) -> String {
        let hash = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = hash.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Returns the document with a checksum that is computed while it is sent: the file may have changed
/// by then.
fn with_checksum(document: Document) -> (Document, Checksum) {
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
