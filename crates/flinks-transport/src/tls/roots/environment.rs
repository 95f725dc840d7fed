//! The roots that `SSL_CERT_FILE` and `SSL_CERT_DIR` name in place of the system's.
//!
//! The platform's loader reads both as well, but without a size limit and without useful errors.

use std::ffi::OsString;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::{Part, no_roots};
use crate::identity::{IdentityError, Item, items, read};

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// More files than any folder of root certificates contains.
const MOST_FILES: usize = 4096;

/// `None` when neither variable is set.
pub(super) fn store() -> Result<Option<RootCertStore>, IdentityError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "these variables are the standard way to name the platform's roots"
    )]
    load(std::env::var_os(FILE), std::env::var_os(FOLDERS))
}

fn load(
    file: Option<OsString>,
    folders: Option<OsString>,
) -> Result<Option<RootCertStore>, IdentityError> {
    let folders: Vec<_> = folders
        .iter()
        .flat_map(std::env::split_paths)
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect();
    if file.is_none() && folders.is_empty() {
        return Ok(None);
    }
    let mut found = Vec::new();
    let mut problems = Vec::new();
    if let Some(file) = &file
        && let Err(error) = of_file(Path::new(file), &mut found)
    {
        problems.push(format!("{FILE}: {}", error.message()));
    }
    for folder in &folders {
        if let Err(error) = of_folder(folder, &mut found) {
            problems.push(format!("{FOLDERS}: {}", error.message()));
        }
    }
    // A folder holds most certificates under two names, and often the file as well.
    found.sort_unstable_by(|one, other| one.as_ref().cmp(other));
    found.dedup();
    let mut store = RootCertStore::empty();
    let _counts = store.add_parsable_certificates(found);
    if store.is_empty() {
        if problems.is_empty() {
            let name = if file.is_some() { FILE } else { FOLDERS };
            problems.push(format!("{name}: it contains no root certificate"));
        }
        return Err(no_roots(&problems.join("; ")));
    }
    Ok(Some(store))
}

fn of_file(path: &Path, found: &mut Vec<CertificateDer<'static>>) -> Result<(), IdentityError> {
    for item in items(&read(path, Part::Roots)?, Part::Roots)? {
        if let Item::Certificate(der) = item {
            found.push(der);
        }
    }
    Ok(())
}

/// Files without certificates are ignored.
fn of_folder(path: &Path, found: &mut Vec<CertificateDer<'static>>) -> Result<(), IdentityError> {
    let entries = std::fs::read_dir(path)
        .map_err(|error| IdentityError::unreadable(Part::Roots, path, error))?;
    for entry in entries.take(MOST_FILES).flatten() {
        let path = entry.path();
        // Follows links, and does not read devices.
        if path.is_file() {
            let _other = of_file(&path, found);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdentityErrorKind as Kind;

    fn root(name: &str) -> String {
        let mut parameters = rcgen::CertificateParams::default();
        let name = rcgen::DnValue::from(name);
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn file_and_folders_are_read_in_place_of_the_systems() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.into_os_string()
        };
        let one = root("one");
        let file = write("one.pem", &one);
        write("again.0", &one);
        write(
            "two.pem",
            &root("two").replace("CERTIFICATE", "X509 CERTIFICATE"),
        );
        write("README", "no certificate");
        let folders = Some(folder.path().as_os_str().to_owned());
        let count = |file, folders| load(file, folders).unwrap().map(|store| store.len());
        assert_eq!(count(None, None), None);
        assert_eq!(count(None, Some(OsString::new())), None);
        assert_eq!(count(Some(file.clone()), None), Some(1));
        assert_eq!(count(Some(file), folders.clone()), Some(2));
        // As with the platform's loader, one that can be used is enough.
        assert_eq!(count(Some("/missing".into()), folders), Some(2));
    }

    #[test]
    fn the_reason_is_told_and_nothing_is_read_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().as_os_str().to_owned();
        let text = folder.path().join("CANARY.pem");
        std::fs::write(&text, "no certificate").unwrap();
        let zero = OsString::from("/dev/zero");
        for (file, folders, says) in [
            (
                Some("/CANARY".into()),
                None,
                "SSL_CERT_FILE: the file cannot be read: no such file",
            ),
            (
                Some(empty.clone()),
                None,
                "SSL_CERT_FILE: the file cannot be read: it is a folder",
            ),
            (
                Some(zero),
                None,
                "SSL_CERT_FILE: the file is larger than 4 MiB",
            ),
            (
                Some("/dev/null".into()),
                None,
                "SSL_CERT_FILE: the file is empty",
            ),
            (
                Some(text.into()),
                None,
                "SSL_CERT_FILE: the file is neither PEM",
            ),
            (
                None,
                Some("/CANARY".into()),
                "SSL_CERT_DIR: the file cannot be read: no such file",
            ),
            (None, Some("/dev/zero".into()), "SSL_CERT_DIR: "),
            (
                None,
                Some(empty),
                "SSL_CERT_DIR: it contains no root certificate",
            ),
        ] {
            let error = load(file, folders).unwrap_err();
            assert_eq!(error.kind(), Kind::NoRoots, "{error}");
            assert!(error.message().contains(says), "{error}");
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
    }
}
