//! The files with which any program can use a running sandbox.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::certificates::IssuedCertificate;

/// The files that [`Sandbox::write_dir`](crate::Sandbox::write_dir) has written, as absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientFiles {
    /// The root certificate to trust.
    pub ca: PathBuf,
    /// The client's certificate.
    pub client_cert: PathBuf,
    /// The client's private key.
    pub client_key: PathBuf,
    /// The settings as `export` lines for a shell.
    pub env: PathBuf,
}

impl ClientFiles {
    /// Writes the files; `settings` are added to `env`.
    pub(crate) fn write(
        directory: &Path,
        ca_pem: &str,
        client: &IssuedCertificate,
        settings: &[(&str, &str)],
    ) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory)?;
        #[cfg(unix)]
        is_private(directory)?;
        let directory = directory.canonicalize()?;
        let written = Self {
            ca: directory.join("ca.pem"),
            client_cert: directory.join("client.pem"),
            client_key: directory.join("client.key"),
            env: directory.join("env"),
        };
        write(&written.ca, ca_pem.as_bytes())?;
        write(&written.client_cert, client.cert_pem.as_bytes())?;
        write(&written.client_key, client.key_pem.as_bytes())?;
        // Last, so that a program that waits for it finds the others.
        write(&written.env, &written.exports(settings)?)?;
        Ok(written)
    }

    fn exports(&self, settings: &[(&str, &str)]) -> io::Result<Vec<u8>> {
        let mut all = vec![
            ("FLINKS_CERT", bytes(&self.client_cert)?),
            ("FLINKS_KEY", bytes(&self.client_key)?),
            ("FLINKS_CA", bytes(&self.ca)?),
        ];
        all.extend(
            settings
                .iter()
                .map(|(name, value)| (*name, (*value).into())),
        );
        let mut text = Vec::new();
        for (name, value) in all {
            // In single quotes only the quote itself is special to a shell.
            let quoted = value.split(|byte| *byte == b'\'').collect::<Vec<_>>();
            let quoted = quoted.join(&br"'\''"[..]);
            text.extend([b"export ", name.as_bytes(), b"='", &quoted, b"'\n"].concat());
        }
        Ok(text)
    }
}

/// The bytes of a path, in any encoding.
#[cfg(unix)]
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    Ok(path.as_os_str().as_bytes().to_vec())
}

#[cfg(not(unix))]
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let text = path.to_str().map(|text| text.as_bytes().to_vec());
    text.ok_or_else(|| io::Error::other("the directory's path is not UTF-8"))
}

/// Fails if another user could put a key or an `env` into the directory, or has made the link to it.
#[cfg(unix)]
fn is_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let refused = |why| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    // A new file belongs to this process's user.
    let (file, draft) = draft(&directory.join("owner"))?;
    let us = file.metadata().map(|facts| facts.uid());
    fs::remove_file(draft)?;
    let us = us?;
    let facts = directory.metadata()?;
    if facts.uid() != us || directory.symlink_metadata()?.uid() != us {
        return refused(
            "it belongs to another user; choose another one, for instance from `mktemp -d`",
        );
    }
    if facts.mode() & 0o002 != 0 {
        return refused("every user can write into it; choose another one, or chmod 700");
    }
    Ok(())
}

/// Writes a file of mode 0600 that is whole when it appears. A file or link of its name is replaced.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (mut file, draft) = draft(path)?;
    let placed = file
        .write_all(bytes)
        .and_then(|()| fs::rename(&draft, path));
    if placed.is_err() {
        drop(fs::remove_file(draft));
    }
    placed
}

/// A new file next to `path`.
fn draft(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let draft = path.with_file_name(format!(".flinks-draft-{:016x}", fastrand::u64(..)));
    Ok((options.open(&draft)?, draft))
}
