//! SIGKILL at sixty moments of a six-file upload: every resumed upload ends in one completed session that holds each file once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flinks_sandbox::{Sandbox, SandboxBuilder, SandboxSession};

const FILES: usize = 6;

/// The states in which a kill must have happened, by the ledger's last record.
const STATES: [&str; 6] = [
    "sending",
    "confirmed",
    "unknown",
    "abandoned",
    "completing",
    "completed",
];

/// Kills the program shortly after the ledger's `record`-th line of `state` is written.
#[derive(Clone, Copy, Debug)]
struct Moment {
    state: &'static str,
    nth: usize,
    after: Duration,
}

fn moments() -> Vec<Moment> {
    let millis = Duration::from_millis;
    let of = |state, nths: std::ops::RangeInclusive<usize>, after: &[u64]| {
        let after: Vec<_> = after.iter().copied().map(millis).collect();
        nths.flat_map(move |nth| {
            after
                .clone()
                .into_iter()
                .map(move |after| Moment { state, nth, after })
        })
        .collect::<Vec<_>>()
    };
    // The offsets fall before the service acts, after it, and right at the write.
    [
        of("sending", 1..=6, &[0, 0, 10, 20, 30, 40]),
        of("confirmed", 5..=5, &[0, 0, 0, 0]),
        of("unknown", 1..=1, &[0, 100, 500, 900]),
        of("abandoned", 1..=1, &[0, 0, 0, 0]),
        of("completing", 1..=1, &[0, 5, 10, 30, 40, 45]),
        of("completed", 1..=1, &[0, 0, 0, 0, 0, 0]),
    ]
    .concat()
}

/// A sandbox whose answers take their time, before it acts and after.
fn config(moment: Moment) -> SandboxBuilder {
    let mut faults = vec![
        "upload=delay:25",
        "upload=delay-after:25",
        "complete=delay:25",
        "complete=delay-after:25",
    ];
    if matches!(moment.state, "unknown" | "abandoned") {
        faults.push("upload@3=reset-after");
    }
    Sandbox::builder().faults(faults.iter().map(|fault| fault.parse().unwrap()))
}

struct Round {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
}

impl Round {
    fn start(runtime: &tokio::runtime::Runtime, moment: Moment) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(moment).dir(folder.path());
        let sandbox = runtime.block_on(config.start()).unwrap();
        for n in 0..FILES {
            std::fs::write(
                folder.path().join(format!("{n}.pdf")),
                format!("%PDF-1.7 file {n}"),
            )
            .unwrap();
        }
        Self { folder, sandbox }
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flinks"));
        let path = |name: &str| self.folder.path().join(name);
        command
            .env_clear()
            .env("FLINKS_UPLOAD_URL", self.sandbox.upload_url())
            .env("FLINKS_CA", path("ca.pem"))
            .env("FLINKS_CERT", path("client.pem"))
            .env("FLINKS_KEY", path("client.key"))
            .env("FLINKS_CLIENT_ID", self.sandbox.client_id())
            .env("FLINKS_CLIENT_SECRET", self.sandbox.client_secret())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn upload(&self, moment: Moment) -> Command {
        let mut command = self.command();
        command
            .args(["upload", "--json", "--ledger"])
            .arg(self.ledger());
        if moment.state == "confirmed" {
            // The last of two files: otherwise a confirmation is written with the next step.
            command.args(["--concurrency", "2"]);
        }
        command.args((0..FILES).map(|n| self.folder.path().join(format!("{n}.pdf"))));
        command
    }

    fn resume(&self) -> Output {
        let mut command = self.command();
        command
            .args(["resume", "--json"])
            .arg(self.ledger())
            .output()
            .unwrap()
    }

    fn completed(&self) -> Vec<SandboxSession> {
        self.sandbox
            .sessions()
            .into_iter()
            .filter(|session| session.completed)
            .collect()
    }
}

/// The records' names in a ledger, a torn last line left out.
fn records(ledger: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(ledger).unwrap_or_default();
    let whole = text
        .rfind('\n')
        .and_then(|end| text.get(..=end))
        .unwrap_or_default();
    whole
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["entry"]["record"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// Waits for the moment, kills, and says in which state the ledger was left; `None` if the
/// program was faster.
fn kill_at(child: &mut Child, ledger: &Path, moment: Moment) -> Option<String> {
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        let seen = records(ledger)
            .iter()
            .filter(|record| *record == moment.state)
            .count();
        if seen >= moment.nth {
            break;
        }
        assert!(Instant::now() < limit, "{moment:?} never came");
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::yield_now();
    }
    std::thread::sleep(moment.after);
    child.kill().unwrap();
    child.wait().unwrap();
    records(ledger).pop()
}

/// One life, one death, one resurrection. Returns the state at death and the exit status after.
fn round(runtime: &tokio::runtime::Runtime, moment: Moment) -> Option<(String, i32)> {
    let round = Round::start(runtime, moment);
    let mut child = round.upload(moment).spawn().unwrap();
    let state = kill_at(&mut child, &round.ledger(), moment)?;
    let output = round.resume();
    let exit = output
        .status
        .code()
        .expect("the resumed program ends by itself");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let completed = round.completed();
    assert!(
        completed.len() <= 1,
        "{moment:?}: {} sessions completed",
        completed.len()
    );
    if exit == 5 {
        assert_eq!(
            state, "completing",
            "{moment:?}: only a kill inside complete may end so: {text}"
        );
    } else {
        assert_eq!(exit, 0, "{moment:?} in {state}: {text}");
        assert_eq!(completed.len(), 1, "{moment:?} in {state}");
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            answer["login_id"].as_str(),
            completed[0].login_id.as_deref()
        );
        let sessions = round.sandbox.sessions().len() as u64;
        let left = answer["abandoned"].as_array().unwrap().len() as u64
            + answer["abandoned_unnamed"].as_u64().unwrap();
        assert!(
            left + 1 >= sessions,
            "{moment:?}: {sessions} sessions, {left} reported as left"
        );
    }
    for session in &completed {
        let mut names: Vec<_> = session
            .files
            .iter()
            .map(|file| file.file_name.clone())
            .collect();
        names.sort();
        let expected: Vec<_> = (0..FILES).map(|n| format!("{n}.pdf")).collect();
        assert_eq!(names, expected, "{moment:?} in {state}");
    }
    Some((state, exit))
}

#[test]
fn sixty_kills_leave_each_file_exactly_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let histogram = Mutex::new(BTreeMap::<(String, i32), usize>::new());
    let moments = moments();
    assert_eq!(moments.len(), 60);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(moment) = moments.get(next.fetch_add(1, Ordering::SeqCst)) {
                    // A state may pass faster than it is seen: tried again until it is hit.
                    let hit = (0..20).find_map(|_| {
                        let (state, exit) = round(&runtime, *moment)?;
                        let wanted = moment.after.is_zero().then_some(moment.state);
                        *histogram
                            .lock()
                            .unwrap()
                            .entry((state.clone(), exit))
                            .or_default() += 1;
                        (wanted.is_none_or(|wanted| wanted == state)).then_some(())
                    });
                    assert!(hit.is_some(), "{moment:?} was not hit in 20 lives");
                }
            });
        }
    });
    let histogram = histogram.into_inner().unwrap();
    println!("killed in state   resumed with exit   times");
    for ((state, exit), count) in &histogram {
        println!("{state:<17} {exit:<19} {count}");
    }
    for state in STATES {
        let hits: usize = histogram
            .iter()
            .filter(|((s, _), _)| s == state)
            .map(|(_, n)| n)
            .sum();
        assert!(hits >= 3, "{state} was hit {hits} times");
    }
}
