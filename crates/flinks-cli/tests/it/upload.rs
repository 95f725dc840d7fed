//! `flinks upload`: what reaches the service, and what is printed.

use flinks_sandbox::ApiOperation;

use crate::bench::{Bench, Run, without_settings};

#[test]
fn two_files_become_one_completed_session() {
    let bench = Bench::new(&[]);
    let files = [
        bench.document("january.pdf"),
        bench.document("Relevé février.PDF"),
    ];
    let run = bench
        .run(&[
            "upload",
            &files[0],
            &files[1],
            "--tag",
            "t-1",
            "--client-name",
            "Zoë",
            "--json",
        ])
        .ends_with(0);
    let done = run.json();
    let [session] = &bench.sandbox.sessions()[..] else {
        panic!("one session")
    };
    assert!(session.completed);
    assert_eq!(done["aggregation_id"], session.aggregation_id.as_str());
    assert_eq!(
        done["login_id"],
        session.login_id.as_deref().expect("completed")
    );
    assert_eq!(session.tag.as_deref(), Some("t-1"));
    assert_eq!(session.client_name.as_deref(), Some("Zoë"));
    let names: Vec<_> = session
        .files
        .iter()
        .map(|file| file.file_name.as_str())
        .collect();
    assert_eq!(names, ["january.pdf", "Relevé février.PDF"]);
    assert_eq!(done["files"][1]["file_name"], "Relevé février.PDF");
    assert_eq!(done["files"][0]["bytes"], session.files[0].bytes);
    assert_eq!(
        (&done["abandoned"], &done["abandoned_unnamed"]),
        (&serde_json::json!([]), &0.into())
    );
    for absent in ["fraud", "ledger", "error"] {
        assert!(done.get(absent).is_none(), "{absent}");
    }
    assert_eq!(bench.sandbox.requests(ApiOperation::Token), 1);
    assert!(
        bench.ledgers().is_empty(),
        "a complete session needs no ledger"
    );
}

#[test]
fn the_text_has_the_ids_and_the_next_step() {
    let bench = Bench::new(&[]);
    let run = bench
        .run(&["upload", &bench.document("january.pdf")])
        .ends_with(0);
    let session = &bench.sandbox.sessions()[0];
    let login_id = session.login_id.as_deref().expect("completed");
    for part in [
        "Uploaded 1 file (20 B)",
        "january.pdf",
        &session.aggregation_id,
        login_id,
        &format!("flinks fraud {login_id} --wait"),
    ] {
        assert!(
            run.stdout.contains(part),
            "{part} is missing from\n{}",
            run.stdout
        );
    }
    assert!(
        !run.stdout.contains('\u{1b}'),
        "no colours without a terminal"
    );
    assert_eq!(run.stderr, "", "no progress without a terminal");
}

#[test]
fn the_checksum_is_printed_when_asked_for() {
    let bench = Bench::new(&[]);
    let file = bench.write("a.pdf", b"%PDF-1.7");
    let run = bench
        .run(&["upload", &file, "--sha256", "--json"])
        .ends_with(0);
    let sum = "86edbaa24831badfa0a8b04bb410141e2ee4182b6d0014493fe262a7a331c20b";
    assert_eq!(run.json()["files"][0]["sha256"], sum);
    let run = bench.run(&["upload", &file, "--sha256"]).ends_with(0);
    assert!(
        run.stdout.contains(&format!("sha256 {sum}")),
        "{}",
        run.stdout
    );
}

#[test]
fn the_verdict_follows_the_contents_and_not_the_name() {
    let documents = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/documents/");
    let read = |name: &str| std::fs::read(format!("{documents}{name}")).expect("a fixture");
    let rows = [
        ("statement-january.pdf", "fake.pdf", 0, "clean"),
        ("statement-january-edited.pdf", "genuine.pdf", 7, "flagged"),
    ];
    for (fixture, name, status, verdict) in rows {
        let bench = Bench::new(&[]);
        let file = bench.write(name, &read(fixture));
        let run = bench
            .run(&[
                "upload",
                &file,
                "--wait",
                "--poll",
                "0.05",
                "--fail-on-flagged",
                "--json",
            ])
            .ends_with(status);
        let done = run.json();
        assert_eq!(done["fraud"]["verdict"], verdict, "{fixture}");
        assert_eq!(done["fraud"]["login_id"], done["login_id"]);
    }
}

#[test]
fn files_are_sent_in_parallel_when_asked() {
    let bench = Bench::new(&[]);
    let files: Vec<_> = (0..5)
        .map(|n| bench.document(&format!("{n}.pdf")))
        .collect();
    let mut arguments = vec!["upload", "--concurrency", "4", "--json"];
    arguments.extend(files.iter().map(String::as_str));
    let done = bench.run(&arguments).ends_with(0).json();
    assert_eq!(bench.sandbox.sessions()[0].files.len(), 5);
    let names: Vec<_> = (0..5)
        .map(|n| done["files"][n]["file_name"].clone())
        .collect();
    assert_eq!(names, ["0.pdf", "1.pdf", "2.pdf", "3.pdf", "4.pdf"]);
}

#[test]
fn the_login_id_is_printed_if_its_analysis_cannot_be_read() {
    let bench = Bench::new(&["fraud=status:403"]);
    let file = bench.document("a.pdf");
    let run = bench
        .run(&["upload", &file, "--wait", "--json"])
        .ends_with(1);
    let output = run.json();
    let login_id = bench.sandbox.sessions()[0]
        .login_id
        .clone()
        .expect("completed");
    assert_eq!(output["login_id"], login_id.as_str());
    assert_eq!(output["error"]["operation"], "fraud.analysis");
    let run = bench.run(&["upload", &file, "--wait"]).ends_with(1);
    assert!(run.stdout.contains("LoginId"), "{run:?}");
    assert!(bench.ledgers().is_empty());
}

#[test]
fn settings_can_come_from_a_file() {
    let mut bench = Bench::new(&[]);
    let toml = format!(
        "client_id = '{}'\nclient_secret_file = 'secret'\ncert = 'client.pem'\nkey = 'client.key'\n",
        bench.sandbox.client_id()
    );
    bench.write(
        "secret",
        format!("{}\n", bench.sandbox.client_secret()).as_bytes(),
    );
    let config = bench.write("flinks.toml", toml.as_bytes());
    for name in [
        "FLINKS_CLIENT_ID",
        "FLINKS_CLIENT_SECRET",
        "FLINKS_CERT",
        "FLINKS_KEY",
    ] {
        bench.set(name, "");
    }
    let file = bench.document("a.pdf");
    bench
        .run(&["upload", &file, "--config", &config])
        .ends_with(0);
    bench.set("FLINKS_CONFIG", &config);
    bench.run(&["upload", &file]).ends_with(0);
}

#[test]
fn the_guides_other_paths_are_a_setting() {
    let bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    bench
        .run(&["upload", &file, "--upload-paths", "root"])
        .ends_with(0);
    let paths: Vec<_> = bench
        .sandbox
        .log()
        .into_iter()
        .map(|line| line.path)
        .collect();
    assert_eq!(paths, ["/api/v1/token", "/upload", "/upload/complete"]);
}

#[test]
fn the_embedded_sandbox_needs_no_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.pdf");
    std::fs::write(&file, "%PDF-1.7").expect("written");
    let file = file.to_str().expect("UTF-8");
    let run = Run::of(&mut without_settings(&["upload", file, "--sandbox"])).ends_with(0);
    assert!(
        run.stdout.contains("Embedded sandbox") && run.stdout.contains("mutual TLS"),
        "{run:?}"
    );
    let run = Run::of(&mut without_settings(&[
        "upload",
        file,
        "--sandbox",
        "--json",
    ]))
    .ends_with(0);
    assert!(run.json()["login_id"].is_string());
    Run::of(&mut without_settings(&[
        "upload",
        file,
        "--sandbox",
        "--client-id",
        "x",
    ]))
    .ends_with(2)
    .says(&["--sandbox"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_login_id_that_cannot_be_printed_is_not_lost() {
    let bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    for arguments in [&["upload", &file][..], &["upload", &file, "--json"]] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("opened");
        let run = Run::of(bench.command(arguments).stdout(full)).ends_with(2);
        let sessions = bench.sandbox.sessions();
        let login_id = sessions.iter().find_map(|session| {
            session
                .login_id
                .as_deref()
                .filter(|id| run.stderr.contains(id))
        });
        let login_id = login_id.unwrap_or_else(|| panic!("no LoginId: {run:?}"));
        let ledger = bench.ledgers().remove(0);
        let ledger = ledger.to_str().expect("UTF-8");
        assert!(run.stderr.contains(ledger), "{run:?}");
        let again = bench.run(&["resume", ledger, "--json"]).ends_with(0).json();
        assert_eq!(again["login_id"], login_id);
        assert!(bench.ledgers().is_empty());
    }
}

/// Only the system calls show it: what the page cache holds looks written either way.
#[cfg(target_os = "linux")]
#[test]
fn each_entry_is_on_disk_before_the_next_step() {
    // Session with sending, confirmed with the next step, completed.
    for (files, writes) in [(1, 3), (10, 12)] {
        ledger_syncs(files, writes);
    }
}

/// Traces an upload: the ledger is written and synced so often, and nothing is sent in between.
fn ledger_syncs(files: usize, expected: usize) {
    let bench = Bench::new(&[]);
    let files: Vec<_> = (0..files)
        .map(|n| bench.document(&format!("{n}.pdf")))
        .collect();
    let (ledger, trace) = (bench.path("made/ledger"), bench.path("trace"));
    let mut arguments = vec!["upload", "--ledger", ledger.to_str().expect("UTF-8")];
    arguments.extend(files.iter().map(String::as_str));
    let traced = bench.command(&arguments);
    let mut strace = std::process::Command::new("strace");
    let calls = "trace=fsync,fdatasync,write,writev,sendto,sendmsg";
    strace
        .args(["-f", "-y", "-qq", "-e", calls, "-o"])
        .arg(&trace);
    strace.arg(traced.get_program()).args(traced.get_args());
    strace.env_clear();
    for (name, value) in traced.get_envs() {
        strace.env(name, value.unwrap_or_default());
    }
    strace.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    match strace.output() {
        Ok(output) if output.status.success() => {}
        _ => return crate::skipped("strace is not installed, or may not trace here"),
    }
    let trace = std::fs::read_to_string(trace).expect("a trace");
    let sent = |line: &str| -> usize {
        let lengths = line.split("iov_len=").skip(1);
        let digits = |text: &str| {
            text.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
        };
        lengths
            .map(|text| digits(text).parse::<usize>().unwrap_or(0))
            .sum()
    };
    let (mut unsynced, mut writes, mut syncs, mut folders, mut requests) = (0, 0, 0, 0, 0);
    for line in trace.lines().filter(|line| !line.contains("resumed>")) {
        let (synced, written) = (line.contains("sync("), line.contains("write"));
        if synced && line.contains("made/ledger>") {
            (unsynced, syncs) = (0, syncs + 1);
        } else if synced && line.contains("made>") {
            folders += 1;
        } else if written && line.contains("made/ledger>") {
            assert_eq!(unsynced, 0, "{line}");
            (unsynced, writes) = (unsynced + 1, writes + 1);
        } else if line.contains("socket:") && sent(line) > 64 {
            // Less than that is no request: another connection says that it closes.
            requests += 1;
            assert_eq!(unsynced, 0, "sent before a record was on the disk: {line}");
        }
    }
    assert_eq!((unsynced, writes, syncs), (0, expected, expected));
    assert!(folders > 0, "the ledger's name is not on the disk");
    assert!(requests > 2, "the trace shows no request: {trace}");
}
