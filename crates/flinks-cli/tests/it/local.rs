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

/// Runs openssl; its standard output, or `None` if it is not installed.
fn openssl(arguments: &[&str]) -> Option<Vec<u8>> {
    let Ok(output) = Command::new("openssl").args(arguments).output() else {
        crate::skipped("openssl is not installed");
        return None;
    };
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    Some(output.stdout)
}

const SUBJECT: &str =
    "/C=CA/O=Zoë's \\/ Loans/OU=one/OU=two/CN=lender.example/emailAddress=it@lender.example";
const NAMES: &str = "subjectAltName=DNS:lender.example,IP:192.0.2.1,URI:https://lender.example/a";

#[test]
fn a_renewal_keeps_the_names_and_makes_a_new_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (key, pem, der, pfx) = (path("key"), path("pem"), path("der"), path("pfx"));
    let new = [
        "req", "-x509", "-utf8", "-days", "30", "-nodes", "-newkey", "ec",
    ];
    let new = [&new[..], &["-pkeyopt", "ec_paramgen_curve:P-384"]].concat();
    let new = [
        &new[..],
        &[
            "-keyout", &key, "-out", &pem, "-subj", SUBJECT, "-addext", NAMES,
        ],
    ]
    .concat();
    if openssl(&new).is_none() {
        return;
    }
    openssl(&["x509", "-in", &pem, "-outform", "DER", "-out", &der]);
    let export = [
        "pkcs12", "-export", "-in", &pem, "-inkey", &key, "-out", &pfx,
    ];
    openssl(&[&export[..], &["-passout", "pass:canary"]].concat());
    let name = |kind: &str, file: &str| {
        let shown = openssl(&[
            kind,
            "-in",
            file,
            "-noout",
            "-subject",
            "-nameopt",
            "RFC2253,show_type",
        ]);
        String::from_utf8(shown.expect("openssl")).expect("UTF-8")
    };
    for (number, certificate) in [&pem, &der, &pfx].into_iter().enumerate() {
        for configured in [false, true] {
            let out = path(&format!("{number}-{configured}"));
            let mut arguments = vec!["csr", "--json", "--out", &out, "--renew"];
            arguments.extend((!configured).then_some(certificate.as_str()));
            let mut command = without_settings(&arguments);
            command.env("FLINKS_CERT_PASSWORD", "canary");
            if configured {
                command.env("FLINKS_CERT", certificate);
            }
            let output = Run::of(&mut command).ends_with(0).json();
            assert_eq!(output["key_type"], "P-384");
            assert_eq!(output["common_name"], "lender.example");
            let csr = format!("{out}/client.csr");
            assert_eq!(name("req", &csr), name("x509", &pem));
            let text = openssl(&["req", "-verify", "-noout", "-text", "-in", &csr]);
            let text = String::from_utf8(text.expect("openssl")).expect("UTF-8");
            for part in [
                "DNS:lender.example",
                "192.0.2.1",
                "URI:https://lender.example/a",
            ] {
                assert!(text.contains(part), "{text}");
            }
            let public =
                |kind: &str, file: &str| openssl(&[kind, "-in", file, "-noout", "-pubkey"]);
            assert_ne!(public("req", &csr), public("x509", &pem), "a new key");
        }
    }
    let out = path("changed");
    let changed = [
        "csr",
        "--out",
        &out,
        "--renew",
        &pem,
        "--key",
        "ec",
        "--organization",
        "New",
    ];
    Run::of(&mut without_settings(&changed)).ends_with(0);
    let subject = name("req", &format!("{out}/client.csr"));
    assert!(
        subject.contains("O=UTF8STRING:New,C=PRINTABLESTRING:CA"),
        "{subject}"
    );

    let out = path("nothing");
    for (arguments, named) in [
        (
            &["csr", "--out", &out, "--renew", &key][..],
            "--renew: this is a private key",
        ),
        (
            &["csr", "--out", &out, "--renew", &pfx],
            "FLINKS_CERT_PASSWORD is not set",
        ),
        (&["csr", "--out", &out, "--renew"], "FLINKS_CERT"),
        (&["csr", "--out", &out], "--common-name"),
    ] {
        let run = Run::of(&mut without_settings(arguments)).ends_with(2);
        assert!(run.stderr.contains(named), "{named}: {run:?}");
    }
    fs::metadata(&out).expect_err("no folder");
}

/// In the build without a provider that makes RSA keys; in the other one the request is made.
#[test]
fn an_rsa_key_is_made_here_or_by_the_command_that_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let out = path("it's new");
    let arguments = [
        "csr",
        "--out",
        &out,
        "--key",
        "rsa3072",
        "--common-name",
        "a/b+c='d'",
    ];
    let arguments = [
        &arguments[..],
        &["--organization", "Zoë", "--country", "ca"],
    ]
    .concat();
    let run = Run::of(&mut without_settings(&arguments));
    let csr = format!("{out}/client.csr");
    if cfg!(not(feature = "aws-lc-rs")) {
        let run = run.ends_with(2);
        fs::metadata(&out).expect_err("no folder");
        let command = run.stderr.split_once("and the request: ");
        let command = command.expect("a command").1.trim();
        if openssl(&["version"]).is_none() {
            return;
        }
        let shell = Command::new("sh").args(["-c", command]).output();
        let shell = shell.expect("a shell");
        assert!(shell.status.success(), "{command}: {shell:?}");
    }
    let shown = ["req", "-verify", "-noout", "-subject", "-text", "-in", &csr];
    let Some(text) = openssl(&[&shown[..], &["-nameopt", "utf8,sep_multiline"]].concat()) else {
        return;
    };
    let text = String::from_utf8(text).expect("UTF-8");
    for part in ["(3072 bit)", "C=CA\n", "O=Zoë\n", "CN=a/b+c='d'\n"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let key = fs::metadata(format!("{out}/client.key")).expect("a key");
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
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
