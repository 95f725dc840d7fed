//! What the doctor found: a list of parts, each in order, doubtful or broken.

use flinks_transport::Error;
use serde_json::{Value, json};

use crate::output::Output;
use crate::output::exit_status::{Exit, Request};
use crate::output::hints;
use flinks_types::text::escaped;

/// One part of the set-up.
pub(crate) struct Finding {
    part: &'static str,
    state: State,
    message: String,
    hint: Option<String>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Ok,
    Warn,
    /// Broken, and how the program ends with it.
    Fail(Exit),
}

impl Finding {
    pub(crate) fn ok(part: &'static str, message: impl Into<String>) -> Self {
        Self {
            part,
            state: State::Ok,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn warn(part: &'static str, message: impl Into<String>) -> Self {
        Self {
            state: State::Warn,
            ..Self::ok(part, message)
        }
    }

    pub(crate) fn fail(part: &'static str, exit: Exit, message: impl Into<String>) -> Self {
        Self {
            state: State::Fail(exit),
            ..Self::ok(part, message)
        }
    }

    /// A call that failed.
    pub(crate) fn of(part: &'static str, error: &Error) -> Self {
        let finding = Self::fail(
            part,
            Exit::of(Request::Check, error),
            error.report().to_string(),
        );
        match hints::for_call(Request::Check, error) {
            Some(hint) => finding.hint(hint),
            None => finding,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// All parts, in the order in which they were looked at.
#[derive(Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn add(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// The status of the first broken part: those after it may be broken because of it.
    pub(crate) fn exit(&self) -> Exit {
        let broken = self.0.iter().find_map(|finding| match finding.state {
            State::Fail(exit) => Some(exit),
            State::Ok | State::Warn => None,
        });
        broken.unwrap_or(Exit::Done)
    }

    pub(crate) fn to_text(&self, output: Output) -> String {
        let mut text = String::new();
        for Finding {
            part,
            state,
            message,
            hint,
        } in &self.0
        {
            let state = match state {
                State::Ok => output.green("OK  "),
                State::Warn => output.yellow("WARN"),
                State::Fail(_) => output.red("FAIL"),
            };
            text.push_str(&format!("{state}  {part:<19} {}\n", escaped(message)));
            if let Some(hint) = hint {
                text.push_str(&output.faint(&format!("{:26}{}", "", escaped(hint))));
                text.push('\n');
            }
        }
        text
    }

    pub(crate) fn to_json(&self) -> Value {
        let finding = |finding: &Finding| {
            let status = match finding.state {
                State::Ok => "ok",
                State::Warn => "warn",
                State::Fail(_) => "fail",
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
    fn the_first_broken_part_decides() {
        let mut findings = Findings::default();
        assert_eq!(findings.exit(), Exit::Done);
        findings.add(Finding::warn("a", "doubtful"));
        assert_eq!(findings.exit(), Exit::Done);
        findings.add(Finding::fail("b", Exit::Unreachable, "gone").hint("look"));
        findings.add(Finding::fail("c", Exit::Refused, "no"));
        assert_eq!(findings.exit(), Exit::Unreachable);
        let text = findings.to_text(Output::without_color());
        assert!(text.starts_with("WARN  a "), "{text}");
        assert!(
            text.contains("FAIL  b ") && text.contains("   look\n"),
            "{text}"
        );
        assert_eq!(findings.to_json()[1]["hint"], "look");
    }
}
