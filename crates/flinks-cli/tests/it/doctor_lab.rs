//! Both hosts and the settings for them, of which a test of the doctor breaks one part.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use flinks_sandbox::certificates::{Authority, IssuedCertificate, Validity};

use crate::bench::{Run, private, without_settings};
use crate::tls_host::{Answers, Asks, answer, raw, serve};

pub(crate) const TOKEN: &str = r#"{"access_token":"tok.x","token_type":"Bearer","expires_in":300}"#;
pub(crate) const UNKNOWN_LOGIN: &str = r#"{"HttpStatusCode":401,"FlinksCode":"INVALID_LOGIN"}"#;
pub(crate) const JSON: &str = "application/json";
pub(crate) const HTML: &str = "text/html";

pub(crate) const UPLOAD: &str = "FLINKS_UPLOAD_URL";
pub(crate) const RESULTS: &str = "FLINKS_API_URL";

/// Changed settings; empty means not set.
pub(crate) type Changes = Vec<(&'static str, String)>;

/// Both hosts as the guide describes them, and the settings for them.
pub(crate) struct Lab {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) authority: Authority,
    /// For both hosts.
    pub(crate) server: IssuedCertificate,
    pub(crate) settings: BTreeMap<&'static str, String>,
}

impl Lab {
    pub(crate) fn new() -> Self {
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
            (RESULTS, lab.correct_results()),
        ]);
        lab.settings = settings.into_iter().collect();
        lab
    }

    pub(crate) fn file(&self, name: &str, contents: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, contents).expect("written");
        private(&path);
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Settings of a client certificate by an authority.
    pub(crate) fn identity(
        &self,
        authority: &Authority,
        name: &str,
        validity: Validity,
    ) -> Changes {
        let issued = authority.issue_client(name, validity);
        let issued = issued.expect("a certificate");
        let key = self.file(&format!("{name}.key"), &issued.key_pem);
        let certificate = self.file(&format!("{name}.pem"), &issued.cert_pem);
        vec![("FLINKS_CERT", certificate), ("FLINKS_KEY", key)]
    }

    /// An upload host with these answers to every request.
    pub(crate) fn upload(
        &self,
        status: u16,
        media_type: &'static str,
        body: impl ToString,
    ) -> String {
        let asks = Asks::Of(self.authority.ca_pem());
        serve(&self.server, asks, always(status, media_type, body))
    }

    /// A results host that refuses the unknown LoginId and lists the institutions.
    fn correct_results(&self) -> String {
        let answers = |path: &str| {
            Some(match path.contains("/Institutions") {
                true => answer(200, JSON, r#"{"HttpStatusCode":200,"Institutions":[]}"#),
                false => answer(401, JSON, UNKNOWN_LOGIN),
            })
        };
        serve(&self.server, Asks::Nothing, Box::new(answers))
    }

    pub(crate) fn results(
        &self,
        status: u16,
        media_type: &'static str,
        body: impl ToString,
    ) -> String {
        serve(
            &self.server,
            Asks::Nothing,
            always(status, media_type, body),
        )
    }

    /// Runs the doctor with some settings changed.
    pub(crate) fn doctor(&self, changes: &[(&'static str, String)]) -> Run {
        let mut settings = self.settings.clone();
        settings.extend(changes.iter().cloned());
        settings.retain(|_, value| !value.is_empty());
        Run::of(without_settings(&["doctor", "--json"]).envs(settings))
    }

    /// Checks the findings, each written as `check: status: words | more words`, and that there is no
    /// other fault.
    #[track_caller]
    pub(crate) fn finds(
        &self,
        setup: &str,
        changes: &[(&'static str, String)],
        exit: i32,
        expected: &[&str],
    ) {
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

pub(crate) fn issue(authority: &Authority, name: &str, validity: Validity) -> IssuedCertificate {
    let issued = authority.issue_server(&[name], validity);
    issued.expect("a certificate")
}

pub(crate) fn always(status: u16, media_type: &'static str, body: impl ToString) -> Answers {
    let body = body.to_string();
    Box::new(move |_| Some(answer(status, media_type, &body)))
}

/// A host that answers the first bytes so, whatever they are.
pub(crate) fn says(scheme: &str, bytes: &'static [u8]) -> String {
    raw(scheme, move |mut tcp: TcpStream| {
        let mut first = [0; 4096];
        drop(tcp.read(&mut first).and_then(|_| tcp.write_all(bytes)));
        tcp
    })
}

pub(crate) fn closes(scheme: &str) -> String {
    raw(scheme, |tcp| {
        drop(tcp.shutdown(Shutdown::Both));
        tcp
    })
}

pub(crate) fn page(title: &str) -> String {
    format!("<!DOCTYPE html><html><head><title>{title}</title></head></html>")
}
