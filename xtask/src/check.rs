//! `cargo xtask check`: formatting, the project's rules, lints, documentation, dependencies, packages.

use std::process::Command;

use crate::{Failure, Outcome, command, fuzz, tidy};

/// The feature set that shares nothing with the default one.
pub(crate) const OTHER_FEATURES: [&str; 3] = [
    "--no-default-features",
    "--features",
    "aws-lc-rs,webpki-roots",
];

/// The published crates without [`OTHER_FEATURES`].
const NO_CRYPTO: [&str; 3] = ["flinks-cli", "flinks-sandbox", "flinks-types"];

/// Runs every step, also after a failure, and says at the end which ones failed or were skipped.
pub(crate) fn run() -> Outcome {
    let mut report = Report::default();
    report.cargo("formatting", "fmt", |fmt| fmt.args(["--all", "--check"]))?;
    // Workspaces of their own.
    for manifest in ["bench/Cargo.toml", "fuzz/Cargo.toml"] {
        report.cargo("formatting", "fmt", |fmt| {
            fmt.args(["--manifest-path", manifest, "--", "--check"])
        })?;
    }
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
    report.cargo("lints, jiff and rust_decimal", "clippy", |clippy| {
        for library in ["flinks-types", "flinks-legacy", "flinks-webhook"] {
            clippy.args(["--package", library]);
        }
        clippy
            .args(["--all-targets", "--features", "jiff,rust_decimal"])
            .args(["--", "-D", "warnings"])
    })?;
    // The other clients of the benchmarks take long to build; only their lock file is checked.
    report.cargo("lock file, bench", "fetch", |fetch| {
        fetch.args(["--locked", "--quiet", "--manifest-path", "bench/Cargo.toml"])
    })?;
    report.cargo("lints, fuzz", "clippy", |clippy| {
        clippy
            .args(fuzz::WORKSPACE)
            .args(["--locked", "--", "-D", "warnings"])
    })?;
    report.cargo("documentation", "doc", |doc| {
        doc.args(["--no-deps", "--workspace"])
            .env("RUSTDOCFLAGS", "-D warnings")
    })?;
    report.cargo("dependency policy", "deny", |deny| {
        deny.args(["check", "bans", "licenses", "sources"])
    })?;
    advisories(&mut report)?;
    public_api(&mut report)?;
    report.step("packages", packages)?;
    report.close()
}

/// What the published crates are made of: Cargo warns about missing metadata, and a package without its
/// README or licences is found here.
fn packages() -> Result<bool, Failure> {
    let published = tidy::published_crates()?;
    let mut package = command::cargo()?;
    package.args(["package", "--no-verify", "--allow-dirty", "--quiet"]);
    for name in &published {
        package.args(["--package", name]);
    }
    let mut complete = true;
    let warnings = command::errors(&mut package)?;
    if !warnings.trim().is_empty() {
        println!("{warnings}");
        complete = false;
    }
    for name in &published {
        let mut list = command::cargo()?;
        list.args(["package", "--list", "--allow-dirty", "--package", name]);
        let files = command::output(&mut list)?;
        for needed in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            if !files.lines().any(|file| file == needed) {
                println!("{name}: its package has no {needed}");
                complete = false;
            }
        }
    }
    Ok(complete)
}

/// Changes that break users since the last release, and types of other crates in public items beyond
/// the list in each manifest.
fn public_api(report: &mut Report) -> Outcome {
    const SEMVER: &str = "semantic versioning";
    let mut tag = Command::new("git");
    tag.args(["describe", "--tags", "--abbrev=0", "--match", "v*"]);
    if let Ok(tag) = command::output(&mut tag) {
        report.cargo(SEMVER, "semver-checks", |semver| {
            semver.args(["--workspace", "--baseline-rev", tag.trim()])
        })?;
    } else {
        report.skip(SEMVER, "there is no release to compare with");
    }
    const TYPES: &str = "types of other crates in public items";
    // The tool reads the output of a nightly rustdoc, so it comes with a toolchain of its own.
    if !command::is_available(Command::new("cargo-check-external-types").arg("--version")) {
        report.skip(TYPES, "cargo-check-external-types is not installed");
        return Ok(());
    }
    report.step(TYPES, || {
        let mut passed = true;
        for name in tidy::published_crates()? {
            let manifest = format!("crates/{name}/Cargo.toml");
            if name == "flinks-cli" {
                continue;
            }
            let mut check = Command::new("cargo");
            check.args(["+nightly", "check-external-types", "--all-features"]);
            check.args(["--manifest-path", &manifest]);
            passed &= command::succeeds(&mut check)?;
        }
        Ok(passed)
    })
}

/// Library crates that can be built with [`OTHER_FEATURES`].
fn libraries_with_other_features() -> Result<Vec<String>, Failure> {
    let mut libraries = tidy::published_crates()?;
    libraries.retain(|name| !NO_CRYPTO.contains(&name.as_str()));
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
        // These two are built in; the others are components or programs of their own.
        if !["doc", "fetch"].contains(&subcommand)
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
