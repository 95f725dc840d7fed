//! `flinks sandbox -- COMMAND`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::bench::{Run, without_settings};

/// The program with a command, and the folder in which it makes its own.
fn sandbox(arguments: &[&str]) -> (Command, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = without_settings(&[&["sandbox"], arguments].concat());
    command.env("TMPDIR", folder.path());
    (command, folder)
}

fn assert_empty(folder: &tempfile::TempDir) {
    let left = fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(left, 0, "the temporary folder is left");
}

#[test]
fn a_command_has_the_settings_and_only_those() {
    let script = r#"set -e
        for file in "$FLINKS_CERT" "$FLINKS_KEY" "$FLINKS_CA" "$SSL_CERT_FILE"; do test -s "$file"; done
        test "$REQUESTS_CA_BUNDLE" = "$FLINKS_CA" && test "$NODE_EXTRA_CA_CERTS" = "$FLINKS_CA"
        printf %s "$FLINKS_CLIENT_SECRET$FLINKS_INSTANCE$FLINKS_CLIENT_SECRET_FILE$1""#;
    let (mut command, folder) = sandbox(&["--", "sh", "-c", script, "sh", "--json"]);
    command
        .env("FLINKS_INSTANCE", "CANARY")
        .env("FLINKS_CLIENT_SECRET_FILE", "CANARY");
    let run = Run::of(&mut command).ends_with(0);
    assert_eq!(run.stdout, "sandbox:secret+100%25/it's not=real--json");
    assert_empty(&folder);
}

#[test]
fn the_exit_status_is_the_commands() {
    for (command, status) in [
        (&["sh", "-c", "exit 42"][..], 42),
        (&["sh", "-c", "kill -KILL $$"], 128 + 9),
        (&["no-such-program-CANARY"], 2),
    ] {
        let (mut sandbox, folder) = sandbox(&[&["--"], command].concat());
        let run = Run::of(&mut sandbox).ends_with(status);
        assert!(!run.stderr.contains("CANARY"), "{run:?}");
        assert_eq!(run.stderr.contains("cannot be started"), status == 2);
        assert_empty(&folder);
    }
}

#[test]
fn signals_reach_the_command() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let script = "trap 'echo caught; exit 7' TERM INT HUP
            echo ready; while :; do read -r line || :; done";
        let (mut command, folder) = sandbox(&["--", "sh", "-c", script]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut lines = stdout.lines().map(|line| line.expect("readable"));
        assert_eq!(lines.next().as_deref(), Some("ready"));
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("an id"), signal).expect("signalled");
        // Some shells run the trap once `read` has returned; others are gone by now.
        drop(stdin.write_all(b"go on\n"));
        assert_eq!(lines.next().as_deref(), Some("caught"), "{signal:?}");
        assert_eq!(child.wait().expect("it ends").code(), Some(7), "{signal:?}");
        assert_empty(&folder);
    }
}
