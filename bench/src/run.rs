//! `bench run`: sets up the server, the link and the documents, checks every byte once, measures, writes the report.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::measure::{Cost, cost};
use crate::peers::{self, Peer};
use crate::scenarios::{self, SCENARIOS, Scenario, scenario};
use crate::{Result, certificates, instructions, memory, report};

/// Everything that a run leaves behind, within the build folder.
const FOLDER: &str = "target/bench/run";
/// A document's size and the folder of ten of it.
pub const SIZES: [(usize, &str); 3] = [
    (1 << 10, "1-KiB"),
    (1_000_000, "1-MB"),
    (18_000_000, "18-MB"),
];

pub fn run(arguments: &[String]) -> Result {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let filter = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"));
    let limit = arguments
        .iter()
        .find_map(|one| one.strip_prefix("--rounds="));
    let limit = match limit {
        Some(number) => number.parse()?,
        None if quick => 1,
        None => usize::MAX,
    };
    let rounds = |usual: usize| usual.min(limit);
    let matches = |text: &str| filter.is_none_or(|filter| text.contains(filter.as_str()));
    drop(fs::remove_dir_all(FOLDER));
    fs::create_dir_all(format!("{FOLDER}/state"))?;

    let mut peers = peers::find()?;
    let mut scenarios: Vec<_> = SCENARIOS
        .iter()
        .filter(|one| !quick || one.is_quick())
        .collect();
    if scenarios.iter().any(|scenario| matches(scenario.title)) {
        scenarios.retain(|scenario| matches(scenario.title));
    } else {
        let ours = peers[0].name;
        peers.retain(|peer| peer.name == ours || matches(peer.name));
    }
    let mut tables = Vec::new();
    let mut memory = memory::Rows::new();
    // A filter that fits no scenario and no other client is for the instructions.
    if filter.is_none() || peers.len() > 1 {
        certificates::create(Path::new(FOLDER))?;
        make_documents()?;
        for (_, files) in SIZES.iter().take(if quick { 2 } else { 3 }) {
            check(&peers, files)?;
        }
        let hosts = Hosts::start(None)?;
        for scenario in scenarios {
            let table = scenarios::measure(scenario, rounds(scenario.rounds), &peers, &hosts)?;
            println!("{}", report::table(&table, &peers));
            tables.push(table);
        }
        if filter.is_none() && !quick {
            memory = memory::measure(&peers[0], &hosts, rounds(5))?;
        }
    }
    if quick {
        return Ok(());
    }
    if filter.is_none() {
        // Counting takes long, and may be interrupted.
        report::write(&peers, &tables, &memory, &Vec::new())?;
    }
    let micro = instructions::count(matches)?;
    if filter.is_none() {
        report::write(&peers, &tables, &memory, &micro)?;
    }
    Ok(())
}

/// Ten documents of each size, of bytes that do not repeat.
fn make_documents() -> Result {
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    for (size, name) in SIZES {
        let folder = format!("{FOLDER}/{name}");
        fs::create_dir(&folder)?;
        for number in 0..10 {
            let mut bytes = b"%PDF-1.7\n".to_vec();
            while bytes.len() < size {
                bytes.extend(next());
            }
            bytes.truncate(size);
            fs::write(format!("{folder}/{number}.pdf"), bytes)?;
        }
    }
    Ok(())
}

/// Lets every client send ten documents of a size, and compares what arrives with the files.
fn check(peers: &[Peer], files: &'static str) -> Result {
    let hosts = Hosts::start(Some(files))?;
    for peer in peers.iter().filter(|peer| peer.sends_files()) {
        hosts.session(peer, &scenario("check", files, 10, false, 1), 1)?;
        let [_, tokens, uploaded, completed, different] = hosts.counts()?;
        if (uploaded, completed, different) != (10, 1, 0) || tokens == 0 {
            return Err(format!(
                "{}: of {uploaded} files {different} differ, {completed} sessions",
                peer.name
            )
            .into());
        }
    }
    println!("checked: every client sent ten files of {files}, equal in every byte");
    Ok(())
}

/// The server and the link to it.
pub struct Hosts {
    sink: Server,
    relay: Server,
}

impl Hosts {
    fn start(compare_with: Option<&str>) -> Result<Self> {
        let files = compare_with.map(|files| format!("{FOLDER}/{files}"));
        let sink = Server::start("sink", &[Some(FOLDER), files.as_deref()])?;
        let relay = Server::start("relay", &[Some(&sink.address)])?;
        Ok(Self { sink, relay })
    }

    /// One session of a client.
    pub fn session(&self, peer: &Peer, scenario: &Scenario, concurrency: usize) -> Result<Cost> {
        let server = if scenario.link {
            &self.relay
        } else {
            &self.sink
        };
        // The program takes only an absolute folder for its ledgers.
        let here = std::env::current_dir()?;
        let path = |name: &str| format!("{}/{FOLDER}/{name}", here.display());
        let variables = [
            ("PATH", std::env::var("PATH")?),
            ("FLINKS_UPLOAD_URL", format!("https://{}", server.address)),
            ("FLINKS_CERT", path("client.pem")),
            ("FLINKS_KEY", path("client.key")),
            ("FLINKS_CA", path("ca.pem")),
            ("FLINKS_CLIENT_ID", "client".to_owned()),
            ("FLINKS_CLIENT_SECRET", "secret".to_owned()),
            ("XDG_STATE_HOME", path("state")),
            ("BENCH_CONCURRENCY", concurrency.to_string()),
        ];
        let mut command = peer.command.clone();
        command.extend(
            (0..scenario.count).map(|number| format!("{FOLDER}/{}/{number}.pdf", scenario.files)),
        );
        cost(&command, &variables)
    }

    /// Connections, tokens, files, completed sessions and differing documents since the last call.
    pub fn counts(&self) -> Result<[u64; 5]> {
        let (mut stdin, mut line) = (self.sink.stdin.try_borrow_mut()?, String::new());
        stdin.write_all(b"\n")?;
        self.sink.stdout.try_borrow_mut()?.read_line(&mut line)?;
        let counts: std::result::Result<Vec<_>, _> =
            line.split_whitespace().map(str::parse).collect();
        counts?
            .try_into()
            .map_err(|_| "five counts are expected".into())
    }
}

/// A subcommand of this program that serves, until it is dropped.
struct Server {
    child: Child,
    stdin: std::cell::RefCell<ChildStdin>,
    stdout: std::cell::RefCell<BufReader<ChildStdout>>,
    address: String,
}

impl Server {
    fn start(command: &str, arguments: &[Option<&str>]) -> Result<Self> {
        let mut server = Command::new(std::env::current_exe()?);
        server.arg(command).args(arguments.iter().flatten());
        let mut child = server
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().ok_or("no input")?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut address = String::new();
        stdout.read_line(&mut address)?;
        let address = address.trim().to_owned();
        Ok(Self {
            child,
            stdin: stdin.into(),
            stdout: stdout.into(),
            address,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
