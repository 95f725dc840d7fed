//! `flinks sandbox` as a program of its own, and the guide's flow by other programs against it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use flinks_sandbox::certificates::{Authority, Validity};
use serde_json::Value;

use crate::bench::{Run, without_settings};

/// `flinks sandbox`, until it is dropped.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
    ready: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("files");
        let mut child = without_settings(
            &[
                &["sandbox", "--dir", dir.to_str().expect("UTF-8")],
                arguments,
            ]
            .concat(),
        )
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut ready = String::new();
        stdout.read_line(&mut ready).expect("a line");
        child.stdout = Some(stdout.into_inner());
        Self {
            child,
            folder,
            ready,
        }
    }

    /// Runs another program with the settings of the `env` file, as a shell reads it.
    fn run(&self, line: &str) -> Run {
        let other = Authority::new("Another CA").expect("a CA");
        let identity = other.issue_client("stranger", Validity::Valid);
        let identity = identity.expect("a certificate");
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("other.pem"), identity.cert_pem).expect("written");
        fs::write(path("other.key"), identity.key_pem).expect("written");
        fs::write(path("a.pdf"), "%PDF-1.7 first\nstartxref\n0\n%%EOF\n").expect("written");
        fs::write(path("b.pdf"), "%PDF-1.7 second\nstartxref\n0\n%%EOF\n").expect("written");
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!(". ./files/env && {line}")])
            .current_dir(self.folder.path())
            .env("OTHER_CERT", path("other.pem"))
            .env("OTHER_KEY", path("other.key"))
            .stdin(Stdio::null());
        Run::of(&mut shell)
    }

    /// Interrupts it, and returns the lines that it printed for the requests.
    fn stop(mut self) -> Vec<Value> {
        let id = self.child.id().to_string();
        let sent = Command::new("sh")
            // A shell has its own kill; not every machine has another.
            .args(["-c", &format!("kill -TERM {id}")])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        let mut log = String::new();
        let mut stdout = self.child.stdout.take().expect("a pipe");
        stdout.read_to_string(&mut log).expect("readable");
        assert!(self.child.wait().expect("it ends").success());
        log.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever a failed test left running; one that was stopped is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn has(program: &str, arguments: &[&str]) -> bool {
    let run = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    run.is_ok_and(|output| output.status.success())
}

#[cfg(unix)]
#[test]
fn the_program_itself_runs_with_the_env_file() {
    let server = Server::start(&["--processing", "0.1", "--fault", "upload@1=status:429"]);
    assert!(
        server.ready.starts_with("ready: upload https://127.0.0.1:"),
        "{}",
        server.ready
    );
    let flinks = env!("CARGO_BIN_EXE_flinks");
    let run = server.run(&format!(
        "'{flinks}' upload a.pdf b.pdf --wait --poll 0.05 --json"
    ));
    assert_eq!(run.ends_with(0).json()["fraud"]["verdict"], "clean");
    let log = server.stop();
    let operations: Vec<_> = log.iter().map(|line| line["operation"].as_str()).collect();
    assert_eq!(operations[0], Some("token"));
    assert!(operations.contains(&Some("complete")) && operations.contains(&Some("fraud")));
    assert_eq!(log[1]["fault"], "status");
    assert_eq!(log[2]["file_name"], "a.pdf");
}

#[cfg(unix)]
#[test]
fn the_readmes_commands_work_one_after_another() {
    let readme = include_str!("../../../../README.md");
    let begin = readme
        .find("    flinks sandbox -- sh -c")
        .expect("the block");
    let block = readme[begin..].split("\n\n").next().expect("its end");
    let folder = tempfile::tempdir().expect("a folder");
    let flinks = std::path::Path::new(env!("CARGO_BIN_EXE_flinks"));
    let path = std::env::var("PATH").expect("a PATH");
    let path = format!("{}:{path}", flinks.parent().expect("a folder").display());
    // Instead of curl, which is not everywhere: are its arguments there, and what they name?
    let curl = "#!/bin/sh\ntest -s \"$2\" && test -s \"$4\" && test -s \"$6\" && echo \"$@\"\n";
    let programs = tempfile::tempdir().expect("a folder");
    fs::write(programs.path().join("curl"), curl).expect("written");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(programs.path().join("curl"), executable).expect("a mode");
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", block])
        .env("PATH", format!("{}:{path}", programs.path().display()))
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null());
    let run = Run::of(&mut shell).ends_with(0);
    assert!(run.stdout.contains("/api/v1/token"), "{run:?}");
    let left = fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(left, 0, "nothing is left: {run:?}");
}

#[cfg(unix)]
#[test]
fn the_readmes_upload_leads_to_its_verdict_and_its_transactions() {
    let readme = include_str!("../../../../README.md");
    let begin = readme.find("    login_id=$(flinks").expect("the block");
    let block = readme[begin..].split("\n\n").next().expect("its end");
    let server = Server::start(&[]);
    let document = include_bytes!("../../../../fixtures/documents/statement-january.pdf");
    fs::write(server.folder.path().join("january.pdf"), document).expect("written");
    let flinks = env!("CARGO_BIN_EXE_flinks");
    let run = server.run(&format!(
        "set -eu; flinks() {{ '{flinks}' \"$@\"; }}\n{block}"
    ));
    let mut rest = run.ends_with(0).stdout;
    for part in ["no fraud signal", "\"Transactions\":[{", "Deleted\n"] {
        let place = rest.find(part);
        let place = place.unwrap_or_else(|| panic!("{part} is missing from {rest}"));
        rest.drain(..place);
    }
}

#[cfg(unix)]
#[test]
fn the_guides_python_flow_works() {
    if !has("python3", &["-c", "import requests"]) {
        crate::skipped("python3 with requests is not installed");
        return;
    }
    let server = Server::start(&["--processing", "0.1", "--token-ttl", "1"]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guide/guide.py");
    let run = server
        .run(&format!("python3 '{script}' a.pdf b.pdf"))
        .ends_with(0);
    assert_eq!(run.stdout, "guide: passed\n", "{run:?}");
}

#[cfg(unix)]
#[test]
fn the_guides_flow_works_with_curl() {
    if !has("curl", &["--version"]) {
        crate::skipped("curl is not installed");
        return;
    }
    let server = Server::start(&[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guide/guide.sh");
    let run = server
        .run(&format!("sh '{script}' a.pdf b.pdf"))
        .ends_with(0);
    assert_eq!(run.stdout, "guide: passed\n", "{run:?}");
}
