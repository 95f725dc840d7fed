//! `flinks sandbox`: runs the test server until it is interrupted, or until a command ends.

mod command;
mod log;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flinks_sandbox::{ClientFiles, Sandbox, SandboxBuilder};
use serde_json::json;

use crate::arguments::Serve;
use crate::context::Context;
use crate::interrupt::{self, Signals};
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::write_stderr;
use crate::state::temporary::TemporaryFolder;

/// Serves until SIGINT or SIGTERM, or until the command ends; then removes the temporary folder.
pub(crate) async fn run(arguments: &Serve, context: &Context) -> Result<Exit, CliError> {
    if !arguments.bind.is_loopback() {
        write_stderr(
            "warning: the sandbox listens beyond this machine, and all its credentials are public\n",
        );
    }
    if arguments.command.is_empty() {
        return serve(arguments, context).await;
    }
    // Before there is a folder, which a signal would leave behind.
    let signals = Signals::new().map_err(|error| interrupt::not_installed(&error))?;
    // Standard output is the command's.
    let target = match arguments.log.as_deref() {
        None => log::Target::None,
        given => log::Target::open(given)?,
    };
    let folder = Folder::new(arguments.dir.clone())?;
    let queue = log::Queue::new();
    let sandbox = start(builder(arguments, &folder, &target, &queue)).await?;
    let written = queue.write_to(target)?;
    let exit = match sandbox.files() {
        Some(files) => command::run(&arguments.command, files, signals).await,
        None => Ok(Exit::Done),
    };
    sandbox.shutdown().await;
    written.finish();
    exit
}

async fn serve(arguments: &Serve, context: &Context) -> Result<Exit, CliError> {
    let target = log::Target::open(arguments.log.as_deref())?;
    let folder = Folder::new(arguments.dir.clone())?;
    let queue = log::Queue::new();
    let sandbox = start(builder(arguments, &folder, &target, &queue)).await?;
    if log::print(ready(&sandbox, context.output.json)).await? {
        // Only now, so that the first line of standard output says where the sandbox is.
        let written = queue.write_to(target)?;
        interrupt::stopped().await;
        sandbox.shutdown().await;
        written.finish();
    }
    Ok(Exit::Done)
}

fn builder(
    arguments: &Serve,
    folder: &Folder,
    target: &log::Target,
    queue: &Arc<log::Queue>,
) -> SandboxBuilder {
    let mut builder = Sandbox::builder()
        .bind(arguments.bind)
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
    for name in &arguments.san {
        builder = builder.server_name(name);
    }
    if arguments.control {
        builder = builder.control(true);
    }
    if let Some(url) = &arguments.webhook {
        builder = builder.webhook(url);
    }
    if !matches!(target, log::Target::None) {
        let queue = Arc::clone(queue);
        builder = builder.on_request(move |line| queue.push(line));
    }
    builder
}

async fn start(builder: SandboxBuilder) -> Result<Sandbox, CliError> {
    // The sandbox's own message, which quotes no path.
    let started = builder.start().await;
    started.map_err(|error| CliError::settings(format!("the sandbox cannot start: {error}")))
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
