//! The findings of `flinks doctor`: one for each part of the setup.

use flinks_transport::Error;
use flinks_types::text::escaped;
use serde_json::{Value, json};

use crate::output::Output;
use crate::output::exit_status::{Exit, Request};
use crate::output::hints;

/// The state of one part of the setup.
pub(crate) struct Finding {
    part: &'static str,
    status: Status,
    message: String,
    hint: Option<String>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Status {
    Ok,
    Warn,
    Fail(Exit),
}

impl Finding {
    fn new(part: &'static str, status: Status, message: String) -> Self {
        Self {
            part,
            status,
            message,
            hint: None,
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

    /// A failed call.
    pub(crate) fn of_call(part: &'static str, error: &Error) -> Self {
        let exit = Exit::of(Request::Check, error);
        let hint = hints::for_call(Request::Check, error);
        Self {
            hint: hint.map(str::to_owned),
            ..Self::fail(part, exit, error.report().to_string())
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
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
        let first = self.0.iter().find_map(|finding| match finding.status {
            Status::Fail(exit) => Some(exit),
            Status::Ok | Status::Warn => None,
        });
        first.unwrap_or(Exit::Done)
    }

    pub(crate) fn to_text(&self, output: Output) -> String {
        let mut text = String::new();
        for finding in &self.0 {
            let status = match finding.status {
                Status::Ok => output.green("OK  "),
                Status::Warn => output.yellow("WARN"),
                Status::Fail(_) => output.red("FAIL"),
            };
            let (part, message) = (finding.part, escaped(&finding.message));
            text.push_str(&format!("{status}  {part:<19} {message}\n"));
            if let Some(hint) = &finding.hint {
                text.push_str(&output.faint(&format!("{:26}{}", "", escaped(hint))));
                text.push('\n');
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
            };
            let (part, message) = (finding.part, &finding.message);
            let mut object = json!({ "check": part, "status": status, "message": message });
            if let (Some(hint), Some(object)) = (&finding.hint, object.as_object_mut()) {
                object.insert("hint".to_owned(), json!(hint));
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
        ]);
        assert_eq!(findings.exit(), Exit::Unreachable);
        let text = findings.to_text(Output::without_color());
        assert!(text.starts_with("WARN  a "), "{text}");
        assert!(text.contains("FAIL  b ") && text.contains("   look\n"));
        assert_eq!(findings.to_json()[1]["hint"], "look");
    }
}
