//! The structured request log: one line a request.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::lock::lock;
use crate::operation::{ApiOperation, Host};

/// What is called with each line as it is written.
pub type OnRequest = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// One request, as the sandbox saw and answered it.
///
/// Serializes to one JSON object. It never holds a credential, a token or content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogLine {
    /// Position in the log, from 1: the order in which requests were answered or ended.
    pub seq: u64,
    /// The host that was asked.
    pub host: Host,
    /// The method, as sent.
    pub method: String,
    /// The path, without any query.
    pub path: String,
    /// What the request asks for.
    pub operation: ApiOperation,
    /// The status answered; `None` (in JSON `null`) when no whole answer was sent: a fault
    /// ended the connection, or the client left in the middle of its request.
    pub status: Option<u16>,
    /// Serial number of the client's certificate in lower-case hex, on the upload host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_serial: Option<String>,
    /// Bytes of the request's body that were read.
    pub bytes: u64,
    /// The session that was named or created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregation_id: Option<String>,
    /// The name of the uploaded file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The size of the uploaded file, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// CRC-32 (IEEE) of the uploaded file, decoded, as eight hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc32: Option<String>,
    /// The login that was asked for, or that *complete* or *Authorize* created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_id: Option<String>,
    /// How many files the session holds, on *complete*.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<usize>,
    /// The legacy session that was named or opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// How many answers an *Authorize* carried; never the answers themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<usize>,
    /// What is wrong with a marker of the uploaded file, which was refused for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker_error: Option<String>,
    /// The kinds of the faults that applied, joined by `+`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether the request changed anything: a token issued, a file stored, a session
    /// completed, opened or brought further.
    pub acted: bool,
}

impl LogLine {
    pub(crate) fn new(host: Host, method: &str, path: &str, operation: ApiOperation) -> Self {
        Self {
            seq: 0,
            host,
            method: method.to_owned(),
            path: path.to_owned(),
            operation,
            status: None,
            client_serial: None,
            bytes: 0,
            aggregation_id: None,
            file_name: None,
            file_bytes: None,
            crc32: None,
            login_id: None,
            files: None,
            request_id: None,
            answers: None,
            marker_error: None,
            fault: None,
            acted: false,
        }
    }
}

/// All lines so far.
pub(crate) struct Log {
    lines: Mutex<Vec<LogLine>>,
    on_request: Option<OnRequest>,
}

impl Log {
    pub(crate) fn new(on_request: Option<OnRequest>) -> Self {
        Self {
            lines: Mutex::default(),
            on_request,
        }
    }

    pub(crate) fn lines(&self) -> Vec<LogLine> {
        lock(&self.lines).clone()
    }

    fn write(&self, mut line: LogLine) {
        let written = {
            let mut lines = lock(&self.lines);
            line.seq = lines.len() as u64 + 1;
            lines.push(line.clone());
            line
        };
        // Not under the lock: the hook may itself read the log.
        if let Some(hook) = &self.on_request {
            hook(&written);
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Log").finish_non_exhaustive()
    }
}

/// A line being filled. It is written when this is dropped, so that a request whose
/// client goes away half-way is in the log too.
#[derive(Debug)]
pub(crate) struct Entry {
    log: Arc<Log>,
    line: LogLine,
    written: bool,
}

impl Entry {
    pub(crate) fn new(log: &Arc<Log>, line: LogLine) -> Self {
        Self {
            log: Arc::clone(log),
            line,
            written: false,
        }
    }

    /// Writes the line; `status` is what the client gets to see.
    pub(crate) fn finish(mut self, status: Option<u16>) {
        self.line.status = status;
    }

    /// Writes the line now, while the exchange is kept hanging.
    pub(crate) fn write(&mut self) {
        if !std::mem::replace(&mut self.written, true) {
            self.log.write(self.line.clone());
        }
    }
}

impl Deref for Entry {
    type Target = LogLine;

    fn deref(&self) -> &LogLine {
        &self.line
    }
}

impl DerefMut for Entry {
    fn deref_mut(&mut self) -> &mut LogLine {
        &mut self.line
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.write();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> LogLine {
        LogLine::new(Host::Upload, "POST", "/upload", ApiOperation::Upload)
    }

    #[test]
    fn a_line_shows_what_is_known_and_always_its_status() {
        let log = Arc::new(Log::new(None));
        Entry::new(&log, line()).finish(Some(200));
        drop(Entry::new(&log, line()));
        let json: Vec<_> = log
            .lines()
            .iter()
            .map(|line| serde_json::to_string(line).unwrap())
            .collect();
        assert_eq!(
            json,
            [200.to_string(), "null".to_owned()].iter().enumerate().map(|(index, status)| format!(
                r#"{{"seq":{},"host":"upload","method":"POST","path":"/upload","operation":"upload","status":{status},"bytes":0,"acted":false}}"#,
                index + 1
            )).collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_hook_may_read_the_log() {
        let log: Arc<Mutex<Option<Arc<Log>>>> = Arc::default();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let hook = {
            let (log, seen) = (Arc::clone(&log), Arc::clone(&seen));
            move |line: &LogLine| {
                let length = lock(&log).as_ref().unwrap().lines().len();
                lock(&seen).push((line.seq, length));
            }
        };
        let shared = Arc::new(Log::new(Some(Arc::new(hook))));
        *lock(&log) = Some(Arc::clone(&shared));
        Entry::new(&shared, line()).finish(None);
        assert_eq!(*lock(&seen), [(1, 1)]);
    }
}
