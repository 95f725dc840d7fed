//! Ledger files. An input is a whole file, or after a first line `entries` the entries of one, which get good checksums.

use flinks_upload::{FileLedger, Ledger as _, LedgerEntry};
use tokio::runtime::Builder;

use crate::{file, file_path, shown};

const ENTRIES: &[u8] = b"entries\n";

pub fn run(input: &[u8]) {
    let Some(lines) = input.strip_prefix(ENTRIES) else {
        return whole(input);
    };
    let lines = lines.split(|byte| *byte == b'\n');
    let entries: Vec<LedgerEntry> = lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    written(&entries);
}

/// What a file says is written again as it is, and an error shows nothing of it.
fn whole(bytes: &[u8]) {
    let path = file("ledger", bytes);
    match FileLedger::open(&path) {
        Ok((ledger, entries)) => {
            drop(ledger);
            let (_, again) = FileLedger::open(&path).expect("opened before");
            assert_eq!(entries, again);
            written(&entries);
        }
        Err(error) => drop(shown(&error)),
    }
}

/// Entries that are written are read as the same, unless their order makes no sense.
fn written(entries: &[LedgerEntry]) {
    let path = file_path("written");
    drop(std::fs::remove_file(&path));
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let mut ledger = FileLedger::create(&path).expect("a ledger");
    runtime.block_on(ledger.append(entries)).expect("appended");
    drop(ledger);
    match FileLedger::open(&path) {
        Ok((_, again)) => assert_eq!(entries, again),
        Err(error) => drop(shown(&error)),
    }
}

/// A session that restarts once, as its entries and as the file that holds them.
pub fn seeds() -> Vec<Vec<u8>> {
    const LINES: &str = r#"{"record":"session","host":"https://upload.test","paths":"v1","client":"0a1b2c3d","tag":"t","files":[{"file_name":"a.pdf","path":"/a.pdf","bytes":8,"modified":{"secs":1,"nanos":2}},{"file_name":"b.pdf","bytes":9}]}
{"record":"sending","file":0}
{"record":"confirmed","file":0,"aggregation_id":"d521ae0d"}
{"record":"sending","file":1}
{"record":"unknown","file":1}
{"record":"abandoned","aggregation_ids":["d521ae0d"],"unnamed":false}
{"record":"changed","file":1,"now":{"file_name":"b.pdf","path":[47,255],"bytes":10}}
{"record":"sending","file":0}
{"record":"not_sent","file":0}
{"record":"sending","file":0}
{"record":"confirmed","file":0,"aggregation_id":"e632bf1e"}
{"record":"added","file":2,"now":{"file_name":"c.pdf","bytes":1}}
{"record":"withdrawn","files":2}
{"record":"sending","file":1}
{"record":"confirmed","file":1,"aggregation_id":"e632bf1e"}
{"record":"completing","aggregation_id":"e632bf1e"}
{"record":"completion_unknown"}
{"record":"completing","aggregation_id":"e632bf1e"}
{"record":"completed","aggregation_id":"e632bf1e","login_id":"aabf32b7"}"#;
    let mut seeds = vec![[ENTRIES, LINES.as_bytes()].concat()];
    let entries: Vec<LedgerEntry> = LINES
        .lines()
        .map(|line| serde_json::from_str(line).expect("an entry"))
        .collect();
    let parts = [&entries[..], &entries[..3], &entries[..6]];
    for part in parts {
        written(part);
        seeds.push(std::fs::read(file_path("written")).expect("written"));
    }
    seeds
}
