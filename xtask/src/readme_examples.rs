//! Runs README's programs against the sandbox, as README says to run them.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Failure, Outcome, command};

/// Package, example, argument, and what is typed in.
const PROGRAMS: [(&str, &str, Option<&str>, &str); 4] = [
    ("flinks-upload", "upload_and_check", None, ""),
    // The LoginId whose analysis the sandbox always has.
    (
        "flinks-fraud",
        "verdict",
        Some("00000000-0000-4000-8000-000000000001"),
        "",
    ),
    ("flinks-legacy", "upload_to_transactions", None, ""),
    (
        "flinks-legacy",
        "session",
        None,
        "Everyday\nMontreal\nCanada\nTriangle\n",
    ),
];

/// The folder with the sandbox's files and the documents, and the sandbox itself: both go when this is dropped.
struct Sandbox {
    folder: PathBuf,
    server: Child,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        command::kill_descendants(self.server.id());
        drop(self.server.kill());
        drop(self.server.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Hands each program to `run`, ready to be started, with its name.
pub(crate) fn each(mut run: impl FnMut(&str, &mut Command) -> Outcome) -> Outcome {
    let sandbox = start()?;
    let settings = settings(&sandbox.folder)?;
    for (package, name, argument, typed) in PROGRAMS {
        let input = sandbox.folder.join("typed");
        written(&input, fs::write(&input, typed))?;
        let input = written(&input, fs::File::open(&input))?;
        let mut program = command::cargo()?;
        program
            .args(["run", "--quiet", "--manifest-path"])
            .arg(root()?.join("Cargo.toml"))
            .args(["--package", package, "--example", name, "--"])
            .args(argument)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(&sandbox.folder)
            .stdin(input);
        run(name, &mut program)?;
    }
    Ok(())
}

fn start() -> Result<Sandbox, Failure> {
    let folder = std::env::temp_dir().join(format!("flinks-readme-{}", std::process::id()));
    let mut serve = command::cargo()?;
    serve
        .args(["run", "--quiet", "--package", "flinks-cli", "--", "sandbox"])
        // The analysis is there at the first poll of a program.
        .args(["--processing", "0.001"])
        .arg("--dir")
        .arg(&folder)
        .stdout(Stdio::piped());
    let mut server = serve
        .spawn()
        .map_err(|error| command::broken(&serve, &error))?;
    let output = server.stdout.take();
    let sandbox = Sandbox { folder, server };
    // The first line says that it listens and that its files are written.
    let mut ready = String::new();
    if let Some(output) = output {
        drop(BufReader::new(output).read_line(&mut ready));
    }
    if ready.is_empty() {
        return Err(Failure::Broken("the sandbox did not start".to_owned()));
    }
    for (document, name) in [
        ("statement-january.pdf", "january.pdf"),
        ("statement-january-edited.pdf", "february.pdf"),
    ] {
        let copy = sandbox.folder.join(name);
        let document = Path::new("fixtures/documents").join(document);
        written(&copy, fs::copy(document, &copy))?;
    }
    Ok(sandbox)
}

/// The lines `NAME=value` of the sandbox's `env.docker`.
fn settings(folder: &Path) -> Result<Vec<(String, String)>, Failure> {
    let path = folder.join("env.docker");
    let text = written(&path, fs::read_to_string(&path))?;
    let setting = |line: &str| {
        line.split_once('=')
            .map(|(name, value)| (name.into(), value.into()))
    };
    Ok(text.lines().filter_map(setting).collect())
}

fn root() -> Result<PathBuf, Failure> {
    written(Path::new("."), std::env::current_dir())
}

fn written<T>(path: &Path, result: std::io::Result<T>) -> Result<T, Failure> {
    result.map_err(|error| Failure::Broken(format!("{}: {error}", path.display())))
}
