//! Which crate may depend on which, and how large the graph of a library may grow.

use std::collections::BTreeSet;

use crate::check::OTHER_FEATURES;
use crate::{Failure, Outcome, command};

/// The crates of this workspace that each crate may depend on, less the `flinks-` before each name.
const DIRECTION: [(&str, &str); 11] = [
    ("types", ""),
    ("transport", "types"),
    ("auth", "types transport"),
    ("upload", "types transport auth"),
    ("fraud", "types transport auth"),
    ("legacy", "types transport auth"),
    ("webhook", "types"),
    // The sandbox shares nothing with the client: a mistake must not pass on both sides.
    ("sandbox", ""),
    ("cli", "types transport auth upload fraud legacy sandbox"),
    (
        "conformance",
        "types transport auth upload fraud legacy sandbox cli",
    ),
    ("xtask", ""),
];

/// Crates that reach the network only through `flinks-transport`, and what it keeps from them.
const ABOVE_TRANSPORT: [&str; 5] = ["auth", "upload", "fraud", "legacy", "webhook"];
const BELOW_TRANSPORT: &str =
    "hyper hyper-rustls hyper-util rustls rustls-platform-verifier tokio-rustls";

/// The whole third-party list of `flinks-types`, which does no I/O. Two are behind features.
const TYPES_MAY_USE: [&str; 5] = ["jiff", "rust_decimal", "serde", "serde_json", "zeroize"];

/// The library whose graph is measured, and its limits.
const LIBRARY: &str = "flinks-upload";
const LIBRARY_CRATES: usize = 75;
const NEVER_IN_LIBRARY: [&str; 5] = ["native-tls", "openssl", "openssl-sys", "reqwest", "url"];

pub(super) fn check(problems: &mut Vec<String>) -> Outcome {
    let mut names = super::crate_names()?;
    names.push("xtask".to_owned());
    for name in &names {
        let direct = tree(name, "normal,build --depth 1 --all-features --target all")?;
        problems.extend(direct_problems(name, &direct));
    }
    let default = tree(LIBRARY, "normal")?;
    problems.extend(library_problems(
        "default features",
        &default,
        &NEVER_IN_LIBRARY,
    ));
    let other = tree(LIBRARY, &format!("normal {}", OTHER_FEATURES.join(" ")))?;
    let never: Vec<&str> = NEVER_IN_LIBRARY.into_iter().chain(["ring"]).collect();
    problems.extend(library_problems("aws-lc-rs,webpki-roots", &other, &never));
    Ok(())
}

/// `name version` of every crate that `cargo tree` shows, each once, the root among them.
///
/// `options` are separated by spaces; the first is the kinds of edges to follow.
fn tree(package: &str, options: &str) -> Result<BTreeSet<String>, Failure> {
    let mut tree = command::cargo()?;
    tree.args(["tree", "--prefix", "none", "--package", package, "--edges"]);
    let shown = command::output(tree.args(options.split(' ')))?;
    Ok(shown.lines().filter_map(name_and_version).collect())
}

/// `name version` out of `name version (path) (*)`.
fn name_and_version(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    Some(format!("{} {}", words.next()?, words.next()?))
}

fn direct_problems(name: &str, direct: &BTreeSet<String>) -> Vec<String> {
    let short = |name: &str| name.strip_prefix("flinks-").map(str::to_owned);
    let this = short(name).unwrap_or_else(|| name.to_owned());
    let Some((_, allowed)) = DIRECTION.iter().find(|(listed, _)| *listed == this) else {
        return vec![format!(
            "{name}: unknown crate; say in xtask's dependency table what it may depend on"
        )];
    };
    let lists = |list: &str, word: &str| list.split(' ').any(|listed| listed == word);
    let mut problems = Vec::new();
    for dependency in direct.iter().filter_map(|entry| entry.split(' ').next()) {
        let refused = if let Some(ours) = short(dependency) {
            !lists(allowed, &ours)
        } else {
            name == "xtask"
                || (this == "types" && !TYPES_MAY_USE.contains(&dependency))
                || (ABOVE_TRANSPORT.contains(&this.as_str()) && lists(BELOW_TRANSPORT, dependency))
        };
        if refused && dependency != name {
            problems.push(format!("{name} must not depend on {dependency}"));
        }
    }
    problems
}

fn library_problems(features: &str, tree: &BTreeSet<String>, never: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    if tree.len() > LIBRARY_CRATES {
        problems.push(format!(
            "{LIBRARY} ({features}) builds {} crates; the limit is {LIBRARY_CRATES}",
            tree.len()
        ));
    }
    for name in tree.iter().filter_map(|entry| entry.split(' ').next()) {
        if never.contains(&name) {
            problems.push(format!("{LIBRARY} ({features}) must not reach {name}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| format!("{name} v1.0.0")).collect()
    }

    #[test]
    fn reads_lines_of_cargo_tree() {
        assert_eq!(
            name_and_version("serde v1.0.229 (proc-macro) (*)").as_deref(),
            Some("serde v1.0.229")
        );
        assert_eq!(name_and_version(""), None);
    }

    #[test]
    fn direction() {
        assert!(
            direct_problems(
                "flinks-upload",
                &set(&["flinks-upload", "flinks-auth", "bytes"])
            )
            .is_empty()
        );
        for (name, dependency) in [
            ("flinks-upload", "flinks-fraud"),
            ("flinks-upload", "hyper"),
            ("flinks-types", "tokio"),
            ("flinks-sandbox", "flinks-types"),
            ("xtask", "anyhow"),
            ("flinks-new", "bytes"),
        ] {
            assert_eq!(
                direct_problems(name, &set(&[name, dependency])).len(),
                1,
                "{name} -> {dependency}"
            );
        }
    }

    #[test]
    fn size_and_content_of_the_library() {
        assert!(library_problems("x", &set(&["bytes"]), &["url"]).is_empty());
        assert_eq!(
            library_problems("x", &set(&["bytes", "url"]), &["url"]).len(),
            1
        );
        let many: BTreeSet<String> = (0..=LIBRARY_CRATES)
            .map(|n| format!("crate{n} v1.0.0"))
            .collect();
        assert_eq!(library_problems("x", &many, &[]).len(), 1);
    }
}
