//! Reads one setting from an option, an environment variable, or the TOML file.
//!
//! No message quotes a value: a secret may have been given in its place.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flinks_transport::{Error, ErrorKind};
use flinks_types::{Secret, text};
use zeroize::Zeroizing;

use crate::arguments::Flags;
use crate::output::io_error;
use crate::settings::path_value;
use crate::settings::table::{SETTINGS, Setting};

/// Larger than any secret or settings file; an endless file is not read to its end.
const MAX_BYTES: u64 = 64 * 1024;

type Environment = Box<dyn Fn(&str) -> Option<OsString>>;

/// A setting's value and its source: the variable, flag or key, which messages name in place of the
/// value. Its `Debug` shows the source only.
#[derive(Clone)]
#[non_exhaustive]
pub struct Given<T> {
    name: Cow<'static, str>,
    /// The value.
    pub value: T,
}

impl<T> Given<T> {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, value: T) -> Self {
        Self {
            name: name.into(),
            value,
        }
    }

    /// Returns the variable, flag or key that the value comes from.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An error about this setting; `reason` must not quote the value.
    pub(crate) fn invalid(&self, reason: impl fmt::Display) -> Error {
        config(format!("{}: {reason}", self.name))
    }
}

impl<T> fmt::Debug for Given<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Given").field(&self.name).finish()
    }
}

/// The environment and the settings file. It has no `Debug`: it holds secrets.
pub(crate) struct Source {
    environment: Environment,
    file: toml::Table,
    /// Relative paths in the file start here.
    folder: PathBuf,
}

impl Source {
    /// Reads the settings file at `config`, or else at `FLINKS_CONFIG`, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the file cannot be read, is not TOML, or has an unknown key.
    pub(crate) fn new(
        environment: impl Fn(&str) -> Option<OsString> + 'static,
        config: Option<&Path>,
    ) -> Result<Self, Error> {
        let flag = config.map(|path| Given::new("--config", OsString::from(path)));
        let variable = || {
            let path = environment("FLINKS_CONFIG").filter(|path| !path.is_empty());
            path.map(|path| Given::new("FLINKS_CONFIG", path))
        };
        let path = flag.or_else(variable).map(path_of).transpose()?.flatten();
        let (file, folder) = match &path {
            None => (toml::Table::new(), PathBuf::new()),
            Some(path) => (
                table(path)?,
                path.value.parent().map(Path::to_owned).unwrap_or_default(),
            ),
        };
        Ok(Self {
            environment: Box::new(environment),
            file,
            folder,
        })
    }

    /// Reads a text setting.
    pub(crate) fn text(
        &self,
        setting: &Setting,
        flags: &Flags,
    ) -> Result<Option<Given<String>>, Error> {
        let given = match self.option_or_variable(setting, flags) {
            Some(Given { name, value }) => {
                let text = utf8(&name, value)?;
                Some(Given::new(name, text))
            }
            None => self
                .key(setting.key)
                .map(|value| Given::new(key_name(setting.key), value.to_owned())),
        };
        let Some(given) = given else { return Ok(None) };
        let text = given.value.trim();
        if path_value::is_quoted(text) {
            return Err(given.invalid(IN_QUOTES));
        }
        Ok((!text.is_empty()).then(|| Given::new(given.name.clone(), text.to_owned())))
    }

    /// Reads a path setting.
    pub(crate) fn path(
        &self,
        setting: &Setting,
        flags: &Flags,
    ) -> Result<Option<Given<PathBuf>>, Error> {
        match self.option_or_variable(setting, flags) {
            Some(given) => path_of(given),
            None => self.key_path(setting.key),
        }
    }

    fn option_or_variable(&self, setting: &Setting, flags: &Flags) -> Option<Given<OsString>> {
        let variable = || {
            let name = setting.variable();
            let value = self.variable(&name)?;
            Some(Given::new(name, value))
        };
        option(setting, flags).or_else(variable)
    }

    /// Reads a secret, directly or from the file at `…_file`.
    pub(crate) fn secret(&self, setting: &Setting) -> Result<Option<Given<Secret>>, Error> {
        let (name, file_name) = (setting.variable(), format!("{}_FILE", setting.variable()));
        match (self.variable(&name), self.variable(&file_name)) {
            (Some(_), Some(_)) => return Err(both(&name, &file_name)),
            (Some(value), None) => {
                let secret = Secret::new(utf8(&name, value)?);
                return Ok(without_line_end(Given::new(name, secret)));
            }
            (None, Some(path)) => {
                let path = path_of(Given::new(file_name, path))?;
                return path.map(secret_in).transpose();
            }
            (None, None) => {}
        }
        let (key, file_key) = (setting.key, format!("{}_file", setting.key));
        match (self.key(key), self.key(&file_key)) {
            (Some(_), Some(_)) => Err(both(key, &file_key)),
            (Some(value), None) => Ok(without_line_end(Given::new(
                key_name(key),
                Secret::new(value),
            ))),
            (None, Some(_)) => self.key_path(&file_key)?.map(secret_in).transpose(),
            (None, None) => Ok(None),
        }
    }

    /// Reads a variable that is not this program's own; an empty one is not set.
    pub(super) fn foreign_variable(
        &self,
        name: &'static str,
    ) -> Result<Option<Given<Secret>>, Error> {
        let value = (self.environment)(name).filter(|value| !value.is_empty());
        let secret = value.map(|value| Ok(Given::new(name, Secret::new(utf8(name, value)?))));
        secret.transpose()
    }

    /// Reads an environment variable; an empty one is not set.
    fn variable(&self, name: &str) -> Option<OsString> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }

    fn key(&self, key: &str) -> Option<&str> {
        self.file
            .get(key)?
            .as_str()
            .filter(|value| !value.is_empty())
    }

    fn key_path(&self, key: &str) -> Result<Option<Given<PathBuf>>, Error> {
        let given = self
            .key(key)
            .map(|path| Given::new(key_name(key), OsString::from(path)));
        let path = given.map(path_of).transpose()?.flatten();
        Ok(path.map(|path| Given::new(path.name, self.folder.join(path.value))))
    }
}

pub(super) const IN_QUOTES: &str =
    "the value is in quotes: remove them (`docker run --env-file` keeps them)";

/// Returns the value of a setting's option.
pub(super) fn option(setting: &Setting, flags: &Flags) -> Option<Given<OsString>> {
    let value = flags.value(setting)?;
    Some(Given::new(
        format!("--{}", setting.option()?),
        value.clone(),
    ))
}

fn key_name(key: &str) -> String {
    format!("{key} in the settings file")
}

/// Returns the text of an option or a variable. The error does not quote it: it may be a secret.
pub(super) fn utf8(name: &str, value: OsString) -> Result<String, Error> {
    value
        .into_string()
        .map_err(|_| config(format!("{name} is not UTF-8")))
}

fn both(name: &str, file_name: &str) -> Error {
    config(format!(
        "{name} and {file_name} are both set: set only one of them"
    ))
}

/// Trims a path; `None` if it is empty.
fn path_of(given: Given<OsString>) -> Result<Option<Given<PathBuf>>, Error> {
    let Given { name, value } = given;
    let value = match value.to_str() {
        Some(text) => text.trim().into(),
        None => value,
    };
    if let Some(mistake) = path_value::mistake(&value) {
        return Err(config(format!("{name} {mistake}")));
    }
    let given = Given::new(name, PathBuf::from(value));
    if given.value.to_str().is_some_and(path_value::is_quoted) && !given.value.exists() {
        return Err(given.invalid(IN_QUOTES));
    }
    Ok((!given.value.as_os_str().is_empty()).then_some(given))
}

/// Removes the line end that editors, `echo` and secret stores add to a secret; `None` if it is empty.
/// Spaces may be part of it and stay.
fn without_line_end(given: Given<Secret>) -> Option<Given<Secret>> {
    let secret = given.value.expose().trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return None;
    }
    if secret.len() == given.value.expose().len() {
        return Some(given);
    }
    let secret = Secret::new(secret);
    Some(Given::new(given.name, secret))
}

fn secret_in(path: Given<PathBuf>) -> Result<Given<Secret>, Error> {
    let secret = Given::new(path.name.clone(), read(&path)?);
    without_line_end(secret).ok_or_else(|| path.invalid("the file is empty"))
}

fn table(path: &Given<PathBuf>) -> Result<toml::Table, Error> {
    let text = read(path)?;
    let text = text.expose();
    let invalid = |reason: String| path.invalid(format!("the settings file {reason}"));
    let table: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| {
        // The parser's message quotes the line, which may contain a secret.
        let offset = error.span().map_or(0, |span| span.start);
        let line = text
            .bytes()
            .take(offset)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        invalid(format!("is not valid TOML: see line {line}"))
    })?;
    for (key, value) in &table {
        if !is_known(key) {
            let known: Vec<_> = SETTINGS.iter().map(|setting| setting.key).collect();
            let known = known.join(", ");
            let key = shown_key(key);
            return Err(invalid(format!(
                "has {key}, which is unknown; the keys are {known}, and for secrets also …_file"
            )));
        }
        if !value.is_str() {
            return Err(invalid(format!("must have \"{key}\" as text in quotes")));
        }
    }
    Ok(table)
}

/// Formats an unknown key; one that does not look like a key may be a secret.
fn shown_key(key: &str) -> String {
    let word = key.len() <= 40
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if word {
        format!("the key \"{key}\"")
    } else {
        "a key".to_owned()
    }
}

fn is_known(key: &str) -> bool {
    SETTINGS
        .iter()
        .any(|setting| setting.key == key || setting.file_key().as_deref() == Some(key))
}

/// Reads a text file. The text may be or contain a secret, and is wiped when dropped.
fn read(path: &Given<PathBuf>) -> Result<Secret, Error> {
    let unreadable = |error: std::io::Error| path.invalid(io_error::reason(&error));
    // Reserved, so that a growing buffer does not leave copies behind.
    let capacity = usize::try_from(MAX_BYTES + 1).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    File::open(&path.value)
        .map_err(unreadable)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(path.invalid("the file is larger than 64 KiB"));
    }
    let text = text::read(&bytes)
        .ok_or_else(|| path.invalid("the file is not text in UTF-8 or UTF-16"))?;
    Ok(Secret::new(text))
}

fn config(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::settings::table::{
        API_SECRET, CERT, CLIENT_ID, CLIENT_SECRET, INSTANCE, KEY, SCOPE, UPLOAD_URL,
    };

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

    fn exposed(secret: Result<Option<Given<Secret>>, Error>) -> Option<String> {
        secret
            .expect("read")
            .map(|secret| secret.value.expose().to_owned())
    }

    fn value<T>(given: Result<Option<Given<T>>, Error>) -> Option<T> {
        given.expect("read").map(|given| given.value)
    }

    #[test]
    fn an_option_precedes_the_environment_which_precedes_the_file() {
        let case = Case::new("client_id = 'file'\nscope = 'file'").set("FLINKS_SCOPE", "variable");
        let source = case.source().expect("valid");
        let flags = Flags::default().with(&SCOPE, "flag");
        let flagged = value(source.text(&SCOPE, &flags));
        assert_eq!(flagged.as_deref(), Some("flag"));
        let text = |setting| value(source.text(setting, &Flags::default()));
        assert_eq!(text(&SCOPE).as_deref(), Some("variable"));
        assert_eq!(text(&CLIENT_ID).as_deref(), Some("file"));
        assert_eq!(text(&INSTANCE), None);
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let case = Case::new("scope = 'file'").set("FLINKS_SCOPE", "");
        let scope = value(
            case.source()
                .expect("valid")
                .text(&SCOPE, &Flags::default()),
        );
        assert_eq!(scope.as_deref(), Some("file"));
    }

    #[test]
    fn the_environment_names_the_file_too() {
        let case = Case::new("scope = 'file'");
        let path = case.folder.path().join("flinks.toml").into_os_string();
        let named = move |name: &str| (name == "FLINKS_CONFIG").then(|| path.clone());
        let scope = value(
            Source::new(named, None)
                .expect("valid")
                .text(&SCOPE, &Flags::default()),
        );
        assert_eq!(scope.as_deref(), Some("file"));
    }

    #[test]
    fn paths_in_the_file_start_at_the_file() {
        let case = Case::new("cert = 'client.pem'").set("FLINKS_KEY", "client.key");
        let source = case.source().expect("valid");
        let cert = value(source.path(&CERT, &Flags::default()));
        assert_eq!(cert, Some(case.folder.path().join("client.pem")));
        let key = value(source.path(&KEY, &Flags::default()));
        assert_eq!(key, Some(PathBuf::from("client.key")));
    }

    #[test]
    fn a_secret_may_be_in_its_own_file() {
        let case = Case::new("client_secret_file = 'secret'\napi_secret = 'from the file'");
        fs::write(case.folder.path().join("secret"), " a:b \r\n").expect("written");
        let source = case.source().expect("valid");
        assert_eq!(
            exposed(source.secret(&CLIENT_SECRET)).as_deref(),
            Some(" a:b ")
        );
        assert_eq!(
            exposed(source.secret(&API_SECRET)).as_deref(),
            Some("from the file")
        );

        let path = case.folder.path().join("secret").into_os_string();
        let case = case.set("FLINKS_API_SECRET_FILE", path);
        let source = case.source().expect("valid");
        assert_eq!(
            exposed(source.secret(&API_SECRET)).as_deref(),
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
            .secret(&API_SECRET)
            .expect_err("twice");
        assert!(
            error.to_string().contains("FLINKS_API_SECRET_FILE"),
            "{error}"
        );
        assert!(!error.to_string().contains(CANARY), "{error}");
        let case = Case::new("api_secret = 'a'\napi_secret_file = 'b'");
        case.source()
            .expect("valid")
            .secret(&API_SECRET)
            .expect_err("twice");
    }

    #[test]
    fn errors_of_the_file_name_the_place_without_a_value() {
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
        for setting in SETTINGS {
            for key in [Some(setting.key.to_owned()), setting.file_key()]
                .iter()
                .flatten()
            {
                Case::new(&format!("{key} = 'x'")).source().expect(key);
            }
        }
        Case::new("client_id_file = 'x'")
            .source()
            .err()
            .expect("no secret");
    }

    /// Gives an invalid value in each way: the message names the way.
    #[test]
    fn errors_name_the_source_without_the_value() {
        let key = format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\n");
        let long = format!("{CANARY}{}", "x".repeat(5000));
        let quoted = format!("\"{CANARY}\"");
        let rows = [
            (CANARY, "no such file"),
            (&key, "holds the key itself"),
            (&long, "too long"),
            (&quoted, "quotes"),
        ];
        for (value, reason) in rows {
            let check = |name: &str, error: Option<Error>| {
                let text = error.expect(name).report().to_string();
                assert!(text.contains(name) && text.contains(reason), "{text}");
                assert!(!text.contains("4711"), "{text}");
            };
            let toml = format!("api_secret_file = {}", serde_json::json!(value));
            let in_file = Case::new(&toml).source().expect("valid");
            check("api_secret_file", in_file.secret(&API_SECRET).err());
            let variable = Case::new("").set("FLINKS_API_SECRET_FILE", value);
            let variable = variable.source().expect("valid");
            check("FLINKS_API_SECRET_FILE", variable.secret(&API_SECRET).err());
            let named = value.to_owned();
            let config = move |name: &str| (name == "FLINKS_CONFIG").then(|| named.clone().into());
            check("FLINKS_CONFIG", Source::new(config, None).err());
            check(
                "--config",
                Source::new(|_| None, Some(Path::new(value))).err(),
            );
        }
        let source = Case::new("").source().expect("valid");
        let flags = Flags::default().with(&INSTANCE, &quoted);
        let error = source.text(&INSTANCE, &flags).expect_err("quotes");
        assert!(error.to_string().starts_with("--instance"), "{error}");
        assert!(!error.to_string().contains("4711"), "{error}");
    }

    #[test]
    fn surrounding_spaces_and_line_ends_are_dropped() {
        let case = Case::new("scope = 'ocr.write\\n'\ninstance = \"toolbox\\n\"")
            .set("FLINKS_UPLOAD_URL", " https://example.com\r\n")
            .set("FLINKS_CERT", "client.pem \n")
            .set("FLINKS_CLIENT_SECRET", " a b \n")
            .set("FLINKS_API_SECRET", "\n");
        let source = case.source().expect("valid");
        let text = |setting| value(source.text(setting, &Flags::default()));
        assert_eq!(text(&UPLOAD_URL).as_deref(), Some("https://example.com"));
        assert_eq!(text(&INSTANCE).as_deref(), Some("toolbox"));
        assert_eq!(
            value(source.path(&CERT, &Flags::default())),
            Some("client.pem".into())
        );
        assert_eq!(
            exposed(source.secret(&CLIENT_SECRET)).as_deref(),
            Some(" a b ")
        );
        assert_eq!(exposed(source.secret(&API_SECRET)), None);
    }

    #[test]
    fn files_of_other_systems_read_as_the_same_text() {
        let utf16 =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        for bytes in [
            b"\xef\xbb\xbfa:b\r\n".to_vec(),
            utf16("\u{feff}a:b\r\n"),
            utf16("a:b\r\n"),
        ] {
            let case = Case::new("client_secret_file = 'secret'");
            fs::write(case.folder.path().join("secret"), bytes).expect("written");
            let source = case.source().expect("valid");
            assert_eq!(
                exposed(source.secret(&CLIENT_SECRET)).as_deref(),
                Some("a:b")
            );
        }
        let case = Case::new("");
        fs::write(
            case.folder.path().join("flinks.toml"),
            utf16("\u{feff}scope = 'a'\r\n"),
        )
        .expect("written");
        let scope = value(
            case.source()
                .expect("valid")
                .text(&SCOPE, &Flags::default()),
        );
        assert_eq!(scope.as_deref(), Some("a"));
    }
}
