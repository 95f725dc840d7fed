//! The folder with which any program can use a running sandbox.

mod environment;
mod private;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::FAULT_GRAMMAR;
use crate::certificates::{Authority, IssuedCertificate, Validity};
use crate::config::SandboxCredentials;
use crate::fraud::{CLEAN_LOGIN_ID, FAILED_LOGIN_ID, FLAGGED_LOGIN_ID, PENDING_LOGIN_ID};
use crate::legacy::{CACHED_LOGIN_ID, DEVICE_LOGIN_ID, REFUSED_LOGIN_ID};

const AUTHORITY: &str = "flinks sandbox authority";
const GUIDE: &str = include_str!("../GUIDE.md");
const PFX_PASSWORD: &str = "sandbox";
const IDENTITIES: [&str; 4] = ["second", "expired", "future", "stranger"];

/// The files of a sandbox with a [folder](crate::SandboxBuilder::dir), as absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientFiles {
    /// The folder.
    pub dir: PathBuf,
    /// The root certificate to trust.
    pub ca: PathBuf,
    /// The client's certificate.
    pub client_cert: PathBuf,
    /// The client's private key.
    pub client_key: PathBuf,
    /// The client's certificate, its key and the root certificate as PKCS#12; the password is
    /// `sandbox`.
    pub client_pfx: PathBuf,
    /// The settings as `export` lines for shells and dotenv readers.
    pub env: PathBuf,
    /// The settings for `docker run --env-file`.
    pub env_docker: PathBuf,
    /// The settings, paths and ids as JSON.
    pub settings: PathBuf,
    /// The users, ids and markers that the sandbox knows.
    pub guide: PathBuf,
    /// The settings as environment variables, for a program that is started with them.
    pub environment: Vec<(&'static str, String)>,
}

/// What a client has to know of a running sandbox.
pub(crate) struct Running<'a> {
    pub(crate) upload_url: &'a str,
    pub(crate) results_url: &'a str,
    pub(crate) credentials: &'a SandboxCredentials,
    pub(crate) sends_webhooks: bool,
}

/// Makes an authority and a client certificate that it issues.
pub(crate) fn new_certificates() -> io::Result<(Authority, IssuedCertificate)> {
    let authority = Authority::new(AUTHORITY)?;
    let client = issue(&authority, "client")?;
    Ok((authority, client))
}

/// Issues the client certificate of a name in the folder.
fn issue(authority: &Authority, name: &str) -> io::Result<IssuedCertificate> {
    let common_name = format!("sandbox {name}");
    let validity = match name {
        "expired" => Validity::Expired,
        "future" => Validity::NotYetValid,
        "stranger" => {
            return Authority::new("another authority")?
                .issue_client(&common_name, Validity::Valid);
        }
        _ => Validity::Valid,
    };
    authority.issue_client(&common_name, validity)
}

impl ClientFiles {
    /// Creates the folder, and removes the settings of an earlier sandbox, so that no program reads
    /// its ports.
    pub(crate) fn prepare(dir: &Path) -> io::Result<Self> {
        Self::prepare_folder(dir).map_err(of_folder)
    }

    fn prepare_folder(dir: &Path) -> io::Result<Self> {
        private::make_folder(dir)?;
        let dir = if cfg!(windows) {
            // `canonicalize` returns a form that few programs read.
            std::path::absolute(dir)?
        } else {
            dir.canonicalize()?
        };
        let files = Self {
            ca: dir.join("ca.pem"),
            client_cert: dir.join("client.pem"),
            client_key: dir.join("client.key"),
            client_pfx: dir.join("client.pfx"),
            env: dir.join("env"),
            env_docker: dir.join("env.docker"),
            settings: dir.join("settings.json"),
            guide: dir.join("GUIDE.md"),
            dir,
            environment: Vec::new(),
        };
        for path in [&files.env, &files.env_docker, &files.settings] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(files)
    }

    /// Returns the authority and the client certificate that the folder holds; what is missing is
    /// made and written.
    pub(crate) fn certificates(&self) -> io::Result<(Authority, IssuedCertificate)> {
        self.read_or_make_certificates().map_err(of_folder)
    }

    fn read_or_make_certificates(&self) -> io::Result<(Authority, IssuedCertificate)> {
        let (authority, is_new) = self.authority()?;
        private::make_folder(&self.dir.join("identities"))?;
        for name in IDENTITIES {
            self.identity(&authority, is_new, &self.dir.join("identities"), name)?;
        }
        let client = self.identity(&authority, is_new, &self.dir, "client")?;
        let pfx = client.to_pfx(authority.ca_pem(), PFX_PASSWORD)?;
        private::write(&self.client_pfx, &pfx)?;
        Ok((authority, client))
    }

    fn authority(&self) -> io::Result<(Authority, bool)> {
        let key_path = self.dir.join("ca.key");
        if let (Some(ca_pem), Some(key_pem)) = (read(&self.ca)?, read(&key_path)?) {
            let authority = Authority::from_pem(AUTHORITY, ca_pem, &key_pem).map_err(|_| {
                io::Error::other("ca.pem and ca.key are not a sandbox's: remove both files")
            });
            return Ok((authority?, false));
        }
        let authority = Authority::new(AUTHORITY)?;
        private::write(&key_path, authority.key_pem().as_bytes())?;
        private::write(&self.ca, authority.ca_pem().as_bytes())?;
        Ok((authority, true))
    }

    fn identity(
        &self,
        authority: &Authority,
        is_new: bool,
        folder: &Path,
        name: &str,
    ) -> io::Result<IssuedCertificate> {
        let cert = folder.join(format!("{name}.pem"));
        let key = folder.join(format!("{name}.key"));
        if !is_new
            && let (Some(cert_pem), Some(key_pem)) = (read(&cert)?, read(&key)?)
            && let Some(kept) = IssuedCertificate::from_pem(cert_pem, key_pem)
        {
            return Ok(kept);
        }
        let issued = issue(authority, name)?;
        private::write(&key, issued.key_pem.as_bytes())?;
        private::write(&cert, issued.cert_pem.as_bytes())?;
        Ok(issued)
    }

    /// Writes the settings and the guide.
    pub(crate) fn write_settings(&mut self, running: &Running<'_>) -> io::Result<()> {
        self.environment = self.variables(running).map_err(of_folder)?;
        self.write_all_settings(running).map_err(of_folder)
    }

    fn write_all_settings(&self, running: &Running<'_>) -> io::Result<()> {
        let settings = &self.environment;
        let env = self.env_text(settings)?;
        let guide = format!("{GUIDE}\n## Faults (`--fault`)\n\n```text\n{FAULT_GRAMMAR}\n```\n");
        private::write(&self.guide, guide.as_bytes())?;
        let json = format!("{:#}\n", self.to_json(running, settings)?);
        private::write(&self.settings, json.as_bytes())?;
        let docker = environment::docker_lines(settings);
        private::write(&self.env_docker, docker.as_bytes())?;
        // Last, so that a program that waits for it finds the others.
        private::write(&self.env, env.as_bytes())
    }

    /// The variables that the program `flinks` reads.
    fn variables(&self, running: &Running<'_>) -> io::Result<Vec<(&'static str, String)>> {
        let credentials = running.credentials;
        let text = str::to_owned;
        let mut settings = vec![
            ("FLINKS_UPLOAD_URL", text(running.upload_url)),
            ("FLINKS_CERT", utf8(&self.client_cert)?),
            ("FLINKS_KEY", utf8(&self.client_key)?),
            ("FLINKS_CA", utf8(&self.ca)?),
            ("FLINKS_CLIENT_ID", credentials.client_id.clone()),
            ("FLINKS_CLIENT_SECRET", credentials.client_secret.clone()),
            ("FLINKS_SCOPE", credentials.scope.clone()),
            ("FLINKS_API_URL", text(running.results_url)),
            ("FLINKS_CUSTOMER_ID", credentials.customer_id.clone()),
            ("FLINKS_API_SECRET", credentials.api_secret.clone()),
            ("FLINKS_PROXY", text("none")),
            // Otherwise the user's own settings file is read too.
            ("FLINKS_CONFIG", text("none")),
        ];
        let webhook_secret = credentials.webhook_secret.clone();
        let keys = [
            ("FLINKS_AUTH_KEY", &credentials.auth_key),
            ("FLINKS_X_API_KEY", &credentials.x_api_key),
            (
                "FLINKS_WEBHOOK_SECRET",
                &running.sends_webhooks.then_some(webhook_secret),
            ),
        ];
        for (name, key) in keys {
            settings.extend(key.clone().map(|key| (name, key)));
        }
        Ok(settings)
    }

    fn env_text(&self, settings: &[(&str, String)]) -> io::Result<String> {
        let lines = environment::shell_lines(settings)?;
        let ca = utf8(&self.ca)?;
        let trust = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];
        let trust = trust.map(|name| (name, ca.clone()));
        let pfx = [
            ("FLINKS_CERT", utf8(&self.client_pfx)?),
            ("FLINKS_CERT_PASSWORD", PFX_PASSWORD.to_owned()),
        ];
        let commented = |settings: &[(&str, String)]| {
            let lines = environment::shell_lines(settings)?;
            io::Result::Ok(lines.lines().map(|line| format!("# {line}\n")).collect())
        };
        let (trust, pfx): (String, String) = (commented(&trust)?, commented(&pfx)?);
        Ok(format!(
            "# The settings of a running flinks sandbox; GUIDE.md describes the files here.\n\
             {lines}\
             # For other clients. With the first two most trust nothing but the sandbox.\n{trust}\
             # The client certificate as PKCS#12, instead of FLINKS_CERT and FLINKS_KEY.\n{pfx}"
        ))
    }

    fn to_json(&self, running: &Running<'_>, settings: &[(&str, String)]) -> io::Result<Value> {
        let environment: Value = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
            .collect();
        let mut identities = serde_json::Map::new();
        for name in IDENTITIES {
            let path = |extension| utf8(&self.dir.join(format!("identities/{name}.{extension}")));
            let identity = json!({"cert": path("pem")?, "key": path("key")?});
            identities.insert(name.to_owned(), identity);
        }
        Ok(json!({
            "upload_url": running.upload_url,
            "results_url": running.results_url,
            "environment": environment,
            "files": {
                "dir": utf8(&self.dir)?,
                "ca": utf8(&self.ca)?,
                "client_cert": utf8(&self.client_cert)?,
                "client_key": utf8(&self.client_key)?,
                "client_pfx": utf8(&self.client_pfx)?,
                "env": utf8(&self.env)?,
                "env_docker": utf8(&self.env_docker)?,
                "guide": utf8(&self.guide)?,
            },
            "client_pfx_password": PFX_PASSWORD,
            "identities": identities,
            "login_ids": {
                "clean": CLEAN_LOGIN_ID,
                "flagged": FLAGGED_LOGIN_ID,
                "pending": PENDING_LOGIN_ID,
                "failed": FAILED_LOGIN_ID,
                "cached": CACHED_LOGIN_ID,
                "device": DEVICE_LOGIN_ID,
                "refused": REFUSED_LOGIN_ID,
            },
        }))
    }
}

/// Reads a file; `None` if there is none.
fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

fn utf8(path: &Path) -> io::Result<String> {
    let path = path
        .to_str()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "its path is not UTF-8"))?;
    // Windows takes slashes too, and in `env` a backslash would be read in several ways.
    Ok(if cfg!(windows) {
        path.replace('\\', "/")
    } else {
        path.to_owned()
    })
}

/// Says that an error is about the folder, without its path.
fn of_folder(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the folder: {error}"))
}
