//! Every setting, once: its name, what it means, and which commands use it.

/// A setting: an environment variable, a key of the settings file, and unless it is a secret an option.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The key in the settings file; the variable is `FLINKS_` and the key in upper case.
    pub(crate) key: &'static str,
    pub(crate) value: Value,
    pub(crate) group: Group,
    pub(crate) meaning: &'static str,
    pub(crate) default: Option<&'static str>,
}

/// What a setting's value is, and the name of the value in the help of its option.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Value {
    Text(&'static str),
    Path(&'static str),
    /// Has no option, because other users of the machine can see options. The variable and the key
    /// also exist as `…_FILE`, for the path of a file that holds the secret.
    Secret,
    /// A secret whose option takes a value without one.
    SecretWithOption(&'static str),
}

/// Which calls use a setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Group {
    UploadHost,
    ResultsHost,
    FraudAnalysis,
    LegacyApi,
    Network,
    /// Which settings are read. They are not in the settings file.
    Program,
    /// For a receiver of webhooks that uses this program's libraries; the program does not read them.
    Webhooks,
}

impl Group {
    /// Returns the heading of the group.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::UploadHost => "Settings of the upload host",
            Self::ResultsHost => "Settings of the results host",
            Self::FraudAnalysis => "Settings of the fraud analysis",
            Self::LegacyApi => "Settings of the legacy API",
            Self::Network => "Settings of the network",
            Self::Program => "Which settings are read",
            Self::Webhooks => "For your own receiver of webhooks",
        }
    }
}

impl Setting {
    /// Returns the environment variable.
    pub(crate) fn variable(&self) -> String {
        variable_of(self.key)
    }

    /// Returns the key of the path of a file that holds the secret.
    pub(crate) fn file_key(&self) -> Option<String> {
        self.is_secret().then(|| format!("{}_file", self.key))
    }

    /// Whether the settings file may have it.
    pub(crate) fn is_in_file(&self) -> bool {
        !matches!(self.group, Group::Program | Group::Webhooks)
    }

    /// Returns the name of the option, without its hyphens.
    pub(crate) fn option(&self) -> Option<String> {
        self.value_name().map(|_| self.key.replace('_', "-"))
    }

    /// Returns the name of the option's value.
    pub(crate) fn value_name(&self) -> Option<&'static str> {
        match self.value {
            Value::Text(name) | Value::Path(name) | Value::SecretWithOption(name) => Some(name),
            Value::Secret => None,
        }
    }

    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.value, Value::Secret | Value::SecretWithOption(_))
    }
}

/// Returns the environment variable of a key.
pub(crate) fn variable_of(key: &str) -> String {
    format!("FLINKS_{}", key.to_ascii_uppercase())
}

/// Returns the setting's key, and that of the path of a file that holds the secret.
pub(crate) fn keys(setting: &Setting) -> impl Iterator<Item = String> {
    std::iter::once(setting.key.to_owned()).chain(setting.file_key())
}

/// Defines a constant for each setting, and the list of all.
macro_rules! settings {
    ($($name:ident = $key:literal, $value:expr, $group:ident, $meaning:literal $(, default $default:literal)?;)*) => {
        $(pub(crate) const $name: Setting = Setting {
            key: $key,
            value: $value,
            group: Group::$group,
            meaning: $meaning,
            default: settings!(@default $($default)?),
        };)*

        /// Every setting, in the order of the help.
        pub(crate) const SETTINGS: &[Setting] = &[$($name),*];
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}

settings! {
    UPLOAD_URL = "upload_url", Value::Text("URL"), UploadHost,
        "Base URL of the upload host", default "https://upload-mtls.flinksapp.com";
    UPLOAD_PATHS = "upload_paths", Value::Text("PATHS"), UploadHost,
        "`api-v1`, `root`, or three paths separated by commas: token, upload, complete", default "api-v1";
    CERT = "cert", Value::Path("FILE"), UploadHost,
        "Client certificate: PEM, DER or PFX";
    KEY = "key", Value::Path("FILE"), UploadHost,
        "Private key, unless the certificate file contains it";
    CERT_PASSWORD = "cert_password", Value::Secret, UploadHost,
        "Password of a PFX file or an encrypted key";
    CLIENT_ID = "client_id", Value::Text("ID"), UploadHost,
        "OAuth client id";
    CLIENT_SECRET = "client_secret", Value::Secret, UploadHost,
        "OAuth client secret";
    SCOPE = "scope", Value::Text("SCOPE"), UploadHost,
        "OAuth scope", default "ocr.write";
    API_URL = "api_url", Value::Text("URL"), ResultsHost,
        "Base URL of the results host; or give its instance";
    INSTANCE = "instance", Value::Text("NAME"), ResultsHost,
        "Instance name of the results host, as in NAME-api.private.fin.ag";
    CUSTOMER_ID = "customer_id", Value::Text("ID"), ResultsHost,
        "Your customer id";
    API_SECRET = "api_secret", Value::Secret, FraudAnalysis,
        "API secret, which the fraud analysis requires";
    AUTH_KEY = "auth_key", Value::Secret, LegacyApi,
        "Secret key for authorize tokens, if Flinks gave you one";
    X_API_KEY = "x_api_key", Value::Secret, LegacyApi,
        "`x-api-key` of the data calls, if Flinks gave you one";
    CA = "ca", Value::Path("FILE"), Network,
        "PEM file of root certificates to trust instead of the platform's";
    PROXY = "proxy", Value::SecretWithOption("URL"), Network,
        "Proxy to connect through, or `none`; by default as curl: HTTPS_PROXY and NO_PROXY";
    CONFIG = "config", Value::Path("FILE"), Program,
        "Settings file, or `none`", default "$XDG_CONFIG_HOME/flinks/config.toml, or else ~/.config/flinks/config.toml";
    PROFILE = "profile", Value::Text("NAME"), Program,
        "Profile in the settings file: [profile.NAME] takes precedence over the keys above it";
    WEBHOOK_SECRET = "webhook_secret", Value::Secret, Webhooks,
        "Secret that signs webhooks; `flinks sandbox` sets it if it sends webhooks";
}
