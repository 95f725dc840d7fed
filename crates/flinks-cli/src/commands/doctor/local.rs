//! Checks of what is on this machine: settings, client certificate, key file, roots.

use std::path::PathBuf;
use std::time::SystemTime;

use flinks_transport::{ClientIdentity, Error};

use crate::clients::Clients;
use crate::commands::doctor::finding::{Finding, RENEWAL_DAYS, whole_days};
use crate::output::exit_status::Exit;
use crate::output::io_error;
use crate::settings::{Given, Material, Settings};

const UPLOAD_SETTINGS: &str = "upload settings";
const RESULTS_SETTINGS: &str = "results settings";
const CLIENT_CERTIFICATE: &str = "client certificate";
const KEY_FILE: &str = "private key file";
const ROOTS: &str = "trusted roots";

pub(super) fn check_settings(settings: &Settings) -> [Finding; 2] {
    let upload = settings.missing_for_upload();
    let results = settings.missing_for_results();
    [
        if upload.is_empty() {
            Finding::ok(UPLOAD_SETTINGS, "all are set")
        } else {
            let message = format!("not set: {}", upload.join(", "));
            Finding::fail(UPLOAD_SETTINGS, Exit::Usage, message)
                .hint("set them in the environment or in the file given by --config")
        },
        if results.is_empty() {
            Finding::ok(RESULTS_SETTINGS, "all are set")
        } else {
            let message = format!("not set: {}", results.join(", "));
            Finding::warn(RESULTS_SETTINGS, message)
                .hint("the fraud analysis cannot be read without them")
        },
    ]
}

/// Checks that certificate and key are readable, belong together and are valid.
pub(super) fn check_certificate(
    identity: &Result<ClientIdentity, Error>,
    now: SystemTime,
) -> Finding {
    let fail = |error: String| Finding::fail(CLIENT_CERTIFICATE, Exit::Usage, error);
    let identity = match identity {
        Ok(identity) => identity,
        Err(error) => return fail(error.to_string()),
    };
    match identity.check_at(now) {
        Ok(()) => valid_for(whole_days(identity.expires_in()), identity.chain_length()),
        Err(error) => fail(error.to_string()),
    }
}

fn valid_for(days: u64, chain_length: usize) -> Finding {
    let chain = match chain_length {
        1 => String::new(),
        length => format!("sent with {} of its issuers, ", length - 1),
    };
    let message = format!("matches the key, {chain}valid for {days} more days");
    let finding = if days < RENEWAL_DAYS {
        Finding::warn(CLIENT_CERTIFICATE, message)
            .hint("ask Flinks for a new one now, starting with `flinks csr --renew --out DIR`")
    } else {
        Finding::ok(CLIENT_CERTIFICATE, message)
    };
    finding.days_left(days)
}

/// Checks that only the owner can read the file with the key, if it is a file.
pub(super) fn check_key(settings: &Settings) -> Option<Finding> {
    let key = settings.key.as_ref().or(settings.certificate.as_ref())?;
    key.file().map(check_key_file)
}

#[cfg(unix)]
fn check_key_file(path: &Given<PathBuf>) -> Finding {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match std::fs::metadata(&path.value) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) => {
            let error = path.invalid(io_error::reason(&error));
            return Finding::fail(KEY_FILE, Exit::Usage, error.to_string());
        }
    };
    if mode & 0o077 == 0 {
        return Finding::ok(KEY_FILE, "only its owner can read it");
    }
    let message = format!("has mode {mode:04o}: other users can read or change it");
    Finding::warn(KEY_FILE, message).hint(format!("chmod 600 the file set by {}", path.name()))
}

#[cfg(not(unix))]
fn check_key_file(_: &Given<PathBuf>) -> Finding {
    Finding::ok(KEY_FILE, "permissions are not checked on this platform")
}

pub(super) fn check_roots(clients: &Clients) -> Finding {
    let file = clients.settings.roots.as_ref().and_then(Material::file);
    match (clients.results_transport(), file) {
        (Ok(_), Some(file)) => Finding::ok(ROOTS, format!("those of {}", file.name())),
        (Ok(_), None) => Finding::ok(ROOTS, "the platform's"),
        (Err(error), _) => Finding::fail(ROOTS, Exit::Usage, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Findings;

    #[test]
    fn a_certificate_that_expires_soon_is_a_warning() {
        for (days, status) in [(0, "warn"), (29, "warn"), (30, "ok"), (400, "ok")] {
            let mut findings = Findings::default();
            findings.extend([valid_for(days, 2)]);
            let finding = &findings.to_json()[0];
            assert_eq!(finding["status"], status, "{days} days");
            assert_eq!(finding["days_left"], days);
            let message = finding["message"].as_str().expect("text");
            assert!(message.contains("sent with 1 of its issuers"), "{message}");
        }
    }
}
