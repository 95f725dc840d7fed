//! The commands that need no service: `csr`, `completions`, help.

use std::fs;
use std::process::Command;

use crate::bench::{Run, without_settings};

#[test]
fn a_key_and_its_request_are_made_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("new");
    let out = out.to_str().expect("UTF-8");
    let arguments = [
        "csr",
        "--out",
        out,
        "--common-name",
        "lender.example",
        "--organization",
        "Zoë's Loans",
        "--country",
        "ca",
        "--json",
    ];
    let output = Run::of(&mut without_settings(&arguments))
        .ends_with(0)
        .json();
    let (key, csr) = (
        output["key"].as_str().expect("a path"),
        output["csr"].as_str().expect("a path"),
    );
    let key_text = fs::read_to_string(key).expect("readable");
    assert!(key_text.starts_with("-----BEGIN PRIVATE KEY-----"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(key).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = Run::of(&mut without_settings(&arguments[..arguments.len() - 1])).ends_with(2);
    assert!(again.stderr.contains("never overwritten"), "{again:?}");
    assert_eq!(fs::read_to_string(key).expect("readable"), key_text);

    let verified = Command::new("openssl")
        .args([
            "req",
            "-verify",
            "-noout",
            "-subject",
            "-nameopt",
            "utf8,sep_comma_plus",
            "-in",
            csr,
        ])
        .output();
    let Ok(verified) = verified else {
        crate::skipped("openssl is not installed");
        return;
    };
    assert!(verified.status.success(), "{verified:?}");
    let subject = String::from_utf8_lossy(&verified.stdout);
    for part in ["lender.example", "Zoë's Loans", "CA"] {
        assert!(subject.contains(part), "{part} is missing from {subject}");
    }
}

#[test]
fn an_invalid_request_leaves_no_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    let arguments = [
        "csr",
        "--out",
        out,
        "--common-name",
        "x",
        "--country",
        "Canada",
    ];
    Run::of(&mut without_settings(&arguments)).ends_with(2);
    assert_eq!(fs::read_dir(out).expect("readable").count(), 0);
}

#[test]
fn every_shell_has_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = Run::of(&mut without_settings(&["completions", shell])).ends_with(0);
        assert!(run.stdout.contains("fail-on-flagged"), "{shell}");
    }
}

#[test]
fn help_lists_faults_and_exit_statuses() {
    let run = Run::of(&mut without_settings(&["sandbox", "--help"])).ends_with(0);
    assert!(run.stdout.contains("reset-after"), "{}", run.stdout);
    let run = Run::of(&mut without_settings(&["--help"])).ends_with(0);
    assert!(run.stdout.contains("130 interrupted"), "{}", run.stdout);
    Run::of(&mut without_settings(&["--version"])).ends_with(0);
}
