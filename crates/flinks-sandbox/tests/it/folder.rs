//! The folder with which other programs use a sandbox.

use std::fs;
use std::path::Path;

use flinks_sandbox::Sandbox;
use serde_json::Value;

async fn start(folder: &Path) -> Sandbox {
    let started = Sandbox::builder().dir(folder).start().await;
    started.expect("a sandbox")
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("a file")
}

#[tokio::test]
async fn it_serves_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    let stale = "an older and longer file".repeat(99);
    fs::write(folder.path().join("client.key"), stale).unwrap();
    let sandbox = start(folder.path()).await;
    let files = sandbox.files().unwrap();
    assert_eq!(read(&files.ca), sandbox.ca_pem());
    assert_eq!(read(&files.client_cert), sandbox.client_cert_pem());
    assert_eq!(read(&files.client_key), sandbox.client_key_pem());
    let settings: Value = serde_json::from_str(&read(&files.settings)).unwrap();
    let variables = settings["environment"].as_object().unwrap();
    assert_eq!(variables["FLINKS_UPLOAD_URL"], sandbox.upload_url());
    let docker = read(&files.env_docker);
    let lines: Vec<_> = docker
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .collect();
    assert_eq!(lines.len(), variables.len());
    for (name, value) in lines {
        assert_eq!(variables[name], value);
    }
    for (_, identity) in settings["identities"].as_object().unwrap() {
        for path in ["cert", "key"] {
            assert!(read(identity[path].as_str().unwrap()).starts_with("-----BEGIN "));
        }
    }
    let guide = read(&files.guide);
    assert!(guide.contains("greatday_nomfa") && guide.contains("reset-before"));
}

#[tokio::test]
async fn a_folder_keeps_its_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path()).await;
    let names = ["ca.pem", "ca.key", "client.pem", "client.key"];
    let names = names.iter().copied().chain([
        "identities/second.pem",
        "identities/expired.pem",
        "identities/future.key",
        "identities/stranger.pem",
    ]);
    let kept: Vec<_> = names
        .map(|name| (name, read(folder.path().join(name))))
        .collect();
    fs::remove_file(folder.path().join("identities/second.key")).unwrap();
    let second = start(folder.path()).await;
    for (name, text) in kept {
        let same = read(folder.path().join(name)) == text;
        assert_eq!(same, name != "identities/second.pem", "{name}");
    }
    assert_eq!(second.client_cert_pem(), first.client_cert_pem());
    assert!(read(folder.path().join("env")).contains(second.upload_url()));

    // Without ports, because nothing listens.
    fs::write(folder.path().join("ca.key"), first.client_key_pem()).unwrap();
    let error = Sandbox::builder()
        .dir(folder.path())
        .start()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("remove both files"), "{error}");
    for name in ["env", "env.docker", "settings.json"] {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
}

#[tokio::test]
async fn a_path_that_env_cannot_hold_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = folder.path().join("it's ${HOME}");
    let error = Sandbox::builder().dir(&hostile).start().await.unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("FLINKS_CERT") && !error.contains("HOME}"),
        "{error}"
    );
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::process::Command;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    /// What a shell that has read the file `env` makes of `$FLINKS_CLIENT_SECRET $FLINKS_CA`.
    fn shell(env: &Path) -> String {
        let script = r#". "$0" && printf '%s %s' "$FLINKS_CLIENT_SECRET" "$FLINKS_CA""#;
        let run = Command::new("sh").args(["-c", script]).arg(env).output();
        String::from_utf8(run.unwrap().stdout).unwrap()
    }

    #[tokio::test]
    async fn a_shell_reads_the_settings_in_any_folder() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["plain", "it's #1", "a \"b\" $HOME `id`"] {
            let sandbox = start(&parent.path().join(name)).await;
            let files = sandbox.files().unwrap();
            let wanted = format!("{} {}", sandbox.client_secret(), files.ca.display());
            assert_eq!(shell(&files.env), wanted);
        }
    }

    #[tokio::test]
    async fn it_is_private_and_follows_no_link() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("new/dir");
        drop(start(&folder).await);
        assert_eq!(mode(&folder), 0o700);
        let names = |folder: &Path| -> Vec<_> {
            let entries = fs::read_dir(folder).unwrap();
            entries.map(|entry| entry.unwrap().path()).collect()
        };
        let mut all = names(&folder);
        assert_eq!(all.len(), 10, "no draft stays: {all:?}");
        all.retain(|path| path.is_file());
        all.extend(names(&folder.join("identities")));
        for path in &all {
            assert_eq!(mode(path), 0o600, "{}", path.display());
        }

        let victim = parent.path().join("victim");
        fs::write(&victim, "kept").unwrap();
        for name in ["client.key", "client.pfx", "env"] {
            fs::remove_file(folder.join(name)).unwrap();
            symlink(&victim, folder.join(name)).unwrap();
        }
        drop(start(&folder).await);
        assert_eq!(read(&victim), "kept");

        let refused = async || Sandbox::builder().dir(&folder).start().await.unwrap_err();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        refused().await;
        // Only root can give a folder away.
        let owned = Command::new("chown").arg("65534").arg(&folder).status();
        if owned.is_ok_and(|status| status.success()) {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
            refused().await;
        }
    }
}
