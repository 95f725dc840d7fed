//! README's programs as a reader pastes them: each with the dependencies printed above it, in a package of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::written;
use crate::{Outcome, command};

/// Hands a check of each program to `run`. What is run of them are the examples that they are the same as.
pub(super) fn each(root: &Path, mut run: impl FnMut(&str, &mut Command) -> Outcome) -> Outcome {
    let readme = root.join("README.md");
    let text = written(&readme, fs::read_to_string(&readme))?;
    for (number, (dependencies, program)) in programs(&text).into_iter().enumerate() {
        let name = format!("readme-{}", number + 1);
        let package = root.join("target/readme").join(&name);
        // A reader's package lies beside the checkout.
        let dependencies = dependencies.replace("../flinks-rs", &root.to_string_lossy());
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n{dependencies}\n[workspace]\n"
        );
        written(&package, fs::create_dir_all(package.join("src")))?;
        for (file, contents) in [("Cargo.toml", manifest), ("src/main.rs", program)] {
            let path = package.join(file);
            written(&path, fs::write(&path, contents))?;
        }
        let lock = package.join("Cargo.lock");
        written(&lock, fs::copy(root.join("Cargo.lock"), &lock))?;
        let mut check = command::cargo()?;
        check
            .args(["check", "--quiet", "--offline"])
            .arg("--target-dir")
            .arg(root.join("target/readme/target"))
            .current_dir(&package);
        run(&format!("{name} of README.md"), &mut check)?;
    }
    Ok(())
}

/// Each program with a `main`, and the nearest block of dependencies above it.
fn programs(readme: &str) -> Vec<(String, String)> {
    let mut programs = Vec::new();
    let mut dependencies = String::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```").filter(|word| !word.is_empty()) else {
            continue;
        };
        let block = lines.by_ref().take_while(|line| !line.starts_with("```"));
        let block: String = block.flat_map(|line| [line, "\n"]).collect();
        if language == "toml" && block.contains("[dependencies]") {
            dependencies = block;
        } else if language == "rust" && block.contains("fn main()") {
            programs.push((dependencies.clone(), block));
        }
    }
    programs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_the_dependencies_above_it() {
        let readme = "```toml\n[dependencies]\na = \"1\"\n```\n```sh\nls\n```\n```rust\nfn main() {}\n```\n```rust\nlet b;\n```\n";
        let pair = (
            "[dependencies]\na = \"1\"\n".to_owned(),
            "fn main() {}\n".to_owned(),
        );
        assert_eq!(programs(readme), [pair]);
    }
}
