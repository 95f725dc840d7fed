//! `flinks doctor` on broken setups: which part it names, why, and what to do next.

use std::time::{Duration, SystemTime};

use flinks_sandbox::certificates::{Authority, IssuedCertificate, Validity};
use rcgen::{CertificateParams, DnType, IsCa, KeyPair};

use crate::doctor_lab::{
    HTML, JSON, Lab, RESULTS, TOKEN, UNKNOWN_LOGIN, UPLOAD, always, closes, issue, page, says,
};
use crate::tls_host::{Asks, answer, answer_at, raw, serve, serve_with};

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
    // A fatal alert `protocol_version`.
    let old_tls = says("https", b"\x15\x03\x01\x00\x02\x02\x46");
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
            says("https", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "did not answer in TLS | (connected)",
        ),
        (
            says("https", b"SSH-2.0-OpenSSH_9.2\r\n"),
            "did not answer in TLS",
        ),
        (old_tls, "no TLS version | TLS 1.2 and 1.3"),
        (closes("https"), "ends connections during the TLS handshake"),
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
fn faults_of_the_proxy() {
    let lab = Lab::new();
    let status = |head| says("http", head);
    let rows = [
        (
            status(b"HTTP/1.1 407 X\r\n\r\n"),
            2,
            "requires a user and a password | FLINKS_PROXY_FILE",
        ),
        (
            status(b"HTTP/1.1 403 X\r\n\r\n"),
            4,
            "refuses connections to 127.0.0.1 | administrator",
        ),
        (
            status(b"HTTP/1.1 502 X\r\n\r\n"),
            4,
            "proxy 127.0.0.1 | the proxy resolves the host name",
        ),
        (closes("http"), 4, "proxy | FLINKS_PROXY"),
        (
            "http://127.0.0.1:1".to_owned(),
            4,
            "proxy 127.0.0.1:1 | refused",
        ),
    ];
    for (url, exit, words) in rows {
        let upload = format!("upload host: fail: {words} | set by FLINKS_PROXY");
        let expected = [
            &upload,
            "mutual TLS: skip",
            "access token: skip",
            "results host: fail",
        ];
        lab.finds(words, &[("FLINKS_PROXY", url)], exit, &expected);
    }
    let exempt = [
        ("HTTPS_PROXY", "http://127.0.0.1:1".to_owned()),
        ("NO_PROXY", "127.0.0.1".to_owned()),
    ];
    lab.finds(
        "exempt",
        &exempt,
        0,
        &["upload host: ok: no proxy (NO_PROXY)"],
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
    params.distinguished_name.push(DnType::CommonName, "self");
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
    let no_legacy = lab.results(401, JSON, UNKNOWN_LOGIN);
    let warned = "legacy customer: warn: only authorize and the data commands";
    lab.finds("no legacy API", &[(RESULTS, no_legacy)], 0, &[warned]);
    let url = format!("{}/v3", lab.settings[RESULTS]);
    let warned = "settings: warn: FLINKS_API_URL | /v3 is added to it";
    lab.finds("doubled path", &[(RESULTS, url)], 0, &[warned]);
}
