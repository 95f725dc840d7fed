//! The exit statuses that no other module shows, with the hints and the JSON that go with them.

use std::net::TcpListener;

use flinks_sandbox::certificates::{Authority, Validity};
use flinks_sandbox::{ApiOperation, OnUntrusted, Sandbox};

use crate::bench::{Bench, Run, has, without_settings};
use crate::mock::{self, Answer};

#[test]
fn a_wrong_secret_is_a_refusal_of_the_token_request() {
    let mut bench = Bench::new(&[]);
    bench.set("FLINKS_CLIENT_SECRET", "wrong");
    let file = bench.document("a.pdf");
    let error = bench.run(&["upload", &file, "--json"]).ends_with(1).error();
    assert_eq!(
        (&error["kind"], &error["step"]),
        (&"api".into(), &"token".into()),
        "{error}"
    );
    assert_eq!(
        (&error["status"], &error["delivery"]),
        (&401.into(), &"not_sent".into()),
        "{error}"
    );
    has(&error["hint"], "FLINKS_CLIENT_SECRET");
    bench
        .run(&["upload", &file])
        .ends_with(1)
        .says(&["hint: guide, \"401 Unauthorized"]);
    assert_eq!(bench.sandbox.requests(ApiOperation::Upload), 0);
}

#[test]
fn a_wrong_scope_is_the_guides_first_row() {
    let mut bench = Bench::new(&[]);
    bench.set("FLINKS_SCOPE", "ocr.read");
    let error = bench
        .run(&["upload", &bench.document("a.pdf"), "--json"])
        .ends_with(1)
        .error();
    assert_eq!(
        (&error["status"], &error["step"]),
        (&400.into(), &"token".into()),
        "{error}"
    );
    has(&error["hint"], "400 Bad Request");
}

#[test]
fn a_refused_client_certificate_is_named() {
    let other = Authority::new("Another CA").expect("a CA");
    let identity = other.issue_client("stranger", Validity::Valid);
    let identity = identity.expect("a certificate");
    for (action, exit, kind, hint) in [
        (
            OnUntrusted::Alert,
            2,
            "client_certificate",
            "SSL Handshake Error",
        ),
        (OnUntrusted::Forbid, 1, "api", "403 Forbidden"),
    ] {
        let mut bench = Bench::with(Sandbox::builder().on_untrusted(action));
        bench.set_identity(&identity.cert_pem, &identity.key_pem);
        let error = bench
            .run(&["upload", &bench.document("a.pdf"), "--json"])
            .ends_with(exit)
            .error();
        assert_eq!(error["kind"], kind);
        assert_eq!(error["delivery"], "not_sent");
        has(&error["hint"], hint);
    }
}

#[test]
fn mistakes_about_the_identity_are_found_before_anything_is_sent() {
    let mut bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    let authority = bench.sandbox.authority();
    let other = authority.issue_client("other", Validity::Valid);
    let other = other.expect("a certificate");
    let expired = authority.issue_client("old", Validity::Expired);
    let expired = expired.expect("a certificate");
    let rows = [
        (
            other.cert_pem,
            bench.sandbox.client_key_pem().to_owned(),
            "does not belong",
        ),
        (expired.cert_pem, expired.key_pem, "expired"),
        (String::new(), String::new(), "empty"),
    ];
    for (certificate, key, word) in rows {
        bench.set_identity(&certificate, &key);
        bench.run(&["upload", &file]).ends_with(2).says(&[word]);
    }
    assert!(bench.sandbox.log().is_empty());
}

#[test]
fn a_refused_file_stops_the_upload_of_the_others() {
    let bench = Bench::new(&[]);
    let good = bench.document("good.pdf");
    let rows = [
        bench.write("notes.docx", b"PK"),
        bench.write("empty.pdf", b""),
        bench.write("picture.png", b"%PDF-1.7"),
        bench.argument("missing.pdf"),
    ];
    for bad in rows {
        let run = bench.run(&["upload", &good, &bad, "--json"]).ends_with(3);
        let output = run.json();
        assert_eq!(output["error"]["kind"], "file", "{bad}");
        assert_eq!(output["error"]["delivery"], "not_sent", "{bad}");
        assert!(
            output.get("ledger").is_none(),
            "there is nothing to resume: {output}"
        );
    }
    assert!(bench.sandbox.log().is_empty(), "not even a token");
    assert!(bench.ledgers().is_empty());
}

#[test]
fn every_refused_file_is_named_with_its_fault() {
    let bench = Bench::new(&[]);
    let files = [
        bench.document("good.pdf"),
        bench.document("tab\there.pdf"),
        bench.write("photo.jpg", b"\0\0\0\x18ftypheic\0\0\0\0"),
        bench.argument("missing.pdf"),
        bench.write("notes.txt", b"text"),
    ];
    let files = files.each_ref().map(String::as_str);
    for json in [true, false] {
        let line = [
            &["upload"][..],
            &files,
            if json { &["--json"][..] } else { &[] },
        ]
        .concat();
        let run = bench.run(&line).ends_with(3);
        let text = if json {
            run.json()["error"]["message"].to_string()
        } else {
            run.stderr
        };
        for part in [
            "4 files refused",
            "there.pdf",
            "photo.jpg",
            "HEIC",
            "missing.pdf",
            "notes.txt",
        ] {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
        assert!(!text.contains("good.pdf") && !text.contains('\t'), "{text}");
    }
    assert!(bench.sandbox.log().is_empty());
}

#[test]
fn without_a_folder_for_the_ledger_the_error_names_the_options() {
    let mut bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    let mut command = bench.command(&["upload", &file]);
    command
        .env_remove("XDG_STATE_HOME")
        .env("HOME", format!("{file}/home"));
    Run::of(&mut command)
        .ends_with(2)
        .says(&["XDG_STATE_HOME", "--ledger"]);
    bench.set("FLINKS_CA", "");
    let mut command = bench.command(&["upload", &file]);
    command
        .env("SSL_CERT_FILE", "/nowhere/CANARY")
        .env("SSL_CERT_DIR", "/nowhere/CANARY");
    let run = Run::of(&mut command);
    if cfg!(feature = "platform-roots") && cfg!(target_os = "linux") {
        let output = run.ends_with(2).stderr;
        assert!(
            output.contains("FLINKS_CA")
                && output.contains("SSL_CERT_FILE: the file cannot be read: no such file"),
            "{output}"
        );
        assert!(
            !output.contains("feature") && !output.contains("CANARY"),
            "{output}"
        );
    }
    assert!(bench.sandbox.log().is_empty());
}

#[cfg(unix)]
#[test]
fn too_many_open_files_are_a_usage_error() {
    let bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    let mut failed = 0;
    for limit in 4..=12 {
        let command = bench.command(&["upload", &file]);
        let mut limited = std::process::Command::new("sh");
        let script = format!("ulimit -n {limit}; exec \"$0\" \"$@\"");
        limited
            .args(["-c", &script])
            .arg(command.get_program())
            .args(command.get_args());
        let set = command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        limited
            .env_clear()
            .envs(set)
            .stdin(std::process::Stdio::null());
        let run = Run::of(&mut limited);
        if run.status == Some(0) {
            continue;
        }
        failed += 1;
        assert!(
            run.stderr.to_lowercase().contains("too many open files"),
            "{limit}: {run:?}"
        );
        assert_eq!(run.status, Some(2), "{limit}: {run:?}");
    }
    assert!(failed > 3, "the limit was to be met");
}

/// What stands in place of one answer, how the run ends, and what it says.
#[test]
fn html_pages_and_wrong_scopes_have_hints() {
    const PAGE: &str = "<!DOCTYPE html><html><title>Sign in</title></html>";
    const SCOPE: &str =
        r#"{"access_token":"t","token_type":"Bearer","expires_in":300,"scope":"x"}"#;
    let rows: [(&str, u16, &'static str, i32, &str); 5] = [
        ("token", 200, PAGE, 4, "proxy"),
        ("token", 403, PAGE, 1, "proxy"),
        ("token", 200, SCOPE, 2, "FLINKS_SCOPE"),
        ("token", 200, "{", 4, ""),
        ("fraudanalysis", 403, PAGE, 1, "proxy"),
    ];
    for (call, status, body, exit, output) in rows {
        let url = mock::serve(
            move |asked| match asked.path.split('/').any(|part| part == call) {
                true => Answer(status, "", body.into()),
                false => mock::guide(asked),
            },
        );
        let mut bench = Bench::new(&[]);
        bench.set("FLINKS_UPLOAD_URL", &url);
        bench.set("FLINKS_API_URL", &url);
        let file = bench.document("a.pdf");
        let line: &[&str] = if call == "token" {
            &["upload", &file]
        } else {
            &["fraud", "login-1"]
        };
        let run = bench
            .run(&[line, &["--allow-http", "--json"]].concat())
            .ends_with(exit);
        let hint = run.json()["error"]["hint"].to_string();
        assert!(
            hint.contains(output) && !hint.contains("FLINKS_CUSTOMER_ID"),
            "{run:?}"
        );
    }
}

#[test]
fn an_unknown_variable_gets_a_warning() {
    let mut bench = Bench::new(&[]);
    bench.set("FLINKS_CLIENT_SECERT", "CANARY");
    bench.set(
        "FLINKS_API_SECRET",
        &format!("Bearer {}", bench.sandbox.api_secret()),
    );
    let line = ["fraud", flinks_sandbox::CLEAN_LOGIN_ID, "--json"];
    let run = bench.run(&line).ends_with(0);
    assert_eq!(run.json()["verdict"], "clean");
    for part in [
        "warning: FLINKS_CLIENT_SECERT",
        "FLINKS_CLIENT_SECRET meant",
        "warning: FLINKS_API_SECRET",
    ] {
        assert!(run.stderr.contains(part), "{part}: {run:?}");
    }
    assert!(!run.stderr.contains("CANARY"), "{run:?}");
}

#[test]
fn a_closed_port_is_unreachable() {
    let mut bench = Bench::new(&[]);
    let port = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("its number");
    bench.set("FLINKS_UPLOAD_URL", &format!("https://{port}"));
    bench.set("FLINKS_API_URL", &format!("https://{port}"));
    let error = bench
        .run(&["upload", &bench.document("a.pdf"), "--json"])
        .ends_with(4)
        .json();
    assert_eq!(error["error"]["kind"], "connect");
    bench.run(&["fraud", "aabf32b7"]).ends_with(4);
}

#[test]
fn a_server_that_is_not_trusted_is_unreachable() {
    let mut bench = Bench::new(&[]);
    let other = Bench::new(&[]);
    bench.set(
        "FLINKS_CA",
        &bench.write("other-ca.pem", other.sandbox.ca_pem().as_bytes()),
    );
    let error = bench
        .run(&["upload", &bench.document("a.pdf"), "--json"])
        .ends_with(4)
        .json();
    assert_eq!(error["error"]["kind"], "server_certificate");
}

#[test]
fn an_unreadable_answer_may_have_been_acted_on() {
    let bench = Bench::new(&["complete=torn"]);
    let output = bench
        .run(&["upload", &bench.document("a.pdf"), "--json"])
        .ends_with(5)
        .json();
    assert_eq!(output["error"]["operation"], "upload.complete");
    assert!(output["ledger"].is_string());
}

#[test]
fn restarts_are_used_up_in_the_end() {
    let bench = Bench::new(&["upload=close-after"]);
    let output = bench
        .run(&["upload", &bench.document("a.pdf"), "--json"])
        .ends_with(5)
        .json();
    assert_eq!(output["error"]["delivery"], "unknown");
    assert!(output["ledger"].is_string());
    assert_eq!(bench.sandbox.requests(ApiOperation::Upload), 3);
    assert_eq!(bench.sandbox.requests(ApiOperation::Complete), 0);
}

#[test]
fn invalid_settings_are_usage_errors() {
    let mut bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    bench.run(&["upload"]).ends_with(2);
    bench
        .run(&["upload", &file, "--client-secret", "x"])
        .ends_with(2);
    Run::of(&mut without_settings(&["upload", &file]))
        .ends_with(2)
        .says(&["FLINKS_CERT, FLINKS_CLIENT_ID, FLINKS_CLIENT_SECRET"]);
    bench
        .run(&["upload", &file, "--upload-url", "http://127.0.0.1:1"])
        .ends_with(2);
    bench.set("FLINKS_INSTANCE", "toolbox");
    let run = bench.run(&["fraud", "aabf32b7", "--json"]).ends_with(2);
    assert_eq!(run.json()["error"]["kind"], "config");
    bench.set("FLINKS_INSTANCE", "");
    bench.set("FLINKS_API_SECRET", "");
    // With --wait the verdict's settings are needed too, and that is found before the upload.
    bench.run(&["upload", &file, "--wait"]).ends_with(2);
    assert!(bench.sandbox.log().is_empty());
}

#[test]
fn a_usage_error_is_one_json_object_too() {
    let run = Run::of(&mut without_settings(&["upload", "--json", "--nonsense"])).ends_with(2);
    assert_eq!(run.json()["error"]["kind"], "input");
    let message = run.json()["error"]["message"]
        .as_str()
        .expect("a message")
        .to_owned();
    assert_eq!(message, "unexpected argument '--nonsense' found");
}

#[cfg(feature = "pfx")]
#[test]
fn a_pfx_holds_certificate_and_key_in_one() {
    let mut bench = Bench::new(&[]);
    let (certificate, key) = (bench.path("client.pem"), bench.path("client.key"));
    let pfx = bench.path("client.pfx");
    let made = std::process::Command::new("openssl")
        .args(["pkcs12", "-export", "-passout", "pass:a secret", "-in"])
        .arg(&certificate)
        .arg("-inkey")
        .arg(&key)
        .arg("-out")
        .arg(&pfx)
        .status();
    let Ok(made) = made else {
        crate::skipped("openssl is not installed");
        return;
    };
    assert!(made.success());
    let file = bench.document("a.pdf");
    bench.set("FLINKS_CERT", pfx.to_str().expect("UTF-8"));
    bench.set("FLINKS_KEY", "");
    bench.set(
        "FLINKS_CERT_PASSWORD_FILE",
        &bench.write("password", b"a secret\n"),
    );
    bench.run(&["upload", &file]).ends_with(0);
    bench.set(
        "FLINKS_CERT_PASSWORD_FILE",
        &bench.write("password", b"another"),
    );
    bench
        .run(&["upload", &file])
        .ends_with(2)
        .says(&["FLINKS_CERT_PASSWORD"]);
}

#[test]
fn a_certificate_without_its_key_names_the_missing_setting() {
    let mut bench = Bench::new(&[]);
    bench.set("FLINKS_KEY", "");
    bench
        .run(&["upload", &bench.document("a.pdf")])
        .ends_with(2)
        .says(&["FLINKS_KEY"]);
}
