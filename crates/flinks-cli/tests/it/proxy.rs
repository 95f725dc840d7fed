//! The program behind a proxy that alone knows the names of both hosts.

use std::fs;

use flinks_sandbox::{ApiOperation, ConnectProxy, ProxyFault};

use crate::bench::{Bench, PROXY_PASSWORD, Run, has};

/// The user and the password as a URL spells them.
const USER_INFO: &str = "us%20er:CANARY%3Ap%40ss%2Fword";

/// What must be nowhere: the password, and the credentials in base64 (made by another program).
const FORBIDDEN: [&str; 4] = [PROXY_PASSWORD, "CANARY", "dXMgZXI6", "Q0FOQVJZ"];

fn url(proxy: &ConnectProxy, user_info: &str) -> String {
    proxy.url().replace("://", &format!("://{user_info}"))
}

#[track_caller]
fn is_clean(texts: &[&str]) {
    for (text, forbidden) in texts.iter().flat_map(|text| FORBIDDEN.map(|it| (text, it))) {
        assert!(!text.contains(forbidden), "{forbidden} in {text}");
    }
}

/// Uploads and waits, reads the verdict again, and runs the doctor.
fn run_all(bench: &Bench) {
    let content = b"%PDF-1.7\n%flinks-sandbox status=COMPLETED\n";
    let file = bench.write("a.pdf", content);
    let output = bench.run(&["upload", &file, "--wait", "--poll", "1", "--json"]);
    let output = output.ends_with(0).json();
    assert_eq!(output["fraud"]["verdict"], "clean", "{output}");
    let login_id = output["login_id"].as_str().expect("an id");
    bench.run(&["fraud", login_id]).ends_with(0);
    bench.run(&["doctor"]).ends_with(0);
}

#[test]
fn hosts_that_only_the_proxy_knows_are_reached_through_it() {
    for (name, is_tls) in [("FLINKS_PROXY", false), ("HTTPS_PROXY", true)] {
        let (mut bench, proxy) = Bench::behind_proxy(vec![], is_tls);
        bench.set(name, &url(&proxy, &format!("{USER_INFO}@")));
        run_all(&bench);
        let log = bench.sandbox.log();
        assert!(
            log.iter().any(|line| line.client_serial.is_some()),
            "{log:?}"
        );
        let heads = proxy.heads();
        assert!(!heads.is_empty());
        assert_eq!(proxy.client_certificates(), 0);
        for head in &heads {
            assert!(head.starts_with("CONNECT "), "{head}");
            // No token, no key, and no credential but that of the proxy.
            let credentials = head.lines().filter(|line| line.contains("uthorization"));
            assert_eq!(credentials.count(), 1, "{head}");
            assert!(!head.contains(bench.sandbox.client_secret()), "{head}");
            assert_eq!(head.lines().count(), 5, "{head}");
        }

        let uploads = bench.sandbox.requests(ApiOperation::Upload);
        bench.set("NO_PROXY", ".invalid");
        let file = bench.document("b.pdf");
        for line in [&["upload", &file][..], &["fraud", "login-1"]] {
            bench
                .run(line)
                .ends_with(4)
                .says(&[".invalid", "could not be resolved"]);
        }
        bench.run(&["doctor"]).ends_with(4);
        assert_eq!(proxy.heads().len(), heads.len());
        assert_eq!(bench.sandbox.requests(ApiOperation::Upload), uploads);
    }
}

#[test]
fn a_failure_names_the_proxy_and_its_setting() {
    let status = ProxyFault::status;
    for (fault, exit, says) in [
        (status(407), 2, "refused the user or the password"),
        (status(401), 2, "refused the user or the password"),
        (status(403), 4, "refuses connections to upload.invalid:443"),
        (
            ProxyFault::Answer(b"SSH-2.0\r\n".to_vec()),
            4,
            "does not answer in HTTP",
        ),
        (ProxyFault::Close, 4, "closed the connection"),
    ] {
        let (mut bench, proxy) = Bench::behind_proxy(vec![fault; 9], false);
        let (address, file) = (proxy.address().to_string(), bench.document("a.pdf"));
        bench.set("https_proxy", &url(&proxy, &format!("{USER_INFO}@")));
        let support = bench.path("support");
        let support = support.to_str().expect("UTF-8");
        let line = ["upload", &file, "--support", support, "-v"];
        let run = bench.run(&line).ends_with(exit).says(&[
            says,
            &format!("proxy: {address} (https_proxy)\n"),
            "uses a proxy",
        ]);
        let report = fs::read_to_string(support).expect("a report");
        assert!(
            report.contains(&format!("{address} (https_proxy)")),
            "{report}"
        );
        is_clean(&[&run.stdout, &run.stderr, &report]);
        let error = bench
            .run(&["upload", &file, "--json"])
            .ends_with(exit)
            .error();
        assert_eq!(error["kind"], "proxy", "{error}");
        assert_eq!(error["delivery"], "not_sent", "{error}");
        assert_eq!(error["proxy"], address.as_str(), "{error}");
        assert_eq!(error["proxy_setting"], "https_proxy", "{error}");
        has(&error["message"], "https://upload.invalid");
    }
}

/// Gives the password in every way, to a proxy that takes it and to one that refuses it.
#[test]
fn the_password_of_the_proxy_is_on_no_sink() {
    for exit in [0, 2] {
        let faults = match exit {
            0 => vec![],
            _ => vec![ProxyFault::status(407); 99],
        };
        let (bench, proxy) = Bench::behind_proxy(faults, false);
        let url = url(&proxy, &format!("{USER_INFO}@"));
        let file = bench.write("proxy", format!("{url}\n").as_bytes());
        let toml = |key: &str, value: &str| {
            let text = format!("{key} = {}", serde_json::Value::from(value));
            bench.write(&format!("{key}.toml"), text.as_bytes())
        };
        let ways = [
            ("FLINKS_PROXY", url.clone()),
            ("FLINKS_PROXY_FILE", file.clone()),
            ("FLINKS_CONFIG", toml("proxy", &url)),
            ("FLINKS_CONFIG", toml("proxy_file", &file)),
            ("ALL_PROXY", url.clone()),
        ];
        for (name, value) in ways {
            let mut command = bench.command(&["doctor", "-vvv"]);
            let run = Run::of(command.env(name, value)).ends_with(exit);
            is_clean(&[&run.stdout, &run.stderr]);
        }
        let flag = format!("--proxy={url}");
        let run = bench.run(&["doctor", &flag]).ends_with(2);
        is_clean(&[&run.stdout, &run.stderr]);
        assert!(run.stdout.contains("FLINKS_PROXY_FILE"), "{run:?}");
    }
}

#[test]
fn the_embedded_sandbox_uses_no_proxy() {
    let mut bench = Bench::new(&[]);
    bench.set("HTTPS_PROXY", "http://proxy.invalid:3128");
    bench.run(&["doctor", "--sandbox"]).ends_with(0);
    bench.run(&["doctor"]).ends_with(4);
    bench.set("NO_PROXY", "127.0.0.0/8");
    bench.run(&["doctor"]).ends_with(0);
}
