//! Every package has a README, and its Rust is code that is compiled: marked blocks equal a part of an example file.
//!
//! A block that follows the line `<!-- same as PATH -->` equals what PATH holds between the lines
//! `// README:begin` and `// README:end`, less the indentation that its lines share.

use std::path::Path;

use crate::Outcome;

pub(super) fn check(problems: &mut Vec<String>) -> Outcome {
    let mut readmes = vec!["README.md".to_owned()];
    for name in super::crate_names()? {
        let manifest = super::read(format!("crates/{name}/Cargo.toml"))?;
        if super::manifests::is_published(&manifest) {
            readmes.push(format!("crates/{name}/README.md"));
        }
    }
    for readme in readmes {
        if !Path::new(&readme).is_file() {
            problems.push(format!("{readme} is missing"));
            continue;
        }
        for (path, block) in marked_blocks(&super::read(&readme)?) {
            if !Path::new(&path).is_file() {
                problems.push(format!("{readme}: {path} does not exist"));
            } else if block.is_none() || block != marked_part(&super::read(&path)?) {
                problems.push(format!(
                    "{readme}: its block is not the same as the marked part of {path}"
                ));
            }
        }
    }
    Ok(())
}

/// Each marker's path, with the code block right below it.
fn marked_blocks(readme: &str) -> Vec<(String, Option<String>)> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        let Some(path) = line
            .trim()
            .strip_prefix("<!-- same as ")
            .and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        let opens = lines
            .next()
            .is_some_and(|fence| fence.starts_with("```rust"));
        let block = opens.then(|| {
            lines
                .by_ref()
                .take_while(|line| !line.starts_with("```"))
                .collect::<Vec<_>>()
                .join("\n")
        });
        blocks.push((path.to_owned(), block));
    }
    blocks
}

fn marked_part(source: &str) -> Option<String> {
    let after = source
        .lines()
        .skip_while(|line| line.trim() != "// README:begin")
        .skip(1);
    let part: Vec<&str> = after
        .clone()
        .take_while(|line| line.trim() != "// README:end")
        .collect();
    if after.count() == part.len() {
        return None; // Without an end, or without a beginning.
    }
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let shared = part
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(indent)
        .min()
        .unwrap_or(0);
    let dedented: Vec<&str> = part
        .into_iter()
        .map(|line| line.get(shared..).unwrap_or(""))
        .collect();
    Some(dedented.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_equals_the_marked_part() {
        let readme = "# A\n<!-- same as x.rs -->\n```rust\nlet a = {\n    1\n\n};\n```\nlater\n";
        let source = "//! X.\nfn main() {\n    // README:begin\n    let a = {\n        1\n\n    };\n    // README:end\n}\n";
        let blocks = marked_blocks(readme);
        assert_eq!(blocks, [("x.rs".to_owned(), marked_part(source))]);
        assert!(blocks[0].1.is_some());
    }

    #[test]
    fn what_is_missing_is_no_block() {
        assert_eq!(
            marked_blocks("<!-- same as x.rs -->\ntext\n"),
            [("x.rs".to_owned(), None)]
        );
        assert_eq!(marked_part("fn main() {}"), None);
        assert_eq!(marked_part("// README:begin\nlet a;\n"), None);
    }
}
