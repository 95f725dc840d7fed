//! The clients that are compared, where their runtimes are there, and the versions of what they are made of.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;

/// What a Python environment of its own gets.
const PYTHON_PACKAGES: [&str; 2] = ["requests==2.32.5", "httpx==0.28.1"];
const PYTHON: &str = "target/bench/python/bin/python3";
const JAVA_CLASSES: &str = "target/bench/java";

pub struct Peer {
    pub name: &'static str,
    /// How it does its work, for the reader of the tables.
    pub way: &'static str,
    /// What it is made of, with versions.
    pub version: String,
    /// The command line without the files.
    pub command: Vec<String>,
}

impl Peer {
    /// Whether it sends the documents themselves.
    pub fn sends_files(&self) -> bool {
        self.name != "tls-push"
    }
}

/// Finds the clients that can run here. The first is the one that all others are compared with.
pub fn find() -> Result<Vec<Peer>> {
    let lock = std::fs::read_to_string("bench/Cargo.lock")?;
    let tls = format!("{}, {}", locked(&lock, "rustls"), locked(&lock, "ring"));
    let reqwest = format!("{}, {tls}", locked(&lock, "reqwest"));
    let ours = format!(
        "{}, {}, {tls}",
        locked(&lock, "flinks-upload"),
        locked(&lock, "hyper")
    );
    let python = python();
    let requests = python.clone().and_then(|program| {
        let version = "import platform, requests, ssl; print(f'requests {requests.__version__}, \
                       Python {platform.python_version()}, {ssl.OPENSSL_VERSION}')";
        said(&[&program, "-c", version])
    });
    let httpx = python.clone().and_then(|program| {
        let version = "import httpx; print(f'httpx {httpx.__version__}, as above')";
        said(&[&program, "-c", version])
    });
    let python = python.unwrap_or_default();
    let candidates = [
        (
            "flinks-upload",
            "this SDK's library, with a ledger in a file",
            Some(ours.clone()),
            vec![built("flinks-upload")],
        ),
        (
            "flinks",
            "this SDK's program, `flinks upload`",
            Some(ours),
            words(&["target/release/flinks", "upload", "--json"]),
        ),
        (
            "tls-push",
            "the same bytes written to rustls, without a file and an encoding: a limit",
            Some(tls),
            vec![built("tls-push")],
        ),
        (
            "reqwest, streamed",
            "used with care: pieces of 192 KiB, exact length",
            Some(reqwest.clone()),
            vec![built("reqwest-streamed")],
        ),
        (
            "reqwest, naive",
            "whole file, base64 text, `json!`",
            Some(reqwest),
            vec![built("reqwest-naive")],
        ),
        (
            "curl",
            "a process per call; base64 piped into `--data-binary @-`",
            curl(),
            words(&["sh", "bench/peers/curl.sh"]),
        ),
        (
            "Python, the guide's",
            "`requests.post` per call, as the Upload guide prints it",
            requests,
            words(&[&python, "bench/peers/requests_guide.py"]),
        ),
        (
            "Python, httpx",
            "one `httpx.Client`",
            httpx,
            words(&[&python, "bench/peers/httpx_client.py"]),
        ),
        (
            "Node",
            "`https` with an agent that keeps its connection",
            node(),
            words(&["node", "bench/peers/node.mjs"]),
        ),
        (
            "Java",
            "`HttpClient`, the body as a `String`",
            java(),
            words(&["java", "-cp", JAVA_CLASSES, "Upload"]),
        ),
    ];
    let mut peers = Vec::new();
    for (name, way, version, command) in candidates {
        match version {
            Some(version) => peers.push(Peer {
                name,
                way,
                version,
                command,
            }),
            None => println!("skipped: {name}: its runtime or its packages are missing"),
        }
    }
    Ok(peers)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn built(name: &str) -> String {
    format!("target/bench/release/{name}")
}

/// A package and its version as in Cargo.lock.
fn locked(lock: &str, name: &str) -> String {
    let after = lock.split_once(&format!("name = \"{name}\"\nversion = \""));
    let version = after.and_then(|(_, rest)| rest.split('"').next());
    format!("{name} {}", version.unwrap_or("?"))
}

/// The first line that a program prints, if it runs.
pub fn said(command: &[&str]) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let output = Command::new(program)
        .args(arguments)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines()
        .next()
        .filter(|_| output.status.success())
        .map(str::to_owned)
}

fn curl() -> Option<String> {
    let version = said(&["curl", "--version"])?;
    said(&["base64", "--version"])?;
    // curl and its TLS library, without the platform between them.
    let word = |at: usize| version.split(' ').nth(at);
    let tls = version.split(' ').find(|word| word.contains("SSL/"))?;
    Some(format!("{} {}, {tls}", word(0)?, word(1)?))
}

fn node() -> Option<String> {
    let version =
        "console.log(`Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`)";
    said(&["node", "-e", version])
}

/// Compiles the Java client.
fn java() -> Option<String> {
    let version = said(&["java", "--version"])?;
    let compile = ["-d", JAVA_CLASSES, "bench/peers/Upload.java"];
    let status = Command::new("javac").args(compile).status().ok()?;
    status.success().then_some(version)
}

/// Makes a Python environment under `target` with the packages, or takes the system's Python.
fn python() -> Option<String> {
    if !Path::new(PYTHON).exists() {
        said(&["python3", "--version"])?;
        let folder = Path::new(PYTHON).parent()?.parent()?;
        drop(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(folder)
                .status(),
        );
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        drop(
            Command::new(PYTHON)
                .args(install)
                .args(PYTHON_PACKAGES)
                .status(),
        );
    }
    let has_requests = |program: &str| {
        let checked = Command::new(program)
            .args(["-c", "import requests"])
            .stderr(Stdio::null())
            .status();
        checked.is_ok_and(|status| status.success())
    };
    let found = [PYTHON, "python3"]
        .into_iter()
        .find(|program| has_requests(program));
    found.map(str::to_owned)
}
