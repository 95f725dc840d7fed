//! `flinks sandbox`: the test server on this machine, until interrupted.

use std::path::PathBuf;
use std::sync::Arc;

use flinks_sandbox::{Config, Sandbox};
use serde_json::json;
use tempfile::TempDir;

use crate::arguments::Serve;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::{self, plain};

/// Serves until SIGINT or SIGTERM; a temporary folder goes with it.
pub(crate) async fn run(arguments: &Serve, context: &Context) -> Result<Exit, Failure> {
    let stop = interrupt::stopped()?;
    let folder = Folder::new(arguments.dir.clone())?;
    let mut config = Config::default();
    config.upload_port = arguments.port;
    config.results_port = arguments.results_port;
    config.token_ttl = arguments.token_ttl;
    config.processing = arguments.processing;
    config.faults.clone_from(&arguments.faults);
    config.on_request = Some(Arc::new(|line| {
        // Whoever reads may be gone; the server goes on.
        drop(output::line(&json!(line).to_string()));
    }));
    let sandbox = Sandbox::start(config).await.map_err(|error| {
        Failure::settings(format!(
            "the sandbox cannot listen on this machine: {error}"
        ))
    })?;
    let path = folder.path();
    sandbox
        .write_dir(&path)
        .map_err(|error| Failure::disk("the folder", &path, &error))?;
    output::line(&ready(&sandbox, &path, context.output.json))?;
    stop.await;
    sandbox.shutdown().await;
    Ok(Exit::Done)
}

fn ready(sandbox: &Sandbox, folder: &std::path::Path, json: bool) -> String {
    let (upload, results) = (sandbox.upload_url(), sandbox.results_url());
    let env = folder.join("env");
    if json {
        return json!({
            "ready": true,
            "upload_url": upload,
            "results_url": results,
            "dir": folder.to_string_lossy(),
            "env": env.to_string_lossy(),
        })
        .to_string();
    }
    let env = plain(&env.to_string_lossy());
    format!("ready: upload {upload} results {results} settings: . '{env}'")
}

/// The folder that certificates, key and settings are written into.
enum Folder {
    Given(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    fn new(given: Option<PathBuf>) -> Result<Self, Failure> {
        match given {
            Some(path) => Ok(Self::Given(std::path::absolute(&path).unwrap_or(path))),
            None => tempfile::Builder::new()
                .prefix("flinks-sandbox-")
                .tempdir()
                .map(Self::Temporary)
                .map_err(|error| Failure::settings(format!("no temporary folder: {error}"))),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Given(path) => path.clone(),
            Self::Temporary(folder) => folder.path().to_owned(),
        }
    }
}
