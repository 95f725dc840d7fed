//! What every crate's Cargo.toml must say.

use crate::Outcome;

pub(super) fn check(problems: &mut Vec<String>) -> Outcome {
    for name in super::crate_names()? {
        let path = format!("crates/{name}/Cargo.toml");
        let manifest = super::read(&path)?;
        problems.extend(manifest_problems(&path, &manifest));
    }
    Ok(())
}

/// Whether the crate is meant to be published.
pub(super) fn is_published(manifest: &str) -> bool {
    !manifest.contains("\npublish = false")
}

fn manifest_problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut section = "";
    let mut has_lints = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
            if section.starts_with("[dev-dependencies.") {
                problems.push(format!(
                    "{path}: write {section} as one line, so that it can be checked"
                ));
            }
        }
        has_lints |= section == "[lints]" && line == "workspace = true";
        // With a version, a crate could not be published before its own tests' dependencies.
        let is_ours = section == "[dev-dependencies]" && line.starts_with("flinks-");
        if is_ours
            && (!line.contains("path = ") || line.contains("version") || line.contains("workspace"))
        {
            problems.push(format!(
                "{path}: a dev-dependency between our crates has a path and no version: {line}"
            ));
        }
    }
    if !has_lints {
        problems.push(format!("{path}: lacks `[lints]` with `workspace = true`"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_missing() {
        let lints = "\n[lints]\nworkspace = true\n";
        let count = |text: &str| manifest_problems("x", text).len();
        assert_eq!(count(lints), 0);
        assert_eq!(count("[package]\n"), 1);
        let good = "[dev-dependencies]\nflinks-sandbox = { path = \"../flinks-sandbox\" }\n";
        assert_eq!(count(&format!("{good}{lints}")), 0);
        for bad in [
            "flinks-sandbox.workspace = true",
            "flinks-sandbox = { path = \"..\", version = \"1\" }",
        ] {
            assert_eq!(
                count(&format!("[dev-dependencies]\n{bad}\n{lints}")),
                1,
                "{bad}"
            );
        }
    }
}
