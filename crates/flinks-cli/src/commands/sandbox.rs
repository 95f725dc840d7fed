//! `flinks sandbox`: runs the test server until interrupted.

mod log;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flinks_sandbox::{ClientFiles, Sandbox};
use serde_json::json;

use crate::arguments::Serve;
use crate::context::Context;
use crate::interrupt;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::state::temporary::TemporaryFolder;

/// Serves until SIGINT or SIGTERM, then removes the temporary folder.
pub(crate) async fn run(arguments: &Serve, context: &Context) -> Result<Exit, CliError> {
    let target = log::Target::open(arguments.log.as_deref())?;
    let folder = Folder::new(arguments.dir.clone())?;
    let queue = log::Queue::new();
    let mut builder = Sandbox::builder()
        .upload_port(arguments.port)
        .results_port(arguments.results_port)
        .token_ttl(arguments.token_ttl)
        .processing(arguments.processing)
        .data_pending(arguments.data_pending)
        .check_keys(arguments.check_keys)
        .faults(arguments.faults.clone())
        .webhook_retry(arguments.webhook_retry)
        .on_untrusted(arguments.untrusted.into())
        .dir(folder.path());
    if arguments.control {
        builder = builder.control(true);
    }
    if let Some(url) = &arguments.webhook {
        builder = builder.webhook(url);
    }
    if !matches!(target, log::Target::None) {
        let queue = Arc::clone(&queue);
        builder = builder.on_request(move |line| queue.push(line));
    }
    let sandbox = builder
        .start()
        .await
        // The sandbox's own message, which quotes no path.
        .map_err(|error| CliError::settings(format!("the sandbox cannot start: {error}")))?;
    if log::print(ready(&sandbox, context.output.json)).await? {
        // Only now, so that the first line of standard output says where the sandbox is.
        let written = queue.write_to(target)?;
        interrupt::stopped().await;
        sandbox.shutdown().await;
        written.finish();
    }
    Ok(Exit::Done)
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
