//! The files that let any program use a running sandbox.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::sandbox::Sandbox;

/// Where [`Sandbox::write_dir`] has written; all paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Directory {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The client's certificate.
    pub client_cert: PathBuf,
    /// The client's private key, mode 0600.
    pub client_key: PathBuf,
    /// Settings as lines for a shell, mode 0600.
    pub env: PathBuf,
}

impl Directory {
    pub(crate) fn write(directory: &Path, sandbox: &Sandbox) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let directory = directory.canonicalize()?;
        let written = Self {
            ca: directory.join("ca.pem"),
            client_cert: directory.join("client.pem"),
            client_key: directory.join("client.key"),
            env: directory.join("env"),
        };
        fs::write(&written.ca, sandbox.ca_pem())?;
        fs::write(&written.client_cert, sandbox.client_cert_pem())?;
        write_private(&written.client_key, sandbox.client_key_pem())?;
        write_private(&written.env, &written.exports(sandbox)?)?;
        Ok(written)
    }

    fn exports(&self, sandbox: &Sandbox) -> io::Result<String> {
        let path = |path: &Path| {
            path.to_str().map(str::to_owned).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "the directory's path is not UTF-8",
                )
            })
        };
        let mut settings = vec![
            ("FLINKS_UPLOAD_URL", sandbox.upload_url().to_owned()),
            ("FLINKS_CERT", path(&self.client_cert)?),
            ("FLINKS_KEY", path(&self.client_key)?),
            ("FLINKS_CA", path(&self.ca)?),
            ("FLINKS_CLIENT_ID", sandbox.client_id().to_owned()),
            ("FLINKS_CLIENT_SECRET", sandbox.client_secret().to_owned()),
            ("FLINKS_SCOPE", sandbox.scope().to_owned()),
            ("FLINKS_API_URL", sandbox.results_url().to_owned()),
            ("FLINKS_CUSTOMER_ID", sandbox.customer_id().to_owned()),
            ("FLINKS_API_SECRET", sandbox.api_secret().to_owned()),
        ];
        for (name, value) in [
            ("FLINKS_AUTH_KEY", sandbox.auth_key()),
            ("FLINKS_X_API_KEY", sandbox.x_api_key()),
        ] {
            settings.extend(value.map(|value| (name, value.to_owned())));
        }
        Ok(settings
            .iter()
            // In single quotes only the quote itself is special to a shell.
            .map(|(name, value)| format!("export {name}='{}'\n", value.replace('\'', r"'\''")))
            .collect())
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // The mode above is for a new file only; an old one may be readable by others.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}
