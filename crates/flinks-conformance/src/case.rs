//! The fixture format: one call, what the server sees and answers, and what must come of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The schema for editors, as a case names it.
pub(crate) const SCHEMA: &str = "../../case.schema.json";

/// One `case.json`. Unknown keys are errors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Case {
    /// Where editors find the schema: `../../case.schema.json`.
    #[serde(default, rename = "$schema")]
    pub schema: Option<String>,
    /// Why this case exists, in one sentence.
    pub docs: String,
    /// Where the wire facts come from; "corrected: …" names what differs from a printed example.
    pub source: String,
    /// The call.
    pub call: Call,
    /// What the server sees and answers, in this order. Empty: nothing may be sent.
    pub steps: Vec<Step>,
    /// The steps may be taken in any order: for files that are sent at once.
    #[serde(default)]
    pub any_order: bool,
    /// What must come of it.
    pub want: Want,
    /// The pause before each step but the first, counted from the end of the one before it.
    /// Virtual time: level 2 only.
    pub waits_ms: Option<Vec<Span>>,
    /// How long the whole call takes in virtual time: level 2 only.
    pub takes_ms: Option<Span>,
    /// Texts that must appear in no log and in no `Debug`, `Display` or `report()`.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// The levels that apply, when not all do.
    pub levels: Option<Levels>,
    /// The case holds against a real service too, as this says; without it, it is not run there.
    pub live: Option<Live>,
    /// Certificates that are not what they should be: level 3 only.
    #[serde(default)]
    pub tls: Tls,
    /// What is unusual about the answers and cannot be seen in them; for the matrices.
    #[serde(default)]
    pub shows: Shows,
}

/// What is unusual about the answers of a case.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Shows {
    /// Keys that answers usually have, and none of this case has.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Words in the answers that the documents do not know.
    #[serde(default)]
    pub new_words: Vec<String>,
}

/// From and to, both included.
pub type Span = [u64; 2];

/// The call that a case makes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Call {
    /// A name of the registry, such as `upload.file`.
    pub operation: String,
    /// The operation's arguments.
    pub input: Value,
    /// Whether it carries credentials.
    #[serde(default)]
    pub credentials: Credentials,
}

/// Whether a call carries the credentials of its operation.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Credentials {
    /// Those that `standard.json` lists.
    #[default]
    Standard,
    /// No credentials at all.
    None,
}

/// One request that the server must see, and what it does then.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Step {
    /// What the request must be.
    pub expect: Expect,
    /// The answer; or else a fault.
    pub reply: Option<Reply>,
    /// What goes wrong instead of an answer.
    pub fault: Option<Fault>,
    /// The server takes this long before it answers or fails.
    #[serde(default)]
    pub after_ms: u64,
}

/// What a request must be. At most one of the bodies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Expect {
    /// The method.
    pub method: String,
    /// The path with its query, percent-encoded, without host.
    pub path: String,
    /// Headers that must be there with these values.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Headers that must not be there.
    #[serde(default)]
    pub forbid_headers: Vec<String>,
    /// A file in the case's folder: `.json` compares as a value, anything else byte by byte.
    pub body: Option<String>,
    /// The body as a JSON value.
    pub body_json: Option<Value>,
    /// The body byte by byte.
    pub body_text: Option<String>,
    /// The body's length only: for documents too large to be written down.
    pub body_length: Option<u64>,
}

/// An answer. At most one of the bodies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers. `Content-Type` is `application/json` unless given here.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A file in the case's folder, sent unchanged.
    pub body: Option<String>,
    /// The body as a JSON value.
    pub body_json: Option<Value>,
    /// The body as text.
    pub body_text: Option<String>,
    /// A body of this many spaces: for answers that are too large.
    pub body_spaces: Option<usize>,
    /// The answer comes before the request body is read.
    #[serde(default)]
    pub early: bool,
}

/// What goes wrong instead of an answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fault {
    /// The connection is refused.
    Refuse,
    /// The connection is reset before any of the body is read.
    ResetBeforeSend,
    /// The whole request is read, then the connection is reset.
    ResetAfterSend,
    /// The whole request is read, then the connection is closed in good order.
    CloseAfterSend,
    /// The whole request is read; the answer, a 200, ends in the middle of its body.
    TornBody,
    /// The whole request is read, and nothing is ever answered.
    Hang,
    /// The body is not read, and nothing is ever answered.
    Stall,
    /// The whole request is read, and the answer is not HTTP.
    Garbage,
}

impl Fault {
    /// Whether the server reads the request's body before things go wrong.
    pub(crate) const fn reads_body(self) -> bool {
        match self {
            Self::Refuse | Self::ResetBeforeSend | Self::Stall => false,
            Self::ResetAfterSend
            | Self::CloseAfterSend
            | Self::TornBody
            | Self::Hang
            | Self::Garbage => true,
        }
    }
}

/// What must come of a call: exactly one of the two.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Want {
    /// The output in canonical form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Value>,
    /// The error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<WantError>,
}

/// What an error must say. What is left out must be absent from the error too, but for `attempts`,
/// `display_contains` and, where a call of several requests failed, `operation`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WantError {
    /// The error kind in `snake_case`.
    pub kind: String,
    /// `not_sent`, `rejected`, `unknown` or `delivered`.
    pub delivery: String,
    /// `token` where the token request failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The operation that failed; by default the one that was called. `none` for a check made
    /// before any call began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The FlinksCode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flinks_code: Option<String>,
    /// The delay that the service requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// How many attempts were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Texts that `Display` must show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display_contains: Vec<String>,
    /// Sessions only: the name of the file that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Sessions only: the session that is still open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation_id: Option<String>,
    /// Sessions only: the sessions given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abandoned: Vec<String>,
    /// Sessions only: how many were given up without a known id, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abandoned_unnamed: Option<u64>,
    /// Authorize only: who must act, in `snake_case`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Authorize only: the session that a refused cached login still has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// How a case runs against a real service; the steps are not used.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Live {
    /// How much of `want.ok` must be equal. An error always has the wanted kind, delivery, status
    /// and FlinksCode.
    pub compare: Compare,
    /// With `shape`: keys whose values must be equal all the same.
    #[serde(default)]
    pub same: Vec<String>,
    /// Arguments in the place of those of `call.input`.
    #[serde(default)]
    pub input: Map<String, Value>,
}

/// How much of a live output must be as it is wanted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Compare {
    /// All of it.
    Same,
    /// The keys, and the JSON types of their values; every element of a list is compared with the
    /// first wanted one.
    Shape,
}

/// The levels that apply, and why not all do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Levels {
    /// These and no others.
    pub only: Vec<Level>,
    /// Why.
    pub reason: String,
}

/// How much of the stack a case runs through.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Level {
    /// The codec: the operation's request, and the reading of its answer.
    L1,
    /// The real stack over a scripted leaf, in paused time.
    L2,
    /// The real stack over mutual TLS on loopback.
    L3,
    /// The real stack against a host and with credentials of the environment.
    Live,
}

/// Whose certificates are not what they should be.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// What the client presents.
    #[serde(default)]
    pub client: ClientCertificate,
    /// What the server presents.
    #[serde(default)]
    pub server: ServerCertificate,
}

/// What the client presents.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClientCertificate {
    /// A certificate that the server trusts.
    #[default]
    Valid,
    /// Nothing.
    None,
    /// A certificate of another authority.
    OtherCa,
    /// A certificate whose time is over.
    Expired,
}

/// What the server presents.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ServerCertificate {
    /// A certificate that the client trusts.
    #[default]
    Valid,
    /// A certificate of another authority.
    OtherCa,
    /// A certificate for another host.
    WrongHost,
    /// A certificate whose time is over.
    Expired,
}
