//! `flinks resume`: what a stopped upload leaves behind, and how it ends.

use std::fs;

use flinks_sandbox::ApiOperation;

use crate::bench::{Bench, Run};

/// The names in the one completed session.
fn completed(bench: &Bench) -> Vec<String> {
    let sessions = bench.sandbox.sessions();
    let completed: Vec<_> = sessions
        .into_iter()
        .filter(|session| session.completed)
        .collect();
    let [session] = &completed[..] else {
        panic!("one completed session, not {completed:?}")
    };
    session
        .files
        .iter()
        .map(|file| file.file_name.clone())
        .collect()
}

#[test]
fn an_unknown_outcome_restarts_the_session_by_default() {
    let bench = Bench::new(&["upload@2=reset-after"]);
    let files = [bench.document("a.pdf"), bench.document("b.pdf")];
    let run = bench
        .run(&["upload", &files[0], &files[1], "--json"])
        .ends_with(0);
    assert_eq!(run.json()["abandoned"].as_array().map(Vec::len), Some(1));
    assert_eq!(completed(&bench), ["a.pdf", "b.pdf"]);
}

#[test]
fn stop_ends_with_5_and_resume_finishes() {
    let bench = Bench::new(&["upload@2=reset-after"]);
    let files = [bench.document("a.pdf"), bench.document("b.pdf")];
    let stopped = bench
        .run(&[
            "upload",
            &files[0],
            &files[1],
            "--on-unknown",
            "stop",
            "--json",
        ])
        .ends_with(5);
    let output = stopped.json();
    assert_eq!(output["error"]["delivery"], "unknown");
    assert_eq!(output["error"]["operation"], "upload.file");
    let message = output["error"]["message"].as_str().expect("a message");
    assert!(message.contains("b.pdf"), "the file is named: {message}");
    let ledger = output["ledger"].as_str().expect("a ledger").to_owned();
    assert_eq!(bench.ledgers(), [std::path::PathBuf::from(&ledger)]);

    let mut elsewhere = bench.command(&["resume", &ledger]);
    Run::of(elsewhere.env("FLINKS_UPLOAD_URL", "https://127.0.0.1:1"))
        .ends_with(2)
        .says(&["the ledger belongs to", "hint: set FLINKS_UPLOAD_URL"]);
    let again = bench
        .run(&["resume", &ledger, "--on-unknown", "stop"])
        .ends_with(5);
    assert!(
        again.stderr.contains(&ledger) && again.stderr.contains("b.pdf"),
        "{again:?}"
    );

    let done = bench
        .run(&["resume", &ledger, "--json"])
        .ends_with(0)
        .json();
    assert_eq!(done["abandoned"].as_array().map(Vec::len), Some(1));
    assert_eq!(done["files"][1]["file_name"], "b.pdf");
    assert_eq!(completed(&bench), ["a.pdf", "b.pdf"]);
    assert!(
        bench.ledgers().is_empty(),
        "it lay in the default place, so it goes"
    );
}

#[test]
fn confirmed_files_are_not_sent_again_after_a_refusal() {
    let bench = Bench::new(&["upload@2=status:403"]);
    let files = [bench.document("a.pdf"), bench.document("b.pdf")];
    let ledger = bench.path("ledger");
    let ledger = ledger.to_str().expect("UTF-8");
    let refused = bench
        .run(&["upload", &files[0], &files[1], "--ledger", ledger])
        .ends_with(1);
    assert!(
        refused.stderr.contains(&format!("flinks resume {ledger}")),
        "{refused:?}"
    );
    bench.run(&["resume", ledger]).ends_with(0);
    assert_eq!(completed(&bench), ["a.pdf", "b.pdf"]);
    assert_eq!(bench.sandbox.requests(ApiOperation::Upload), 3);
    assert!(
        fs::exists(ledger).expect("readable"),
        "with --ledger it stays"
    );
}

#[test]
fn a_completed_ledger_sends_nothing_and_prints_its_login_id() {
    let bench = Bench::new(&[]);
    let ledger = bench.path("ledger");
    let ledger = ledger.to_str().expect("UTF-8");
    let file = bench.document("a.pdf");
    let first = bench
        .run(&["upload", &file, "--ledger", ledger, "--json"])
        .ends_with(0)
        .json();
    assert_eq!(first["ledger"], ledger);
    fs::remove_file(&file).expect("the document is not needed any more");
    let before = bench.sandbox.log().len();
    let again = bench.run(&["resume", ledger, "--json"]).ends_with(0).json();
    assert_eq!(again["login_id"], first["login_id"]);
    assert_eq!(bench.sandbox.log().len(), before);
}

#[test]
fn completing_again_requires_an_option() {
    let bench = Bench::new(&["complete@1=close-after"]);
    let file = bench.document("a.pdf");
    let run = bench.run(&["upload", &file]).ends_with(5);
    let [ledger] = &bench.ledgers()[..] else {
        panic!("one ledger")
    };
    let ledger = ledger.to_str().expect("UTF-8");
    assert!(
        run.stderr.contains(&format!("--complete-again {ledger}")),
        "{run:?}"
    );
    bench.run(&["resume", ledger]).ends_with(5);
    assert_eq!(bench.sandbox.requests(ApiOperation::Complete), 1);
    // The sandbox refuses a second one, which does not settle what became of the first.
    bench
        .run(&["resume", ledger, "--complete-again"])
        .ends_with(5);
    assert_eq!(bench.sandbox.requests(ApiOperation::Complete), 2);
}

#[test]
fn a_changed_file_starts_the_session_over() {
    let bench = Bench::new(&["upload@2=status:403"]);
    let files = [bench.document("a.pdf"), bench.document("b.pdf")];
    bench.run(&["upload", &files[0], &files[1]]).ends_with(1);
    fs::write(&files[0], "%PDF-1.7 another statement").expect("written");
    let ledger = bench.ledgers().remove(0);
    let done = bench
        .run(&["resume", ledger.to_str().expect("UTF-8"), "--json"])
        .ends_with(0)
        .json();
    assert_eq!(done["files"][0]["bytes"], 26);
    assert_eq!(done["abandoned"].as_array().map(Vec::len), Some(1));
    assert_eq!(completed(&bench), ["a.pdf", "b.pdf"]);
}

#[test]
fn a_ledger_of_another_client_or_a_damaged_one_is_refused() {
    let mut bench = Bench::new(&["complete@1=status:403"]);
    let file = bench.document("a.pdf");
    bench.run(&["upload", &file]).ends_with(1);
    let ledger = bench.ledgers().remove(0);
    let path = ledger.to_str().expect("UTF-8").to_owned();
    let before = bench.sandbox.log().len();

    let id = bench.sandbox.client_id().to_owned();
    bench.set("FLINKS_CLIENT_ID", "another");
    let run = bench.run(&["resume", &path, "--json"]).ends_with(2);
    assert_eq!(run.json()["error"]["kind"], "ledger");
    bench.set("FLINKS_CLIENT_ID", &id);

    let text = fs::read_to_string(&ledger).expect("readable");
    fs::write(&ledger, text.replacen("a.pdf", "b.pdf", 1)).expect("written");
    bench.run(&["resume", &path]).ends_with(2);
    bench.run(&["resume", "/nowhere/ledger"]).ends_with(2);
    assert_eq!(bench.sandbox.log().len(), before, "nothing was sent");
}

#[cfg(unix)]
#[test]
fn an_interrupted_upload_ends_with_130_and_can_be_resumed() {
    use std::process::{Command, Stdio};
    let bench = Bench::new(&["upload@2=stall"]);
    let files = [bench.document("a.pdf"), bench.document("b.pdf")];
    let child = bench
        .command(&["upload", &files[0], &files[1], "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // The sandbox logs a stalled request when it begins to stall it.
    let stalled = bench
        .requests
        .iter()
        .find(|line| line.fault.as_deref() == Some("stall"));
    stalled.expect("the second file is under way");
    let id = child.id().to_string();
    let sent = Command::new("sh")
        // A shell has its own kill; not every machine has another.
        .args(["-c", &format!("kill -INT {id}")])
        .status()
        .expect("kill runs");
    assert!(sent.success());
    let run = Run::from(child.wait_with_output().expect("it ends")).ends_with(130);
    let output = run.json();
    assert_eq!(output["error"]["kind"], "interrupted");
    let ledger = output["ledger"].as_str().expect("a ledger");
    bench.run(&["resume", ledger]).ends_with(0);
    assert_eq!(completed(&bench), ["a.pdf", "b.pdf"]);
}

#[test]
fn a_run_in_which_nothing_was_sent_leaves_no_ledger() {
    for fault in ["token=status:401", "token=reset-before"] {
        let bench = Bench::new(&[fault]);
        let (file, path) = (bench.document("a.pdf"), bench.path("ledger"));
        let given = ["--ledger", path.to_str().expect("UTF-8")];
        for more in [&given[..], &[]] {
            let line = [&["upload", &file, "--tag", "t"], more].concat();
            let run = bench.run(&line);
            assert_ne!(run.status, Some(0), "{fault}");
            assert!(!run.stderr.contains("flinks resume"), "{run:?}");
            assert!(!path.exists() && bench.ledgers().is_empty(), "{run:?}");
        }
    }
}

#[test]
fn stopped_uploads_are_listed_until_they_are_resumed_or_forgotten() {
    let bench = Bench::new(&["upload@2=status:403", "upload@5=status:403"]);
    let none = bench.run(&["ledgers"]).ends_with(0);
    assert_eq!(none.stdout, "There are no unfinished uploads.\n");
    let files = [bench.document("a.pdf"), bench.document("b.pdf")];
    let upload = ["upload", &files[0], &files[1]];
    bench.run(&upload).ends_with(1);
    let path = bench.ledgers().remove(0);
    let path = path.to_str().expect("UTF-8");
    let listed = bench.run(&["resume"]).ends_with(0);
    assert_eq!(listed.stdout, bench.run(&["ledgers"]).stdout);
    let next = format!("next: flinks resume {path}");
    for part in [
        "1 of 2 files confirmed",
        "a.pdf, b.pdf",
        bench.sandbox.upload_url(),
        &next,
    ] {
        assert!(listed.stdout.contains(part), "{part}: {}", listed.stdout);
    }
    let json = bench.run(&["ledgers", "--json"]).ends_with(0).json();
    assert_eq!(json["ledgers"][0]["path"], path);
    assert_eq!(json["ledgers"][0]["state"], "unfinished");
    bench.run(&["ledgers", "--clear-completed"]).ends_with(0);
    bench.run(&["resume", path]).ends_with(0);
    assert!(bench.ledgers().is_empty());

    bench.run(&upload).ends_with(1);
    let path = bench.ledgers().remove(0);
    let path = path.to_str().expect("UTF-8");
    let refused = bench.run(&["ledgers", "--forget", &files[0]]).ends_with(2);
    refused.says(&["nothing was removed"]);
    bench.run(&["ledgers", "--forget", path]).ends_with(0);
    assert!(bench.ledgers().is_empty());
    fs::write(path, "damaged\n").expect("written");
    bench.run(&["ledgers"]).ends_with(0);
    bench.run(&["ledgers", "--forget", path]).ends_with(0);
    assert!(bench.ledgers().is_empty() && fs::exists(&files[0]).expect("readable"));
}

#[test]
fn an_existing_ledger_is_an_error_with_the_next_step() {
    let bench = Bench::new(&["upload=status:403"]);
    let (file, path) = (bench.document("a.pdf"), bench.path("ledger"));
    let line = ["upload", &file, "--ledger", path.to_str().expect("UTF-8")];
    bench.run(&line).ends_with(1);
    bench
        .run(&line)
        .ends_with(2)
        .says(&["exists", "flinks resume", "--ledger"]);
}

#[test]
fn every_refused_document_is_named() {
    let bench = Bench::new(&["upload@1=reset-after"]);
    let files = ["a.pdf", "b.pdf", "c.pdf"].map(|name| bench.document(name));
    let [first, gone, page] = &files;
    let arguments = [
        "upload",
        first,
        gone,
        page,
        "--on-unknown",
        "stop",
        "--json",
    ];
    let output = bench.run(&arguments).ends_with(5).json();
    let ledger = output["ledger"].as_str().expect("a ledger");
    fs::remove_file(gone).expect("removed");
    fs::write(page, "<html>").expect("written");
    let run = bench.run(&["resume", ledger]).ends_with(3);
    let named = |name: &str| run.stderr.contains(name);
    assert!(named("b.pdf") && named("c.pdf"), "{run:?}");
}
