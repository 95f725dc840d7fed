//! Reads one setting from an option, an environment variable, or the TOML file.
//!
//! No message quotes a value: a secret may have been given in its place.

use std::borrow::Cow;
use std::cmp::Ordering;
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
use crate::settings::file::{Place, Profile, SettingsFile};
use crate::settings::path_value;
use crate::settings::table::{API_URL, INSTANCE, SETTINGS, Setting, keys, variable_of};

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
    file: SettingsFile,
}

/// Where a setting comes from. The first of these that has it counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Layer {
    Option,
    Environment,
    Profile,
    SharedKeys,
}

/// A setting as it was given.
pub(crate) struct Found {
    layer: Layer,
    /// This is the path of a file that holds the secret.
    is_file: bool,
    given: Given<OsString>,
}

impl Found {
    fn new(layer: Layer, is_file: bool, given: Given<OsString>) -> Self {
        Self {
            layer,
            is_file,
            given,
        }
    }

    /// Returns the option, variable or key.
    pub(crate) fn name(&self) -> &str {
        self.given.name()
    }
}

impl Source {
    /// Reads the settings file at `config`, or else at `FLINKS_CONFIG`, or else the default one, and
    /// takes the profile `profile`, or else `FLINKS_PROFILE`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the file cannot be read, is not TOML, or has an unknown key, or there is
    /// no such profile.
    pub(crate) fn new(
        environment: impl Fn(&str) -> Option<OsString> + 'static,
        config: Option<&Path>,
        profile: Option<&str>,
    ) -> Result<Self, Error> {
        let place = Place::find(&environment, config)?;
        let file = SettingsFile::read(&place, &environment, profile)?;
        Ok(Self {
            environment: Box::new(environment),
            file,
        })
    }

    /// Returns the settings file that was read, as it is shown.
    pub(crate) fn file(&self) -> Option<String> {
        self.file.shown.clone()
    }

    /// Returns the name of the chosen profile.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.file
            .profile
            .as_ref()
            .map(|profile| profile.name.as_str())
    }

    /// Returns what looks wrong: a settings file that others can read, and variables that change a
    /// profile that was chosen.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<_> = self.file.warning.iter().cloned().collect();
        if let Some(profile) = &self.file.profile {
            let names = self.overrides(profile);
            if !names.is_empty() {
                let (names, name) = (names.join(", "), &profile.name);
                warnings.push(format!(
                    "profile {name} is changed by the environment: {names}"
                ));
            }
        }
        warnings
    }

    /// Returns the variables that take precedence over a key of the profile.
    fn overrides(&self, profile: &Profile) -> Vec<String> {
        let is_in_profile =
            |setting: &Setting| keys(setting).any(|key| profile.keys.contains_key(&key));
        let variables = SETTINGS.iter().filter(|setting| {
            // These two name the same host.
            if [API_URL.key, INSTANCE.key].contains(&setting.key) {
                is_in_profile(&API_URL) || is_in_profile(&INSTANCE)
            } else {
                is_in_profile(setting)
            }
        });
        let variables = variables.flat_map(keys).map(|key| variable_of(&key));
        variables
            .filter(|name| self.variable(name).is_some())
            .collect()
    }

    /// Finds a setting.
    ///
    /// # Errors
    /// A secret and its `…_FILE` are both set in the same place.
    pub(crate) fn find(&self, setting: &Setting, flags: &Flags) -> Result<Option<Found>, Error> {
        if let Some(given) = option(setting, flags) {
            return Ok(Some(Found::new(Layer::Option, false, given)));
        }
        for layer in [Layer::Environment, Layer::Profile, Layer::SharedKeys] {
            let value = |key: &str| self.value(layer, key);
            let file_key = setting.file_key();
            let (value, file) = (value(setting.key), file_key.as_deref().and_then(value));
            let (is_file, given) = match (value, file) {
                (Some(value), Some(file)) => return Err(both(value.name(), file.name())),
                (Some(value), None) => (false, value),
                (None, Some(file)) => (true, file),
                (None, None) => continue,
            };
            return Ok(Some(Found::new(layer, is_file, given)));
        }
        Ok(None)
    }

    fn value(&self, layer: Layer, key: &str) -> Option<Given<OsString>> {
        let of_table = |table: &toml::Table, place: &str| {
            let text = table.get(key)?.as_str().filter(|text| !text.is_empty())?;
            Some(Given::new(
                format!("{key} in {place}"),
                OsString::from(text),
            ))
        };
        match layer {
            Layer::Option => None,
            Layer::Environment => {
                let name = variable_of(key);
                let value = self.variable(&name)?;
                Some(Given::new(name, value))
            }
            Layer::Profile => {
                let profile = self.file.profile.as_ref()?;
                of_table(
                    &profile.keys,
                    &format!("profile {} of the settings file", profile.name),
                )
            }
            Layer::SharedKeys => of_table(&self.file.shared, "the settings file"),
        }
    }

    /// Reads a text setting.
    pub(crate) fn text(
        &self,
        setting: &Setting,
        flags: &Flags,
    ) -> Result<Option<Given<String>>, Error> {
        let Some(Found { given, .. }) = self.find(setting, flags)? else {
            return Ok(None);
        };
        let text = utf8(given.name(), given.value.clone())?;
        let text = text.trim();
        if path_value::is_quoted(text) {
            return Err(given.invalid(IN_QUOTES));
        }
        Ok((!text.is_empty()).then(|| Given::new(given.name, text.to_owned())))
    }

    /// Reads the two names of one setting, such as the URL and the instance of a host: the nearer one
    /// counts.
    ///
    /// # Errors
    /// Both are set in the same place: choosing one could send a secret to the wrong host.
    pub(crate) fn either(
        &self,
        one: &Setting,
        other: &Setting,
        flags: &Flags,
    ) -> Result<[Option<Given<String>>; 2], Error> {
        let layer = |setting| -> Result<_, Error> {
            Ok(self.find(setting, flags)?.map(|found| found.layer))
        };
        let (first, second) = (self.text(one, flags)?, self.text(other, flags)?);
        match (first, second) {
            (Some(first), Some(second)) => match layer(one)?.cmp(&layer(other)?) {
                Ordering::Less => Ok([Some(first), None]),
                Ordering::Greater => Ok([None, Some(second)]),
                Ordering::Equal => Err(config(format!(
                    "{} and {} are both set: they name the same host, so set only one",
                    first.name(),
                    second.name()
                ))),
            },
            (first, second) => Ok([first, second]),
        }
    }

    /// Reads a path setting.
    pub(crate) fn path(
        &self,
        setting: &Setting,
        flags: &Flags,
    ) -> Result<Option<Given<PathBuf>>, Error> {
        let found = self.find(setting, flags)?;
        Ok(found
            .map(|found| self.path_in(found))
            .transpose()?
            .flatten())
    }

    /// A relative path in the settings file starts at the file's folder.
    fn path_in(&self, found: Found) -> Result<Option<Given<PathBuf>>, Error> {
        let path = path_of(found.given)?;
        Ok(path.map(|path| match found.layer {
            Layer::Option | Layer::Environment => path,
            Layer::Profile | Layer::SharedKeys => {
                Given::new(path.name, self.file.folder.join(path.value))
            }
        }))
    }

    /// Reads a secret, directly or from the file at `…_file`.
    pub(crate) fn secret(&self, setting: &Setting) -> Result<Option<Given<Secret>>, Error> {
        let Some(found) = self.find(setting, &Flags::default())? else {
            return Ok(None);
        };
        if found.is_file {
            return self.path_in(found)?.map(secret_in).transpose();
        }
        let Given { name, value } = found.given;
        let secret = Secret::new(utf8(&name, value)?);
        Ok(without_line_end(Given::new(name, secret)))
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
pub(super) fn path_of(given: Given<OsString>) -> Result<Option<Given<PathBuf>>, Error> {
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
    let secret = Given::new(path.name.clone(), read_text(&path)?);
    without_line_end(secret).ok_or_else(|| path.invalid("the file is empty"))
}

/// Reads a text file. The text may be or contain a secret, and is wiped when dropped.
pub(super) fn read_text(path: &Given<PathBuf>) -> Result<Secret, Error> {
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
            Source::new(
                move |name| environment.get(name).cloned(),
                Some(&path),
                None,
            )
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
            Source::new(named, None, None)
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
        for setting in SETTINGS.iter().filter(|it| it.is_in_file()) {
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
            check("FLINKS_CONFIG", Source::new(config, None, None).err());
            check(
                "--config",
                Source::new(|_| None, Some(Path::new(value)), None).err(),
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
