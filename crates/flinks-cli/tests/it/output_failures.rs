//! Output that cannot be written, answers that cannot be read, and documents that
//! the analysis leaves out.

use std::fs;
use std::process::Stdio;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use flinks_sandbox::{CACHED_LOGIN_ID, CLEAN_LOGIN_ID};
use serde_json::Value;

use crate::bench::{Bench, Run};
use crate::mock::{self, Answer, Asked};

/// Runs a command whose standard output has no reader.
fn run_without_reader(bench: &Bench, arguments: &[&str]) -> Run {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    run_into(bench, arguments, writer.into())
}

fn run_into(bench: &Bench, arguments: &[&str], stdout: Stdio) -> Run {
    let mut command = bench.command(arguments);
    let child = command.stdout(stdout).stderr(Stdio::piped()).spawn();
    Run::from(
        child
            .expect("it starts")
            .wait_with_output()
            .expect("it ends"),
    )
}

/// Each command, with what it must tell on standard error all the same.
#[test]
fn a_failed_standard_output_after_a_call_is_delivered() {
    let bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    let open = ["authorize", "--login-id", CACHED_LOGIN_ID, "--cached"];
    let json = bench
        .run(&[&open[..], &["--json"]].concat())
        .ends_with(0)
        .json();
    let id = json["request_id"].as_str().expect("an id").to_owned();
    let out = |name: &str| bench.path(name).to_str().expect("UTF-8").to_owned();
    let (text, json) = (out("text"), out("json"));
    let rows: [(&[&str], &str); 8] = [
        (&["upload", &file], "LoginId"),
        (&["upload", &file, "--json"], "\"login_id\":\""),
        (
            &["fraud", CLEAN_LOGIN_ID, "--json"],
            "\"verdict\":\"clean\"",
        ),
        (&["fraud", CLEAN_LOGIN_ID], "CLEAN"),
        (&[&open[..], &["--json"]].concat(), "\"request_id\":\""),
        (
            &["accounts", "--poll", "0.02", "--request-id", &id, "--json"],
            "\"output\"",
        ),
        (
            &[
                "statements",
                "--poll",
                "0.02",
                "--request-id",
                &id,
                "--out",
                &json,
                "--json",
            ],
            "\"written\":[\"",
        ),
        (
            &[
                "statements",
                "--poll",
                "0.02",
                "--request-id",
                &id,
                "--out",
                &text,
            ],
            "FlinksCapital-",
        ),
    ];
    for (line, expected) in rows {
        let run = run_without_reader(&bench, line).ends_with(2);
        assert!(run.stderr.contains(expected), "{line:?}: {run:?}");
        assert!(!run.stderr.contains("not_sent"), "{line:?}: {run:?}");
        if line.contains(&"--json") {
            let object: Value = serde_json::from_str(&run.stderr).expect("one object");
            let error = &object["error"];
            assert_eq!(
                (&error["kind"], &error["delivery"]),
                (&"output".into(), &"delivered".into())
            );
        } else {
            assert!(run.stderr.contains("done, but standard output"), "{run:?}");
        }
    }
    run_without_reader(&bench, &["delete-card", CACHED_LOGIN_ID, "--yes", "--json"])
        .ends_with(2)
        .says(&["\"deleted\":true"]);
    // The ledger still has what could not be printed.
    for ledger in bench.ledgers() {
        let ledger = ledger.to_str().expect("UTF-8").to_owned();
        let login = bench
            .run(&["resume", &ledger, "--json"])
            .ends_with(0)
            .json();
        assert!(login["login_id"].is_string(), "{login}");
        assert!(run_without_reader(&bench, &["resume", &ledger, "--json"]).status == Some(2));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_standard_output_is_no_usage_error() {
    let bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    for line in [&["upload", &file][..], &["upload", &file, "--json"]] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("Linux");
        let run = run_into(&bench, line, full.into()).ends_with(2);
        let login = |ending: &str| run.stderr.contains(ending);
        assert!(login("LoginId  ") || login("\"login_id\":\""), "{run:?}");
        assert!(
            !run.stderr.contains("config") && run.stderr.contains("disk is full"),
            "{run:?}"
        );
    }
}

/// A bench whose hosts are a mock's.
fn bench(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Bench {
    let mut bench = Bench::new(&[]);
    let url = mock::serve(answer);
    bench.set("FLINKS_UPLOAD_URL", &url);
    bench.set("FLINKS_API_URL", &url);
    bench
}

const SECRETIVE: &[u8] = b"<html><title>proxy</title>the answer of complete</html>";

#[test]
fn an_unreadable_answer_is_saved_and_named() {
    // Not gzip at all, so that no reader can make something of it.
    let rows: [(&'static str, &'static [u8]); 2] = [
        ("", SECRETIVE),
        ("Content-Encoding: gzip\r\n", b"\x1f\x8bnot gzip, after all"),
    ];
    for (head, body) in rows {
        let bench = bench(move |asked| match asked.path.ends_with("/complete") {
            true => Answer(200, head, body.to_vec()),
            false => mock::guide(asked),
        });
        let (file, support) = (bench.document("a.pdf"), bench.path("support"));
        let support = support.to_str().expect("UTF-8");
        let line = ["upload", &file, "--allow-http", "--support", support];
        for json in [true, false] {
            let line = [&line[..], if json { &["--json"] } else { &[] }].concat();
            let run = bench.run(&line).ends_with(5);
            let printed = [run.stdout.as_str(), &run.stderr].concat();
            let kept = bench.ledgers().into_iter().find(|path| {
                let path = path.to_str().expect("UTF-8");
                path.ends_with(".answer") && printed.contains(path)
            });
            let kept = kept.unwrap_or_else(|| panic!("no file is named: {run:?}"));
            assert_eq!(fs::read(&kept).expect("readable"), body);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = fs::metadata(&kept).expect("there").permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
            if json {
                assert_eq!(run.json()["answer_file"], kept.to_str().expect("UTF-8"));
            }
            let report = fs::read_to_string(support).expect("a report");
            assert!(!printed.contains("the answer of complete") && !report.contains("<html>"));
        }
    }
}

#[test]
fn a_document_without_an_analysis_is_not_clean() {
    let bench = bench(mock::guide);
    let (one, two) = (bench.document("one.pdf"), bench.document("two.pdf"));
    let more = [
        "--allow-http",
        "--json",
        "--wait",
        "--poll",
        "0.02",
        "--deadline",
        "0.5",
    ];
    let whole = [&["upload", &one][..], &more].concat();
    assert_eq!(
        bench.run(&whole).ends_with(0).json()["fraud"]["verdict"],
        "clean"
    );
    let short = [&["upload", &one, &two][..], &more].concat();
    let json = bench.run(&short).ends_with(8).json();
    assert_eq!(json["fraud"]["verdict"], "undetermined", "{json}");
}

#[test]
fn concurrency_is_the_number_of_files_sent_at_once() {
    let under_way = (Mutex::new(0), Condvar::new());
    let bench = bench(move |asked| {
        let later = asked.path.ends_with("/upload") && asked.body.contains("agg-1");
        if later {
            let (count, changed) = &under_way;
            let mut count = count.lock().expect("no panic");
            *count += 1;
            changed.notify_all();
            // Both later files must be here before one is answered; a fault ends in a refusal.
            let wait = changed.wait_timeout_while(count, Duration::from_secs(20), |n| *n < 2);
            if wait.expect("no panic").1.timed_out() {
                return Answer(400, "", b"{}".to_vec());
            }
        }
        mock::guide(asked)
    });
    let files = ["a.pdf", "b.pdf", "c.pdf"].map(|name| bench.document(name));
    let line = [
        "upload",
        &files[0],
        &files[1],
        &files[2],
        "--allow-http",
        "--concurrency",
        "2",
    ];
    bench.run(&line).ends_with(0);
}

/// The runtime of Rust puts /dev/null in the place of a standard output that is closed.
#[cfg(unix)]
#[test]
fn a_closed_standard_output_loses_no_id() {
    let bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    let rows: [(&[&str], &str); 3] = [
        (&["upload", &file], "LoginId"),
        (&["upload", &file, "--json"], "\"login_id\":\""),
        (&["resume", &file, "--json"], "\"error\""),
    ];
    for (arguments, expected) in rows {
        let program = bench.command(arguments);
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" >&-"]);
        command.arg(program.get_program()).args(program.get_args());
        command.env_clear().envs(
            program
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        command.stdin(Stdio::null());
        let run = Run::from(command.output().expect("it ends"));
        assert!(run.stderr.contains(expected), "{run:?}");
    }
}
