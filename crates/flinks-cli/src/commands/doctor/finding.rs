//! The findings of `flinks doctor`: one for each part of the setup.

use std::time::Duration;

use flinks_transport::Error;
use flinks_types::text::escaped;
use serde_json::{Value, json};

use crate::output::Output;
use crate::output::error::CliError;
use crate::output::exit_status::{Exit, Request};
use crate::output::hints;
use crate::output::text::wrapped;

/// The state of one part of the setup.
pub(crate) struct Finding {
    part: &'static str,
    status: Status,
    message: String,
    hint: Option<String>,
    /// How long a certificate is still valid.
    days_left: Option<u64>,
    /// The call that failed.
    call: Option<Error>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Status {
    Ok,
    Warn,
    Fail(Exit),
    /// Not tested, because of an earlier fault or a missing setting.
    Skip,
}

impl Finding {
    fn new(part: &'static str, status: Status, message: String) -> Self {
        Self {
            part,
            status,
            message,
            hint: None,
            days_left: None,
            call: None,
        }
    }

    pub(crate) fn ok(part: &'static str, message: impl Into<String>) -> Self {
        Self::new(part, Status::Ok, message.into())
    }

    pub(crate) fn warn(part: &'static str, message: impl Into<String>) -> Self {
        Self::new(part, Status::Warn, message.into())
    }

    /// A fault, and the exit status that it ends in.
    pub(crate) fn fail(part: &'static str, exit: Exit, message: impl Into<String>) -> Self {
        Self::new(part, Status::Fail(exit), message.into())
    }

    /// A part that could not be tested, and why.
    pub(crate) fn skip(part: &'static str, reason: impl Into<String>) -> Self {
        Self::new(part, Status::Skip, reason.into())
    }

    /// A failed call.
    pub(crate) fn of_call(part: &'static str, error: &Error) -> Self {
        Self::of_request(part, Request::Check, error)
    }

    /// A failed call that was for `request`.
    pub(crate) fn of_request(part: &'static str, request: Request, error: &Error) -> Self {
        let exit = Exit::of(Request::Check, error);
        let hint = hints::for_call(request, error);
        let hint = hint.or_else(|| hints::for_call(Request::Check, error));
        Self {
            hint: hint.map(|hint| without_doctor(hint).to_owned()),
            call: Some(error.clone()),
            ..Self::fail(part, exit, shortened(error))
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Makes a fault a warning, and adds to its message.
    pub(crate) fn into_warning(mut self, more: &str) -> Self {
        self.status = Status::Warn;
        self.and(more)
    }

    /// Whether it is a fault that ends in this exit status.
    pub(crate) fn is_of(&self, exit: Exit) -> bool {
        self.status == Status::Fail(exit)
    }

    pub(crate) fn days_left(mut self, days: u64) -> Self {
        self.days_left = Some(days);
        self
    }

    /// Adds to the message.
    pub(crate) fn and(mut self, more: &str) -> Self {
        self.message.push_str(more);
        self
    }
}

/// Returns the report of a call without the call's name, and without what the service may have done: a
/// check changes nothing.
fn shortened(error: &Error) -> String {
    let mut report = error.report().to_string();
    if let Some(operation) = error.operation() {
        report = report.replacen(&format!("{operation}: "), "", 1);
    }
    let deliveries = [
        "; nothing was sent",
        "; no changes were made",
        "; the service may have acted",
        "; the service has acted",
        "; the request was rejected",
    ];
    for delivery in deliveries {
        report = report.replace(delivery, "");
    }
    report
}

/// Where messages begin.
const INDENT: usize = 26;

/// Where messages begin on a terminal that has less than 40 columns beside the parts: below them.
const NARROW_INDENT: usize = 6;

/// Cuts the advice to run `flinks doctor`, which is running.
fn without_doctor(hint: &str) -> &str {
    hint.split("; `flinks doctor`").next().unwrap_or(hint)
}

/// A certificate with fewer days left should be renewed.
pub(crate) const RENEWAL_DAYS: u64 = 30;

pub(crate) fn whole_days(duration: Duration) -> u64 {
    duration.as_secs() / (24 * 60 * 60)
}

/// All findings, in the order of the checks.
#[derive(Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.0.extend(findings);
    }

    /// Returns the exit status of the first fault, which later ones may follow from.
    pub(crate) fn exit(&self) -> Exit {
        self.first_fault().map_or(Exit::Done, |(exit, _)| exit)
    }

    /// Returns the first fault as the error of a command, and its exit status.
    pub(crate) fn first_fault(&self) -> Option<(Exit, CliError)> {
        self.0.iter().find_map(|finding| match finding.status {
            Status::Fail(exit) => {
                let text = || CliError::settings(format!("{}: {}", finding.part, finding.message));
                let call = finding.call.clone();
                let error = call.map_or_else(text, |call| CliError::failed(Request::Check, call));
                Some((exit, error))
            }
            Status::Ok | Status::Warn | Status::Skip => None,
        })
    }

    /// Formats the findings, wrapped to the columns of a terminal if there are any.
    pub(crate) fn to_text(&self, output: Output, columns: Option<usize>) -> String {
        let columns = columns.unwrap_or(usize::MAX);
        let is_narrow = columns < INDENT + 40;
        let indent = if is_narrow { NARROW_INDENT } else { INDENT };
        let mut text = String::new();
        for finding in &self.0 {
            let status = match finding.status {
                Status::Ok => output.green("OK  "),
                Status::Warn => output.yellow("WARN"),
                Status::Fail(_) => output.red("FAIL"),
                Status::Skip => output.faint("SKIP"),
            };
            let (part, message) = (finding.part, escaped(&finding.message));
            let message = wrapped(message.trim(), indent, columns);
            text.push_str(&if is_narrow {
                format!("{status}  {part}\n{message}")
            } else {
                format!("{status}  {part:<19} {}", message.trim_start())
            });
            if let Some(hint) = &finding.hint {
                text.push_str(&output.faint(&wrapped(&escaped(hint), indent, columns)));
            }
        }
        text
    }

    pub(crate) fn to_json(&self) -> Value {
        let finding = |finding: &Finding| {
            let status = match finding.status {
                Status::Ok => "ok",
                Status::Warn => "warn",
                Status::Fail(_) => "fail",
                Status::Skip => "skip",
            };
            let (part, message) = (finding.part, &finding.message);
            let mut object = json!({ "check": part, "status": status, "message": message });
            if let Some(object) = object.as_object_mut() {
                let hint = finding.hint.as_ref().map(|hint| json!(hint));
                let days = finding.days_left.map(|days| json!(days));
                let more = [("hint", hint), ("days_left", days)];
                object.extend(
                    more.into_iter()
                        .filter_map(|(name, value)| Some((name.to_owned(), value?))),
                );
            }
            object
        };
        Value::Array(self.0.iter().map(finding).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_decides_the_exit_status() {
        let mut findings = Findings::default();
        findings.extend([Finding::warn("a", "doubtful")]);
        assert_eq!(findings.exit(), Exit::Done);
        findings.extend([
            Finding::fail("b", Exit::Unreachable, "gone").hint("look"),
            Finding::fail("c", Exit::Refused, "no"),
            Finding::skip("d", "not tested"),
        ]);
        assert_eq!(findings.exit(), Exit::Unreachable);
        let text = findings.to_text(Output::plain(), None);
        assert!(text.starts_with("WARN  a "), "{text}");
        assert!(text.contains("FAIL  b ") && text.contains("   look\n"));
        assert_eq!(findings.to_json()[1]["hint"], "look");
    }

    #[test]
    fn a_long_message_is_wrapped_beside_its_part() {
        let mut findings = Findings::default();
        findings
            .extend([Finding::skip("part", "seventeen letters ".repeat(3)).hint("x".repeat(50))]);
        let text = findings.to_text(Output::plain(), Some(70));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[0],
            "SKIP  part                seventeen letters seventeen letters"
        );
        assert_eq!(lines[1], format!("{:26}seventeen letters", ""));
        assert_eq!(lines[2], format!("{:26}{}", "", "x".repeat(50)));
        let narrow = findings.to_text(Output::plain(), Some(40));
        let start = "SKIP  part\n      seventeen letters seventeen\n      letters";
        assert!(narrow.starts_with(start), "{narrow}");
    }
}
