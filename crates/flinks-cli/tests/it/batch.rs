//! `flinks batch`: one session a borrower, the report, resuming after failures, signals and kills.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use flinks_sandbox::{ApiOperation, Sandbox};
use serde_json::{Value, json};

use crate::bench::{Bench, Run, has};

const FLAGGED: &str = "%PDF-1.7\n%flinks-sandbox signal=DATE_EDITS page=1\nstartxref\n9\n%%EOF";
const CLEAN: &str = "%PDF-1.7\nstartxref\n9\n%%EOF";

/// Writes a manifest of borrowers `b1`, `b2`, … with two documents and a tag each.
fn manifest(bench: &Bench, borrowers: usize) -> String {
    let mut text = "id,files,tag\r\n".to_owned();
    for n in 1..=borrowers {
        fs::create_dir(bench.path(&format!("b{n}"))).expect("made");
        for name in ["february", "january"] {
            bench.write(&format!("b{n}/{name}.pdf"), CLEAN.as_bytes());
        }
        text.push_str(&format!("b{n},b{n}/*.pdf,b{n}\r\n"));
    }
    bench.write("borrowers.csv", text.as_bytes())
}

fn report(bench: &Bench) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(bench.path("borrowers.csv.report.csv")).expect("there");
    let rows = reader.records().map(|row| row.expect("a whole row"));
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

/// The completed sessions of each tag, and their files.
fn completed(sandbox: &Sandbox) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut completed = BTreeMap::<_, Vec<_>>::new();
    for session in sandbox.sessions() {
        if session.completed {
            let names = session.files.iter().map(|file| file.file_name.clone());
            let tag = session.tag.clone().expect("a tag");
            completed.entry(tag).or_default().push(names.collect());
        }
    }
    completed
}

fn statuses(run: &Run) -> Vec<String> {
    let run = run.json();
    let rows = run["borrowers"].as_array().expect("rows");
    let status = |row: &Value| row["status"].as_str().expect("a status").to_owned();
    rows.iter().map(status).collect()
}

#[test]
fn each_borrower_becomes_one_session_and_one_row() {
    let bench = Bench::new(&[]);
    let manifest = manifest(&bench, 5);
    bench.write("b2/january.pdf", FLAGGED.as_bytes());
    let page = bench.argument("page.html");
    let command = ["batch", &manifest, "--wait", "--fail-on-flagged", "--json"];
    let run = bench.run(&command).ends_with(7);
    let object = run.json();
    let counts = json!({ "completed": 5, "failed": 0, "unknown": 0, "pending": 0 });
    assert_eq!(object["counts"], counts);
    let verdicts = json!({ "clean": 4, "flagged": 1, "undetermined": 0 });
    assert_eq!(object["verdicts"], verdicts);

    let files = vec![vec!["february.pdf".to_owned(), "january.pdf".to_owned()]];
    let sessions = completed(&bench.sandbox);
    assert_eq!(sessions.len(), 5);
    assert!(sessions.values().all(|sessions| *sessions == files));
    assert_eq!(bench.sandbox.requests(ApiOperation::Token), 1);
    let rows = report(&bench);
    for (row, session) in rows
        .iter()
        .zip(object["borrowers"].as_array().expect("rows"))
    {
        let tag = Some(row[0].as_str());
        let sessions = bench.sandbox.sessions();
        let at_service = sessions
            .iter()
            .find(|session| session.tag.as_deref() == tag);
        let at_service = at_service.expect("one of this tag");
        assert_eq!(row[1], "completed");
        assert_eq!(row[2], at_service.aggregation_id);
        assert_eq!(Some(&row[3]), at_service.login_id.as_ref());
        assert_eq!(session["login_id"], row[3].as_str());
        let verdict = if row[0] == "b2" { "flagged" } else { "clean" };
        assert_eq!(row[4], verdict);
    }

    // What is known is neither sent nor read again, also when the documents are gone.
    let requests = bench.sandbox.log().len();
    fs::remove_dir_all(bench.path("b1")).expect("archived");
    let again = bench.run(&command).ends_with(7);
    assert_eq!(again.json(), object);
    assert_eq!(bench.sandbox.log().len(), requests);
    assert_eq!(report(&bench), rows);
    // A page needs the whole analysis.
    let command = ["batch", &manifest, "--wait", "--html", &page];
    bench.run(&command).ends_with(0);
    let page = fs::read_to_string(page).expect("written");
    assert!((1..=5).all(|n| page.contains(&format!("b{n}"))));
    assert_eq!(completed(&bench.sandbox), sessions);
}

#[test]
fn nothing_is_sent_until_the_whole_manifest_is_right() {
    let bench = Bench::new(&[]);
    bench.document("good.pdf");
    bench.write("text.pdf", b"text");
    let lines = "id,files\n1,good.pdf\n2,text.pdf;gone.pdf\n3,*.png\n";
    let manifest = bench.write("borrowers.csv", lines.as_bytes());
    let command = ["batch", &manifest];
    bench.run(&command).ends_with(3).says(&[
        "line 3 (2): ",
        "text.pdf",
        "gone.pdf",
        "line 4 (3): \"*.png\" matches no file",
        "3 mistakes in the manifest; nothing was sent",
    ]);
    let run = bench.run(&["batch", &manifest, "--json"]).ends_with(3);
    assert_eq!(run.json()["mistakes"][0]["id"], "2");
    bench.write("borrowers.csv", b"id,files,name\n1,good.pdf,x\n");
    bench.run(&command).ends_with(2).says(&["unknown column"]);
    // The report must not replace another file, nor one whose state is lost.
    bench.write("borrowers.csv", b"id,files\n1,good.pdf\n");
    let onto_itself = ["batch", &manifest, "--report", &manifest];
    bench
        .run(&onto_itself)
        .ends_with(2)
        .says(&["another --report"]);
    let header = b"id,status,aggregation_id,login_id,verdict,error\n";
    let report = bench.write("borrowers.csv.report.csv", header);
    bench.run(&command).ends_with(2).says(&["is gone"]);
    assert!(bench.sandbox.log().is_empty());
    fs::remove_file(report).expect("there");
    assert!(!Path::new(&bench.path("borrowers.csv.report.csv.state")).exists());
    bench.run(&command).ends_with(0);
}

#[test]
fn a_refused_borrower_is_tried_again_and_an_unknown_one_is_not() {
    let faults = ["upload@3=status:400", "complete@2=reset-before"];
    let bench = Bench::new(&faults);
    let manifest = manifest(&bench, 4);
    let command = ["batch", &manifest, "--parallel", "1", "--json"];
    let run = bench.run(&command).ends_with(5);
    assert_eq!(
        statuses(&run),
        ["completed", "failed", "unknown", "completed"]
    );
    let unknown = &run.json()["borrowers"][2];
    let ledger = unknown["ledger"].as_str().expect("a ledger").to_owned();
    assert!(unknown["aggregation_id"].is_string(), "{unknown}");
    has(&run.json()["borrowers"][1]["error"]["kind"], "api");

    let run = bench.run(&command).ends_with(5);
    let expected = ["completed", "completed", "unknown", "completed"];
    assert_eq!(statuses(&run), expected);
    assert_eq!(bench.sandbox.requests(ApiOperation::Complete), 4);
    // A person decides, and the batch takes that over.
    bench
        .run(&["resume", "--complete-again", &ledger])
        .ends_with(0);
    let run = bench.run(&command).ends_with(0);
    assert_eq!(statuses(&run), ["completed"; 4]);
    assert!(
        completed(&bench.sandbox)
            .values()
            .all(|sessions| sessions.len() == 1)
    );
}

#[test]
fn a_refused_client_ends_the_batch_at_once() {
    let bench = Bench::new(&["token=status:401"]);
    let manifest = manifest(&bench, 12);
    let command = ["batch", &manifest, "--json"];
    let run = bench.run(&command).ends_with(1);
    assert!(run.json()["error"]["step"] == "token", "{run:?}");
    let pending = statuses(&run)
        .iter()
        .filter(|status| *status == "pending")
        .count();
    assert!(pending >= 8, "{run:?}");
    assert!(bench.sandbox.requests(ApiOperation::Token) <= 8);
    assert_eq!(report(&bench).len(), 12);
    bench.sandbox.clear_faults();
    bench.run(&command).ends_with(0);
}

#[test]
fn a_changed_line_never_mixes_files() {
    let bench = Bench::new(&["upload@4=status:400"]);
    let manifest = manifest(&bench, 2);
    let command = ["batch", &manifest, "--parallel", "1"];
    bench.run(&command).ends_with(1);
    // The second borrower's session has one file, which is now another one.
    let text = fs::read_to_string(&manifest).expect("there");
    bench.write("march.pdf", CLEAN.as_bytes());
    let changed = text.replace("b2/*.pdf", "b2/january.pdf;march.pdf");
    bench.write("borrowers.csv", changed.as_bytes());
    bench
        .run(&command)
        .ends_with(0)
        .says(&["line 3 (b2): it has changed"]);
    let sessions = completed(&bench.sandbox);
    assert_eq!(sessions["b2"], [["january.pdf", "march.pdf"]]);
    // A completed borrower is never sent again, with whatever files.
    for changed in [
        changed.replace("b1/*.pdf", "b1/*.pdf;march.pdf"),
        changed.replace("pdf,b1", "pdf,other-tag"),
    ] {
        bench.write("borrowers.csv", changed.as_bytes());
        let run = bench.run(&command).ends_with(2);
        run.says(&["line 2 (b1): it was completed with other files"]);
    }
    let without = "id,files,tag\nnew,march.pdf,new\n";
    bench.write("borrowers.csv", without.as_bytes());
    bench
        .run(&command)
        .ends_with(0)
        .says(&["2 borrowers of earlier runs"]);
    assert_eq!(report(&bench).len(), 1);
    assert_eq!(completed(&bench.sandbox).len(), 3);
}

#[cfg(unix)]
#[test]
fn one_run_at_a_time_and_a_signal_leaves_a_whole_report() {
    use rustix::process::{Pid, Signal, kill_process};

    let bench = Bench::new(&["upload@3+=stall"]);
    let manifest = manifest(&bench, 3);
    let command = ["batch", &manifest, "--parallel", "1"];
    let mut first = bench.command(&command);
    let first = first
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    // The first borrower is completed, and the second one stalls.
    let mut requests = bench.requests.iter();
    requests
        .find(|line| line.operation == ApiOperation::Complete)
        .expect("completed");
    bench.run(&command).ends_with(2).says(&["another run"]);
    let pid = Pid::from_child(&first);
    kill_process(pid, Signal::INT).expect("signaled");
    let run = Run::from(first.wait_with_output().expect("ends")).ends_with(130);
    run.says(&["interrupted"]);
    let rows = report(&bench);
    let statuses: Vec<_> = rows.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(statuses, ["completed", "pending", "pending"]);
    bench.sandbox.clear_faults();
    bench.run(&command).ends_with(0);
    assert!(
        completed(&bench.sandbox)
            .values()
            .all(|sessions| sessions.len() == 1)
    );
}

#[test]
fn kills_leave_every_borrower_completed_once() {
    const BORROWERS: usize = 12;
    let faults = [
        "upload@5=reset-after",
        "upload@11=torn",
        "upload@17=status:503",
    ];
    let config = Sandbox::builder().processing(Duration::ZERO);
    let bench = Bench::with(config.faults(faults.iter().map(|fault| fault.parse().unwrap())));
    let manifest = manifest(&bench, BORROWERS);
    let command = ["batch", &manifest, "--wait", "--poll", "0.1", "--json"];
    for kill in [5, 10, 10, 15] {
        while bench.requests.try_recv().is_ok() {}
        let mut child = bench
            .command(&command)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Killed while the service answers this request.
        for _ in 0..kill {
            bench
                .requests
                .recv_timeout(Duration::from_secs(60))
                .unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = report(&bench);
        assert_eq!(lines.len(), BORROWERS);
    }
    let run = bench.run(&command);
    assert!(matches!(run.status, Some(0 | 5)), "{run:?}");
    let completed = completed(&bench.sandbox);
    for row in report(&bench) {
        let sessions = completed.get(&row[0]).map_or(&[][..], Vec::as_slice);
        match row[1].as_str() {
            "completed" => assert_eq!(sessions, [["february.pdf", "january.pdf"]], "{row:?}"),
            // Killed inside *complete*: a person decides.
            "unknown" => assert!(sessions.len() <= 1, "{row:?}"),
            _ => panic!("{row:?}"),
        }
    }
}
