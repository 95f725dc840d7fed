//! A command that did not end well: why, what it leaves behind, and how it is told.

use std::ffi::OsString;
use std::path::PathBuf;

use flinks_legacy::AuthorizeError;
use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_upload::UploadError;
use serde_json::{Map, Value, json};

use crate::output::exit_status::{Exit, acts};
use crate::output::hints;
use crate::output::io_error;
use crate::output::{plain, shortened};
use crate::state::files::shell_word;
use crate::state::unread_answer;

/// The key of what was reached under which the session file stands that `flinks authorize` goes on
/// with.
pub(crate) const SESSION: &str = "session";

/// How much is shown of what the service said: more than any message of its documentation.
const MAX_SAID: usize = 400;
/// And of a code or an id.
const MAX_WORD: usize = 64;

/// The keys of what was reached under which the file stands that keeps an answer that could not be
/// read, or why there is none.
const ANSWER: &str = "answer_file";
const ANSWER_LOST: &str = "answer_lost";

/// The kind of a failure to write a file of this program's own.
const DISK: &str = "disk";
/// The kind of a failure to write to standard output.
const OUTPUT: &str = "output";

/// A command that did not end well.
pub(crate) struct Failure {
    cause: Cause,
    /// The file it is about.
    file: Option<Box<str>>,
    /// The ledger that `flinks resume` goes on with.
    pub(crate) ledger: Option<PathBuf>,
    abandoned: Box<[String]>,
    abandoned_unnamed: u64,
    /// What was reached before, as it stands in the JSON output.
    pub(crate) reached: Map<String, Value>,
}

enum Cause {
    Call(Error),
    /// A call whose error alone does not tell what to do.
    Advised(Error, &'static str),
    Interrupted,
    /// The deadline of a wait, before any answer was read.
    Deadline(Error),
    /// This machine failed, not a call.
    Local(Box<Local>),
}

struct Local {
    kind: &'static str,
    /// What had become of the calls by then.
    delivery: Delivery,
    message: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Cause::Call(error))
    }
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        Self {
            file: error.file().map(Box::from),
            abandoned: error
                .abandoned()
                .iter()
                .map(|id| id.as_str().to_owned())
                .collect(),
            abandoned_unnamed: error.abandoned_unnamed(),
            ..Self::from(error.error().clone())
        }
    }
}

impl From<AuthorizeError> for Failure {
    fn from(error: AuthorizeError) -> Self {
        match hints::for_authorize(&error) {
            Some(advice) => Self::new(Cause::Advised(error.into(), advice)),
            None => Self::new(Cause::Call(error.into())),
        }
    }
}

impl Failure {
    fn new(cause: Cause) -> Self {
        Self {
            cause,
            file: None,
            ledger: None,
            abandoned: Box::default(),
            abandoned_unnamed: 0,
            reached: Map::new(),
        }
    }

    /// The user interrupted the program.
    pub(crate) fn interrupted() -> Self {
        Self::new(Cause::Interrupted)
    }

    /// Waiting ended before any answer was read.
    pub(crate) fn deadline(error: Error) -> Self {
        Self::new(Cause::Deadline(error))
    }

    /// A setting or an argument that cannot be right.
    pub(crate) fn settings(message: impl Into<String>) -> Self {
        Self::from(Error::new(ErrorKind::Config, message.into()))
    }

    /// A command line that means nothing.
    pub(crate) fn usage(message: &str) -> Self {
        Self::from(Error::new(ErrorKind::Input, message.to_owned()))
    }

    /// A file of this machine that cannot be written, before anything was sent. `what` names it by
    /// its option: a secret may stand where a path belongs.
    pub(crate) fn disk(what: &str, error: &std::io::Error) -> Self {
        Self::new(Cause::Local(Box::new(Local {
            kind: DISK,
            delivery: Delivery::NotSent,
            message: format!("{what}: {}", io_error::reason(error)),
        })))
    }

    /// Standard output does not take the result of what is done.
    pub(crate) fn untold(error: &std::io::Error) -> Self {
        let why = io_error::reason(error);
        Self::new(Cause::Local(Box::new(Local {
            kind: OUTPUT,
            delivery: Delivery::Delivered,
            message: format!("done, but standard output cannot be written: {why}"),
        })))
    }

    /// The same failure of this machine, after the service has acted.
    pub(crate) fn after_the_act(mut self) -> Self {
        match &mut self.cause {
            Cause::Local(local) => local.delivery = Delivery::Delivered,
            Cause::Call(error) if error.kind() == ErrorKind::Config => {
                self.cause = Cause::Local(Box::new(Local {
                    kind: DISK,
                    delivery: Delivery::Delivered,
                    message: whole(error),
                }));
            }
            Cause::Advised(..) | Cause::Call(_) | Cause::Deadline(_) | Cause::Interrupted => {}
        }
        self
    }

    /// Whether standard output is what failed.
    pub(crate) fn is_untold(&self) -> bool {
        matches!(&self.cause, Cause::Local(local) if local.kind == OUTPUT)
    }

    /// The same failure of a call, with what to do about it here.
    pub(crate) fn advised(self, advice: &'static str) -> Self {
        match self.cause {
            Cause::Call(error) => Self {
                cause: Cause::Advised(error, advice),
                ..self
            },
            Cause::Advised(..) | Cause::Interrupted | Cause::Deadline(_) | Cause::Local(_) => self,
        }
    }

    /// How the program ends.
    pub(crate) fn exit(&self) -> Exit {
        match &self.cause {
            Cause::Advised(error, _) | Cause::Call(error) => Exit::of(error),
            Cause::Interrupted => Exit::Interrupted,
            Cause::Deadline(_) => Exit::Deadline,
            Cause::Local(_) => Exit::Usage,
        }
    }

    /// The error of the call, unless the user interrupted it.
    pub(crate) fn error(&self) -> Option<&Error> {
        match &self.cause {
            Cause::Advised(error, _) | Cause::Call(error) | Cause::Deadline(error) => Some(error),
            Cause::Interrupted | Cause::Local(_) => None,
        }
    }

    /// The whole message, causes included, safe to print.
    pub(crate) fn message(&self) -> String {
        let text = match &self.cause {
            Cause::Advised(error, _) | Cause::Call(error) | Cause::Deadline(error) => whole(error),
            Cause::Interrupted => "interrupted".to_owned(),
            Cause::Local(local) => local.message.clone(),
        };
        let file = self.file.as_deref().filter(|file| !text.contains(file));
        plain(&file.map_or_else(|| text.clone(), |file| format!("{file}: {text}")))
    }

    /// What the user can do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match &self.cause {
            Cause::Advised(_, advice) => Some(advice),
            Cause::Call(_) | Cause::Deadline(_) if self.reached.contains_key(ANSWER) => {
                Some(hints::KEPT_ANSWER)
            }
            Cause::Call(error) | Cause::Deadline(error) => hints::for_call(error),
            Cause::Interrupted | Cause::Local(_) => None,
        }
    }

    /// Keeps the answer that could not be read, if the service may have acted: an id in it may
    /// exist nowhere else.
    pub(crate) fn keep_answer(&mut self, environment: impl Fn(&str) -> Option<OsString>) {
        let error = self.error().filter(|error| acts(error));
        let Some(answer) = error
            .and_then(Error::answer)
            .filter(|answer| !answer.is_empty())
        else {
            return;
        };
        let kept = unread_answer::keep(answer, self.ledger.as_deref(), environment);
        let (key, value) = match kept {
            Ok(path) => (ANSWER, json!(path.to_string_lossy())),
            Err(error) => (ANSWER_LOST, json!(io_error::reason(&error))),
        };
        self.reached.insert(key.to_owned(), value);
    }

    /// Whether nobody knows if *complete* was acted on: only a person may send it again.
    fn completion_is_open(&self) -> bool {
        let unknown = |error: &Error| error.delivery() > Delivery::Rejected;
        self.file.is_none() && self.error().is_some_and(unknown)
    }

    /// For people: what happened, what to do, what is left behind.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("error: {}\n", self.message());
        if let Some(hint) = self.hint() {
            text.push_str(&format!("hint: {hint}\n"));
        }
        if !self.abandoned.is_empty() {
            let ids: Vec<_> = self.abandoned.iter().map(|id| plain(id)).collect();
            text.push_str(&format!(
                "abandoned sessions (never completed): {}\n",
                ids.join(", ")
            ));
        }
        if self.abandoned_unnamed > 0 {
            let count = self.abandoned_unnamed;
            text.push_str(&format!("abandoned sessions without a known id: {count}\n"));
        }
        if let Some(path) = self.reached.get(ANSWER).and_then(Value::as_str) {
            let path = plain(path);
            text.push_str(&format!(
                "answer: {path}\n        (as it arrived; an id in it may exist nowhere else)\n"
            ));
        }
        if let Some(why) = self.reached.get(ANSWER_LOST).and_then(Value::as_str) {
            text.push_str(&format!("the answer cannot be kept: {why}\n"));
        }
        if let Some(session) = self.reached.get(SESSION).and_then(Value::as_str) {
            let path = shell_word(session.as_ref());
            text.push_str(&format!("next: flinks authorize --session {path}\n"));
        }
        if let Some(ledger) = &self.ledger {
            let path = plain(&ledger.to_string_lossy());
            text.push_str(&format!("ledger: {path}\n"));
            let path = shell_word(ledger);
            text.push_str(&if self.completion_is_open() {
                format!(
                    "next: ask Flinks whether the session is complete; only if it is not, or if a \
                     second complete does no harm:\n      flinks resume --complete-again {path}\n"
                )
            } else {
                format!("next: flinks resume {path}\n")
            });
        }
        text
    }

    /// For scripts: the object of the program's contract.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = self.reached.clone();
        object.insert("error".to_owned(), self.error_object());
        if let Some(ledger) = &self.ledger {
            object.insert("ledger".to_owned(), json!(ledger.to_string_lossy()));
        }
        if !self.abandoned.is_empty() || self.abandoned_unnamed > 0 {
            object.insert("abandoned".to_owned(), json!(self.abandoned));
            object.insert(
                "abandoned_unnamed".to_owned(),
                json!(self.abandoned_unnamed),
            );
        }
        Value::Object(object)
    }

    fn error_object(&self) -> Value {
        let Some(error) = self.error() else {
            let (kind, delivery) = match &self.cause {
                Cause::Local(local) => (local.kind, local.delivery),
                Cause::Advised(..) | Cause::Call(_) | Cause::Deadline(_) | Cause::Interrupted => {
                    ("interrupted", Delivery::Unknown)
                }
            };
            return json!({
                "kind": kind,
                "delivery": delivery.as_str(),
                "operation": null,
                "step": "call",
                "message": self.message(),
            });
        };
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| {
            if !value.is_null() || key == "operation" {
                object.insert(key.to_owned(), value);
            }
        };
        let api = error.api();
        put("kind", json!(error.kind().as_str()));
        put("delivery", json!(error.delivery().as_str()));
        put("operation", json!(error.operation()));
        put("step", json!(error.step().as_str()));
        put(
            "status",
            json!(error.status().map(|status| status.as_u16())),
        );
        let code = api.and_then(|api| api.flinks_code.as_ref());
        let code = code.map(|code| shortened(code.as_str(), MAX_WORD));
        put("flinks_code", json!(code));
        let request_id = api.and_then(|api| api.request_id.as_ref());
        let request_id = request_id.map(|id| shortened(id.as_str(), MAX_WORD));
        put("request_id", json!(request_id));
        put(
            "retry_after",
            json!(error.retry_after().map(|after| after.as_secs())),
        );
        put("message", json!(self.message()));
        put("hint", json!(self.hint()));
        Value::Object(object)
    }
}

/// An error with its causes, each said once: some repeat the words of the one before. What the
/// service said is shortened: it may echo the request.
pub(crate) fn whole(error: &Error) -> String {
    let mut text = error.to_string();
    if let Some(api) = error.api() {
        let said = api.to_string();
        text = text.replacen(&said, &shortened(&said, MAX_SAID), 1);
    }
    // What is wrong with a certificate has been said; the causes have a programmer's names for it.
    if error.kind() == ErrorKind::ServerCertificate {
        return text;
    }
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let words = cause.to_string();
        // rustls adds a page for programmers.
        let words = words.split(": https://docs.rs/").next().unwrap_or_default();
        // The HTTP client names its own part of the work first: "client error (SendRequest)".
        if !text.contains(words) && !words.starts_with("client error (") {
            text.push_str(": ");
            text.push_str(words);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_http_client_s_own_names_are_left_out() {
        let error = Error::new(ErrorKind::Connection, "the connection failed");
        let error = error.with_source("client error (SendRequest)");
        assert_eq!(whole(&error), "the connection failed");
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = Error::new(ErrorKind::Config, "the key is damaged");
        assert_eq!(
            whole(&error.clone().with_source("the key is damaged")),
            "the key is damaged"
        );
        assert_eq!(
            whole(&error.with_source("copy it")),
            "the key is damaged: copy it"
        );
    }

    #[test]
    fn no_cause_shows_what_only_programmers_read() {
        let refused = Error::new(ErrorKind::ServerCertificate, "it is of an authority");
        assert_eq!(
            whole(&refused.with_source("Other(OtherError(CaUsedAsEndEntity))")),
            "it is of an authority"
        );
        let lost = Error::new(ErrorKind::Connect, "it failed");
        assert_eq!(
            whole(&lost.with_source("no close_notify: https://docs.rs/rustls/x.html")),
            "it failed: no close_notify"
        );
    }

    #[test]
    fn what_fails_after_the_act_is_delivered() {
        let disk = || {
            let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
            Failure::disk("the folder", &error)
        };
        let told = |failure: Failure| {
            let error = &failure.to_json()["error"];
            assert_eq!(failure.exit(), Exit::Usage, "{error}");
            (error["kind"].clone(), error["delivery"].clone())
        };
        assert_eq!(told(disk()), (json!("disk"), json!("not_sent")));
        let after = (json!("disk"), json!("delivered"));
        assert_eq!(told(disk().after_the_act()), after);
        assert_eq!(told(Failure::settings("exists").after_the_act()), after);
    }

    #[test]
    fn an_error_object_has_the_contracts_fields() {
        let error =
            Error::new(ErrorKind::Connection, "broken\u{1b}[2J").with_delivery(Delivery::Unknown);
        let mut failure = Failure::from(error);
        failure.ledger = Some("/state/ledger".into());
        failure.abandoned = ["d521ae0d".to_owned()].into();
        assert_eq!(
            failure.to_json(),
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
        assert_eq!(
            Failure::interrupted().to_json()["error"]["kind"],
            "interrupted"
        );
    }

    #[test]
    fn people_are_told_how_to_go_on() {
        let unknown =
            || Error::new(ErrorKind::Connection, "broken").with_delivery(Delivery::Unknown);
        let told = |file: Option<&str>| {
            let mut failure = Failure::from(unknown());
            failure.file = file.map(Box::from);
            failure.ledger = Some("/state/ledger".into());
            failure.to_text()
        };
        let of_file = told(Some("a.pdf"));
        assert!(of_file.starts_with("error: a.pdf: broken\n"), "{of_file}");
        assert!(
            of_file.contains("next: flinks resume /state/ledger\n"),
            "{of_file}"
        );
        let of_complete = told(None);
        assert!(
            of_complete.contains("--complete-again /state/ledger"),
            "{of_complete}"
        );
    }
}
