//! `flinks sandbox`: runs the test server until interrupted.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use flinks_sandbox::{ClientFiles, Sandbox};
use serde_json::json;

use crate::arguments::Serve;
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::write_stdout;
use crate::state::temporary::TemporaryFolder;

/// Serves until SIGINT or SIGTERM, then removes the temporary folder.
pub(crate) async fn run(arguments: &Serve, context: &Context) -> Result<Exit, CliError> {
    let folder = Folder::new(arguments.dir.clone())?;
    let (log, written) = log()?;
    let mut builder = Sandbox::builder()
        .upload_port(arguments.port)
        .results_port(arguments.results_port)
        .token_ttl(arguments.token_ttl)
        .processing(arguments.processing)
        .data_pending(arguments.data_pending)
        .check_keys(arguments.check_keys)
        .faults(arguments.faults.clone())
        .webhook_retry(arguments.webhook_retry)
        .on_request(move |line| drop(log.send(json!(line).to_string())))
        .dir(folder.path());
    if let Some(url) = &arguments.webhook {
        builder = builder.webhook(url);
    }
    let sandbox = builder
        .start()
        .await
        // The sandbox's own message, which quotes no path.
        .map_err(|error| CliError::settings(format!("the sandbox cannot start: {error}")))?;
    write_stdout(&format!("{}\n", ready(&sandbox, context.output.json)))?;
    interrupt::stopped().await;
    sandbox.shutdown().await;
    // Waits for the last lines, unless standard output is blocked.
    let _ = written.recv_timeout(Duration::from_secs(1));
    Ok(Exit::Done)
}

/// Starts a thread that writes log lines to standard output, so that a slow reader does not delay
/// answers. The receiver ends when the sender is dropped and all lines are written.
fn log() -> Result<(Sender<String>, Receiver<()>), CliError> {
    let (lines, waiting) = channel::<String>();
    let (done, written) = channel();
    let thread = std::thread::Builder::new().spawn(move || {
        for line in waiting {
            // The server continues without a reader.
            drop(write_stdout(&format!("{line}\n")));
        }
        drop::<Sender<()>>(done);
    });
    thread.map_err(|error| CliError::settings(format!("no thread can be started: {error}")))?;
    Ok((lines, written))
}

/// Returns the line that says where the sandbox is.
fn ready(sandbox: &Sandbox, json: bool) -> String {
    let (upload, results) = (sandbox.upload_url(), sandbox.results_url());
    let path = |file: fn(&ClientFiles) -> &Path| {
        let path = sandbox.files().map(file).unwrap_or_else(|| Path::new(""));
        path.to_string_lossy().into_owned()
    };
    if json {
        return json!({
            "ready": true,
            "upload_url": upload,
            "results_url": results,
            "dir": path(|files| &files.dir),
            "env": path(|files| &files.env),
            "settings": path(|files| &files.settings),
        })
        .to_string();
    }
    // A path in `env` has no control characters, which `env` cannot hold.
    let env = path(|files| &files.env).replace('\'', r"'\''");
    format!("ready: upload {upload} results {results} settings: . '{env}'")
}

/// The folder for certificates, key and settings.
enum Folder {
    Given(PathBuf),
    Temporary(TemporaryFolder),
}

impl Folder {
    fn new(given: Option<PathBuf>) -> Result<Self, CliError> {
        match given {
            Some(path) => Ok(Self::Given(std::path::absolute(&path).unwrap_or(path))),
            None => TemporaryFolder::new()
                .map(Self::Temporary)
                .map_err(|error| CliError::settings(format!("no temporary folder: {error}"))),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Given(path) => path.clone(),
            Self::Temporary(folder) => folder.path().to_owned(),
        }
    }
}
