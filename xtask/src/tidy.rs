//! `cargo xtask tidy`: the project's own rules, which neither the compiler nor clippy knows.

mod dependencies;
mod files;
mod manifests;
mod readme;

use std::fs;
use std::path::Path;

use crate::{Failure, Outcome, command, conformance};

/// Checks every rule and prints one line for each problem.
pub(crate) fn run() -> Outcome {
    let mut problems = Vec::new();
    dependencies::check(&mut problems)?;
    manifests::check(&mut problems)?;
    files::check(&mut problems)?;
    readme::check(&mut problems)?;
    for problem in &problems {
        println!("tidy: {problem}");
    }
    // The format of the fixtures, and that every operation has its cases.
    let fixtures = command::succeeds(conformance::runner(false)?.arg("check"))?;
    if problems.is_empty() && fixtures {
        Ok(())
    } else {
        Err(Failure::Found)
    }
}

/// The folders of `crates/`, which are named as the crates in them, sorted.
pub(crate) fn crate_names() -> Result<Vec<String>, Failure> {
    let broken = |error| Failure::Broken(format!("can't list crates/: {error}"));
    let mut names = Vec::new();
    for entry in fs::read_dir("crates").map_err(broken)? {
        let entry = entry.map_err(broken)?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The crates that are meant to be published.
pub(crate) fn published_crates() -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for name in crate_names()? {
        if manifests::is_published(&read(format!("crates/{name}/Cargo.toml"))?) {
            names.push(name);
        }
    }
    Ok(names)
}

fn read(path: impl AsRef<Path>) -> Result<String, Failure> {
    let path = path.as_ref();
    fs::read_to_string(path)
        .map_err(|error| Failure::Broken(format!("can't read {}: {error}", path.display())))
}
