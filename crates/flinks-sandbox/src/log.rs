//! The structured request log: one line a request.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::lock::lock;
use crate::operation::{ApiOperation, Host};

/// A callback for each line of the log.
pub type OnRequest = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// One request and its answer.
///
/// Serializes to one JSON object. It contains no credential, token, answer or document contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogLine {
    /// Position in the log, from 1: the order in which requests were answered or ended.
    pub seq: u64,
    /// The host that received the request.
    pub host: Host,
    /// The HTTP method.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The operation that the request calls.
    pub operation: ApiOperation,
    /// The status of the answer; `None` (JSON `null`) if no whole answer was sent, because a fault
    /// ended the connection or the client closed it in the middle of its request.
    pub status: Option<u16>,
    /// Serial number of the client's certificate in lower-case hex, on the upload host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_serial: Option<String>,
    /// The number of bytes of the request's body that were read.
    pub bytes: u64,
    /// The AggregationId of the upload session that was used or opened.
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
    /// The LoginId of the request, or the one that *complete* or *Authorize* created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_id: Option<String>,
    /// The number of files in the session, on *complete*.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<usize>,
    /// The RequestId of the legacy session that was used or opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The number of answers in an *Authorize* or *AnswerMFAQuestions*.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<usize>,
    /// Why a marker of the uploaded file was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker_error: Option<String>,
    /// The kinds of the faults that applied, joined by `+`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether the request changed anything: issued a token, stored a file, opened, advanced or
    /// completed a session.
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

/// The request log.
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
        // Without the lock, so that the callback can read the log.
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

/// A line of a request in progress. It is written when this is dropped, so that a request whose
/// client leaves early is in the log too.
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

    /// Writes the line with the status that the client receives.
    pub(crate) fn finish(mut self, status: Option<u16>) {
        self.line.status = status;
    }

    /// Writes the line now, for a request that is never answered.
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
