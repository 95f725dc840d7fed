//! The host and the credentials of a live run: the settings of the program `flinks`, from its variables.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use flinks_transport::{ClientIdentity, Endpoint, Roots};
use flinks_types::Secret;
use flinks_upload::Paths;

use crate::keys::Keys;

/// Upload guide, "Base URL".
const UPLOAD_URL: &str = "https://upload-mtls.flinksapp.com";

/// Both hosts, and what opens them. Its `Debug` shows no value.
#[derive(Clone)]
pub struct Environment(Arc<Inner>);

struct Inner {
    upload: Endpoint,
    results: Endpoint,
    identity: ClientIdentity,
    /// The lines of the private key, which must appear nowhere.
    private_key: Vec<Secret>,
    roots: Roots,
    keys: Keys,
}

impl Environment {
    /// Reads the variables through `lookup`; an empty one counts as not set.
    ///
    /// # Errors
    /// What is missing, all of it at once, or the first variable whose value cannot be right.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let mut variables = Variables {
            lookup: &|name| lookup(name).filter(|value| !value.is_empty()),
            missing: Vec::new(),
        };
        let certificate = variables.needed("FLINKS_CERT");
        let key = variables.optional("FLINKS_KEY");
        let key = key.unwrap_or_else(|| certificate.clone());
        let upload_url = variables.optional("FLINKS_UPLOAD_URL");
        let paths = variables.optional("FLINKS_UPLOAD_PATHS");
        let ca = variables.optional("FLINKS_CA");
        let results = variables.results()?;
        let keys = Keys {
            client_id: variables.needed("FLINKS_CLIENT_ID"),
            client_secret: variables.needed_secret("FLINKS_CLIENT_SECRET")?,
            scope: variables.optional("FLINKS_SCOPE"),
            paths: paths
                .map_or_else(|| Ok(Paths::default()), |paths| paths.parse())
                .map_err(|error| wrong("FLINKS_UPLOAD_PATHS", error))?,
            customer_id: variables.needed("FLINKS_CUSTOMER_ID"),
            api_secret: variables.needed_secret("FLINKS_API_SECRET")?,
            auth_key: variables.secret("FLINKS_AUTH_KEY")?,
            x_api_key: variables.secret("FLINKS_X_API_KEY")?,
        };
        let Some(results) = results.filter(|_| variables.missing.is_empty()) else {
            return Err(variables.unset());
        };
        let upload_url = upload_url.as_deref().unwrap_or(UPLOAD_URL);
        Ok(Self(Arc::new(Inner {
            upload: Endpoint::new(upload_url).map_err(|error| wrong("FLINKS_UPLOAD_URL", error))?,
            results,
            identity: ClientIdentity::from_pem_files(&certificate, &key)
                .map_err(|error| wrong("FLINKS_CERT and FLINKS_KEY", error))?,
            private_key: private_key(Path::new(&key))?,
            roots: ca
                .map_or_else(|| Ok(Roots::default()), Roots::pem_file)
                .map_err(|error| wrong("FLINKS_CA", error))?,
            keys,
        })))
    }

    pub(crate) fn upload(&self) -> &Endpoint {
        &self.0.upload
    }

    pub(crate) fn results(&self) -> &Endpoint {
        &self.0.results
    }

    pub(crate) fn identity(&self) -> ClientIdentity {
        self.0.identity.clone()
    }

    pub(crate) fn roots(&self) -> Roots {
        self.0.roots.clone()
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// What must appear nowhere, each with the name that a failure calls it.
    pub(crate) fn secrets(&self) -> Vec<(&'static str, &str)> {
        let lines = self.0.private_key.iter();
        let lines = lines.map(|line| ("the private key", line.expose()));
        self.0.keys.secrets().into_iter().chain(lines).collect()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

/// Why an environment cannot be used. It quotes no value that may be secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct EnvironmentError {
    message: String,
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EnvironmentError {}

fn wrong(name: &str, error: impl fmt::Display) -> EnvironmentError {
    EnvironmentError {
        message: format!("{name}: {error}"),
    }
}

/// The variables while they are read.
struct Variables<'l> {
    lookup: &'l dyn Fn(&str) -> Option<String>,
    missing: Vec<&'static str>,
}

impl Variables<'_> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name)
    }

    fn needed(&mut self, name: &'static str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.missing.push(name);
            String::new()
        })
    }

    /// A secret: itself, or in the file that its `…_FILE` names.
    fn secret(&self, name: &str) -> Result<Option<Secret>, EnvironmentError> {
        let file = format!("{name}_FILE");
        match (self.optional(name), self.optional(&file)) {
            (Some(_), Some(_)) => Err(wrong(name, format!("{file} is set too: set one of them"))),
            (Some(secret), None) => Ok(Some(Secret::new(secret))),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).map_err(|error| wrong(&file, error))?;
                // Editors and `echo` end a file with a line break.
                let secret = text.strip_suffix('\n').unwrap_or(&text);
                Ok(Some(Secret::new(
                    secret.strip_suffix('\r').unwrap_or(secret),
                )))
            }
            (None, None) => Ok(None),
        }
    }

    fn needed_secret(&mut self, name: &'static str) -> Result<Secret, EnvironmentError> {
        let secret = self.secret(name)?;
        Ok(secret.unwrap_or_else(|| {
            self.missing.push(name);
            Secret::default()
        }))
    }

    /// The results host, by its URL or by its instance.
    fn results(&mut self) -> Result<Option<Endpoint>, EnvironmentError> {
        let (url, instance) = ("FLINKS_API_URL", "FLINKS_INSTANCE");
        let endpoint = match (self.optional(url), self.optional(instance)) {
            // Whichever of the two won, the API secret might go to a host that was not meant.
            (Some(_), Some(_)) => {
                return Err(wrong(url, "FLINKS_INSTANCE is set too: set one of them"));
            }
            (Some(text), None) => Endpoint::new(&text).map_err(|error| wrong(url, error))?,
            (None, Some(name)) => {
                Endpoint::instance(&name).map_err(|error| wrong(instance, error))?
            }
            (None, None) => {
                self.missing.push("FLINKS_API_URL (or FLINKS_INSTANCE)");
                return Ok(None);
            }
        };
        Ok(Some(endpoint))
    }

    fn unset(&self) -> EnvironmentError {
        let names = self.missing.join(", ");
        EnvironmentError {
            message: format!("these variables are needed and not set: {names}"),
        }
    }
}

fn private_key(path: &Path) -> Result<Vec<Secret>, EnvironmentError> {
    let bytes = std::fs::read(path).map_err(|error| wrong("FLINKS_KEY", error))?;
    let text = Secret::new(String::from_utf8_lossy(&bytes));
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.expose().lines() {
        if line.starts_with("-----") {
            inside = line.contains("BEGIN") && line.contains("PRIVATE KEY");
        } else if inside {
            lines.push(Secret::new(line));
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> String {
        let set: Vec<_> = set
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let lookup = |name: &str| {
            let found = set.iter().find(|(set, _)| set == name);
            found.map(|(_, value)| value.clone())
        };
        Environment::read(lookup).expect_err("refused").to_string()
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let error = read(&[("FLINKS_CLIENT_ID", "a"), ("FLINKS_CERT", "")]);
        for name in [
            "FLINKS_CERT",
            "FLINKS_CLIENT_SECRET",
            "FLINKS_API_URL (or FLINKS_INSTANCE)",
            "FLINKS_CUSTOMER_ID",
            "FLINKS_API_SECRET",
        ] {
            assert!(error.contains(name), "{name}: {error}");
        }
        for name in ["FLINKS_CLIENT_ID", "FLINKS_KEY", "FLINKS_X_API_KEY"] {
            assert!(!error.contains(name), "{name}: {error}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_an_error_that_quotes_no_secret() {
        let error = read(&[
            ("FLINKS_API_SECRET", "CANARY"),
            ("FLINKS_API_SECRET_FILE", "/nowhere"),
        ]);
        assert!(error.contains("FLINKS_API_SECRET_FILE"), "{error}");
        assert!(!error.contains("CANARY"), "{error}");
        let error = read(&[
            ("FLINKS_API_URL", "https://a.test"),
            ("FLINKS_INSTANCE", "b"),
        ]);
        assert!(error.contains("FLINKS_INSTANCE"), "{error}");
    }

    #[test]
    fn a_private_key_is_known_by_its_own_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("both.pem");
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n\
                   -----BEGIN PRIVATE KEY-----\nBBBB\nCCCC\n-----END PRIVATE KEY-----\n";
        std::fs::write(&path, pem).expect("written");
        let lines = private_key(&path).expect("a key");
        let lines: Vec<_> = lines.iter().map(Secret::expose).collect();
        assert_eq!(lines, ["BBBB", "CCCC"]);
    }
}
