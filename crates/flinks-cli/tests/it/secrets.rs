//! No secret, token or document reaches any output, on any path, however much is logged.

use std::fs;

use flinks_sandbox::{Sandbox, SandboxCredentials};

use crate::bench::{Bench, Run};

const CLIENT_SECRET: &str = "CANARY-client-secret";
const API_SECRET: &str = "CANARY-api-secret";
const CONTENT: &str = "%PDF-1.7 CANARY-content of a document";

/// Each secret as it is and as the wire spells it. The base64 forms were made by another program.
const FORBIDDEN: [&str; 6] = [
    CLIENT_SECRET,
    API_SECRET,
    "CANARY-content",
    // base64 of "sandbox-client:CANARY-client-secret"
    "c2FuZGJveC1jbGllbnQ6Q0FOQVJZLWNsaWVudC1zZWNyZXQ=",
    // base64 of the document, its beginning
    "JVBERi0xLjcgQ0FOQVJZLWNvbnRlbnQg",
    "PRIVATE KEY",
];

#[track_caller]
fn is_clean(what: &str, text: &str) {
    for forbidden in FORBIDDEN {
        assert!(!text.contains(forbidden), "{forbidden} in {what}:\n{text}");
    }
    // The sandbox's tokens look like real ones.
    assert!(
        !text.contains("Bearer ") && !text.contains("eyJ"),
        "a token in {what}:\n{text}"
    );
}

fn bench(faults: &[&str]) -> Bench {
    let mut credentials = SandboxCredentials::default();
    credentials.client_secret = CLIENT_SECRET.to_owned();
    credentials.api_secret = API_SECRET.to_owned();
    Bench::with(
        Sandbox::builder()
            .credentials(credentials)
            .faults(faults.iter().map(|fault| fault.parse().expect("a fault"))),
    )
}

fn run(bench: &Bench, arguments: &[&str]) -> Run {
    let (support, ledger) = (bench.path("support.txt"), bench.path("ledger"));
    let (support, ledger) = (
        support.to_str().expect("UTF-8"),
        ledger.to_str().expect("UTF-8"),
    );
    let extra = match arguments[0] {
        "upload" => &["-vvv", "--support", support, "--ledger", ledger][..],
        _ => &["-vvv", "--support", support][..],
    };
    let run = bench.run(&[arguments, extra].concat());
    is_clean("standard output", &run.stdout);
    is_clean("standard error", &run.stderr);
    assert!(run.stderr.contains("flinks"), "-vvv must log: {run:?}");
    for file in [support, ledger] {
        if let Ok(text) = fs::read_to_string(file) {
            is_clean(file, &text);
        }
    }
    run
}

#[test]
fn secrets_stay_secret_when_all_goes_well() {
    let bench = bench(&[]);
    let file = bench.write("a.pdf", CONTENT.as_bytes());
    run(&bench, &["upload", &file, "--json"]).ends_with(0);
    run(&bench, &["fraud", flinks_sandbox::FLAGGED_LOGIN_ID]).ends_with(0);
    run(&bench, &["doctor"]).ends_with(0);
}

#[test]
fn secrets_stay_secret_when_things_go_wrong() {
    let faults = [
        ("token=status:400", 1),
        ("token=torn", 4),
        ("upload=unauthorized", 1),
        ("upload=html:403", 1),
        ("upload=close-after", 5),
        ("upload=reset-before", 5),
        ("complete=status-after:500", 5),
    ];
    for (fault, status) in faults {
        let bench = bench(&[fault]);
        let file = bench.write("a.pdf", CONTENT.as_bytes());
        run(&bench, &["upload", &file, "--on-unknown", "stop"]).ends_with(status);
        let support = fs::read_to_string(bench.path("support.txt")).expect("a report");
        assert!(
            support.contains("Timestamp") && support.contains("Environment"),
            "{support}"
        );
    }
}

/// The page has the names that it is about, and no secret; a terminal and a log have neither.
#[test]
fn the_page_has_names_but_no_secret() {
    let bench = bench(&[]);
    let file = bench.write("a.pdf", CONTENT.as_bytes());
    let page = bench.argument("page.html");
    let names = [
        "--client-name",
        CANARY,
        "--wait",
        "--poll",
        "0.05",
        "--deadline",
        "1",
    ];
    let line = [&["upload", &file, "--html", &page], &names[..]].concat();
    let run = run(&bench, &line);
    assert!(
        !run.stdout.contains(CANARY) && !run.stderr.contains(CANARY),
        "{run:?}"
    );
    let page = fs::read_to_string(page).expect("written");
    assert!(page.contains(CANARY), "{page}");
    is_clean("the page", &page);
}

/// Account data are only where the user wants them: in the file, not on a terminal or in a log.
#[test]
fn account_data_are_only_in_the_file_that_the_user_named() {
    let bench = bench(&[]);
    let accounts = serde_json::json!([{
        "Id": CANARY, "AccountNumber": CANARY, "Title": CANARY, "Holder": { "Name": CANARY },
        "Transactions": [{ "Description": CANARY }],
    }]);
    let login_id = flinks_sandbox::CACHED_LOGIN_ID;
    let set = bench.sandbox.set_accounts(login_id, &accounts.to_string());
    set.expect("accounts");
    let csv = bench.argument("transactions.csv");
    let line = ["accounts", "--login-id", login_id, "--csv", &csv];
    let run = run(&bench, &line).ends_with(0);
    assert!(
        !run.stdout.contains(CANARY) && !run.stderr.contains(CANARY),
        "{run:?}"
    );
    let csv = fs::read_to_string(csv).expect("written");
    assert_eq!(csv.matches(CANARY).count(), 5, "{csv}");
    let line = [
        "accounts",
        "--login-id",
        login_id,
        "--account",
        CANARY,
        "--json",
        "-vv",
    ];
    let run = bench.run(&line).ends_with(0);
    assert!(!run.stderr.contains(CANARY), "{run:?}");
}

#[test]
fn a_batch_keeps_secrets_and_names_to_itself() {
    let bench = bench(&["upload@2=html:403", "complete=status-after:500"]);
    for name in ["a.pdf", "b.pdf"] {
        bench.write(name, CONTENT.as_bytes());
    }
    let lines = "id,files,client_name\n1,a.pdf,CANARYname\n2,b.pdf,CANARYname\n";
    let manifest = bench.write("m.csv", lines.as_bytes());
    let batch = run(&bench, &["batch", &manifest, "--json"]).ends_with(5);
    assert!(!batch.stderr.contains("CANARYname"), "{batch:?}");
    let report = fs::read_to_string(bench.path("m.csv.report.csv")).expect("a report");
    assert!(!report.contains("CANARYname"), "{report}");
    is_clean("the report", &report);
    for entry in fs::read_dir(bench.path("m.csv.report.csv.state")).expect("a folder") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("text");
        is_clean("the state", &text);
    }
}

#[test]
fn the_support_report_names_the_call() {
    let bench = bench(&["upload=status:403"]);
    let file = bench.write("a.pdf", CONTENT.as_bytes());
    run(&bench, &["upload", &file]).ends_with(1);
    let support = fs::read_to_string(bench.path("support.txt")).expect("a report");
    let endpoint = format!("POST {}/api/v1/upload", bench.sandbox.upload_url());
    for part in [
        endpoint.as_str(),
        "403",
        "the API call",
        env!("CARGO_PKG_VERSION"),
    ] {
        assert!(support.contains(part), "{part} is missing from\n{support}");
    }
}

/// What stands in each place in turn; the line of it that must be nowhere.
const CANARY: &str = "CANARY4711S3cr3t";

/// Settings that are no secret, and whether each is a path.
const PLAIN: [(&str, bool); 12] = [
    ("cert", true),
    ("key", true),
    ("ca", true),
    ("config", true),
    ("profile", false),
    ("upload_url", false),
    ("upload_paths", false),
    ("api_url", false),
    ("instance", false),
    ("customer_id", false),
    ("client_id", false),
    ("scope", false),
];
const SECRET: [&str; 6] = [
    "client_secret",
    "api_secret",
    "cert_password",
    "auth_key",
    "x_api_key",
    "proxy",
];

/// The commands that read settings, with what they need.
const COMMANDS: [&[&str]; 9] = [
    &["doctor"],
    &["upload", "{file}", "--ledger", "{ledger}"],
    &["resume", "{resumable}"],
    &["fraud", flinks_sandbox::CLEAN_LOGIN_ID],
    &[
        "authorize",
        "--login-id",
        flinks_sandbox::CACHED_LOGIN_ID,
        "--cached",
        "--session",
        "{session}",
    ],
    &["accounts", "--request-id", "r-1", "--deadline", "0.1"],
    &[
        "statements",
        "--request-id",
        "r-1",
        "--out",
        "{out}",
        "--deadline",
        "0.1",
    ],
    &["delete-card", flinks_sandbox::CACHED_LOGIN_ID, "--yes"],
    &["config", "show"],
];

/// How a setting is given.
#[derive(Clone, Copy, Debug)]
enum Way {
    Variable,
    Flag,
    Toml,
    VariableFile,
    TomlFile,
}

/// Runs the program and looks for the canary in all that it leaves.
struct Search<'a> {
    bench: &'a Bench,
    runs: usize,
}

impl Search<'_> {
    fn look(&mut self, what: &str, command: &mut std::process::Command, sinks: &[&str]) -> Run {
        self.runs += 1;
        let run = Run::of(command);
        let mut texts = vec![run.stdout.clone(), run.stderr.clone()];
        for sink in sinks {
            let path = self.bench.path(sink);
            texts.extend(fs::read_to_string(&path));
            drop(fs::remove_file(&path));
        }
        let found = texts.iter().filter(|text| text.contains(CANARY)).count();
        assert_eq!(found, 0, "{what}: {texts:#?}");
        run
    }

    /// One command, with one setting given one way.
    fn with(&mut self, command: &[&str], given: (&str, Way, &str), json: bool) -> Run {
        let (key, way, value) = given;
        let bench = self.bench;
        let place = |word: &str| match word.strip_prefix('{') {
            Some(name) => {
                let path = bench.path(name.trim_end_matches('}'));
                path.to_str().expect("UTF-8").to_owned()
            }
            None => word.to_owned(),
        };
        let mut line: Vec<_> = command.iter().map(|word| place(word)).collect();
        line.extend(["-vv", "--support", "{support}"].map(place));
        if json {
            line.push("--json".to_owned());
        }
        let variable = |key: &str| format!("FLINKS_{}", key.to_ascii_uppercase());
        let file_key = format!("{key}_file");
        let toml = |key: &str| {
            let text = format!("{key} = {}", serde_json::Value::from(value));
            bench.write("settings.toml", text.as_bytes())
        };
        let mut flag = None;
        let set = match way {
            Way::Variable => Some((variable(key), value.to_owned())),
            Way::VariableFile => Some((variable(&file_key), value.to_owned())),
            Way::Toml => Some((variable("config"), toml(key))),
            Way::TomlFile => Some((variable("config"), toml(&file_key))),
            Way::Flag => {
                flag = Some(format!("--{}={value}", key.replace('_', "-")));
                None
            }
        };
        line.extend(flag);
        let mut run = bench.command(&line);
        for other in ["FLINKS_API_URL", "FLINKS_INSTANCE"] {
            // Two names of one host are an error that would hide what is looked for.
            if matches!(key, "instance" | "api_url") {
                run.env_remove(other);
            }
        }
        run.env_remove(variable(key)).envs(set);
        let what = format!("{key} by {way:?} in {command:?}");
        self.look(&what, &mut run, &["support", "ledger", "session"])
    }
}

/// Every setting, given in every way, to every command that reads settings.
#[test]
fn no_value_of_a_setting_is_on_any_sink() {
    use Way::{Flag, Toml, TomlFile, Variable, VariableFile};
    let mut bench = Bench::new(&[]);
    bench.document("file");
    let stopped = Bench::new(&["upload=status:403"]);
    let (ledger, file) = (bench.path("resumable"), stopped.document("a.pdf"));
    stopped.run(&["upload", &file, "--ledger", ledger.to_str().expect("UTF-8")]);
    bench.set("FLINKS_CERT_PASSWORD", "");
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n");
    let forms = [
        CANARY.to_owned(),
        pem,
        format!("\"{CANARY}\""),
        format!("https://u:{CANARY}@h/"),
    ];
    let mut search = Search {
        bench: &bench,
        runs: 0,
    };
    let mut refused = 0;
    for (number, command) in COMMANDS.iter().enumerate() {
        let plain = PLAIN.iter().flat_map(|(key, _)| {
            let ways: &[Way] = if matches!(*key, "config" | "profile") {
                &[Variable, Flag]
            } else {
                &[Variable, Flag, Toml]
            };
            ways.iter().map(move |way| (*key, *way))
        });
        let secret = SECRET
            .iter()
            .flat_map(|key| [Variable, Toml, VariableFile, TomlFile].map(|way| (*key, way)));
        for (index, (key, way)) in plain.chain(secret).enumerate() {
            let form = &forms[(number + index) % forms.len()];
            let run = search.with(command, (key, way, form), index % 2 == 0);
            refused += usize::from(run.status != Some(0));
        }
    }
    println!(
        "{} runs, {refused} of them failed, 0 values of settings found",
        search.runs
    );
    assert!(
        refused * 2 > search.runs,
        "most were to fail: {refused} of {}",
        search.runs
    );
    // The message names the setting.
    for (key, _) in PLAIN.iter().filter(|(_, path)| *path) {
        let run = search
            .with(COMMANDS[1], (key, Variable, CANARY), true)
            .ends_with(2);
        let name = format!("FLINKS_{}: no such file", key.to_ascii_uppercase());
        assert!(run.stdout.contains(&name), "{run:?}");
    }
}

/// The text of a key in every place that takes a path, and after options that take nothing.
#[test]
fn no_argument_that_may_be_secret_is_on_any_sink() {
    let bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    let pem = format!("{CANARY}\n-----BEGIN PRIVATE KEY-----\n{CANARY}\n");
    let (option, value) = (format!("--{CANARY}"), format!("--wait={CANARY}"));
    let id = flinks_sandbox::CLEAN_LOGIN_ID;
    let rows: [(&[&str], i32, &str); 22] = [
        (&["upload", &pem], 3, "file 1 of 1"),
        (&["upload", &file, &pem, &pem], 3, "file 3 of 3"),
        (&["upload", &file, "--ledger", &pem], 2, "--ledger"),
        (&["upload", &file, "--config", &pem], 2, "--config"),
        (&["upload", &file, "--cert", &pem], 2, "--cert"),
        (
            &["upload", &file, "--key", CANARY],
            2,
            "--key: no such file",
        ),
        (&["upload", &file, "--ca", &pem], 2, "--ca"),
        (
            &["upload", &file, "--concurrency", CANARY],
            2,
            "--concurrency",
        ),
        (&["upload", &file, &option], 2, "unexpected argument"),
        (&["upload", &file, &value], 2, "--wait"),
        (&["resume", &pem], 2, "LEDGER"),
        (&["fraud", &pem], 2, "LoginId"),
        (&["fraud", id, &pem], 2, "unexpected argument"),
        (&["fraud", id, "--html", &pem], 2, "--html"),
        (&["accounts", "--request-id", &pem], 2, "RequestId"),
        (
            &["accounts", "--request-id", "r-1", "--csv", &pem],
            2,
            "--csv",
        ),
        (
            &["statements", "--request-id", "r-1", "--out", &pem],
            2,
            "--out",
        ),
        (&["authorize", "--session", &pem], 2, "--session"),
        (
            &["authorize", "--institution", "x", "--answers", &pem],
            2,
            "--answers",
        ),
        (
            &["authorize", "--institution", "x", "--images", &pem],
            2,
            "--images",
        ),
        (&["csr", "--common-name", "x", "--out", &pem], 2, "--out"),
        (&["sandbox", "--dir", &pem], 2, "--dir"),
    ];
    let mut search = Search {
        bench: &bench,
        runs: 0,
    };
    for (line, status, expected) in rows {
        for json in [true, false] {
            let line = [line, if json { &["--json", "-vv"] } else { &["-vv"] }].concat();
            let run = search
                .look(expected, &mut bench.command(&line), &[])
                .ends_with(status);
            let text = if json { run.stdout } else { run.stderr };
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
    let both = bench.command(&["doctor", "--support", &pem, "--json"]);
    let run = search.look("--support", &mut { both }, &[]).ends_with(2);
    assert!(
        run.stdout.contains("--support holds the key itself"),
        "{run:?}"
    );
    println!("{} runs, 0 arguments found", search.runs);
}

/// What the service answers echoes the request in every field that holds text.
#[test]
fn echoes_of_the_request_are_on_no_sink() {
    use crate::mock::{self, Answer};
    const TOKEN: &str = "tok-CANARY4711S3cr3t.eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.sig";
    let calls = [
        "token",
        "upload",
        "complete",
        "fraudanalysis",
        "Authorize",
        "GetAccountsDetail",
        "GetStatements",
        "DeleteCard",
    ];
    let mut runs = 0;
    for call in calls {
        for status in [400, 401, 403, 429, 500] {
            let mut bench = Bench::new(&[]);
            let url = mock::serve(move |asked| {
                let refused = asked.path.split('/').any(|part| part == call);
                if !refused {
                    return match asked.path.ends_with("token") {
                        true => Answer::ok(serde_json::json!({
                            "access_token": TOKEN, "token_type": "Bearer", "expires_in": 300,
                        })),
                        false => mock::guide(asked),
                    };
                }
                let start = asked.body.find("\"Content\":\"").map_or(0, |at| at + 11);
                let echo = format!("{} {}", asked.authorization, &asked.body[start..]);
                let bare = asked.authorization.trim_start_matches("Bearer ");
                let echo: String = format!("{bare} {echo}").chars().take(900).collect();
                if status == 403 {
                    let page = format!("<html><title>{bare} refused</title>{echo}</html>");
                    return Answer(status, "", page.into_bytes());
                }
                let body = serde_json::json!({
                    "Message": echo, "FlinksCode": echo, "RequestId": asked.authorization,
                    "error": echo, "error_description": echo, "ValidationDetails": { "Tag": [echo] },
                });
                Answer(status, "Retry-After: 0\r\n", body.to_string().into_bytes())
            });
            bench.set("FLINKS_UPLOAD_URL", &url);
            bench.set("FLINKS_API_URL", &url);
            bench.set("FLINKS_CLIENT_SECRET", &format!("{CANARY}-of-the-client"));
            bench.set("FLINKS_API_SECRET", CANARY);
            let content = format!("%PDF-1.7 {}", CANARY.repeat(300));
            let file = bench.write("a.pdf", content.as_bytes());
            let out = bench.path("out");
            let out = out.to_str().expect("UTF-8");
            let line: &[&str] = match call {
                "token" | "upload" | "complete" => &["upload", &file, "--on-unknown", "stop"],
                "fraudanalysis" => &["fraud", "login-1"],
                "Authorize" => &["authorize", "--login-id", "login-1", "--cached"],
                "GetAccountsDetail" => &["accounts", "--request-id", "r-1", "--deadline", "1"],
                "GetStatements" => &[
                    "statements",
                    "--request-id",
                    "r-1",
                    "--out",
                    out,
                    "--deadline",
                    "1",
                ],
                _ => &["delete-card", "login-1", "--yes"],
            };
            let support = bench.path("support");
            let support = support.to_str().expect("UTF-8");
            let json: &[&str] = if status % 2 == 0 { &["--json"] } else { &[] };
            let line = [line, &["-vv", "--allow-http", "--support", support], json].concat();
            let run = bench.run(&line);
            runs += 1;
            assert_ne!(run.status, Some(0), "{call} {status}: {run:?}");
            let report = fs::read_to_string(support).expect("a report");
            for text in [&run.stdout, &run.stderr, &report] {
                let base64 = ["Q0FOQVJZ", "NBTkFSW", "DQU5BUl"];
                let clean =
                    !text.contains(CANARY) && !base64.iter().any(|part| text.contains(part));
                assert!(clean && !text.contains("eyJ"), "{call} {status}: {text}");
            }
        }
    }
    println!("{runs} runs, 0 echoes found");
}
