//! How secrets agents rewrite certificates, and what is done with files that cannot be used.

use std::fs;

use flinks_sandbox::certificates::{Authority, IssuedCertificate, Validity};
use flinks_transport::IdentityGeneration;
use flinks_transport::Roots;

use super::*;
use crate::settings::Given;

struct Lab {
    folder: tempfile::TempDir,
    authority: Authority,
    watcher: CertificateWatcher,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new("Test CA").expect("an authority");
        let path = |name| Some(Material::File(Given::new(name, folder.path().join(name))));
        let settings = Arc::new(Settings {
            certificate: path("FLINKS_CERT"),
            key: path("FLINKS_KEY"),
            ..Settings::default()
        });
        let first = issue(&authority, Validity::Valid);
        write(folder.path(), Some(&first), Some(&first));
        let files = file_states(&settings);
        let roots = Roots::pem(authority.ca_pem().as_bytes()).expect("roots");
        let identity = settings.identity().expect("an identity");
        let transport = Transport::builder().roots(roots).identity(identity);
        let transport = transport.build().expect("a transport");
        let watcher = CertificateWatcher::new(&settings, files, transport);
        Self {
            folder,
            authority,
            watcher,
        }
    }

    fn issue(&self) -> IssuedCertificate {
        issue(&self.authority, Validity::Valid)
    }

    fn write(&self, certificate: Option<&IssuedCertificate>, key: Option<&IssuedCertificate>) {
        write(self.folder.path(), certificate, key);
    }

    fn generation(&self) -> IdentityGeneration {
        self.watcher.transport.identity_generation()
    }

    /// The lines of several looks, and whether the identity was replaced.
    fn look(&mut self, times: usize) -> (Vec<String>, bool) {
        let before = self.generation();
        let lines = (0..times).filter_map(|_| self.watcher.look()).collect();
        (lines, self.generation() != before)
    }
}

fn issue(authority: &Authority, validity: Validity) -> IssuedCertificate {
    authority.issue_client("client", validity).expect("issued")
}

/// Writes a file as Vault Agent does: beside the old one, then renamed.
fn write(folder: &Path, certificate: Option<&IssuedCertificate>, key: Option<&IssuedCertificate>) {
    let certificate = certificate.map(|issued| ("FLINKS_CERT", &issued.cert_pem));
    let key = key.map(|issued| ("FLINKS_KEY", &issued.key_pem));
    for (name, pem) in certificate.into_iter().chain(key) {
        let draft = folder.join("draft");
        fs::write(&draft, pem).expect("written");
        fs::rename(&draft, folder.join(name)).expect("renamed");
    }
}

#[test]
fn a_new_pair_is_used_once_even_if_its_key_comes_later() {
    let mut lab = Lab::new();
    assert_eq!(lab.look(3), (vec![], false));
    let next = lab.issue();
    lab.write(Some(&next), Some(&next));
    let (lines, replaced) = lab.look(3);
    assert!(replaced);
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert!(line.starts_with("the client certificate was replaced; new connections use it ("));
    assert!(line.ends_with(" days left)\n"), "{line}");

    let next = lab.issue();
    lab.write(Some(&next), None);
    assert_eq!(lab.look(1), (vec![], false), "the key may follow");
    lab.write(None, Some(&next));
    let (lines, replaced) = lab.look(2);
    assert!(replaced && lines.len() == 1, "{lines:?}");
}

type Change = Box<dyn Fn(&Lab)>;

#[test]
fn files_that_cannot_be_used_are_reported_once_and_change_nothing() {
    let mut lab = Lab::new();
    let expired = issue(&lab.authority, Validity::Expired);
    let other = lab.issue();
    let canary = IssuedCertificate::clone(&other);
    let folder = lab.folder.path().to_owned();
    let bad: [(&str, Change); 4] = [
        (
            "FLINKS_KEY",
            Box::new(move |lab| lab.write(Some(&other), None)),
        ),
        (
            "expired on",
            Box::new(move |lab| lab.write(Some(&expired), Some(&expired))),
        ),
        (
            "FLINKS_CERT",
            Box::new(move |_| {
                fs::write(folder.join("FLINKS_CERT"), "canary: not a certificate")
                    .expect("written");
            }),
        ),
        (
            "FLINKS_CERT",
            Box::new(|lab| {
                fs::remove_file(lab.folder.path().join("FLINKS_CERT")).expect("removed");
            }),
        ),
    ];
    for (named, change) in bad {
        change(&lab);
        let (lines, replaced) = lab.look(5);
        assert!(!replaced, "{named}");
        let [line] = lines.as_slice() else {
            panic!("{named}: {lines:?}");
        };
        assert!(line.starts_with("warning: "), "{line}");
        assert!(line.contains(named) && !line.contains("canary"), "{line}");
    }
    // It goes on with the next pair that can be used.
    lab.write(Some(&canary), Some(&canary));
    assert!(lab.look(1).1);
}

#[cfg(unix)]
#[test]
fn a_link_that_is_swapped_is_a_change() {
    use std::os::unix::fs::symlink;

    // As Kubernetes does: the files are links into a folder that is itself reached by a link.
    let mut lab = Lab::new();
    let root = lab.folder.path().to_owned();
    let version = |name: &str, issued: &IssuedCertificate| {
        fs::create_dir(root.join(name)).expect("a folder");
        write(&root.join(name), Some(issued), Some(issued));
        symlink(name, root.join("draft")).expect("a link");
        fs::rename(root.join("draft"), root.join("..data")).expect("renamed");
    };
    version("1", &lab.issue());
    for name in ["FLINKS_CERT", "FLINKS_KEY"] {
        fs::remove_file(root.join(name)).expect("removed");
        symlink(format!("..data/{name}"), root.join(name)).expect("a link");
    }
    assert!(lab.look(1).1);
    version("2", &lab.issue());
    assert!(lab.look(1).1);
    assert!(!lab.look(1).1);
}

#[test]
fn the_watch_reports_a_change_and_ends_when_it_is_dropped() {
    let lab = Lab::new();
    let next = lab.issue();
    let folder = lab.folder;
    let transport = lab.watcher.transport.clone();
    let before = transport.identity_generation();
    let (lines, reported) = channel();
    let report = move |line: &str| lines.send(line.to_owned()).expect("a test");
    let watch = lab.watcher.start_with(Duration::from_millis(1), report);
    write(folder.path(), Some(&next), Some(&next));
    let line = reported.recv().expect("a line");
    assert!(line.contains("was replaced"), "{line}");
    assert_ne!(transport.identity_generation(), before);
    drop(watch);
    // The thread drops its end.
    reported.recv().expect_err("no more lines");
}
