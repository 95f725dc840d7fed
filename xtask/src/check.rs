//! `cargo xtask check`: formatting, the project's rules, lints, documentation, dependency policy.

use std::fs;
use std::process::Command;

use crate::{Failure, Outcome, command, tidy};

/// The feature set that shares nothing with the default one.
pub(crate) const OTHER_FEATURES: [&str; 3] = [
    "--no-default-features",
    "--features",
    "aws-lc-rs,webpki-roots",
];

/// Runs every step, also after a failure, and says at the end which ones failed or were skipped.
pub(crate) fn run() -> Outcome {
    let mut report = Report::default();
    report.cargo("formatting", "fmt", |fmt| fmt.args(["--all", "--check"]))?;
    report.step("tidy", || match tidy::run() {
        Ok(()) => Ok(true),
        Err(Failure::Found) => Ok(false),
        Err(other) => Err(other),
    })?;
    report.cargo("lints", "clippy", |clippy| {
        clippy.args(["--workspace", "--all-targets", "--", "-D", "warnings"])
    })?;
    let libraries = libraries_with_other_features()?;
    report.cargo("lints, aws-lc-rs and webpki-roots", "clippy", |clippy| {
        for library in &libraries {
            clippy.args(["--package", library]);
        }
        clippy.args(OTHER_FEATURES).args(["--", "-D", "warnings"])
    })?;
    report.cargo("documentation", "doc", |doc| {
        doc.args(["--no-deps", "--workspace"])
            .env("RUSTDOCFLAGS", "-D warnings")
    })?;
    report.cargo("dependency policy", "deny", |deny| {
        deny.args(["check", "bans", "licenses", "sources"])
    })?;
    advisories(&mut report)?;
    report.close()
}

/// Library crates that can be built with [`OTHER_FEATURES`].
fn libraries_with_other_features() -> Result<Vec<String>, Failure> {
    let mut libraries = Vec::new();
    for name in tidy::crate_names()? {
        let manifest = format!("crates/{name}/Cargo.toml");
        let text = fs::read_to_string(&manifest)
            .map_err(|error| Failure::Broken(format!("can't read {manifest}: {error}")))?;
        if text.contains("\naws-lc-rs = ") && !text.contains("\n[[bin]]") {
            libraries.push(name);
        }
    }
    Ok(libraries)
}

/// Known vulnerabilities of the dependencies, where their database can be fetched.
fn advisories(report: &mut Report) -> Outcome {
    const NAME: &str = "advisories";
    if command::is_available(command::cargo()?.args(["deny", "--version"]))
        && !command::is_available(command::cargo()?.args(["deny", "fetch", "db"]))
    {
        report.skip(NAME, "the advisory database can't be fetched");
        return Ok(());
    }
    report.cargo(NAME, "deny", |deny| {
        deny.args(["check", "--disable-fetch", "advisories"])
    })
}

#[derive(Default)]
struct Report {
    failed: Vec<&'static str>,
    skipped: Vec<&'static str>,
}

impl Report {
    /// One Cargo subcommand, skipped where this toolchain does not have it.
    fn cargo(
        &mut self,
        name: &'static str,
        subcommand: &str,
        arguments: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Outcome {
        // `cargo doc` is built in; the others are components or programs of their own.
        if subcommand != "doc"
            && !command::is_available(command::cargo()?.args([subcommand, "--version"]))
        {
            self.skip(name, &format!("`cargo {subcommand}` is not installed"));
            return Ok(());
        }
        let mut step = command::cargo()?;
        arguments(step.arg(subcommand));
        self.step(name, || command::succeeds(&mut step))
    }

    fn skip(&mut self, name: &'static str, why: &str) {
        println!("== {name}: skipped, {why}");
        self.skipped.push(name);
    }

    fn step(
        &mut self,
        name: &'static str,
        passes: impl FnOnce() -> Result<bool, Failure>,
    ) -> Outcome {
        println!("== {name}");
        if !passes()? {
            self.failed.push(name);
        }
        Ok(())
    }

    fn close(self) -> Outcome {
        if !self.skipped.is_empty() {
            println!("check: skipped: {}", self.skipped.join("; "));
        }
        if self.failed.is_empty() {
            println!("check: passed");
            Ok(())
        } else {
            println!("check: failed: {}", self.failed.join("; "));
            Err(Failure::Found)
        }
    }
}
