//! The end of `flinks sandbox --help`.

use flinks_sandbox::FAULT_GRAMMAR;

pub(super) fn text() -> String {
    format!("{HELP}\n\n{FAULT_GRAMMAR}")
}

const HELP: &str = "\
The line that it prints when it is ready names the folder with the settings: `. DIR/env` for a shell,
settings.json for programs. GUIDE.md there lists all users, ids, and the lines in a document that say
what its fraud analysis finds.

Users of the institution FlinksCapital, all with the password Everyday:
  Greatday              three questions: Montreal, Canada, Triangle
  greatday_nomfa        no question
LoginIds of uploads: 00000000-0000-4000-8000-000000000001 is clean, …0002 flagged, …0003 pending and
…0004 unable to process. LoginIds of logins: …0011 works, …0012 waits for a device, …0013 is refused.

With -- COMMAND nothing is printed. REQUESTS_CA_BUNDLE, SSL_CERT_FILE and NODE_EXTRA_CA_CERTS are set
too, so that the command's other HTTPS clients trust the sandbox, and most of them nothing else:
  flinks sandbox -- pytest";
