//! `flinks doctor` on broken setups: which part it names, why, and what to do next.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, SystemTime};

use flinks_sandbox::certificates::{Authority, IssuedCertificate, Validity};
use rcgen::{CertificateParams, IsCa, KeyPair};
use serde_json::Value;

use crate::bench::{Run, private, without_settings};
use crate::tls_host::{Answers, Asks, answer, answer_at, raw, serve, serve_with};

const TOKEN: &str = r#"{"access_token":"tok.x","token_type":"Bearer","expires_in":300}"#;
const UNKNOWN_LOGIN: &str = r#"{"HttpStatusCode":401,"FlinksCode":"INVALID_LOGIN"}"#;
const JSON: &str = "application/json";
const HTML: &str = "text/html";

const UPLOAD: &str = "FLINKS_UPLOAD_URL";
const RESULTS: &str = "FLINKS_API_URL";

/// Changed settings; empty means not set.
type Changes = Vec<(&'static str, String)>;

/// Both hosts as the guide describes them, and the settings for them.
struct Lab {
    folder: tempfile::TempDir,
    authority: Authority,
    /// For both hosts.
    server: IssuedCertificate,
    settings: BTreeMap<&'static str, String>,
}

impl Lab {
    fn new() -> Self {
        let authority = Authority::new("Test CA").expect("a CA");
        let mut lab = Self {
            folder: tempfile::tempdir().expect("a folder"),
            server: issue(&authority, "127.0.0.1", Validity::Valid),
            authority,
            settings: BTreeMap::new(),
        };
        let ca = lab.file("ca.pem", lab.authority.ca_pem());
        let mut settings = lab.identity(&lab.authority, "client", Validity::Valid);
        settings.extend([
            ("FLINKS_CA", ca),
            ("FLINKS_CLIENT_ID", "client".to_owned()),
            ("FLINKS_CLIENT_SECRET", "secret".to_owned()),
            ("FLINKS_CUSTOMER_ID", "customer".to_owned()),
            ("FLINKS_API_SECRET", "api-secret".to_owned()),
            (UPLOAD, lab.upload(200, JSON, TOKEN)),
            (RESULTS, lab.results(401, JSON, UNKNOWN_LOGIN)),
        ]);
        lab.settings = settings.into_iter().collect();
        lab
    }

    fn file(&self, name: &str, contents: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, contents).expect("written");
        private(&path);
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Settings of a client certificate by an authority.
    fn identity(&self, authority: &Authority, name: &str, validity: Validity) -> Changes {
        let issued = authority.issue_client(name, validity);
        let issued = issued.expect("a certificate");
        let key = self.file(&format!("{name}.key"), &issued.key_pem);
        let certificate = self.file(&format!("{name}.pem"), &issued.cert_pem);
        vec![("FLINKS_CERT", certificate), ("FLINKS_KEY", key)]
    }

    /// An upload host with these answers to every request.
    fn upload(&self, status: u16, media_type: &'static str, body: impl ToString) -> String {
        let asks = Asks::Of(self.authority.ca_pem());
        serve(&self.server, asks, always(status, media_type, body))
    }

    fn results(&self, status: u16, media_type: &'static str, body: impl ToString) -> String {
        serve(
            &self.server,
            Asks::Nothing,
            always(status, media_type, body),
        )
    }

    /// Runs the doctor with some settings changed.
    fn doctor(&self, changes: &[(&'static str, String)]) -> Run {
        let mut settings = self.settings.clone();
        settings.extend(changes.iter().cloned());
        settings.retain(|_, value| !value.is_empty());
        Run::of(without_settings(&["doctor", "--json"]).envs(settings))
    }

    /// Checks the findings, each written as `check: status: words | more words`, and that there is no
    /// other fault.
    #[track_caller]
    fn finds(&self, setup: &str, changes: &[(&'static str, String)], exit: i32, expected: &[&str]) {
        let run = self.doctor(changes);
        assert_eq!(run.status, Some(exit), "{setup}: {run:?}");
        let output = run.json();
        let findings = output["findings"].as_array().expect("a list");
        let mut named = Vec::new();
        for line in expected {
            let mut parts = line.splitn(3, ": ");
            let mut part = || parts.next().unwrap_or_default();
            let (check, status, words) = (part(), part(), part());
            let finding = findings.iter().find(|it| it["check"] == check);
            let finding = finding.unwrap_or_else(|| panic!("{setup}: {check} in {output}"));
            assert_eq!(finding["status"], status, "{setup}: {finding}");
            let text = [&finding["message"], &finding["hint"]];
            let text = text
                .map(|text| text.as_str().unwrap_or_default())
                .join("\n");
            for words in words.split(" | ") {
                assert!(
                    text.contains(words),
                    "{setup}: {words} is missing from {text}"
                );
            }
            named.push(check);
        }
        for finding in findings.iter().filter(|it| it["status"] == "fail") {
            let check = finding["check"].as_str().expect("a name");
            assert!(named.contains(&check), "{setup}: unexpected {finding}");
            // Messages about files end with the next step.
            let is_of_file = ["client certificate", "trusted roots"].contains(&check);
            assert!(
                is_of_file || finding["hint"].is_string(),
                "{setup}: no hint in {finding}"
            );
        }
    }
}

fn issue(authority: &Authority, name: &str, validity: Validity) -> IssuedCertificate {
    let issued = authority.issue_server(&[name], validity);
    issued.expect("a certificate")
}

fn always(status: u16, media_type: &'static str, body: impl ToString) -> Answers {
    let body = body.to_string();
    Box::new(move |_| Some(answer(status, media_type, &body)))
}

fn page(title: &str) -> String {
    format!("<!DOCTYPE html><html><head><title>{title}</title></head></html>")
}

#[test]
fn a_correct_setup_is_ok_in_every_part() {
    let output = Lab::new().doctor(&[]).ends_with(0).json();
    for finding in output["findings"].as_array().expect("a list") {
        assert_eq!(finding["status"], "ok", "{finding}");
        let check = finding["check"].as_str().expect("a name");
        assert_eq!(
            finding["days_left"].is_u64(),
            check.ends_with("certificate"),
            "{finding}"
        );
    }
}

#[test]
fn faults_of_the_files() {
    let lab = Lab::new();
    let client = |name, validity| lab.identity(&lab.authority, name, validity);
    let set = |name, value: &str| vec![(name, value.to_owned())];
    let key = KeyPair::generate().expect("a key");
    let request = CertificateParams::default().serialize_request(&key);
    let request = request.expect("a request").pem().expect("PEM");
    let swapped = vec![
        ("FLINKS_CERT", lab.settings["FLINKS_KEY"].clone()),
        ("FLINKS_KEY", lab.settings["FLINKS_CERT"].clone()),
    ];
    let request = set("FLINKS_CERT", &lab.file("csr.pem", &request));
    let other_key = set("FLINKS_KEY", &lab.file("other.key", &key.serialize_pem()));
    let no_ca = set("FLINKS_CA", &lab.file("text", "no CA"));
    let certificate = "client certificate";
    let rows = [
        (client("old", Validity::Expired), certificate, "expired on"),
        (
            client("new", Validity::NotYetValid),
            certificate,
            "not valid before | clock",
        ),
        (request, certificate, "CSR"),
        (swapped, certificate, "swapped"),
        (other_key, certificate, "does not belong"),
        (set("FLINKS_CERT", "/nowhere"), certificate, "FLINKS_CERT"),
        (no_ca, "trusted roots", "FLINKS_CA"),
        (set("FLINKS_CERT", ""), "upload settings", "FLINKS_CERT"),
    ];
    for (changes, check, words) in rows {
        let fault = format!("{check}: fail: {words}");
        let skipped = [
            "upload host: skip: not tested",
            "access token: skip: not tested",
        ];
        lab.finds(words, &changes, 2, &[&fault, skipped[0], skipped[1]]);
    }
    let skipped = [
        "access token: skip: FLINKS_CLIENT_ID not set",
        "mutual TLS: skip",
        "upload settings: fail",
    ];
    lab.finds("no client", &set("FLINKS_CLIENT_ID", ""), 2, &skipped);
    let skipped = [
        "results host: skip: not set",
        "results certificate: skip",
        "API secret: skip",
    ];
    lab.finds("no results host", &set(RESULTS, ""), 0, &skipped);
    let skipped = "API secret: skip: FLINKS_API_SECRET not set";
    lab.finds(
        "no API secret",
        &set("FLINKS_API_SECRET", ""),
        0,
        &[skipped],
    );
}

#[test]
fn faults_of_the_connection() {
    let lab = Lab::new();
    let says = |bytes: &'static [u8]| {
        raw("https", move |mut tcp: TcpStream| {
            let mut hello = [0; 4096];
            drop(tcp.read(&mut hello).and_then(|_| tcp.write_all(bytes)));
            tcp
        })
    };
    let closes = raw("https", |tcp| {
        drop(tcp.shutdown(Shutdown::Both));
        tcp
    });
    // A fatal alert `protocol_version`.
    let old_tls = says(b"\x15\x03\x01\x00\x02\x02\x46");
    let refused = "https://127.0.0.1:1".to_owned();
    let rows = [
        (
            refused.clone(),
            "127.0.0.1:1 (connection refused) | firewall",
        ),
        ("https://upload.invalid".to_owned(), "resolved | base URL"),
        (
            raw("https", |tcp| tcp),
            "no connection within | (connected)",
        ),
        (
            says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "did not answer in TLS | (connected)",
        ),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "did not answer in TLS"),
        (old_tls, "no TLS version | TLS 1.2 and 1.3"),
        (closes, "ends connections during the TLS handshake"),
    ];
    for (url, words) in rows {
        let fault = format!("upload host: fail: {words}");
        let skipped = [
            "upload certificate: skip",
            "mutual TLS: skip",
            "access token: skip",
        ];
        let expected = [
            &fault,
            skipped[0],
            skipped[1],
            skipped[2],
            "results host: ok",
        ];
        lab.finds(words, &[(UPLOAD, url)], 4, &expected);
    }
    let fault = "results host: fail: connection refused";
    lab.finds(
        "no results host",
        &[(RESULTS, refused)],
        4,
        &[fault, "mutual TLS: ok"],
    );
}

#[test]
fn faults_of_the_servers_certificate() {
    let lab = Lab::new();
    let up = |certificate: &IssuedCertificate| {
        let asks = Asks::Of(lab.authority.ca_pem());
        serve(certificate, asks, always(200, JSON, TOKEN))
    };
    let other = Authority::new("Other CA").expect("a CA");
    let (ours, own) = (&lab.authority, "127.0.0.1");
    let (soon, ca) = expires_within_days(10);
    let rows = [
        (
            issue(ours, "other.test", Validity::Valid),
            "other.test | base URL | issued by CN=Test CA",
        ),
        (issue(ours, own, Validity::Expired), "expired on | clock"),
        (
            issue(ours, own, Validity::NotYetValid),
            "not valid until | clock",
        ),
        (
            issue(&other, own, Validity::Valid),
            "CN=Other CA | without an intermediate | FLINKS_CA",
        ),
        (soon.clone(), "does not lead to a trusted root | CN=self"),
    ];
    for (certificate, words) in rows {
        let fault = format!("upload certificate: fail: {words}");
        let skipped = [
            "mutual TLS: skip: no trusted connection",
            "access token: skip",
        ];
        let expected = [&fault, "upload host: ok", skipped[0], skipped[1]];
        lab.finds(words, &[(UPLOAD, up(&certificate))], 4, &expected);
    }
    let roots = lab.file("both.pem", &(ours.ca_pem().to_owned() + &ca));
    let changes = [(UPLOAD, up(&soon)), ("FLINKS_CA", roots)];
    let warning = "upload certificate: warn: 9 more days | renew";
    lab.finds("expires soon", &changes, 0, &[warning, "mutual TLS: ok"]);
}

/// A self-signed certificate for loopback, with itself as its authority.
fn expires_within_days(days: u64) -> (IssuedCertificate, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "self");
    params.is_ca = IsCa::ExplicitNoCa;
    params.not_after = (SystemTime::now() + Duration::from_secs(days * 86_400)).into();
    let mut issued = issue(&Authority::new("x").expect("a CA"), "x", Validity::Valid);
    issued.cert_pem = params.self_signed(&key).expect("a certificate").pem();
    issued.key_pem = key.serialize_pem();
    let authority = issued.cert_pem.clone();
    (issued, authority)
}

#[test]
fn an_inspecting_proxy_is_never_ok() {
    let lab = Lab::new();
    let rows = [
        ("Zscaler Root CA", false, "TLS-inspecting proxy (Zscaler)"),
        (
            "Fortinet CA",
            true,
            "TLS-inspecting proxy (Fortinet FortiGate)",
        ),
        ("Corporate Root", false, "probably a TLS-inspecting proxy"),
    ];
    for (name, is_trusted, words) in rows {
        let inspector = Authority::new(name).expect("a CA");
        let certificate = issue(&inspector, "127.0.0.1", Validity::Valid);
        let ca =
            lab.authority.ca_pem().to_owned() + if is_trusted { inspector.ca_pem() } else { "" };
        let ca = ("FLINKS_CA", lab.file("roots.pem", &ca));
        let url = |body: &'static str| serve(&certificate, Asks::Nothing, always(200, JSON, body));
        let expected = [
            &format!("upload certificate: fail: {words} | issued by CN={name} | exempt"),
            "mutual TLS: fail: did not ask for a client certificate | SSL Handshake Error",
            "access token: skip: the client secret is only for",
        ];
        lab.finds(name, &[(UPLOAD, url(TOKEN)), ca.clone()], 4, &expected);
        if is_trusted {
            let warning = format!("results certificate: warn: {words} | the API secret");
            let analysis = r#"{"HttpStatusCode":200,"DocumentAnalysis":[]}"#;
            lab.finds(name, &[(RESULTS, url(analysis)), ca], 0, &[&warning]);
        }
    }
}

#[test]
fn faults_of_mutual_tls() {
    let lab = Lab::new();
    let another = Authority::new("Another CA").expect("a CA");
    for only_tls12 in [false, true] {
        let asks = Asks::Of(lab.authority.ca_pem());
        let url = serve_with(&lab.server, asks, only_tls12, always(200, JSON, TOKEN));
        let mut changes = lab.identity(&another, "stranger", Validity::Valid);
        changes.push((UPLOAD, url));
        let fault = "mutual TLS: fail: SSL Handshake Error | not among the authorities";
        lab.finds(
            "alert",
            &changes,
            2,
            &[fault, "access token: skip: refused"],
        );
    }
    let nginx = |words: &str| always(400, HTML, page(&format!("400 {words}")));
    let rows = [
        (
            nginx("The SSL certificate error"),
            "The SSL certificate error | front end | 403 Forbidden",
        ),
        (
            nginx("No required SSL certificate was sent"),
            "No required SSL certificate | front end",
        ),
        (always(403, HTML, page("403 Forbidden")), "403 Forbidden"),
        (
            always(403, JSON, r#"{"Message":"no"}"#),
            "guide, \"403 Forbidden",
        ),
    ];
    for (answers, words) in rows {
        let fault = format!("mutual TLS: fail: {words}");
        let url = serve(&lab.server, Asks::Any, answers);
        lab.finds(
            words,
            &[(UPLOAD, url)],
            1,
            &[&fault, "access token: skip: refused"],
        );
    }
    // A host that wants the certificate after the handshake asks for none in it.
    for (only_tls12, token) in [(false, Some(TOKEN)), (false, None), (true, None)] {
        let answers = Box::new(move |_: &str| Some(answer(200, JSON, token?)));
        let url = serve_with(&lab.server, Asks::Nothing, only_tls12, answers);
        let fault =
            "mutual TLS: fail: did not ask | Renegotiation and post-handshake authentication";
        lab.finds(
            "not asked",
            &[(UPLOAD, url)],
            4,
            &[fault, "access token: skip: client secret"],
        );
    }
}

#[test]
fn faults_of_the_token() {
    let lab = Lab::new();
    let portal = page("Corporate\u{1b}[31m sign-in");
    let oauth = |error: &str| format!(r#"{{"error":"{error}"}}"#);
    let message = || r#"{"Message":"no"}"#.to_owned();
    let rows = [
        (
            401,
            JSON,
            oauth("invalid_client"),
            1,
            "ok",
            "401 Unauthorized | invalid_client",
        ),
        (
            400,
            JSON,
            oauth("invalid_scope"),
            1,
            "ok",
            "400 Bad Request | FLINKS_SCOPE",
        ),
        (
            401,
            JSON,
            message(),
            1,
            "skip",
            "401 Unauthorized | FLINKS_CLIENT_SECRET",
        ),
        (
            404,
            JSON,
            message(),
            1,
            "skip",
            "without /api/v1 | FLINKS_UPLOAD_URL",
        ),
        (
            400,
            "text/plain",
            "Bad Request".to_owned(),
            1,
            "skip",
            "400 Bad Request",
        ),
        (
            502,
            HTML,
            page("502 Bad Gateway"),
            1,
            "skip",
            "HTML page | 502 Bad Gateway",
        ),
        (
            200,
            HTML,
            portal,
            4,
            "skip",
            "Corporate[31m sign-in | portal",
        ),
        (
            200,
            JSON,
            "{}".to_owned(),
            4,
            "skip",
            "access_token is missing | FLINKS_UPLOAD_URL",
        ),
        (503, JSON, message(), 1, "skip", "503 | later"),
    ];
    for (status, media_type, body, exit, mutual, words) in rows {
        let url = lab.upload(status, media_type, body);
        let mutual = format!("mutual TLS: {mutual}");
        let fault = format!("access token: fail: {words}");
        lab.finds(words, &[(UPLOAD, url)], exit, &[&mutual, &fault]);
    }
    let drops = serve(&lab.server, Asks::Any, Box::new(|_| None));
    let expected = [
        "mutual TLS: skip: not known: no answer",
        "access token: fail: connection failed",
    ];
    lab.finds("no answer", &[(UPLOAD, drops)], 4, &expected);
}

#[test]
fn faults_of_the_clock() {
    let lab = Lab::new();
    let day = Duration::from_secs(86_400);
    let rows = [
        (
            SystemTime::now() - day / 288,
            0,
            "warn: 5 minutes ahead of the server | NTP",
        ),
        (
            SystemTime::now() + 40_000 * day,
            2,
            "fail: a certificate is valid by only one | NTP",
        ),
    ];
    for (date, exit, words) in rows {
        let answers = Box::new(move |_: &str| Some(answer_at(date, 401, JSON, UNKNOWN_LOGIN)));
        let url = serve(&lab.server, Asks::Nothing, answers);
        lab.finds(
            words,
            &[(RESULTS, url)],
            exit,
            &[&format!("clock: {words}")],
        );
    }
}

#[test]
fn faults_of_the_results_host() {
    let lab = Lab::new();
    let (host, secret) = ("results host", "API secret");
    let html = |status, title| lab.results(status, HTML, page(title));
    let rows = [
        (
            lab.settings[UPLOAD].clone(),
            2,
            host,
            "is the upload host | FLINKS_INSTANCE",
        ),
        (
            lab.upload(200, JSON, TOKEN),
            2,
            host,
            "looks like the upload host | Fraud Analysis Endpoint",
        ),
        (lab.results(401, JSON, "{}"), 1, secret, "FLINKS_API_SECRET"),
        (
            lab.results(403, JSON, "{}"),
            1,
            secret,
            "FLINKS_CUSTOMER_ID",
        ),
        (html(404, "Not Found"), 1, secret, "HTML page | Not Found"),
        (html(200, "Welcome"), 5, secret, "HTML page | Welcome"),
        (
            html(502, "502 Bad Gateway"),
            1,
            secret,
            "HTML page | 502 Bad Gateway",
        ),
    ];
    for (url, exit, check, words) in rows {
        let fault = format!("{check}: fail: {words}");
        lab.finds(words, &[(RESULTS, url)], exit, &[&fault, "mutual TLS: ok"]);
    }
    let unclear = lab.results(404, JSON, r#"{"HttpStatusCode":404,"Message":"no"}"#);
    let skipped = "API secret: skip: not known | flinks fraud LOGIN_ID";
    lab.finds("not known", &[(RESULTS, unclear)], 0, &[skipped]);
    let warned = lab.doctor(&[(RESULTS, format!("{}/v3", lab.settings[RESULTS]))]);
    let warned: &Value = &warned
        .says(&["FLINKS_API_URL", "/v3 is added to it"])
        .json();
    assert_eq!(warned["ok"], true);
}
