//! Settings: `flinks help settings`, the settings file, profiles, and `flinks config`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::bench::{Bench, Run, without_settings};

fn help_settings(columns: &str) -> String {
    let mut command = without_settings(&["help", "settings"]);
    Run::of(command.env("COLUMNS", columns)).ends_with(0).stdout
}

/// Returns the names that begin with `FLINKS_` in a text.
fn variables(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_uppercase() || c == '_';
    let names = text.split(|c| !is_part(c));
    let named = names.filter(|name| name.starts_with("FLINKS_") && !name.ends_with('_'));
    named.map(str::to_owned).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_variable_in_the_code_is_in_the_help() {
    let help = variables(&help_settings("80"));
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&crates.join("src"), &mut files);
    files.push(crates.join("../flinks-sandbox/src/client_files.rs"));
    let mut named = BTreeSet::new();
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let text = fs::read_to_string(file).expect("readable");
        // The tests of a module contain mistyped names on purpose.
        let code = text.split("#[cfg(test)]\nmod tests").next();
        named.extend(variables(code.unwrap_or_default()));
    }
    assert!(named.len() >= 20, "{named:?}");
    let missing: Vec<_> = named.difference(&help).collect();
    assert!(
        missing.is_empty(),
        "not in flinks help settings: {missing:?}"
    );
}

#[test]
fn the_settings_are_the_same_at_every_width_and_without_help() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wide = help_settings("120");
    for columns in [40, 80] {
        let text = help_settings(&columns.to_string());
        assert_eq!(words(&text), words(&wide));
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(columns.max(56)), "{columns}: {text}");
    }
    let run = Run::of(without_settings(&["settings"]).env("COLUMNS", "120")).ends_with(0);
    assert_eq!(run.stdout, wide);
    let run = Run::of(&mut without_settings(&["settings", "--json"])).ends_with(0);
    let listed = run.json()["settings"].as_array().expect("a list").len();
    assert!(listed > 15, "{run:?}");
}

/// A bench whose settings are in the default settings file, in a profile.
fn bench_with_file() -> (Bench, PathBuf) {
    let mut bench = Bench::new(&[]);
    let mut profile = "[profile.bench]\n".to_owned();
    for (name, value) in bench.environment() {
        let key = name.trim_start_matches("FLINKS_").to_lowercase();
        profile.push_str(&format!("{key} = {value:?}\n"));
    }
    bench.clear();
    bench.set("XDG_CONFIG_HOME", &bench.argument("config"));
    let path = bench.path("config/flinks/config.toml");
    fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    let text = format!("scope = 'ocr.write'\n[profile.other]\nclient_secret = 'CANARY'\n{profile}");
    fs::write(&path, text).expect("written");
    crate::bench::private(&path);
    (bench, path)
}

#[test]
fn a_profile_of_the_default_file_is_used_and_shown() {
    let (bench, path) = bench_with_file();
    let file = bench.document("a.pdf");
    bench
        .run(&["upload", &file, "--profile", "bench"])
        .ends_with(0);
    bench
        .run(&["upload", &file])
        .ends_with(2)
        .says(&["not set", "flinks help settings"]);
    let missing = bench
        .run(&["upload", &file, "--profile", "absent"])
        .ends_with(2);
    missing.says(&["--profile", "bench, other"]);

    let show = ["config", "show", "--profile", "bench"];
    let shown = bench.run(&show).ends_with(0);
    for line in [
        "FLINKS_CLIENT_SECRET: set by client_secret in profile bench of the settings file",
        "FLINKS_SCOPE: set by scope in the settings file",
        "FLINKS_AUTH_KEY: not set",
        "FLINKS_UPLOAD_PATHS: default: api-v1",
        &format!("upload host: {}", bench.sandbox.upload_url()),
    ] {
        assert!(shown.stdout.contains(line), "{line}: {shown:?}");
    }
    let json = bench.run(&[&show[..], &["--json"]].concat()).json();
    assert_eq!(json["file"], path.to_str().expect("UTF-8"));
    assert_eq!(json["profile"], "bench");
    let set_by = &json["settings"]["FLINKS_API_SECRET"]["set_by"];
    assert_eq!(*set_by, "api_secret in profile bench of the settings file");
    let none = [&show[..2], &["--config", "none", "--json"]].concat();
    assert_eq!(bench.run(&none).json()["file"], serde_json::Value::Null);
}

#[test]
fn a_settings_file_is_written_once_and_only_for_its_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("home");
    let run = |arguments: &[&str]| Run::of(without_settings(arguments).env("HOME", &home));
    let init = ["config", "init", "--profile", "test"];
    let path = home.join(".config/flinks/config.toml");
    let run_json = run(&[&init[..], &["--json"]].concat()).ends_with(0).json();
    assert_eq!(run_json["file"], path.to_str().expect("UTF-8"));
    let text = fs::read_to_string(&path).expect("written");
    assert!(text.contains("[profile.test]\n"), "{text}");
    #[cfg(unix)]
    for (path, mode) in [
        (path.as_path(), 0o600),
        (path.parent().expect("a folder"), 0o700),
    ] {
        use std::os::unix::fs::PermissionsExt as _;
        let found = fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(found & 0o777, mode);
    }
    run(&["config", "show", "--profile", "test"]).ends_with(0);
    run(&init)
        .ends_with(2)
        .says(&["never overwritten", "[profile.test]"]);
    assert_eq!(fs::read_to_string(&path).expect("readable"), text);
    run(&["config", "init", "--config", "none"]).ends_with(2);
    run(&["config", "init", "--profile", "a b"])
        .ends_with(2)
        .says(&["--profile"]);
    Run::of(&mut without_settings(&["config", "init"])).ends_with(2);
}

/// A user's own file changes neither the embedded sandbox nor a command with the settings of one.
#[cfg(unix)]
#[test]
fn the_sandbox_ignores_the_users_file() {
    let (bench, path) = bench_with_file();
    fs::write(
        &path,
        "upload_url = 'https://real.invalid'\nkey = 'CANARY'\nauth_key = 'x'",
    )
    .expect("written");
    let file = bench.document("a.pdf");
    bench.run(&["upload", &file, "--sandbox"]).ends_with(0);
    let show = [env!("CARGO_BIN_EXE_flinks"), "config", "show", "--json"];
    let run = bench.run(&[&["sandbox", "--"], &show[..]].concat());
    let json = run.ends_with(0).json();
    assert_eq!(json["file"], serde_json::Value::Null);
    assert_eq!(
        json["settings"]["FLINKS_AUTH_KEY"]["set_by"],
        serde_json::Value::Null
    );
}

/// The examples with `--sandbox` work as they are printed.
#[cfg(unix)]
#[test]
fn the_examples_of_the_sandbox_work() {
    let bench = Bench::new(&[]);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/documents");
    let statement = fixtures.join("statement-january.pdf");
    fs::copy(statement, bench.path("statement.pdf")).expect("copied");
    let flinks = Path::new(env!("CARGO_BIN_EXE_flinks"));
    let path = std::env::join_paths([flinks.parent().expect("a folder"), Path::new("/usr/bin")]);
    let path = path.expect("a path");
    let mut count = 0;
    for command in [
        "upload",
        "fraud",
        "authorize",
        "accounts",
        "statements",
        "institutions",
    ] {
        let help = Run::of(without_settings(&[command, "-h"]).env("COLUMNS", "100")).ends_with(0);
        let examples = help
            .stdout
            .lines()
            .filter(|line| line.starts_with("  flinks "));
        for example in examples.filter(|line| line.contains("--sandbox")) {
            let mut shell = std::process::Command::new("/bin/sh");
            let shell = shell.env_clear().current_dir(bench.folder.path());
            let run = Run::of(shell.env("PATH", &path).args(["-c", example]));
            assert_eq!(run.status, Some(0), "{example}: {run:?}");
            count += 1;
        }
    }
    assert_eq!(count, 6);
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("man1");
    let arguments = ["man", out.to_str().expect("UTF-8")];
    Run::of(&mut without_settings(&arguments)).ends_with(0);
    for page in [
        "flinks",
        "flinks-upload",
        "flinks-config-show",
        "flinks-settings",
    ] {
        let text = fs::read_to_string(out.join(format!("{page}.1"))).expect(page);
        assert!(text.contains(".TH "), "{text}");
    }
}
