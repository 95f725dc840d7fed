//! Where one setting comes from: a flag, an environment variable, or a key of the TOML file.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flinks_transport::{Error, ErrorKind};
use flinks_types::Secret;

use crate::output::plain;

/// The keys of the file that hold no secret.
const PLAIN: &[&str] = &[
    "upload_url",
    "upload_paths",
    "cert",
    "key",
    "ca",
    "client_id",
    "scope",
    "api_url",
    "instance",
    "customer_id",
];

/// The keys that hold a secret; each also exists as `…_file`.
const SECRET: &[&str] = &[
    "cert_password",
    "client_secret",
    "api_secret",
    "auth_key",
    "x_api_key",
];

/// More than any secret or settings file holds; a path to something endless must not be read on.
const MAX_BYTES: u64 = 64 * 1024;

type Environment = Box<dyn Fn(&str) -> Option<OsString>>;

/// The environment and the settings file. It has no `Debug`: it holds secrets.
pub(crate) struct Source {
    environment: Environment,
    file: toml::Table,
    /// Relative paths in the file start here.
    folder: PathBuf,
}

impl Source {
    /// Reads the settings file: the one given, else the one that `FLINKS_CONFIG` names, if any.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it cannot be read, is no TOML, or has a key that means nothing.
    pub(crate) fn new(
        environment: impl Fn(&str) -> Option<OsString> + 'static,
        config: Option<&Path>,
    ) -> Result<Self, Error> {
        let named = environment("FLINKS_CONFIG")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from);
        let path = config.map(Path::to_owned).or(named);
        let (file, folder) = match &path {
            None => (toml::Table::new(), PathBuf::new()),
            Some(path) => (
                table(path)?,
                path.parent().map(Path::to_owned).unwrap_or_default(),
            ),
        };
        Ok(Self {
            environment: Box::new(environment),
            file,
            folder,
        })
    }

    /// A setting that is text.
    pub(crate) fn text(&self, key: &str, flag: Option<&String>) -> Result<Option<String>, Error> {
        if let Some(flag) = flag {
            return Ok(Some(flag.clone()));
        }
        Ok(match self.variable(key) {
            Some(value) => Some(utf8(&variable_name(key), value)?),
            None => self.key(key).map(str::to_owned),
        })
    }

    /// A setting that is the path of a file.
    pub(crate) fn path(&self, key: &str, flag: Option<&PathBuf>) -> Result<Option<PathBuf>, Error> {
        let given = flag
            .cloned()
            .or_else(|| self.variable(key).map(PathBuf::from));
        Ok(given.or_else(|| self.key(key).map(|path| self.folder.join(path))))
    }

    /// A setting that is secret: itself, or the path of a file that holds it; never a flag.
    pub(crate) fn secret(&self, key: &str) -> Result<Option<Secret>, Error> {
        let file_key = format!("{key}_file");
        let (name, file_name) = (variable_name(key), variable_name(&file_key));
        match (self.variable(key), self.variable(&file_key)) {
            (Some(_), Some(_)) => return Err(both(&name, &file_name)),
            (Some(value), None) => return Ok(Some(Secret::new(utf8(&name, value)?))),
            (None, Some(path)) => return secret_in(&file_name, Path::new(&path)).map(Some),
            (None, None) => {}
        }
        match (self.key(key), self.key(&file_key)) {
            (Some(_), Some(_)) => Err(both(key, &file_key)),
            (Some(value), None) => Ok(Some(Secret::new(value))),
            (None, Some(path)) => secret_in(&file_key, &self.folder.join(path)).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// An environment variable; an empty one counts as not set.
    fn variable(&self, key: &str) -> Option<OsString> {
        (self.environment)(&variable_name(key)).filter(|value| !value.is_empty())
    }

    fn key(&self, key: &str) -> Option<&str> {
        self.file
            .get(key)?
            .as_str()
            .filter(|value| !value.is_empty())
    }
}

fn variable_name(key: &str) -> String {
    format!("FLINKS_{}", key.to_ascii_uppercase())
}

/// The text of a variable. The error never quotes it: it may be a secret.
fn utf8(name: &str, value: OsString) -> Result<String, Error> {
    value
        .into_string()
        .map_err(|_| config(format!("{name} is not UTF-8")))
}

fn both(name: &str, file_name: &str) -> Error {
    config(format!(
        "{name} and {file_name} are both set: set only one of them"
    ))
}

/// The secret in a file, without the line end that editors and `echo` put there.
fn secret_in(name: &str, path: &Path) -> Result<Secret, Error> {
    let text = Secret::new(read(name, path)?);
    let bare = text.expose();
    let bare = bare.strip_suffix('\n').unwrap_or(bare);
    let bare = bare.strip_suffix('\r').unwrap_or(bare);
    if bare.is_empty() {
        return Err(config(format!("{name}: {} is empty", shown(path))));
    }
    Ok(Secret::new(bare))
}

fn table(path: &Path) -> Result<toml::Table, Error> {
    let text = read("the settings file", path)?;
    let table: toml::Table = toml::from_str(&text).map_err(|error: toml::de::Error| {
        // The parser's own message quotes the line, which may hold a secret.
        let offset = error.span().map_or(0, |span| span.start);
        let line = text
            .bytes()
            .take(offset)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        config(format!("{} is no valid TOML: see line {line}", shown(path)))
    })?;
    for (key, value) in &table {
        if !is_known(key) {
            let known: Vec<_> = PLAIN.iter().chain(SECRET).copied().collect();
            let known = known.join(", ");
            return Err(config(format!(
                "{} has the key \"{}\", which means nothing here; the keys are {known}, and the \
                 secret ones also with _file",
                shown(path),
                plain(key)
            )));
        }
        if !value.is_str() {
            return Err(config(format!(
                "{}: \"{key}\" must be text in quotes",
                shown(path)
            )));
        }
    }
    Ok(table)
}

fn is_known(key: &str) -> bool {
    PLAIN.contains(&key)
        || SECRET.contains(&key)
        || key
            .strip_suffix("_file")
            .is_some_and(|bare| SECRET.contains(&bare))
}

fn read(what: &str, path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let mut file = File::open(path)
        .map_err(|error| config(format!("{what}: {} cannot be read: {error}", shown(path))))?
        .take(MAX_BYTES + 1);
    // The error of text that is not UTF-8 says so and quotes nothing.
    file.read_to_string(&mut text)
        .map_err(|error| config(format!("{what}: {} cannot be read: {error}", shown(path))))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(config(format!(
            "{what}: {} is larger than 64 KiB",
            shown(path)
        )));
    }
    Ok(text)
}

fn shown(path: &Path) -> String {
    let text: Cow<'_, str> = OsStr::to_string_lossy(path.as_os_str());
    plain(&text)
}

fn config(message: String) -> Error {
    Error::local(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    const CANARY: &str = "CANARY-4711";

    struct Case {
        folder: TempDir,
        environment: HashMap<String, OsString>,
    }

    impl Case {
        fn new(toml: &str) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join("flinks.toml"), toml).expect("written");
            Self {
                folder,
                environment: HashMap::new(),
            }
        }

        fn set(mut self, name: &str, value: impl Into<OsString>) -> Self {
            self.environment.insert(name.to_owned(), value.into());
            self
        }

        fn source(&self) -> Result<Source, Error> {
            let environment = self.environment.clone();
            let path = self.folder.path().join("flinks.toml");
            Source::new(move |name| environment.get(name).cloned(), Some(&path))
        }
    }

    fn exposed(secret: Result<Option<Secret>, Error>) -> Option<String> {
        secret
            .expect("read")
            .map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn a_flag_goes_before_the_environment_and_that_before_the_file() {
        let case = Case::new("client_id = 'file'\nscope = 'file'").set("FLINKS_SCOPE", "variable");
        let source = case.source().expect("valid");
        let flag = "flag".to_owned();
        let text = |key, flag| source.text(key, flag).expect("read");
        assert_eq!(text("scope", Some(&flag)).as_deref(), Some("flag"));
        assert_eq!(text("scope", None).as_deref(), Some("variable"));
        assert_eq!(text("client_id", None).as_deref(), Some("file"));
        assert_eq!(text("instance", None), None);
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let case = Case::new("scope = 'file'").set("FLINKS_SCOPE", "");
        let scope = case
            .source()
            .expect("valid")
            .text("scope", None)
            .expect("read");
        assert_eq!(scope.as_deref(), Some("file"));
    }

    #[test]
    fn the_environment_names_the_file_too() {
        let case = Case::new("scope = 'file'");
        let path = case.folder.path().join("flinks.toml").into_os_string();
        let named = move |name: &str| (name == "FLINKS_CONFIG").then(|| path.clone());
        let scope = Source::new(named, None)
            .expect("valid")
            .text("scope", None)
            .expect("read");
        assert_eq!(scope.as_deref(), Some("file"));
    }

    #[test]
    fn paths_in_the_file_start_at_the_file() {
        let case = Case::new("cert = 'client.pem'").set("FLINKS_KEY", "client.key");
        let source = case.source().expect("valid");
        let cert = source.path("cert", None).expect("read");
        assert_eq!(cert, Some(case.folder.path().join("client.pem")));
        let key = source.path("key", None).expect("read");
        assert_eq!(key, Some(PathBuf::from("client.key")));
    }

    #[test]
    fn a_secret_may_lie_in_a_file_of_its_own() {
        let case = Case::new("client_secret_file = 'secret'\napi_secret = 'from the file'");
        fs::write(case.folder.path().join("secret"), " a:b \r\n").expect("written");
        let source = case.source().expect("valid");
        assert_eq!(
            exposed(source.secret("client_secret")).as_deref(),
            Some(" a:b ")
        );
        assert_eq!(
            exposed(source.secret("api_secret")).as_deref(),
            Some("from the file")
        );

        let path = case.folder.path().join("secret").into_os_string();
        let case = case.set("FLINKS_API_SECRET_FILE", path);
        let source = case.source().expect("valid");
        assert_eq!(
            exposed(source.secret("api_secret")).as_deref(),
            Some(" a:b ")
        );
    }

    #[test]
    fn a_secret_given_twice_is_an_error() {
        let case = Case::new("")
            .set("FLINKS_API_SECRET", CANARY)
            .set("FLINKS_API_SECRET_FILE", "/nowhere");
        let error = case
            .source()
            .expect("valid")
            .secret("api_secret")
            .expect_err("twice");
        assert!(
            error.to_string().contains("FLINKS_API_SECRET_FILE"),
            "{error}"
        );
        assert!(!error.to_string().contains(CANARY), "{error}");
        let case = Case::new("api_secret = 'a'\napi_secret_file = 'b'");
        case.source()
            .expect("valid")
            .secret("api_secret")
            .expect_err("twice");
    }

    #[test]
    fn errors_of_the_file_name_the_place_and_never_a_value() {
        let rows = [
            ("client_secert = 'CANARY-4711'", "client_secert"),
            ("client_secret = ['CANARY-4711']", "client_secret"),
            ("client_secret = 4711", "client_secret"),
            ("client_id = 'a'\nclient_secret = 'CANARY-4711", "line 2"),
            ("client_secret = CANARY-4711", "line 1"),
            (
                "client_secret = 'CANARY-4711'\nclient_secret = 'CANARY-4711'",
                "line 2",
            ),
            ("[client_secret]\nCANARY-4711 = 1", "client_secret"),
        ];
        for (toml, named) in rows {
            let error = Case::new(toml).source().err().expect(toml);
            let text = error.report().to_string();
            assert!(text.contains(named), "{text}");
            assert!(!text.contains("4711"), "{text}");
        }
    }

    #[test]
    fn every_key_of_every_command_is_known() {
        for key in PLAIN.iter().chain(SECRET) {
            Case::new(&format!("{key} = 'x'")).source().expect(key);
        }
        for key in SECRET {
            Case::new(&format!("{key}_file = 'x'")).source().expect(key);
        }
        Case::new("client_id_file = 'x'")
            .source()
            .err()
            .expect("no secret");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let case = Case::new("").set("FLINKS_API_SECRET_FILE", "/nowhere/at/all");
        let error = case
            .source()
            .expect("valid")
            .secret("api_secret")
            .expect_err("missing");
        let text = error.to_string();
        assert!(
            text.contains("FLINKS_API_SECRET_FILE") && text.contains("/nowhere"),
            "{text}"
        );
    }
}
