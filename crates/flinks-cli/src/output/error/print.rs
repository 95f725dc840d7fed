//! An error as it is printed: text for people, one JSON object for scripts.

use flinks_transport::{Delivery, Step};
use flinks_types::text::escaped;
use serde_json::{Map, Value, json};

use crate::output::error::{ANSWER_FILE, ANSWER_LOST, Cause, CliError, SESSION};
use crate::output::text::{shell_word, shown_path, wrapped};

impl CliError {
    /// Returns the message with its causes on one line, safe in a terminal.
    pub(crate) fn message(&self) -> String {
        let summary = self.summary();
        if self.reasons.is_empty() {
            return summary;
        }
        format!("{summary}: {}", escaped(&self.reasons.join("; ")))
    }

    /// Returns the message without the reasons.
    fn summary(&self) -> String {
        let text = match &self.cause {
            Cause::Call(call) => call.error.report().to_string(),
            Cause::Interrupted => "interrupted".to_owned(),
            Cause::Local(local) => local.message.clone(),
        };
        // A token is not about the document that it would be for.
        let is_token = self.call().is_some_and(|call| call.step() == Step::Token);
        let file = self.file.as_deref().filter(|_| !is_token);
        match file.filter(|file| !text.contains(file)) {
            Some(file) => escaped(&format!("{file}: {text}")).into_owned(),
            None => escaped(&text).into_owned(),
        }
    }

    /// Returns the text for people: what happened, what to do, what is left behind.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("error: {}\n", self.summary());
        for reason in &self.reasons {
            text.push_str(&format!("  {}\n", escaped(reason)));
        }
        let mut line = |label: &str, value: &str| text.push_str(&format!("{label}: {value}\n"));
        let entry = |key| self.result.get(key).and_then(Value::as_str);
        let is_answered = self.call().is_some_and(|call| call.status().is_some());
        if let Some(proxy) = self.proxy().filter(|_| !is_answered) {
            line("proxy", &escaped(&proxy));
        }
        if let Some(hint) = self.hint() {
            line("hint", &escaped(&hint));
        }
        if let Some([waited, next]) = self.wait.as_deref() {
            line("waited", waited);
            line("next", next);
        }
        if !self.abandoned.is_empty() {
            let ids = escaped(&self.abandoned.join(", ")).into_owned();
            line("abandoned sessions (never completed)", &ids);
        }
        if self.abandoned_unnamed > 0 {
            let count = self.abandoned_unnamed.to_string();
            line("abandoned sessions without a known id", &count);
        }
        if let Some(path) = entry(ANSWER_FILE) {
            line("answer", &escaped(path));
            line(
                "        note",
                "saved as received; it may hold the only copy of an id",
            );
        }
        if let Some(reason) = entry(ANSWER_LOST) {
            line("the answer cannot be saved", reason);
        }
        if let Some(session) = entry(SESSION) {
            let path = shell_word(session.as_ref());
            line("next", &format!("flinks authorize --session {path}"));
        }
        if let Some(ledger) = &self.ledger {
            line("ledger", &shown_path(ledger));
            let path = shell_word(ledger);
            line(
                "next",
                &if self.may_be_completed() {
                    format!(
                        "ask Flinks whether the session is complete; if it is not, or if completing \
                         it twice does no harm:\n      flinks resume --complete-again {path}"
                    )
                } else {
                    format!("flinks resume {path}")
                },
            );
        }
        text
    }

    /// Returns the text for a terminal: sentences are broken between words; commands and paths are not
    /// broken, so that they can be copied.
    pub(crate) fn to_text_within(&self, columns: usize) -> String {
        let text = self.to_text();
        let lines = text.lines().map(|line| {
            if line.starts_with("error: ") || line.starts_with("hint: ") {
                wrapped(line, 0, columns)
            } else {
                format!("{line}\n")
            }
        });
        lines.collect()
    }

    /// Returns the JSON object for scripts.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = (*self.result).clone();
        object.insert("error".to_owned(), self.error_object());
        if let Some(ledger) = &self.ledger {
            object.insert("ledger".to_owned(), json!(ledger.to_string_lossy()));
        }
        if !self.abandoned.is_empty() || self.abandoned_unnamed > 0 {
            object.insert("abandoned".to_owned(), json!(self.abandoned));
            let unnamed = json!(self.abandoned_unnamed);
            object.insert("abandoned_unnamed".to_owned(), unnamed);
        }
        Value::Object(object)
    }

    fn error_object(&self) -> Value {
        let Some(error) = self.call() else {
            let delivery = match &self.cause {
                Cause::Local(local) => local.delivery,
                Cause::Call(_) | Cause::Interrupted => Delivery::Unknown,
            };
            return json!({
                "kind": self.kind(),
                "delivery": delivery.as_str(),
                "operation": null,
                "step": "call",
                "message": self.message(),
            });
        };
        let api = error.api();
        let code = api.and_then(|api| api.flinks_code.as_ref());
        let request_id = api.and_then(|api| api.request_id.as_ref());
        let fields = [
            ("kind", json!(self.kind())),
            ("delivery", json!(error.delivery().as_str())),
            ("operation", json!(error.operation())),
            ("step", json!(error.step().as_str())),
            (
                "status",
                json!(error.status().map(|status| status.as_u16())),
            ),
            ("flinks_code", json!(code.map(|code| code.as_str()))),
            ("request_id", json!(request_id.map(|id| id.as_str()))),
            (
                "retry_after",
                json!(error.retry_after().map(|after| after.as_secs())),
            ),
            ("message", json!(self.message())),
            ("proxy", json!(error.proxy())),
            ("proxy_setting", json!(self.proxy_setting())),
            ("hint", json!(self.hint())),
        ];
        // Only the operation is null when there is none; other fields are left out.
        let present = fields
            .into_iter()
            .filter(|(key, value)| !value.is_null() || *key == "operation");
        let object: Map<_, _> = present
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use flinks_transport::{Error, ErrorKind};

    use std::path::Path;

    use super::*;

    fn unknown(message: &'static str) -> CliError {
        let error = Error::new(ErrorKind::Connection, message);
        let mut error = CliError::from(error.with_delivery(Delivery::Unknown));
        error.ledger = Some(Path::new("/state/ledger").into());
        error
    }

    #[test]
    fn the_json_object_has_the_documented_fields() {
        let mut error = unknown("broken\u{1b}[2J");
        error.abandoned = ["d521ae0d".to_owned()].into();
        assert_eq!(
            error.to_json(),
            json!({
                "error": {
                    "kind": "connection",
                    "delivery": "unknown",
                    "operation": null,
                    "step": "call",
                    "message": "broken\\u{1b}[2J",
                },
                "ledger": "/state/ledger",
                "abandoned": ["d521ae0d"],
                "abandoned_unnamed": 0,
            })
        );
        let interrupted = CliError::interrupted().to_json();
        assert_eq!(interrupted["error"]["kind"], "interrupted");
    }

    #[test]
    fn the_text_says_how_to_resume() {
        let mut error = unknown("broken");
        let text = error.to_text();
        assert!(text.contains("--complete-again /state/ledger"), "{text}");
        error.file = Some("a.pdf".into());
        let text = error.to_text();
        assert!(text.starts_with("error: a.pdf: broken\n"), "{text}");
        assert!(
            text.contains("next: flinks resume /state/ledger\n"),
            "{text}"
        );
        let text = error.to_text_within(12);
        assert!(text.starts_with("error:\na.pdf:\nbroken\n"), "{text}");
        assert!(
            text.contains("\nnext: flinks resume /state/ledger\n"),
            "{text}"
        );
    }
}
