//! The marked cases against the sandbox, with the credentials of the file that it writes for shells.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use flinks_conformance::{Level, Pass, Settings, Suite, Summary, fixtures, load};
use flinks_sandbox::Sandbox;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// A sandbox that asks for every key, on a thread of its own.
pub(crate) struct Host {
    pub(crate) sandbox: Sandbox,
    pub(crate) settings: Arc<Settings>,
    variables: BTreeMap<String, String>,
    /// Contains the client's key.
    _folder: TempDir,
    /// The thread ends with it.
    _serving: oneshot::Sender<()>,
}

impl Host {
    /// Changes a variable of the environment.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
        self.settings = settings(&self.variables);
    }
}

pub(crate) fn host() -> Host {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Sandbox::builder()
        .dir(folder.path())
        .processing(Duration::ZERO)
        .auth_key("sandbox-auth-key-4711")
        .x_api_key("sandbox-x-api-key-4711");
    let (started, sandbox) = mpsc::channel();
    let (serving, ended) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let sandbox = config.start().await.expect("a sandbox");
            started.send(sandbox).expect("a receiver");
            ended.await.unwrap_or_default();
        });
    });
    let sandbox = sandbox.recv().expect("a sandbox");
    let variables = variables(&folder.path().join("settings.json"));
    Host {
        settings: settings(&variables),
        sandbox,
        variables,
        _folder: folder,
        _serving: serving,
    }
}

fn settings(variables: &BTreeMap<String, String>) -> Arc<Settings> {
    let variables = variables.clone();
    let read = Settings::from_environment(move |name| variables.get(name).map(Into::into));
    Arc::new(read.expect("settings"))
}

/// The variables in a sandbox's `settings.json`.
fn variables(file: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file).expect("the file");
    let settings: Value = serde_json::from_str(&text).expect("JSON");
    serde_json::from_value(settings["environment"].clone()).expect("variables")
}

fn run(suite: &Suite, host: &Host) -> Summary {
    suite.run(&[Pass::Live(Arc::clone(&host.settings))])
}

#[test]
fn every_marked_case_holds_against_the_sandbox() {
    let suite = Suite::new().expect("a corpus");
    let marked = suite.fixtures().iter();
    let marked = marked.filter(|fixture| fixture.has(Level::Live)).count();
    assert!(marked >= 15, "{marked} cases are marked");
    let summary = run(&suite, &host());
    assert_eq!(summary.failed(), 0, "\n{summary}");
    assert_eq!(summary.passed(), marked);
}

/// One case of the corpus with something changed, in a folder of its own.
fn changed(path: &str, change: impl Fn(&mut Value)) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (fixtures().join(path), folder.path().join(path));
    std::fs::create_dir_all(&to).expect("a folder");
    for entry in std::fs::read_dir(&from).expect("the case") {
        let file = entry.expect("an entry").file_name();
        std::fs::copy(from.join(&file), to.join(&file)).expect("copied");
    }
    let bytes = std::fs::read(to.join("case.json")).expect("read");
    let mut case = serde_json::from_slice(&bytes).expect("JSON");
    change(&mut case);
    std::fs::write(to.join("case.json"), case.to_string()).expect("written");
    folder
}

#[test]
fn what_the_host_does_otherwise_fails() {
    let host = host();
    let rows: [(&str, &str, Value, &str); 6] = [
        (
            "auth/401-wrong-credentials",
            "/want/error/status",
            json!(403),
            "status",
        ),
        (
            "fraud/401-invalid-login",
            "/want/error/flinks_code",
            json!("OTHER"),
            "flinks_code",
        ),
        (
            "fraud/401-invalid-login",
            "/want/error/delivery",
            json!("unknown"),
            "delivery",
        ),
        (
            "fraud/clean",
            "/want/ok/verdict",
            json!("flagged"),
            "$.verdict",
        ),
        (
            "session/two-files",
            "/want/ok/login_id",
            Value::Null,
            "$.login_id",
        ),
        (
            "data/institutions-documented",
            "/live/compare",
            json!("same"),
            "$.Count",
        ),
    ];
    for (path, pointer, value, part) in rows {
        let folder = changed(path, |case| {
            *case.pointer_mut(pointer).expect(pointer) = value.clone();
        });
        let summary = run(&Suite::of(folder.path()).expect("a corpus"), &host);
        assert_eq!((summary.passed(), summary.failed()), (0, 1), "{path}");
        let text = summary.to_string();
        assert!(text.contains(part), "{part} is missing from\n{text}");
    }
}

#[test]
fn a_secret_of_the_environment_that_is_shown_fails_without_being_repeated() {
    let mut host = host();
    // The operation's name is in every span.
    host.set("FLINKS_X_API_KEY", "auth.token");
    let summary = run(&Suite::new().expect("a corpus").matching("token-ok"), &host);
    let text = summary.to_string();
    assert!(
        text.contains("leak: the x-api-key appears in the log"),
        "{text}"
    );
    let shown = format!("{:?} {text}", host.settings);
    for secret in [
        "auth.token",
        host.sandbox.client_secret(),
        host.sandbox.api_secret(),
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_case_says_how_it_runs_live_or_does_not() {
    let rows: [(Value, &str); 6] = [
        (json!({ "live": { "compare": "equal" } }), "equal"),
        (
            json!({ "live": { "compare": "same", "same": ["a"] } }),
            "live.same",
        ),
        (
            json!({ "live": { "compare": "same", "input": { "scopes": 1 } } }),
            "live.input.scopes",
        ),
        (
            json!({ "live": { "compare": "same" }, "levels": { "only": ["l2"], "reason": "x" } }),
            "must list live",
        ),
        (
            json!({ "live": null, "levels": { "only": ["l2", "live"], "reason": "x" } }),
            "needs the key live",
        ),
        (
            json!({ "live": { "compare": "same" }, "tls": { "client": "none" } }),
            "level 3 only",
        ),
    ];
    for (keys, part) in rows {
        let folder = changed("auth/token-ok", |case| {
            let case = case.as_object_mut().expect("an object");
            case.extend(keys.as_object().expect("an object").clone());
        });
        let error = load(folder.path()).map(|_| ()).expect_err(part);
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}
