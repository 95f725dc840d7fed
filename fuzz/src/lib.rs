//! Fuzz targets: whatever the input is, nothing panics, nothing takes long, no secret is shown, and what is read
//! twice is the same. A target panics when it sees otherwise.

pub mod answers;
pub mod cases;
pub mod identity;
pub mod ledger;
pub mod mutate;
pub mod session;
pub mod settings;

use std::fmt::{Debug, Display};
use std::path::PathBuf;
use std::sync::LazyLock;

/// A function that takes any input, and the inputs to start from.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: fn() -> Vec<Vec<u8>>,
}

pub const TARGETS: [Target; 6] = [
    Target {
        name: "answers",
        run: answers::run,
        seeds: answers::seeds,
    },
    Target {
        name: "identity",
        run: identity::run,
        seeds: identity::seeds,
    },
    Target {
        name: "ledger",
        run: ledger::run,
        seeds: ledger::seeds,
    },
    Target {
        name: "session",
        run: session::run,
        seeds: session::seeds,
    },
    Target {
        name: "settings",
        run: settings::run,
        seeds: settings::seeds,
    },
    Target {
        name: "cases",
        run: cases::run,
        seeds: cases::seeds,
    },
];

/// Stands for every secret of a call or a file; seeds and mutations plant it.
pub const CANARY: &str = "cAnArY4711sEcReT";

/// An error as it is shown in any way, which must not hold the canary.
fn shown(error: &(impl Debug + Display)) -> String {
    let shown = format!("{error} {error:?} {error:#?}");
    assert!(!shown.contains(CANARY), "the canary is shown: {shown}");
    shown
}

/// A folder for the files of this process, in memory where the system has one.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    let folder = parent.join(format!("flinks-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
});

fn file_path(name: &str) -> PathBuf {
    FOLDER.join(name)
}

/// A file with these contents.
fn file(name: &str, contents: &[u8]) -> PathBuf {
    let path = file_path(name);
    std::fs::write(&path, contents).expect("a file");
    path
}

/// Removes what the targets have written.
pub fn clean() {
    drop(std::fs::remove_dir_all(&*FOLDER));
}

/// The JSON files of the fixtures, with their paths below the folder.
fn fixtures() -> Vec<(String, serde_json::Value)> {
    let root = flinks_conformance::fixtures();
    let below = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let families = below(root.clone()).map(|entry| entry.path());
    let cases = families.filter(|family| family.is_dir()).flat_map(below);
    let mut paths: Vec<_> = cases.map(|case| case.path().join("case.json")).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read(&path).ok()?;
        let name = path.strip_prefix(&root).ok()?.to_str()?.to_owned();
        Some((name, serde_json::from_slice(&text).ok()?))
    };
    paths.into_iter().filter_map(read).collect()
}
