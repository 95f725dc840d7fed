//! Faults: what goes wrong with which request, written as text.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use serde::{Serialize, Serializer};

use crate::operation::ApiOperation;

/// The grammar of [`Fault`], for the help of a program.
pub const FAULT_GRAMMAR: &str = "\
A fault is OPERATION[@N|@N-M|@N+]=KIND[:ARGUMENT]; @+N, @+N-M and @+N+ count from the time
the fault is added, so that @+1 is the next request.

OPERATION is token, upload, complete, fraud; of the legacy API authorize-token, authorize,
data, data-async, delete-card, mfa-questions, scheduled-refresh, nightly-status,
institutions; or handshake; or any. Requests of an operation are counted from 1 as they arrive; without @
the fault applies to every one of them.

KIND
  delay:MS              wait before acting, then act and answer
  delay-after:MS        act, wait, then answer
  reset-before          reset the connection after the request's head, without acting
  reset-after           read the whole request, act, reset without an answer
  close-after           act, then close the connection without an answer
  torn                  act, send the answer's head and half of its body, close
  stall[:MS]            stop reading for MS, then go on; without MS never answer
  status:CODE[,retry-after=VALUE]
                        answer CODE without acting
  status-after:CODE     act, then answer CODE
  unauthorized          answer 401 without acting
  html:CODE             answer CODE with a gateway's HTML page, without acting
  code:CODE,FLINKSCODE  answer CODE with this FlinksCode, without acting
  pending, dispatched   answer 202 OPERATION_PENDING or OPERATION_DISPATCHED, without acting
  body:CODE,TEXT        answer CODE with this text as application/json, without acting
  bom                   act, answer with a byte order mark before the JSON
  charset               act, answer in UTF-16 and say so in the Content-Type
  gzip                  act, answer with Content-Encoding: gzip, which was not accepted
  truncated             act, answer with half of the JSON and the Content-Length of that half

handshake is the TLS handshake of a connection to the upload host; any does not include it. Its
kinds are delay:MS, stall[:MS], reset and alert (handshake_failure).

Several may match one request: delays add up, and of the others the first wins.

Examples: upload@2=reset-after   complete=torn   any@3+=status:503,retry-after=2";

/// Something that goes wrong, and the requests that it happens to.
///
/// Faults are written as text, the same for tests and programs in any language.
/// [`FAULT_GRAMMAR`] is the reference.
///
/// ```
/// use flinks_sandbox::Fault;
///
/// let fault: Fault = "upload@2=reset-after".parse()?;
/// assert_eq!(fault.to_string(), "upload@2=reset-after");
/// assert!("upload=explode".parse::<Fault>().is_err());
/// # Ok::<(), flinks_sandbox::FaultError>(())
/// ```
///
/// Requests are counted from the start of the sandbox or its last
/// [reset](crate::Sandbox::reset), even for a fault that is [injected](crate::Sandbox::inject)
/// later; `@+1` is the next request from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    target: Option<ApiOperation>,
    first: u64,
    last: u64,
    /// For a fault that counts from when it was added: the number of requests until then.
    since: Option<u64>,
    kind: Kind,
    /// The kind as it was written.
    text: String,
}

impl Fault {
    fn name(&self) -> &str {
        self.text.split(':').next().unwrap_or_default()
    }

    /// The operation whose requests are counted; `None` for all requests.
    pub(crate) const fn target(&self) -> Option<ApiOperation> {
        self.target
    }

    /// Says how many requests of the target there were when the fault was added.
    pub(crate) const fn count_from(&mut self, count: u64) {
        if self.since.is_some() {
            self.since = Some(count);
        }
    }

    fn matches(&self, count: u64) -> bool {
        let count = count.saturating_sub(self.since.unwrap_or_default());
        (self.first..=self.last).contains(&count)
    }
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Delay(Duration),
    DelayAfter(Duration),
    ResetBefore,
    ResetAfter,
    CloseAfter,
    Torn,
    Stall(Option<Duration>),
    Status(StatusCode, Option<HeaderValue>),
    StatusAfter(StatusCode),
    Unauthorized,
    Html(StatusCode),
    Code(StatusCode, String),
    Body(StatusCode, String),
    Odd(Odd),
    /// Of a handshake.
    Reset,
    /// Of a handshake.
    Alert,
}

/// What is odd about the form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Odd {
    Bom,
    Charset,
    Gzip,
    Truncated,
}

/// What the faults do to one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) before: Duration,
    pub(crate) after: Duration,
    pub(crate) kind: Option<Kind>,
    /// The names of the kinds that apply, joined by `+`, for the log.
    pub(crate) names: Option<String>,
}

impl Plan {
    /// Collects what `faults` do to the `nth` request of `operation`, the `overall`-th of all.
    pub(crate) fn new(faults: &[Fault], operation: ApiOperation, nth: u64, overall: u64) -> Self {
        let mut plan = Self::default();
        for fault in faults {
            let count = match fault.target {
                None if operation == ApiOperation::Handshake => continue,
                None => overall,
                Some(target) if target == operation => nth,
                Some(_) => continue,
            };
            if fault.matches(count) {
                plan.add(fault);
            }
        }
        plan
    }

    fn add(&mut self, fault: &Fault) {
        if let Kind::Delay(time) = fault.kind {
            self.before = self.before.saturating_add(time);
        } else if let Kind::DelayAfter(time) = fault.kind {
            self.after = self.after.saturating_add(time);
        } else if self.kind.is_none() {
            self.kind = Some(fault.kind.clone());
        } else {
            return;
        }
        let names = self.names.get_or_insert_default();
        if !names.is_empty() {
            names.push('+');
        }
        names.push_str(fault.name());
    }
}

impl Kind {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        let plain = |kind| match argument {
            None => Ok(kind),
            Some(_) => Err(format!("`{name}` takes no argument")),
        };
        let needed = |what: &str| argument.ok_or_else(|| format!("`{name}` needs {what}"));
        match name {
            "delay" => milliseconds(needed("milliseconds, as in delay:250")?).map(Self::Delay),
            "delay-after" => {
                milliseconds(needed("milliseconds, as in delay-after:250")?).map(Self::DelayAfter)
            }
            "reset-before" => plain(Self::ResetBefore),
            "reset-after" => plain(Self::ResetAfter),
            "close-after" => plain(Self::CloseAfter),
            "torn" => plain(Self::Torn),
            "stall" => argument.map(milliseconds).transpose().map(Self::Stall),
            "status" => status_and_delay(needed("a status, as in status:503")?),
            "status-after" => {
                status(needed("a status, as in status-after:500")?).map(Self::StatusAfter)
            }
            "unauthorized" => plain(Self::Unauthorized),
            "html" => status(needed("a status, as in html:502")?).map(Self::Html),
            "code" => coded(needed(
                "a status and a FlinksCode, as in code:401,INVALID_LOGIN",
            )?)
            .map(|(status, code)| Self::Code(status, code)),
            "pending" => plain(Self::Code(
                StatusCode::ACCEPTED,
                "OPERATION_PENDING".to_owned(),
            )),
            "dispatched" => plain(Self::Code(
                StatusCode::ACCEPTED,
                "OPERATION_DISPATCHED".to_owned(),
            )),
            "body" => coded(needed("a status and a text, as in body:200,[]")?)
                .map(|(status, text)| Self::Body(status, text)),
            "bom" => plain(Self::Odd(Odd::Bom)),
            "charset" => plain(Self::Odd(Odd::Charset)),
            "gzip" => plain(Self::Odd(Odd::Gzip)),
            "truncated" => plain(Self::Odd(Odd::Truncated)),
            "reset" => plain(Self::Reset),
            "alert" => plain(Self::Alert),
            _ => Err(format!(
                "there is no fault `{name}`; there are delay, delay-after, reset-before, \
                 reset-after, close-after, torn, stall, status, status-after, unauthorized, html, \
                 code, pending, dispatched, body, bom, charset, gzip, truncated; of a handshake \
                 delay, stall, reset, alert"
            )),
        }
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .map(Duration::from_millis)
        .map_err(|_| format!("`{text}` is not a whole number of milliseconds"))
}

fn status(text: &str) -> Result<StatusCode, String> {
    // After an interim status (1xx) the client would wait for the answer.
    text.parse::<StatusCode>()
        .ok()
        .filter(|status| (200..=599).contains(&status.as_u16()))
        .ok_or_else(|| format!("`{text}` is not a status between 200 and 599"))
}

fn coded(text: &str) -> Result<(StatusCode, String), String> {
    let (code, rest) = text
        .split_once(',')
        .ok_or_else(|| format!("`{text}` is not CODE,TEXT"))?;
    Ok((status(code)?, rest.to_owned()))
}

fn status_and_delay(text: &str) -> Result<Kind, String> {
    let Some((code, option)) = text.split_once(',') else {
        return Ok(Kind::Status(status(text)?, None));
    };
    let value = option
        .strip_prefix("retry-after=")
        .ok_or_else(|| format!("`{option}` is not retry-after=VALUE"))?;
    let value = HeaderValue::from_str(value)
        .ok()
        .filter(|value| value.to_str().is_ok_and(|text| text.trim() == text))
        .ok_or("the value of retry-after has to be printable ASCII without spaces around it")?;
    Ok(Kind::Status(status(code)?, Some(value)))
}

fn counts(text: &str) -> Result<(u64, u64), String> {
    let number = |text: &str| {
        text.parse::<u64>()
            .ok()
            .filter(|number| *number > 0 && !text.starts_with('+'))
            .ok_or_else(|| format!("`{text}` is not a count; requests are counted from 1"))
    };
    if let Some(first) = text.strip_suffix('+') {
        return Ok((number(first)?, u64::MAX));
    }
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    if first > last {
        return Err(format!("`{text}` counts backwards"));
    }
    Ok((first, last))
}

fn named(name: &str) -> Result<ApiOperation, String> {
    let found = ApiOperation::NAMES.iter().find(|(_, known)| *known == name);
    found.map(|(operation, _)| *operation).ok_or_else(|| {
        let names = ApiOperation::NAMES.map(|(_, known)| known).join(", ");
        format!("there is no operation `{name}`; there are {names}, any")
    })
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let parse = || {
            let (requests, kind) = text
                .split_once('=')
                .ok_or("a fault is OPERATION[@N]=KIND, as in upload@2=torn")?;
            let (operation, (first, last)) = match requests.split_once('@') {
                Some((operation, range)) => {
                    (operation, counts(range.strip_prefix('+').unwrap_or(range))?)
                }
                None => (requests, (1, u64::MAX)),
            };
            let is_relative = requests.contains("@+");
            let target = match operation {
                "any" => None,
                name => Some(named(name)?),
            };
            let kind_text = kind;
            let kind = Kind::parse(kind)?;
            let is_handshake = target == Some(ApiOperation::Handshake);
            let fits = is_handshake == matches!(kind, Kind::Reset | Kind::Alert)
                || matches!(kind, Kind::Delay(_) | Kind::Stall(_));
            if !fits {
                return Err(
                    "a handshake has delay, stall, reset and alert, and only it has the last \
                     two"
                    .to_owned(),
                );
            }
            Ok(Self {
                target,
                first,
                last,
                since: is_relative.then_some(0),
                kind,
                text: kind_text.to_owned(),
            })
        };
        parse().map_err(|reason: String| FaultError {
            text: text.to_owned(),
            reason,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target {
            None => f.write_str("any")?,
            Some(operation) => write!(f, "{operation}")?,
        }
        let plus = if self.since.is_some() { "+" } else { "" };
        match (self.first, self.last) {
            (1, u64::MAX) if self.since.is_none() => {}
            (first, u64::MAX) => write!(f, "@{plus}{first}+")?,
            (first, last) if first == last => write!(f, "@{plus}{first}")?,
            (first, last) => write!(f, "@{plus}{first}-{last}")?,
        }
        write!(f, "={}", self.text)
    }
}

/// Serializes to its text.
impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Says why a text is not a [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError {
    text: String,
    reason: String,
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault `{}`: {}", self.text, self.reason)
    }
}

impl Error for FaultError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> Fault {
        text.parse().unwrap()
    }

    #[test]
    fn every_kind_is_read_and_written_alike() {
        for kind in [
            "delay:0",
            "delay-after:250",
            "reset-before",
            "reset-after",
            "close-after",
            "torn",
            "stall",
            "stall:40",
            "status:503",
            "status:429,retry-after=2",
            "status:503,retry-after=Sun, 06 Nov 1994 08:49:37 GMT",
            "status-after:500",
            "unauthorized",
            "html:502",
            "code:401,INVALID_LOGIN",
            "pending",
            "dispatched",
            "body:200,[1, 2]",
            "bom",
            "charset",
            "gzip",
            "truncated",
        ] {
            for requests in [
                "token",
                "upload@1",
                "complete@2",
                "fraud@2-5",
                "fraud@+1",
                "any@+2-5",
                "any@+1+",
                "any@7+",
                "any",
            ] {
                let text = format!("{requests}={kind}");
                assert_eq!(fault(&text).to_string(), text);
            }
            let name = kind.split(':').next().unwrap();
            assert!(
                FAULT_GRAMMAR.contains(&format!("  {name}"))
                    || FAULT_GRAMMAR.contains(&format!(", {name} ")),
                "{name} is undocumented"
            );
        }
    }

    #[test]
    fn every_operation_has_its_faults_and_is_documented() {
        for (operation, name) in ApiOperation::NAMES {
            let text = format!("{operation}@2=stall:1");
            assert_eq!(fault(&text).to_string(), text);
            let mut words = FAULT_GRAMMAR
                .split(|character: char| !character.is_ascii_lowercase() && character != '-');
            assert!(words.any(|word| word == name), "{operation}");
        }
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, part) in [
            ("", "OPERATION[@N]=KIND"),
            ("upload", "OPERATION[@N]=KIND"),
            ("login=torn", "no operation `login`"),
            ("unknown=torn", "no operation `unknown`"),
            ("upload@0=torn", "counted from 1"),
            ("upload@=torn", "counted from 1"),
            ("upload@3-2=torn", "backwards"),
            ("upload=explode", "no fault `explode`"),
            ("upload=torn:1", "takes no argument"),
            ("upload=delay", "needs milliseconds"),
            ("upload=delay:-1", "milliseconds"),
            ("upload=status", "needs a status"),
            ("upload=status:100", "between 200 and 599"),
            ("upload=html:600", "between 200 and 599"),
            ("upload=code:401", "CODE,TEXT"),
            ("upload=body:999,x", "between 200 and 599"),
            ("upload=alert", "a handshake has"),
            ("any=reset", "a handshake has"),
            ("handshake=torn", "a handshake has"),
            ("upload@++1=torn", "counted from 1"),
            ("upload=status:503,after=1", "retry-after=VALUE"),
            ("upload=status:503,retry-after=1\n", "printable"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_plan_counts_per_operation_and_over_all() {
        let faults = [fault("upload@2=torn"), fault("any@5+=reset-before")];
        let kind = |nth, overall| Plan::new(&faults, ApiOperation::Upload, nth, overall).kind;
        assert_eq!(kind(1, 4), None);
        assert_eq!(kind(2, 4), Some(Kind::Torn));
        assert_eq!(kind(2, 9), Some(Kind::Torn));
        assert_eq!(kind(3, 5), Some(Kind::ResetBefore));
        assert_eq!(Plan::new(&faults, ApiOperation::Token, 2, 4).kind, None);
    }

    #[test]
    fn delays_add_up_and_the_first_other_fault_wins() {
        let faults = [
            fault("any=delay:3"),
            fault("fraud=status:500"),
            fault("fraud=delay:4"),
            fault("fraud=torn"),
            fault("fraud=delay-after:5"),
        ];
        let plan = Plan::new(&faults, ApiOperation::Fraud, 1, 1);
        assert_eq!(plan.before, Duration::from_millis(7));
        assert_eq!(plan.after, Duration::from_millis(5));
        assert_eq!(
            plan.kind,
            Some(Kind::Status(StatusCode::INTERNAL_SERVER_ERROR, None))
        );
        assert_eq!(
            plan.names.as_deref(),
            Some("delay+status+delay+delay-after")
        );
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_writing_is_its_inverse(
            text in "(any|upload|fraud)?(@[+]?[0-9]{0,2}[-+]?[0-9]?)?=?[a-z-]{0,12}(:[0-9]{1,4})?"
        ) {
            if let Ok(fault) = text.parse::<Fault>() {
                prop_assert_eq!(fault.to_string().parse::<Fault>(), Ok(fault));
            }
        }
    }
}
