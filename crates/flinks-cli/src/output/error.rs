//! The error that ends a command: its cause, and what it leaves behind.

mod print;

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;

use flinks_legacy::AuthorizeError;
use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_upload::{UploadError, UploadErrorKind};
use serde_json::{Map, Value, json};

use crate::output::exit_status::{Exit, Request};
use crate::output::{hints, io_error};
use crate::state::unread_answer;

/// Keys of [`CliError::result`]: the session file to continue with; the file that keeps an
/// unreadable answer, or why there is none.
pub(crate) const SESSION: &str = "session";
const ANSWER_FILE: &str = "answer_file";
const ANSWER_LOST: &str = "answer_lost";

/// The program's own error kinds, in addition to those of the library.
const DISK: &str = "disk";
const OUTPUT: &str = "output";

/// The error that ends a command.
pub(crate) struct CliError {
    cause: Cause,
    /// The document it is about.
    file: Option<Box<str>>,
    /// Further reasons, such as one for each refused file.
    reasons: Box<[String]>,
    /// The ledger to resume from.
    pub(crate) ledger: Option<Box<Path>>,
    /// How far a wait got, and what waits again.
    wait: Option<Box<[String; 2]>>,
    abandoned: Box<[String]>,
    abandoned_unnamed: u64,
    /// What was achieved before the error, as fields of the JSON output.
    pub(crate) result: Box<Map<String, Value>>,
}

enum Cause {
    Call(Box<FailedCall>),
    Interrupted,
    /// A failure of this machine.
    Local(Box<LocalError>),
}

struct FailedCall {
    request: Request,
    error: Error,
    /// The kind of an upload's error: it has more kinds than a call.
    upload: Option<UploadErrorKind>,
    /// The setting that names the proxy.
    proxy_setting: Option<String>,
    /// A hint that the error alone does not determine.
    hint: Option<Cow<'static, str>>,
}

struct LocalError {
    kind: &'static str,
    /// What happened to the calls before.
    delivery: Delivery,
    message: String,
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        Self::failed(Request::Upload, error)
    }
}

impl From<UploadError> for CliError {
    fn from(error: UploadError) -> Self {
        let mut call = FailedCall::new(Request::Upload, error.error().clone());
        call.upload = Some(error.kind());
        call.hint = hints::for_ledger(&error);
        Self {
            file: error.file().map(Box::from),
            abandoned: error
                .abandoned()
                .iter()
                .map(|id| id.as_str().to_owned())
                .collect(),
            abandoned_unnamed: error.abandoned_unknown(),
            ..Self::new(Cause::Call(Box::new(call)))
        }
    }
}

impl From<AuthorizeError> for CliError {
    fn from(error: AuthorizeError) -> Self {
        Self::authorize(error, false)
    }
}

impl FailedCall {
    fn new(request: Request, error: Error) -> Self {
        Self {
            request,
            error,
            upload: None,
            proxy_setting: None,
            hint: None,
        }
    }
}

impl CliError {
    fn new(cause: Cause) -> Self {
        Self {
            cause,
            file: None,
            reasons: Box::default(),
            ledger: None,
            wait: None,
            abandoned: Box::default(),
            abandoned_unnamed: 0,
            result: Box::default(),
        }
    }

    /// A failed request.
    pub(crate) fn failed(request: Request, error: Error) -> Self {
        Self::new(Cause::Call(Box::new(FailedCall::new(request, error))))
    }

    /// A session that was not opened, with a LoginId or with credentials.
    pub(crate) fn authorize(error: AuthorizeError, by_login_id: bool) -> Self {
        let hint = hints::for_authorize(&error, by_login_id);
        Self::failed(Request::BankLogin, error.into()).with_hint(hint)
    }

    fn local(kind: &'static str, delivery: Delivery, message: String) -> Self {
        Self::new(Cause::Local(Box::new(LocalError {
            kind,
            delivery,
            message,
        })))
    }

    /// The user interrupted the program.
    pub(crate) fn interrupted() -> Self {
        Self::new(Cause::Interrupted)
    }

    /// An invalid setting or argument.
    pub(crate) fn settings(message: impl Into<String>) -> Self {
        Self::from(Error::new(ErrorKind::Config, message.into()))
    }

    /// An invalid command line.
    pub(crate) fn usage(message: &str) -> Self {
        Self::from(Error::new(ErrorKind::Input, message.to_owned()))
    }

    /// A local file cannot be written, and nothing was sent. `what` names the file by its option
    /// and not by its path: a secret may have been given in place of a path.
    pub(crate) fn disk(what: &str, error: &std::io::Error) -> Self {
        let message = format!("{what}: {}", io_error::reason(error));
        Self::local(DISK, Delivery::NotSent, message)
    }

    /// The command has succeeded, and its result cannot be written to standard output.
    pub(crate) fn stdout(error: &std::io::Error) -> Self {
        let reason = io_error::reason(error);
        let message = format!("done, but standard output cannot be written: {reason}");
        Self::local(OUTPUT, Delivery::Delivered, message)
    }

    /// Adds how far a wait got that ended in this error, and what waits again.
    pub(crate) fn of_wait(mut self, waited: String, next: &str) -> Self {
        self.wait = Some(Box::new([waited, next.to_owned()]));
        self
    }

    /// Marks a failure of this machine as one that follows a successful call.
    pub(crate) fn after_the_call(mut self) -> Self {
        match &mut self.cause {
            Cause::Local(local) => local.delivery = Delivery::Delivered,
            Cause::Call(call) if call.error.kind() == ErrorKind::Config => {
                let message = call.error.report().to_string();
                self.cause = Self::local(DISK, Delivery::Delivered, message).cause;
            }
            Cause::Call(_) | Cause::Interrupted => {}
        }
        self
    }

    /// Adds reasons, which are printed on lines of their own.
    pub(crate) fn with_reasons(mut self, reasons: Vec<String>) -> Self {
        self.reasons = reasons.into();
        self
    }

    /// Sets the hint of a failed call, unless it has one.
    pub(crate) fn with_hint(mut self, hint: Option<&'static str>) -> Self {
        if let Cause::Call(call) = &mut self.cause {
            call.hint = call.hint.take().or_else(|| hint.map(Cow::Borrowed));
        }
        self
    }

    /// Whether standard output could not be written.
    pub(crate) fn is_stdout(&self) -> bool {
        matches!(&self.cause, Cause::Local(local) if local.kind == OUTPUT)
    }

    /// Returns the exit status.
    pub(crate) fn exit(&self) -> Exit {
        match &self.cause {
            Cause::Call(call) if call.upload == Some(UploadErrorKind::Ledger) => {
                Exit::of_ledger(call.error.delivery())
            }
            Cause::Call(call) => Exit::of(call.request, &call.error),
            Cause::Interrupted => Exit::Interrupted,
            Cause::Local(_) => Exit::Usage,
        }
    }

    /// Returns the kind of error in `snake_case`.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.cause {
            Cause::Call(call) => {
                let upload = call.upload.map(UploadErrorKind::as_str);
                upload.unwrap_or_else(|| call.error.kind().as_str())
            }
            Cause::Interrupted => "interrupted",
            Cause::Local(local) => local.kind,
        }
    }

    /// Returns the error of the call that failed, if one did.
    pub(crate) fn call(&self) -> Option<&Error> {
        match &self.cause {
            Cause::Call(call) => Some(&call.error),
            Cause::Interrupted | Cause::Local(_) => None,
        }
    }

    /// Sets the variable, flag or key that names the proxy.
    pub(crate) fn set_proxy_setting(&mut self, name: &str) {
        if let Cause::Call(call) = &mut self.cause {
            call.proxy_setting = Some(name.to_owned());
        }
    }

    /// Returns the proxy of the call that failed, and the setting that names it.
    pub(crate) fn proxy(&self) -> Option<String> {
        let proxy = self.call()?.proxy()?;
        Some(match self.proxy_setting() {
            Some(setting) => format!("{proxy} ({setting})"),
            None => proxy.to_owned(),
        })
    }

    /// Returns the setting that names the proxy of the call that failed.
    fn proxy_setting(&self) -> Option<&str> {
        match &self.cause {
            Cause::Call(call) if call.error.proxy().is_some() => call.proxy_setting.as_deref(),
            Cause::Call(_) | Cause::Interrupted | Cause::Local(_) => None,
        }
    }

    /// Returns what the user can do about it.
    pub(crate) fn hint(&self) -> Option<Cow<'static, str>> {
        let Cause::Call(call) = &self.cause else {
            return None;
        };
        if call.hint.is_some() {
            return call.hint.clone();
        }
        if self.result.contains_key(ANSWER_FILE) {
            return Some(hints::UNREAD_ANSWER.into());
        }
        hints::for_call(call.request, &call.error).map(Cow::Borrowed)
    }

    /// Saves the answer that could not be read, if the service may have acted: it may hold the only
    /// copy of an id.
    pub(crate) fn save_unread_answer(&mut self, environment: impl Fn(&str) -> Option<OsString>) {
        let Cause::Call(call) = &self.cause else {
            return;
        };
        let answer = call.error.answer().filter(|answer| !answer.is_empty());
        let Some(answer) = answer.filter(|_| call.request.may_change_data(&call.error)) else {
            return;
        };
        let saved = unread_answer::save(answer, self.ledger.as_deref(), environment);
        let (key, value) = match saved {
            Ok(path) => (ANSWER_FILE, json!(path.to_string_lossy())),
            Err(error) => (ANSWER_LOST, json!(io_error::reason(&error))),
        };
        self.result.insert(key.to_owned(), value);
    }

    /// Whether the session may have been completed: only the user may decide to complete it again.
    fn may_be_completed(&self) -> bool {
        let unknown = |error: &Error| error.delivery() > Delivery::Rejected;
        self.file.is_none() && self.call().is_some_and(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_failure_after_the_call_is_delivered() {
        let disk = || {
            let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
            CliError::disk("the folder", &error)
        };
        let printed = |error: CliError| {
            let json = &error.to_json()["error"];
            assert_eq!(error.exit(), Exit::Usage, "{json}");
            (json["kind"].clone(), json["delivery"].clone())
        };
        assert_eq!(printed(disk()), (json!("disk"), json!("not_sent")));
        let after = (json!("disk"), json!("delivered"));
        assert_eq!(printed(disk().after_the_call()), after);
        let exists = CliError::settings("exists");
        assert_eq!(printed(exists.after_the_call()), after);
    }
}
