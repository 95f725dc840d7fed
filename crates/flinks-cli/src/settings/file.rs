//! The settings file: where it is, its shared keys, and the keys of the chosen profile.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use flinks_transport::Error;

use crate::output::text::{shell_word, shown_path};
use crate::settings::source::{Given, path_of, read_text};
use crate::settings::spelling;
use crate::settings::table::{CONFIG, PROFILE, SETTINGS, Setting, keys};
use crate::state::files;
use crate::state::folder::config_folder;

/// Where the settings file is.
pub(crate) enum Place {
    /// The file that this option or variable names.
    Named(Given<PathBuf>),
    /// The default file.
    Default(PathBuf),
    /// `none` was given, or the user has no home folder.
    Nowhere,
}

impl Place {
    /// Finds the file that `--config` or `FLINKS_CONFIG` names, or else the default one.
    ///
    /// # Errors
    /// The value is not meant as a path.
    pub(crate) fn find(
        environment: &impl Fn(&str) -> Option<OsString>,
        flag: Option<&Path>,
    ) -> Result<Self, Error> {
        let named = match flag {
            Some(path) => Some(Given::new("--config", OsString::from(path))),
            None => variable(environment, &CONFIG),
        };
        if named.as_ref().is_some_and(|given| given.value == "none") {
            return Ok(Self::Nowhere);
        }
        if let Some(path) = named.map(path_of).transpose()?.flatten() {
            return Ok(Self::Named(path));
        }
        let folder = config_folder(environment);
        Ok(folder.map_or(Self::Nowhere, |folder| {
            Self::Default(folder.join("config.toml"))
        }))
    }

    /// Returns the file as it is shown, and as a shell takes it. What a variable says is not shown.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Named(given) if given.name() == CONFIG.variable() => {
                "\"$FLINKS_CONFIG\"".to_owned()
            }
            Self::Named(Given { value: path, .. }) | Self::Default(path) => shell_word(path),
            Self::Nowhere => "none".to_owned(),
        }
    }

    /// Returns the file, named as in messages.
    pub(crate) fn file(&self) -> Option<Given<PathBuf>> {
        match self {
            Self::Named(path) => Some(path.clone()),
            Self::Default(path) => Some(Given::new(shown_path(path), path.clone())),
            Self::Nowhere => None,
        }
    }
}

/// The keys that are shared by all profiles, and those of the chosen profile. The others are dropped.
#[derive(Default)]
pub(super) struct SettingsFile {
    pub(super) shared: toml::Table,
    pub(super) profile: Option<Profile>,
    /// Relative paths in the file start here.
    pub(super) folder: PathBuf,
    /// The file as it is shown, if it was read.
    pub(super) shown: Option<String>,
    pub(super) warning: Option<String>,
}

pub(super) struct Profile {
    pub(super) name: String,
    pub(super) keys: toml::Table,
}

impl SettingsFile {
    /// Reads the file, and takes the profile that `--profile` or `FLINKS_PROFILE` names.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML or has an unknown key, or there is no such profile.
    pub(super) fn read(
        place: &Place,
        environment: &impl Fn(&str) -> Option<OsString>,
        flag: Option<&str>,
    ) -> Result<Self, Error> {
        let chosen = match flag {
            Some(name) => Some(Given::new("--profile", OsString::from(name))),
            None => variable(environment, &PROFILE),
        };
        let file = place.file();
        let is_there = match place {
            Place::Named(_) => true,
            Place::Default(path) => path.symlink_metadata().is_ok(),
            Place::Nowhere => false,
        };
        let Some(path) = file.filter(|_| is_there) else {
            return match chosen {
                Some(chosen) => Err(chosen.invalid(
                    "there is no settings file with profiles; `flinks config init` writes one",
                )),
                None => Ok(Self::default()),
            };
        };
        let mut shared = table(&path)?;
        let profiles = profiles(&path, shared.remove("profile"))?;
        let holds_secret = std::iter::once(&shared)
            .chain(profiles.iter().map(|profile| &profile.keys))
            .any(|keys| {
                SETTINGS
                    .iter()
                    .any(|it| it.is_secret() && keys.contains_key(it.key))
            });
        let warning = holds_secret
            .then(|| readable_by_others(place, &path))
            .flatten();
        Ok(Self {
            shared,
            profile: chosen.map(|chosen| choose(&chosen, profiles)).transpose()?,
            folder: path.value.parent().map(Path::to_owned).unwrap_or_default(),
            shown: Some(place.shown()),
            warning,
        })
    }
}

fn variable(
    environment: &impl Fn(&str) -> Option<OsString>,
    setting: &Setting,
) -> Option<Given<OsString>> {
    let name = setting.variable();
    let value = environment(&name).filter(|value| !value.is_empty())?;
    Some(Given::new(name, value))
}

fn choose(chosen: &Given<OsString>, profiles: Vec<Profile>) -> Result<Profile, Error> {
    let names: Vec<_> = profiles.iter().map(|it| it.name.clone()).collect();
    let found = profiles.into_iter().find(|it| chosen.value == *it.name);
    found.ok_or_else(|| {
        chosen.invalid(match names.as_slice() {
            [] => {
                "the settings file has no profiles: add a table such as [profile.prod]".to_owned()
            }
            names => format!(
                "the settings file has no such profile; it has {}",
                names.join(", ")
            ),
        })
    })
}

fn profiles(path: &Given<PathBuf>, value: Option<toml::Value>) -> Result<Vec<Profile>, Error> {
    let invalid = |reason: &str| path.invalid(format!("the settings file {reason}"));
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let toml::Value::Table(tables) = value else {
        return Err(invalid("must have profiles as tables: [profile.NAME]"));
    };
    let mut profiles = Vec::new();
    for (name, keys) in tables {
        if !is_profile_name(&name) {
            return Err(invalid(
                "has a profile whose name is not made of up to 40 letters, digits, - and _",
            ));
        }
        let toml::Value::Table(keys) = keys else {
            return Err(invalid("must have profiles as tables: [profile.NAME]"));
        };
        check_keys(path, &keys)?;
        profiles.push(Profile { name, keys });
    }
    Ok(profiles)
}

/// Whether this can be the name of a profile, which messages show.
pub(crate) fn is_profile_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=40).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// Reads the file and checks the shared keys.
fn table(path: &Given<PathBuf>) -> Result<toml::Table, Error> {
    let text = read_text(path)?;
    let text = text.expose();
    let mut table: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| {
        // The parser's message quotes the line, which may contain a secret.
        let offset = error.span().map_or(0, |span| span.start);
        let line = text
            .bytes()
            .take(offset)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        path.invalid(format!(
            "the settings file is not valid TOML: see line {line}"
        ))
    })?;
    let profiles = table.remove("profile");
    check_keys(path, &table)?;
    table.extend(profiles.map(|profiles| ("profile".to_owned(), profiles)));
    Ok(table)
}

fn check_keys(path: &Given<PathBuf>, table: &toml::Table) -> Result<(), Error> {
    for (key, value) in table {
        let problem = if !known_keys().any(|known| known == *key) {
            let meant = match spelling::nearest(&as_key(key), known_keys()) {
                Some(known) => format!("is {known} meant?"),
                None => "`flinks help settings` lists the keys".to_owned(),
            };
            format!("has {}, which is unknown: {meant}", shown_key(key))
        } else if !value.is_str() {
            format!("must have \"{key}\" as text in quotes")
        } else {
            continue;
        };
        return Err(path.invalid(format!("the settings file {problem}")));
    }
    Ok(())
}

fn known_keys() -> impl Iterator<Item = String> {
    let in_file = SETTINGS.iter().filter(|setting| setting.is_in_file());
    in_file.flat_map(keys)
}

/// Returns the key for the name of a variable or an option.
fn as_key(name: &str) -> String {
    let key = name.to_ascii_lowercase().replace('-', "_");
    key.strip_prefix("flinks_").unwrap_or(&key).to_owned()
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

/// Returns a warning if others can read the file.
fn readable_by_others(place: &Place, path: &Given<PathBuf>) -> Option<String> {
    if !files::allows(&path.value, 0o077) {
        return None;
    }
    let word = place.shown();
    Some(format!(
        "other users of this machine can read the settings file, which holds a secret: \
         chmod 600 {word}"
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use flinks_types::Secret;
    use tempfile::TempDir;

    use super::*;
    use crate::arguments::Flags;
    use crate::settings::Source;
    use crate::settings::table::{API_SECRET, API_URL, AUTH_KEY, CLIENT_SECRET, SCOPE};

    const TWO_PROFILES: &str = "scope = 'shared'
        client_secret = 'shared-secret'
        [profile.prod]
        api_secret = 'prod-secret'
        client_secret_file = 'secret'
        [profile.test]
        scope = 'test'
        api_secret = 'test-secret'
        auth_key = 'test-key'";

    fn folder(toml: &str) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("flinks")).expect("created");
        fs::write(folder.path().join("flinks/config.toml"), toml).expect("written");
        fs::write(folder.path().join("flinks/secret"), "secret in a file").expect("written");
        folder
    }

    /// A source with the default file in this folder, and further variables.
    fn source(
        folder: &TempDir,
        variables: &'static [(&str, &str)],
        profile: Option<&str>,
    ) -> Result<Source, Error> {
        let home = folder.path().as_os_str().to_owned();
        let environment = move |name: &str| {
            let mut named = variables.iter().filter(|(known, _)| *known == name);
            let value = named.next().map(|(_, value)| value.into());
            value.or_else(|| (name == "XDG_CONFIG_HOME").then(|| home.clone()))
        };
        Source::new(environment, None, profile)
    }

    fn exposed(source: &Source, setting: &Setting) -> Option<String> {
        let secret = source.secret(setting).expect("read");
        secret.map(|given: Given<Secret>| given.value.expose().to_owned())
    }

    #[test]
    fn two_profiles_never_mix_secrets() {
        let folder = folder(TWO_PROFILES);
        let secrets = |profile| {
            let source = source(&folder, &[], profile).expect("read");
            [&API_SECRET, &CLIENT_SECRET, &AUTH_KEY].map(|setting| exposed(&source, setting))
        };
        let text = |text: &str| Some(text.to_owned());
        let prod = [text("prod-secret"), text("secret in a file"), None];
        assert_eq!(secrets(Some("prod")), prod);
        let test = [text("test-secret"), text("shared-secret"), text("test-key")];
        assert_eq!(secrets(Some("test")), test);
        assert_eq!(secrets(None), [None, text("shared-secret"), None]);
    }

    #[test]
    fn a_variable_names_the_profile_and_an_option_precedes_it() {
        let folder = folder(TWO_PROFILES);
        let scope = |variables, profile| {
            let source = source(&folder, variables, profile).expect("read");
            let given = source.text(&SCOPE, &Flags::default()).expect("read");
            given.expect("set").value
        };
        assert_eq!(scope(&[("FLINKS_PROFILE", "test")], None), "test");
        assert_eq!(scope(&[("FLINKS_PROFILE", "test")], Some("prod")), "shared");
        assert_eq!(scope(&[("FLINKS_PROFILE", "")], None), "shared");
        let none = source(&folder, &[("FLINKS_CONFIG", "none")], None).expect("read");
        assert!(
            none.text(&SCOPE, &Flags::default())
                .expect("read")
                .is_none()
        );
    }

    #[test]
    fn a_profile_that_does_not_exist_is_an_error_with_those_that_do() {
        type Row = (
            &'static str,
            &'static [(&'static str, &'static str)],
            &'static str,
        );
        let rows: [Row; 4] = [
            (TWO_PROFILES, &[], "it has prod, test"),
            ("scope = 'a'", &[], "[profile.prod]"),
            (TWO_PROFILES, &[("FLINKS_CONFIG", "none")], "config init"),
            ("[profile.'CANARY 4711']", &[], "a profile whose name"),
        ];
        for (toml, variables, expected) in rows {
            let error = source(&folder(toml), variables, Some("CANARY")).err();
            let text = error.expect(expected).report().to_string();
            assert!(
                text.contains(expected) && !text.contains("CANARY"),
                "{text}"
            );
        }
    }

    #[test]
    fn variables_that_change_a_profile_are_a_warning() {
        let toml = "scope = 'a'\n[profile.prod]\napi_url = 'https://a.test'\nauth_key_file = 'k'";
        let variables = &[
            ("FLINKS_SCOPE", "b"),
            ("FLINKS_INSTANCE", "toolbox"),
            ("FLINKS_AUTH_KEY", "CANARY"),
        ];
        let folder = folder(toml);
        let read = source(&folder, variables, Some("prod")).expect("read");
        assert_eq!(
            read.warnings(),
            ["profile prod is changed by the environment: FLINKS_INSTANCE, FLINKS_AUTH_KEY"]
        );
        assert_eq!(exposed(&read, &AUTH_KEY).as_deref(), Some("CANARY"));
        let host = read.either(
            &API_URL,
            &crate::settings::table::INSTANCE,
            &Flags::default(),
        );
        let [url, instance] = host.expect("the variable counts");
        assert!(url.is_none() && instance.is_some());
        let read = source(&folder, variables, None).expect("read");
        assert!(read.warnings().is_empty(), "{:?}", read.warnings());
    }

    #[test]
    fn an_unknown_key_is_an_error_with_the_key_that_is_meant() {
        let rows = [
            ("client_secert = 'CANARY'", "is client_secret meant?"),
            ("FLINKS_CLIENT_ID = 'CANARY'", "is client_id meant?"),
            ("client-id = 'CANARY'", "is client_id meant?"),
            (
                "[profile.prod]\ncusomer_id = 'CANARY'",
                "is customer_id meant?",
            ),
            ("cert_file = 'CANARY'", "is cert meant?"),
            ("config = 'CANARY'", "flinks help settings"),
            ("something = 'CANARY'", "\"something\", which is unknown"),
            ("profile = 'CANARY'", "[profile.NAME]"),
        ];
        for (toml, expected) in rows {
            let error = source(&folder(toml), &[], None).err();
            let text = error.expect(toml).report().to_string();
            assert!(
                text.contains(expected) && !text.contains("CANARY"),
                "{text}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_a_secret_that_others_can_read_is_a_warning() {
        use std::os::unix::fs::PermissionsExt as _;
        let with_secret = "scope = 'a'\n[profile.prod]\napi_secret = 'CANARY'";
        let rows = [
            (with_secret, 0o644, true),
            (with_secret, 0o640, true),
            (with_secret, 0o600, false),
            ("scope = 'a'\napi_secret_file = 'b'", 0o644, false),
        ];
        for (toml, mode, expected) in rows {
            let folder = folder(toml);
            let path = folder.path().join("flinks/config.toml");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
            let warnings = source(&folder, &[], None)
                .expect("read")
                .warnings()
                .concat();
            assert_eq!(warnings.contains("chmod 600 /"), expected, "{warnings}");
            assert!(!warnings.contains("CANARY"), "{warnings}");
        }
    }
}
