//! The log: one line a request, and one for each connection that fails before its first request.

use std::collections::VecDeque;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::lock::lock;
use crate::operation::{ApiOperation, Host};
use crate::timestamp;

/// A callback for each line of the log.
pub(crate) type OnRequest = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// One request and its answer, or a TLS handshake that failed.
///
/// Serializes to one JSON object. It contains no credential, token, answer or document contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogLine {
    /// Position in the log, from 1: the order in which requests were answered or ended.
    pub seq: u64,
    /// The time at which the request was answered or ended; in JSON as RFC 3339 writes it, in UTC
    /// with milliseconds.
    #[serde(serialize_with = "timestamp::serialize")]
    pub time: SystemTime,
    /// The host that received the request, or sent the webhook.
    pub host: Host,
    /// The operation that the request calls, or [`ApiOperation::Handshake`] for a connection on
    /// which no request could be sent.
    pub operation: ApiOperation,
    /// The HTTP method; empty for a handshake, and then not in the JSON.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The path without its query; empty for a handshake, and then not in the JSON.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The status of the answer; `None` (JSON `null`) if no whole answer was sent, because a fault
    /// ended the connection, the client closed it in the middle of its request, or the handshake
    /// failed.
    pub status: Option<u16>,
    /// The `FlinksCode` of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flinks_code: Option<String>,
    /// Why the request was refused, or the handshake failed: for a refusal, the `Message` of the
    /// answer, or `error` and `error_description` of the token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The `Tag` of an upload or of *Authorize*.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The `ClientName` of an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Serial number of the client's certificate in lower-case hex, on the upload host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_serial: Option<String>,
    /// The number of bytes of the request's body that were read, or of the webhook's body.
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
    /// The `ResponseType` of a webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_type: Option<String>,
    /// The number of answers in an *Authorize* or *AnswerMFAQuestions*.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<usize>,
    /// Why a marker of the uploaded file was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker_error: Option<String>,
    /// The kinds of the faults that applied, joined by `+`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether the request changed anything: issued a token, stored a file, opened, advanced, ended
    /// or completed a session. For a webhook, whether it was delivered.
    ///
    /// A client that received no answer, or an error, cannot see this. If it is `true`, the client
    /// must not send the same request again; a test of a client's retries asserts on it.
    pub acted: bool,
}

impl LogLine {
    pub(crate) fn new(host: Host, method: &str, path: &str, operation: ApiOperation) -> Self {
        Self {
            seq: 0,
            time: SystemTime::UNIX_EPOCH,
            host,
            operation,
            method: method.to_owned(),
            path: path.to_owned(),
            status: None,
            flinks_code: None,
            reason: None,
            tag: None,
            client_name: None,
            client_serial: None,
            bytes: 0,
            aggregation_id: None,
            file_name: None,
            file_bytes: None,
            crc32: None,
            login_id: None,
            files: None,
            request_id: None,
            response_type: None,
            answers: None,
            marker_error: None,
            fault: None,
            acted: false,
        }
    }

    /// Takes the reason from an answer that is not an ordinary success.
    pub(crate) fn explain(&mut self, answer: &Answer) {
        #[derive(Default, Deserialize)]
        struct Refusal {
            #[serde(rename = "FlinksCode")]
            flinks_code: Option<String>,
            #[serde(rename = "Message")]
            message: Option<String>,
            error: Option<String>,
            error_description: Option<String>,
        }

        if answer.status == StatusCode::OK {
            return;
        }
        let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
        let of_oauth = [refusal.error, refusal.error_description];
        let of_oauth: Vec<_> = of_oauth.into_iter().flatten().collect();
        self.flinks_code = refusal.flinks_code;
        self.reason = refusal
            .message
            .or_else(|| (!of_oauth.is_empty()).then(|| of_oauth.join(": ")));
    }
}

/// The number of lines that are kept; older ones are dropped.
const KEPT: usize = 100_000;

/// The log of a sandbox.
pub(crate) struct Log {
    lines: Mutex<Lines>,
    on_request: Option<OnRequest>,
}

#[derive(Default)]
struct Lines {
    last_seq: u64,
    kept: VecDeque<LogLine>,
}

impl Log {
    pub(crate) fn new(on_request: Option<OnRequest>) -> Self {
        Self {
            lines: Mutex::default(),
            on_request,
        }
    }

    pub(crate) fn lines(&self) -> Vec<LogLine> {
        lock(&self.lines).kept.iter().cloned().collect()
    }

    /// Drops all lines. The next one has number 1.
    pub(crate) fn clear(&self) {
        *lock(&self.lines) = Lines::default();
    }

    fn write(&self, mut line: LogLine) {
        let written = {
            let mut lines = lock(&self.lines);
            lines.last_seq += 1;
            line.seq = lines.last_seq;
            line.time = SystemTime::now();
            if lines.kept.len() == KEPT {
                lines.kept.pop_front();
            }
            lines.kept.push_back(line.clone());
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
        let mut refused = Entry::new(&log, line());
        let answer = Answer::forbidden("Not you.");
        refused.explain(&answer);
        refused.finish(Some(answer.status.as_u16()));
        let mut refused = LogLine::new(Host::Upload, "", "", ApiOperation::Handshake);
        refused.reason = Some("no certificate".to_owned());
        drop(Entry::new(&log, refused));
        let json: Vec<_> = log
            .lines()
            .into_iter()
            .map(|mut line| {
                assert!(line.time.elapsed().is_ok_and(|it| it.as_secs() < 60));
                line.time = SystemTime::UNIX_EPOCH;
                serde_json::to_string(&line).unwrap()
            })
            .collect();
        assert_eq!(
            json,
            [
                concat!(
                    r#"{"seq":1,"time":"1970-01-01T00:00:00.000Z","host":"upload","#,
                    r#""operation":"upload","method":"POST","path":"/upload","status":403,"#,
                    r#""flinks_code":"ACCESS_DENIED","reason":"Not you.","bytes":0,"acted":false}"#
                ),
                concat!(
                    r#"{"seq":2,"time":"1970-01-01T00:00:00.000Z","host":"upload","#,
                    r#""operation":"handshake","status":null,"reason":"no certificate","#,
                    r#""bytes":0,"acted":false}"#
                ),
            ]
        );
    }

    #[test]
    fn the_reason_of_the_token_endpoint_is_of_oauth() {
        let mut line = line();
        line.explain(&Answer::oauth(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            "Missing.",
        ));
        assert_eq!(line.reason.as_deref(), Some("invalid_scope: Missing."));
        line.explain(&Answer::html(StatusCode::BAD_GATEWAY));
        assert_eq!(line.reason, None);
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
