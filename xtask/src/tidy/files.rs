//! What every file must and must not hold: first lines, sizes, unfinished code, traces of a machine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Failure, Outcome};

/// Lines of a source file before its tests.
const CODE_LINES: usize = 400;
/// Lines of any Rust file that holds only tests.
const TEST_LINES: usize = 600;

// These are put together here so that this file does not break its own rules.
const UNFINISHED: [(&str, &str); 4] = [
    (concat!("should", "_panic"), "assert on the error instead"),
    (concat!("#[", "ignore"), "a test runs or does not exist"),
    (concat!("todo", "!("), "finish it"),
    (concat!("unimplemented", "!("), "finish it"),
];
const TRACES: [(&str, &str); 4] = [
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("replace", "-with"), "a registry of one site"),
    (concat!("[regis", "tries"), "a registry of one site"),
];

pub(super) fn check(problems: &mut Vec<String>) -> Outcome {
    let mut paths = Vec::new();
    list(Path::new("."), &mut paths)
        .map_err(|error| Failure::Broken(format!("can't list the files: {error}")))?;
    paths.sort();
    for path in paths {
        // What is not text has no lines to check.
        if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(".").unwrap_or(&path).to_string_lossy();
            problems.extend(text_problems(&path, &text));
            if path.ends_with(".rs") {
                problems.extend(source_problems(&path, &text));
            }
        }
    }
    Ok(())
}

/// Every file but Git's and what was built.
fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // A folder, or in a worktree a file.
        if name == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            let is_build = folder == Path::new(".") && name.starts_with("target");
            if name != "__pycache__" && !is_build {
                list(&entry.path(), paths)?;
            }
        } else {
            paths.push(entry.path());
        }
    }
    Ok(())
}

fn text_problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = find(path, text, &TRACES);
    if path.ends_with("Cargo.lock") {
        let strange = |line: &&str| {
            line.starts_with("source = ")
                && *line != "source = \"registry+https://github.com/rust-lang/crates.io-index\""
        };
        problems.extend(
            text.lines()
                .find(strange)
                .map(|line| format!("{path}: {line}")),
        );
    }
    problems
}

fn source_problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = find(path, text, &UNFINISHED);
    if !text.starts_with("//! ") {
        problems.push(format!(
            "{path}: the first line must be a `//!` line that says what the file is for"
        ));
    }
    let is_test =
        path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs");
    let lines = text
        .lines()
        .take_while(|line| is_test || !line.starts_with("#[cfg(test)]"))
        .count();
    let limit = if is_test { TEST_LINES } else { CODE_LINES };
    if lines > limit {
        problems.push(format!(
            "{path}: {lines} lines, the limit is {limit}; is there a second concept in it?"
        ));
    }
    problems
}

fn find(path: &str, text: &str, words: &[(&str, &str)]) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (word, why) in words {
            // Right after a name it is a part of something longer, such as the path of a URL.
            let stands_alone = |(at, _): (usize, &str)| {
                !line
                    .get(..at)
                    .is_some_and(|before| before.ends_with(char::is_alphanumeric))
            };
            if line.match_indices(word).any(stands_alone) {
                problems.push(format!("{path}:{}: {word}: {why}", number + 1));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_of_a_machine() {
        assert!(text_problems("a.md", "See crates/flinks-types.").is_empty());
        let url = concat!("https://example.com/ro", "ot/api");
        assert!(text_problems("a.md", url).is_empty());
        for (word, _) in TRACES {
            assert_eq!(
                text_problems("a.md", &format!("x {word}y")).len(),
                1,
                "{word}"
            );
        }
        let lock = "source = \"registry+https://example.com/index\"";
        assert_eq!(text_problems("Cargo.lock", lock).len(), 1);
    }

    #[test]
    fn sources() {
        assert!(source_problems("src/a.rs", "//! What it is.\nfn a() {}\n").is_empty());
        assert_eq!(source_problems("src/a.rs", "fn a() {}\n").len(), 1);
        for (word, _) in UNFINISHED {
            assert_eq!(
                source_problems("src/a.rs", &format!("//! A.\n{word}\n")).len(),
                1,
                "{word}"
            );
        }
    }

    #[test]
    fn sizes_count_up_to_the_tests() {
        let code = format!("//! A.\n{}", "x\n".repeat(CODE_LINES));
        assert_eq!(source_problems("src/a.rs", &code).len(), 1);
        assert!(source_problems("crates/a/tests/it/b.rs", &code).is_empty());
        let tests = format!("//! A.\n#[cfg(test)]\n{}", "x\n".repeat(CODE_LINES));
        assert!(source_problems("src/a.rs", &tests).is_empty());
    }
}
