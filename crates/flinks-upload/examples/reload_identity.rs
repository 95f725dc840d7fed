//! A service that reloads its client certificate from files that a secrets agent, such as Vault Agent, rewrites.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example starts tasks and shows what happens"
)]

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flinks_sandbox::Sandbox;
use flinks_sandbox::certificates::{IssuedCertificate, Validity};
use flinks_upload::{
    ClientCredentials, ClientIdentity, Document, Endpoint, IdentityError, Paths, Roots, Transport,
    UploadClient,
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn_blocking;
use tokio::time::interval;

/// The files that the agent writes.
#[derive(Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    /// Checks that both files can be read and that the key matches the certificate.
    fn load(&self) -> Result<ClientIdentity, IdentityError> {
        ClientIdentity::from_pem_files(&self.certificate, &self.key)
    }

    fn modified(&self) -> io::Result<[SystemTime; 2]> {
        let modified = |path: &Path| path.metadata()?.modified();
        Ok([modified(&self.certificate)?, modified(&self.key)?])
    }
}

/// Replaces the identity when its files change. Files that cannot be used, such as a certificate whose
/// key is not there yet, change nothing and are tried again.
async fn reload(
    transport: Transport,
    files: Files,
    mut in_use: Option<[SystemTime; 2]>,
    every: Duration,
    log: UnboundedSender<String>,
) {
    let mut ticks = interval(every);
    while !log.is_closed() {
        ticks.tick().await;
        let modified = files.modified().ok();
        if modified.is_none() || modified == in_use {
            continue;
        }
        let files = files.clone();
        let Ok(loaded) = spawn_blocking(move || files.load()).await else {
            continue;
        };
        let replaced = loaded.map_err(Into::into).and_then(|identity| {
            let days = identity.expires_in().as_secs() / 86_400;
            // New connections use it; calls in flight finish on theirs.
            transport.replace_identity(identity).map(|()| days)
        });
        let line = match replaced {
            Ok(days) => {
                in_use = modified;
                format!("the client certificate was replaced ({days} days left)")
            }
            Err(error) => format!("the client certificate was not replaced: {error}"),
        };
        if log.send(line).is_err() {
            return;
        }
    }
}

/// What the agent does: it writes a new file, and renames it over the old one.
fn rewrite(files: &Files, issued: &IssuedCertificate) -> io::Result<()> {
    for (path, pem) in [
        (&files.certificate, &issued.cert_pem),
        (&files.key, &issued.key_pem),
    ] {
        let draft = path.with_extension("draft");
        fs::write(&draft, pem)?;
        fs::rename(&draft, path)?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start().await?;
    let issue = || sandbox.authority().issue_client("lender", Validity::Valid);
    let (first, second) = (issue()?, issue()?);
    let folder = tempfile::tempdir()?;
    let files = Files {
        certificate: folder.path().join("client.pem"),
        key: folder.path().join("client.key"),
    };
    rewrite(&files, &first)?;

    // Before they are loaded, so that no change is missed.
    let in_use = files.modified().ok();
    let transport = Transport::builder()
        .identity(files.load()?)
        .roots(Roots::pem(sandbox.ca_pem().as_bytes())?)
        .build()?;
    let uploads = UploadClient::with_endpoint(
        transport.clone(),
        Endpoint::new(sandbox.upload_url())?,
        Paths::default(),
        ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()),
    )?;
    let (log, mut lines) = unbounded_channel();
    // In a service: every 30 s, and into its own log.
    let every = Duration::from_millis(5);
    tokio::spawn(reload(transport, files.clone(), in_use, every, log));

    let document = || Document::from_bytes("january.pdf", "%PDF-1.7 …".as_bytes());
    uploads.session().upload([document()?]).await?;
    rewrite(&files, &second)?;
    while let Some(line) = lines.recv().await {
        println!("{line}");
        if line.contains("was replaced") {
            break;
        }
    }
    uploads.session().upload([document()?]).await?;

    // A token and two calls with each certificate.
    let log = sandbox.log();
    let serials: Vec<_> = log
        .iter()
        .filter_map(|line| line.client_serial.as_ref())
        .collect();
    assert_eq!(serials, [[&first.serial; 3], [&second.serial; 3]].concat());
    Ok(())
}
