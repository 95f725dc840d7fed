//! The clients that are compared, where their runtimes are there: `peers/list.txt`.

use std::process::{Command, Stdio};

use crate::Result;

const LIST: &str = include_str!("../peers/list.txt");
const PREPARE: &str = "bench/peers/prepare.sh";

pub struct Peer {
    pub name: &'static str,
    /// How it does its work, for the reader of the tables.
    pub way: &'static str,
    /// What it is made of, with versions.
    pub version: String,
    /// The command line without the files.
    pub command: Vec<String>,
}

impl Peer {
    /// Whether it sends the documents themselves.
    pub fn sends_files(&self) -> bool {
        self.name != "tls-push"
    }
}

/// Finds the clients that can run here. The first is the one that all others are compared with.
pub fn find() -> Result<Vec<Peer>> {
    // What could not be made is missed below.
    drop(Command::new("sh").args([PREPARE, "make"]).status());
    let mut peers = Vec::new();
    for line in LIST.lines().skip(1) {
        let parts: Vec<&'static str> = line.split(" | ").collect();
        let [name, way, version, command] = parts[..] else {
            return Err(format!("peers/list.txt: {line}").into());
        };
        let run = |line: &str| said(&["sh", "-c", &format!(". {PREPARE}; {line}")]);
        if let (Some(version), Some(command)) = (run(version), run(&format!("echo {command}"))) {
            let command = command.split(' ').map(str::to_owned).collect();
            peers.push(Peer {
                name,
                way,
                version,
                command,
            });
        } else {
            println!("skipped: {name}: its runtime or its packages are missing");
        }
    }
    Ok(peers)
}

/// The first line that a program prints, if it runs.
pub fn said(command: &[&str]) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let output = Command::new(program)
        .args(arguments)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines()
        .next()
        .filter(|_| output.status.success())
        .map(str::to_owned)
}
