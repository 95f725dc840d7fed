//! A sandbox, a folder, and the program with matching settings.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use flinks_sandbox::{ConnectProxy, LogLine, ProxyConfig, ProxyFault, Sandbox, SandboxBuilder};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A sandbox and a folder for one test.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
    /// The requests, as the sandbox answers them.
    pub(crate) requests: Receiver<LogLine>,
    environment: Vec<(String, String)>,
    /// Serves in the background until the test ends.
    runtime: Runtime,
}

pub(crate) const PROXY_USER: &str = "us er";
pub(crate) const PROXY_PASSWORD: &str = "CANARY:p@ss/word";

impl Bench {
    /// A sandbox with faults, whose analyses are final at once.
    pub(crate) fn new(faults: &[&str]) -> Self {
        let config = Sandbox::builder()
            .processing(Duration::ZERO)
            .faults(faults.iter().map(|fault| fault.parse().expect("a fault")));
        Self::with(config)
    }

    pub(crate) fn with(config: SandboxBuilder) -> Self {
        let (sender, requests) = channel();
        let config = config.on_request(move |line| drop(sender.send(line.clone())));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let sandbox = runtime.block_on(config.start()).expect("a sandbox");
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, pem: &str| {
            let path = folder.path().join(name);
            fs::write(&path, pem).expect("written");
            private(&path);
            path.to_str().expect("UTF-8").to_owned()
        };
        let environment = [
            ("FLINKS_UPLOAD_URL", sandbox.upload_url().to_owned()),
            ("FLINKS_CERT", file("client.pem", sandbox.client_cert_pem())),
            ("FLINKS_KEY", file("client.key", sandbox.client_key_pem())),
            ("FLINKS_CA", file("ca.pem", sandbox.ca_pem())),
            ("FLINKS_CLIENT_ID", sandbox.client_id().to_owned()),
            ("FLINKS_CLIENT_SECRET", sandbox.client_secret().to_owned()),
            ("FLINKS_API_URL", sandbox.results_url().to_owned()),
            ("FLINKS_CUSTOMER_ID", sandbox.customer_id().to_owned()),
            ("FLINKS_API_SECRET", sandbox.api_secret().to_owned()),
        ];
        let environment = environment
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec();
        Self {
            sandbox,
            folder,
            requests,
            environment,
            runtime,
        }
    }

    /// A sandbox that is called by names that only the proxy knows, and the proxy.
    pub(crate) fn behind_proxy(faults: Vec<ProxyFault>, is_tls: bool) -> (Self, ConnectProxy) {
        let names = ["upload.invalid", "results.invalid"];
        let config = Sandbox::builder()
            .processing(Duration::ZERO)
            .server_name(names[0])
            .server_name(names[1]);
        let mut bench = Self::with(config);
        let mut config = ProxyConfig::default();
        let urls = [bench.sandbox.upload_url(), bench.sandbox.results_url()];
        for (name, url) in names.iter().zip(urls) {
            config.resolve(name, url).expect("an address");
        }
        config.credentials = Some((PROXY_USER.to_owned(), PROXY_PASSWORD.to_owned()));
        config.faults = faults;
        let proxy = bench.runtime.block_on(async {
            match is_tls {
                true => ConnectProxy::start_tls(config, bench.sandbox.authority()).await,
                false => ConnectProxy::start(config).await,
            }
        });
        bench.set("FLINKS_UPLOAD_URL", "https://upload.invalid");
        bench.set("FLINKS_API_URL", "https://results.invalid");
        (bench, proxy.expect("a proxy"))
    }

    /// Changes a setting of every run that follows; empty means not set.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The settings of every run.
    pub(crate) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Removes the settings from every run that follows.
    pub(crate) fn clear(&mut self) {
        self.environment.clear();
    }

    /// The program with this bench's settings and nothing else of this machine's environment.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = without_settings(arguments);
        command
            .envs(self.environment.iter().cloned())
            .env("XDG_STATE_HOME", self.state());
        command
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// The files of the state folder.
    pub(crate) fn ledgers(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.state().join("flinks")) else {
            return Vec::new();
        };
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The path of a file in the folder, as an argument.
    pub(crate) fn argument(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    /// Uses another certificate and key for every run that follows.
    pub(crate) fn set_identity(&mut self, certificate: &str, key: &str) {
        self.set(
            "FLINKS_CERT",
            &self.write("other.pem", certificate.as_bytes()),
        );
        self.set("FLINKS_KEY", &self.write("other.key", key.as_bytes()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A clean document.
    pub(crate) fn document(&self, name: &str) -> String {
        self.write(name, format!("%PDF-1.7 {name}").as_bytes())
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(path, bytes).expect("written");
        self.argument(name)
    }
}

/// The program without any settings.
pub(crate) fn without_settings<A: AsRef<OsStr>>(arguments: &[A]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flinks"));
    command.env_clear().args(arguments).stdin(Stdio::null());
    command
}

#[cfg(unix)]
pub(crate) fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("a mode");
}

#[cfg(not(unix))]
pub(crate) fn private(_: &Path) {}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().expect("the program runs"))
    }

    /// The one JSON object on standard output.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "one object: {self:?}");
        serde_json::from_str(&self.stdout).expect("JSON")
    }

    /// The error of the JSON object on standard output.
    pub(crate) fn error(&self) -> Value {
        self.json()["error"].clone()
    }

    /// Checks that standard error has these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stderr.contains(text),
                "{text} is missing from {self:?}"
            );
        }
        self
    }

    #[track_caller]
    pub(crate) fn ends_with(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:?}");
        self
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            status: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Checks that a field of the JSON output has this text.
#[track_caller]
pub(crate) fn has(field: &Value, text: &str) {
    let is_part = field.as_str().is_some_and(|field| field.contains(text));
    assert!(is_part, "{text} is missing from {field}");
}
