//! Runs every example of the crates in one folder, with the settings of one sandbox, and checks README's programs.

mod readme;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Failure, Outcome, command, tidy};

/// Examples that serve until they are interrupted: `cargo test` runs the tests in them.
const SERVERS: [&str; 2] = ["axum", "mfa_web_service"];

/// What an example is started with, if it needs something: its arguments, and what is typed in.
const INPUTS: [(&str, &[&str], &str); 4] = [
    ("session", &[], "Everyday\nMontreal\nCanada\nTriangle\n"),
    ("upload", &DOCUMENTS, ""),
    ("upload_to_transactions", &DOCUMENTS, ""),
    // The LoginId whose analysis the sandbox always has.
    ("verdict", &["00000000-0000-4000-8000-000000000001"], ""),
];

/// In the folder that the examples run in.
const DOCUMENTS: [&str; 2] = ["january.pdf", "february.pdf"];

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

/// Hands each example to `run`, ready to be started, with its name; then a check of each program in README.
pub(crate) fn each(mut run: impl FnMut(&str, &mut Command) -> Outcome) -> Outcome {
    let sandbox = start()?;
    let settings = settings(&sandbox.folder)?;
    for (package, name) in examples()? {
        let given = INPUTS.iter().find(|(of, ..)| *of == name);
        let (arguments, typed) =
            given.map_or((&[][..], ""), |(_, arguments, typed)| (*arguments, *typed));
        let input = sandbox.folder.join("typed");
        written(&input, fs::write(&input, typed))?;
        let input = written(&input, fs::File::open(&input))?;
        let mut program = command::cargo()?;
        program
            .args(["run", "--quiet", "--manifest-path"])
            .arg(root()?.join("Cargo.toml"))
            .args(["--package", &package, "--example", &name, "--"])
            .args(arguments)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(&sandbox.folder)
            .stdin(input);
        run(&name, &mut program)?;
    }
    readme::each(&root()?, run)
}

/// The package and name of each example that ends.
fn examples() -> Result<Vec<(String, String)>, Failure> {
    let mut examples = Vec::new();
    for package in tidy::crate_names()? {
        let folder = Path::new("crates").join(&package).join("examples");
        if !folder.is_dir() {
            continue;
        }
        for entry in written(&folder, fs::read_dir(&folder))? {
            let path = written(&folder, entry)?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if !SERVERS.contains(&&*name) {
                examples.push((package.clone(), name.into_owned()));
            }
        }
    }
    examples.sort();
    Ok(examples)
}

fn start() -> Result<Sandbox, Failure> {
    let folder = std::env::temp_dir().join(format!("flinks-examples-{}", std::process::id()));
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
    let sources = ["statement-january.pdf", "statement-january-edited.pdf"];
    for (source, name) in sources.into_iter().zip(DOCUMENTS) {
        let copy = sandbox.folder.join(name);
        let source = Path::new("fixtures/documents").join(source);
        written(&copy, fs::copy(source, &copy))?;
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
