//! `flinks authorize`: every bank's case through an answers file, waiting sessions, refusals, secrets.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use flinks_sandbox::{ApiOperation, CACHED_LOGIN_ID, REFUSED_LOGIN_ID, Sandbox};
use serde_json::{Value, json};

use crate::bench::{Bench, Run, has};

const PASSWORD: &str = "Everyday";

/// How many pairs of processes race for one session file.
const PAIRS: usize = 50;

const TD: [&str; 4] = ["--institution", "TD", "--username", "td_code"];

/// A bench whose devices approve at once.
fn bench() -> Bench {
    Bench::with(Sandbox::builder().device_approval(Duration::ZERO))
}

/// Runs `authorize` with a line on standard input.
fn type_in(bench: &Bench, arguments: &[&str], line: &str) -> Run {
    let mut command = bench.command(&[&["authorize"], arguments].concat());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A run that refuses its command line does not read it.
    drop(stdin.write_all(line.as_bytes()));
    drop(stdin);
    Run::from(child.wait_with_output().expect("it ends"))
}

fn sign_in(bench: &Bench, institution: &str, username: &str, more: &[&str]) -> Run {
    let who = ["--institution", institution, "--username", username];
    let arguments = [&who[..], &["--password-stdin", "--json"], more].concat();
    type_in(bench, &arguments, &format!("{PASSWORD}\n"))
}

/// Neither the list of processes nor the history of a shell shows standard input.
#[test]
fn ids_and_the_user_name_can_come_from_standard_input() {
    let bench = bench();
    let sign_in = [
        "--institution",
        "FlinksCapital",
        "--username",
        "-",
        "--password-stdin",
        "--json",
    ];
    let output = type_in(&bench, &sign_in, &format!("greatday_nomfa\n{PASSWORD}\n")).ends_with(0);
    let output = output.json();
    let login = output["login_id"].as_str().expect("a LoginId").to_owned();
    let line = ["--login-id", "-", "--cached", "--json"];
    let opened = type_in(&bench, &line, &format!("{login}\r\n"))
        .ends_with(0)
        .json();
    assert_eq!(opened["login_id"], login.as_str());
    type_in(&bench, &line, "").ends_with(2);
}

fn answers(bench: &Bench, rounds: &Value) -> String {
    bench.write("answers.json", rounds.to_string().as_bytes())
}

/// The new questions that two banks ask for, as answers.
fn new_questions() -> Value {
    let new = |question: &str| json!({ "question": question, "answer": "Zoë: $?" });
    json!({
        "Personal Verification Question 1": new("What is the name of my dog"),
        "Personal Verification Question 2": new("What is the name of my mother"),
        "Personal Verification Question 3": new("What is the name of my father"),
    })
}

#[test]
fn every_case_of_the_guide_and_more_is_answered_from_a_file() {
    let dog = json!({ "What is the name of your dog": "Wouf" });
    let rows = [
        (
            "RBC",
            "rbc_triple",
            json!([
                { "What is the name of your dog": "Rex" },
                {
                    "What is the name of your mother": "Louise",
                    "What is the name of your father": "Paul",
                    "What is the name of your dog": "Wouf",
                },
            ]),
        ),
        ("RBC", "rbc_new_questions", json!([new_questions()])),
        (
            "RBC",
            "rbc_device",
            json!([
                { "Please verify your identity on your trusted device": true },
            ]),
        ),
        (
            "Laurentienne",
            "laurentienne_image",
            json!([
                dog, { "Select an image": { "image": 3 } },
            ]),
        ),
        (
            "National",
            "national_securid",
            json!([{ "Enter your SecurID": "123456" }, dog]),
        ),
        (
            "Scotia",
            "scotia_reset",
            json!([
                {
                    "Choose one of the following:": "None of the above",
                    "What purchases did you make over the last 10 days?":
                        ["Purchase 1: $10.35", "Purchase 3: $143.86"],
                },
                new_questions(),
            ]),
        ),
        (
            "TD",
            "td_code",
            json!([
                { "Choose a phone number": { "to": "PhoneNumber #2", "by": "Text" } },
                { "Enter the security code": "123456" },
            ]),
        ),
        ("FlinksCapital", "greatday_nomfa", json!([])),
        (
            "FlinksCapital",
            "greatday_other_types",
            json!([{
                "Enter the code on your card": "123456",
                "When were you born?": "1990-01-31",
                "Which word is on line 7?": "maple",
            }]),
        ),
    ];
    for (institution, username, rounds) in rows {
        let bench = bench();
        let file = answers(&bench, &rounds);
        let images = bench.path("images");
        let more = [
            "--answers",
            &file,
            "--images",
            images.to_str().expect("UTF-8"),
        ];
        let output = sign_in(&bench, institution, username, &more)
            .ends_with(0)
            .json();
        assert_eq!(output["status"], "authorized", "{username}: {output}");
        for id in ["request_id", "login_id"] {
            assert!(output[id].is_string(), "{username} {id}: {output}");
        }
        let left = fs::read_dir(&images).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{username}: images go when the round ends");
        assert_eq!(bench.ledgers().len(), 0, "{username}: nothing waits");
    }
}

#[test]
fn language_and_no_save_are_sent() {
    let bench = bench();
    let file = answers(
        &bench,
        &json!([
            { "Où êtes-vous né ?": "Montréal" },
            { "Quel est le meilleur pays du monde ?": "Canada" },
            { "Quelle forme préfère-t-on le plus ?": "Triangle" },
        ]),
    );
    let more = ["--answers", &file, "--language", "fr", "--no-save"];
    let output = sign_in(&bench, "FlinksCapital", "Greatday", &more)
        .ends_with(0)
        .json();
    assert_eq!(output.get("login_id"), None, "{output}");
}

#[test]
fn a_waiting_session_is_continued_by_another_process() {
    let bench = bench();
    let (file, images) = (bench.path("session"), bench.path("images"));
    let (file, folder) = (
        file.to_str().expect("UTF-8"),
        images.to_str().expect("UTF-8"),
    );
    let first = answers(&bench, &json!([{ "What is the name of your dog": "Wouf" }]));
    let more = ["--answers", &first, "--session", file, "--images", folder];
    let output = sign_in(&bench, "Laurentienne", "laurentienne_image", &more)
        .ends_with(9)
        .json();
    assert_eq!(
        (&output["status"], &output["session"]),
        (&json!("challenged"), &json!(file))
    );
    let challenge = &output["challenges"][0];
    assert_eq!(challenge["type"], "ImageSelection");
    let numbers: Vec<_> = (0..16).collect();
    assert_eq!(
        challenge["choices"],
        json!(numbers),
        "images are named by their index"
    );
    assert_eq!(fs::read_dir(&images).expect("images").count(), 16);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    // A second session must not take its place.
    sign_in(
        &bench,
        "FlinksCapital",
        "greatday_nomfa",
        &["--session", file],
    )
    .ends_with(2);
    // An answer that cannot be right is not sent, and the session waits on.
    let sent = bench.sandbox.requests(ApiOperation::Authorize);
    let wrong = answers(&bench, &json!([{ "Select an image": { "image": 16 } }]));
    let go_on = ["authorize", "--session", file, "--json", "--answers"];
    let run = bench.run(&[&go_on[..], &[&wrong]].concat()).ends_with(2);
    assert_eq!(run.json()["request_id"], output["request_id"]);
    assert_eq!(bench.sandbox.requests(ApiOperation::Authorize), sent);

    let right = answers(&bench, &json!([{ "Select an image": { "image": 3 } }]));
    let run = bench.run(&[&go_on[..], &[&right]].concat()).ends_with(0);
    assert_eq!(run.json()["status"], "authorized");
    assert!(!fs::exists(file).expect("readable"), "nothing waits");
    assert_eq!(fs::read_dir(&images).expect("images").count(), 0);
}

#[test]
fn the_session_file_is_in_the_state_folder_by_default() {
    let bench = bench();
    let output = sign_in(&bench, "TD", "td_code", &[]).ends_with(9).json();
    let path = output["session"].as_str().expect("a path");
    assert_eq!(bench.ledgers(), [std::path::PathBuf::from(path)]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for folder in std::path::Path::new(path).ancestors().skip(1).take(2) {
            let mode = fs::metadata(folder).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{folder:?}");
        }
    }
    let challenge = json!({
        "type": "TextOrCall",
        "prompt": "Choose a phone number",
        "choices": ["PhoneNumber #1", "PhoneNumber #2", "PhoneNumber #3"],
    });
    assert_eq!(output["challenges"], json!([challenge]));
    let run = bench.run(&["authorize", "--session", path]).ends_with(9);
    for part in ["PhoneNumber #2", "Choose a phone number", path] {
        assert!(
            run.stdout.contains(part),
            "{part} is missing: {}",
            run.stdout
        );
    }
    let file = answers(
        &bench,
        &json!([
            { "Choose a phone number": { "to": "PhoneNumber #1", "by": "Call" } },
            { "Enter the security code": "654321" },
        ]),
    );
    let run = bench
        .run(&["authorize", "--session", path, "--answers", &file, "--json"])
        .ends_with(1);
    assert!(run.json()["error"]["hint"].is_string(), "{run:?}");
    assert_eq!(bench.ledgers().len(), 0, "the session is over");
}

#[test]
fn a_session_file_of_another_host_sends_nothing() {
    let (here, there) = (bench(), bench());
    let output = sign_in(&here, "TD", "td_code", &[]).ends_with(9).json();
    let path = output["session"].as_str().expect("a path");
    there.run(&["authorize", "--session", path]).ends_with(2);
    assert_eq!(there.sandbox.log().len(), 0);
}

#[test]
fn refusals_have_hints() {
    let bench = bench();
    let who = [
        "--institution",
        "FlinksCapital",
        "--username",
        "greatday_nomfa",
    ];
    let arguments = [&who[..], &["--password-stdin", "--json"]].concat();
    let run = type_in(&bench, &arguments, "wrong\n").ends_with(1);
    let error = &run.json()["error"];
    assert_eq!(
        (&error["operation"], &error["delivery"]),
        (&json!("legacy.authorize"), &json!("rejected"))
    );
    has(&error["hint"], "password");
    let run = sign_in(&bench, "FlinksCapital", "test_service_unavailable", &[]).ends_with(1);
    let error = run.error();
    assert_eq!(error["flinks_code"], "RETRY_LATER");
    has(&error["hint"], "later");
    assert_eq!(bench.ledgers().len(), 0);
}

#[test]
fn saved_logins_open_cached_and_live() {
    let bench = bench();
    for more in [&["--cached"][..], &[]] {
        let line = [
            &["authorize", "--login-id", CACHED_LOGIN_ID, "--json"],
            more,
        ]
        .concat();
        let output = bench.run(&line).ends_with(0).json();
        assert_eq!(output["login_id"], CACHED_LOGIN_ID);
    }
    let line = [
        "authorize",
        "--login-id",
        REFUSED_LOGIN_ID,
        "--cached",
        "--json",
    ];
    let error = bench.run(&line).ends_with(1).error();
    assert!(error["request_id"].is_string(), "{error}");
    has(&error["hint"], "flinks accounts");
}

#[test]
fn an_unknown_outcome_is_reported_and_nothing_is_sent_again() {
    for fault in ["authorize=reset-after", "authorize=torn"] {
        let bench = Bench::new(&[fault]);
        sign_in(&bench, "FlinksCapital", "greatday_nomfa", &[]).ends_with(5);
        let sent = bench.sandbox.requests(ApiOperation::Authorize);
        assert_eq!(sent, 1, "{fault}");
    }
}

#[test]
fn after_answers_that_were_not_sent_the_session_still_waits() {
    let bench = bench();
    let output = sign_in(&bench, "TD", "td_code", &[]).ends_with(9).json();
    let path = output["session"].as_str().expect("a path").to_owned();
    let file = answers(
        &bench,
        &json!([{ "Choose a phone number": { "to": "PhoneNumber #1", "by": "Call" } }]),
    );
    let line = ["authorize", "--session", &path, "--answers", &file];
    let mut gone = bench.command(&line);
    drop(bench.sandbox);
    let run = Run::of(&mut gone).ends_with(4);
    assert!(
        run.stderr
            .contains(&format!("next: flinks authorize --session {path}")),
        "{run:?}"
    );
    assert!(fs::exists(path).expect("readable"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn answers_in_flight_are_not_sent_by_another_process() {
    let bench = Bench::new(&["authorize@2=stall"]);
    let output = sign_in(&bench, "TD", "td_code", &[]).ends_with(9).json();
    let path = output["session"].as_str().expect("a path");
    let file = answers(
        &bench,
        &json!([{ "Choose a phone number": { "to": "PhoneNumber #1", "by": "Call" } }]),
    );
    let line = ["authorize", "--session", path, "--answers", &file];
    let mut child = bench.command(&line).spawn().expect("the program starts");
    while bench.sandbox.requests(ApiOperation::Authorize) < 2 {
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("it ends");
    // The outcome of the answers was never printed.
    let run = bench.run(&["authorize", "--session", path, "--json"]);
    assert_eq!(run.ends_with(5).json()["error"]["delivery"], "unknown");
    assert_eq!(bench.sandbox.requests(ApiOperation::Authorize), 2);
}

#[test]
fn of_two_processes_that_answer_one_round_one_sends() {
    let bench = bench();
    let file = answers(&bench, &json!([new_questions()]));
    for round in 1..=PAIRS {
        let output = sign_in(&bench, "RBC", "rbc_new_questions", &[]);
        let output = output.ends_with(9).json();
        let path = output["session"].as_str().expect("a path");
        let line = ["authorize", "--session", path, "--answers", &file];
        let pair = [(); 2].map(|()| {
            let mut command = bench.command(&line);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().expect("the program starts")
        });
        let mut runs = pair.map(|child| Run::from(child.wait_with_output().expect("it ends")));
        runs.sort_by_key(|run| run.status);
        let [winner, loser] = &runs;
        assert_eq!(
            (winner.status, loser.status),
            (Some(0), Some(2)),
            "{runs:?}"
        );
        assert!(loser.stderr.contains("another process"), "{loser:?}");
        assert_eq!(bench.sandbox.requests(ApiOperation::Authorize), 2 * round);
    }
}

#[test]
fn of_two_sign_ins_with_one_session_file_one_is_sent() {
    let bench = Bench::new(&["authorize@1=stall"]);
    let file = bench.path("session");
    let more = ["--session", file.to_str().expect("UTF-8")];
    let mut first = bench.command(&[&["authorize", "--password-stdin"], &TD[..], &more].concat());
    let mut first = first.stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = first.stdin.take().expect("a pipe");
    stdin.write_all(b"Everyday\n").expect("typed");
    while bench.sandbox.requests(ApiOperation::Authorize) < 1 {
        std::thread::yield_now();
    }
    sign_in(&bench, "TD", "td_code", &more).ends_with(2);
    first.kill().expect("killed");
    first.wait().expect("it ends");
    let line = ["authorize", "--session", more[1]];
    bench.run(&line).ends_with(5);
    assert_eq!(bench.sandbox.requests(ApiOperation::Authorize), 1);
}

#[test]
fn an_invalid_command_line_sends_nothing() {
    let bench = bench();
    let institution = ["--institution", "RBC"];
    let rows: [&[&str]; 7] = [
        &[],
        &institution,
        &["--institution", "RBC", "--username", "u"],
        &["--institution", "RBC", "--login-id", "id"],
        &["--institution", "RBC", "--cached"],
        &["--session", "missing"],
        &["--login-id", "..", "--cached"],
    ];
    for row in rows {
        type_in(&bench, row, "").ends_with(2);
    }
    let who = [
        "--institution",
        "RBC",
        "--username",
        "u",
        "--password-stdin",
    ];
    for text in ["{}", "[1]", "CANARY"] {
        let file = bench.write("answers.json", text.as_bytes());
        let run = type_in(&bench, &[&who[..], &["--answers", &file]].concat(), "p\n").ends_with(2);
        assert!(!run.stderr.contains("CANARY"), "{run:?}");
    }
    assert_eq!(bench.sandbox.log().len(), 0);
}

#[test]
fn the_embedded_sandbox_needs_no_settings() {
    let bench = bench();
    for name in ["FLINKS_API_URL", "FLINKS_CUSTOMER_ID", "FLINKS_CA"] {
        // The settings of the bench are of another sandbox.
        let mut other = Bench::new(&[]);
        other.set(name, "");
        let output = sign_in(&other, "FlinksCapital", "greatday_nomfa", &["--sandbox"]);
        assert_eq!(output.ends_with(0).json()["status"], "authorized");
    }
    let output = sign_in(&bench, "TD", "td_code", &["--sandbox"])
        .ends_with(9)
        .json();
    assert_eq!(
        output.get("session"),
        None,
        "it ended with the program: {output}"
    );
}

#[test]
fn keys_answers_and_the_password_stay_secret() {
    const SECRETS: [&str; 4] = [
        "Everyday",
        "CANARY",
        "greatday_together",
        "flinks-auth-key:",
    ];
    for fault in [
        None,
        Some("authorize@2=reset-after"),
        Some("authorize@2=status:500"),
    ] {
        let mut bench = Bench::with(
            Sandbox::builder()
                .auth_key("CANARY-auth-key")
                .x_api_key("CANARY-x-api-key")
                .faults(fault.iter().map(|fault| fault.parse().expect("a fault"))),
        );
        bench.set("FLINKS_AUTH_KEY", "CANARY-auth-key");
        bench.set("FLINKS_X_API_KEY", "CANARY-x-api-key");
        let (support, file) = (bench.path("support"), bench.path("session"));
        let (support, file) = (
            support.to_str().expect("UTF-8"),
            file.to_str().expect("UTF-8"),
        );
        let first = answers(
            &bench,
            &json!([{
                "What city were you born in?": "CANARY-Montreal",
                "What is the best country on earth?": "CANARY-Canada",
                "What shape do people like most?": "CANARY-Triangle",
            }]),
        );
        let more = [
            "--answers",
            &first,
            "--session",
            file,
            "-vvv",
            "--support",
            support,
        ];
        let run = sign_in(&bench, "FlinksCapital", "greatday_together", &more);
        let expected = if fault.is_none() { 9 } else { 5 };
        let run = run.ends_with(expected);
        assert!(
            run.stderr.contains("legacy.authorize"),
            "-vvv must log: {run:?}"
        );
        let session = fs::read_to_string(file).unwrap_or_default();
        assert_eq!(
            session.is_empty(),
            fault.is_some(),
            "a session that is over waits no more"
        );
        let support = fs::read_to_string(support).unwrap_or_default();
        assert_eq!(
            support.contains("/BankingServices/Authorize"),
            fault.is_some(),
            "{support}"
        );
        for secret in SECRETS {
            for text in [&run.stdout, &run.stderr, &session, &support] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_round_that_cannot_be_saved_is_printed() {
    let bench = bench();
    // The first question is there, and the disk is full.
    let folder = bench.path("images");
    std::os::unix::fs::symlink("/dev/full", &folder).expect("linked");
    let more = ["--images", folder.to_str().expect("UTF-8")];
    let dog = answers(&bench, &json!([{ "What is the name of your dog": "Wouf" }]));
    let more = [&more[..], &["--answers", &dog]].concat();
    let run = sign_in(&bench, "Laurentienne", "laurentienne_image", &more).ends_with(2);
    let output = run.json();
    assert_eq!(output["error"]["delivery"], "delivered", "{output}");
    for key in ["request_id", "session", "challenges"] {
        assert!(!output[key].is_null(), "{key}: {output}");
    }
}
