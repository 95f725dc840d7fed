//! Unknown, repeated and contradictory fields of an answer: reasons not to call it clean.
//!
//! Other answers ignore unknown fields. Here a field that may hold a signal, or that contradicts the
//! known ones, makes the verdict undetermined.

use std::fmt;

use flinks_types::{FraudAnalysis, LoginId};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::verdict::Reason;

/// Parts of the names of fields that may hold signals, failures or unfinished work.
const SUSPICIOUS: [&str; 11] = [
    "document",
    "error",
    "failed",
    "fraud",
    "hasmore",
    "incomplete",
    "partial",
    "pending",
    "signal",
    "tamper",
    "warning",
];
/// Values of a verdict or risk field that agree with empty lists: the words of Flinks' dashboard.
const HARMLESS: [&str; 6] = ["clean", "low", "none", "normal", "trust", "trusted"];

/// Returns why the answer is not clean even if all its lists of signals are empty.
pub(crate) fn unclear(answer: &Node, read: &FraudAnalysis) -> Option<Reason> {
    let Node::Object(fields) = answer else {
        return Some(Reason::UnknownField);
    };
    let is_status =
        |name: &str| ["httpstatuscode", "statuscode", "httpresponsecode"].contains(&name);
    let mut statuses = fields.iter().filter(|(name, _)| is_status(&fold(name)));
    let is_odd = |(name, status): &(String, Node)| match status {
        Node::Nothing => false,
        // The decoder has handled every status that it can read.
        _ if name == "HttpStatusCode" => read.http_status_code.is_none(),
        Node::Scalar(status) => status != "200" && !status.eq_ignore_ascii_case("OK"),
        Node::List(_) | Node::Object(_) => true,
    };
    if statuses.any(is_odd) {
        return Some(Reason::Contradictory);
    }
    in_object(fields, read.documents.len())
}

/// Whether any part of the answer names another login than the requested one.
pub(crate) fn is_about_another(answer: &Node, asked: &LoginId) -> bool {
    match answer {
        Node::Nothing | Node::Scalar(_) => false,
        Node::List(list) => list.iter().any(|node| is_about_another(node, asked)),
        Node::Object(fields) => fields.iter().any(|(name, value)| match (&*fold(name), value) {
            ("loginid", Node::Scalar(id)) => asked.is_another(id),
            // The service names a LoginId `Id` in one answer and `LoginId` in the next.
            ("login", Node::Object(login)) => {
                let is_id = |name: &str| ["id", "loginid"].contains(&&*fold(name));
                let another = |(name, id): &(String, Node)| {
                    matches!(id, Node::Scalar(id) if is_id(name) && asked.is_another(id))
                };
                login.iter().any(another) || is_about_another(value, asked)
            }
            _ => is_about_another(value, asked),
        }),
    }
}

fn in_object(fields: &[(String, Node)], documents: usize) -> Option<Reason> {
    let mut names: Vec<_> = fields.iter().map(|(name, _)| fold(name)).collect();
    names.sort_unstable();
    if names.windows(2).any(|two| two.first() == two.last()) {
        return Some(Reason::Contradictory);
    }
    fields.iter().find_map(|(name, value)| {
        in_field(name, value, documents).or_else(|| in_node(value, documents))
    })
}

fn in_node(node: &Node, documents: usize) -> Option<Reason> {
    match node {
        Node::Nothing | Node::Scalar(_) => None,
        Node::List(list) => list.iter().find_map(|node| in_node(node, documents)),
        Node::Object(fields) => in_object(fields, documents),
    }
}

/// Returns why one field makes the answer unclear. Documented lists of signals are not considered:
/// they decide the verdict themselves.
fn in_field(name: &str, value: &Node, documents: usize) -> Option<Reason> {
    if ["DocumentAnalysis", "DocumentType"].contains(&name) || value.is_empty() {
        return None;
    }
    let name = fold(name);
    let has = |part: &str| name.contains(part);
    if has("verdict") || has("risk") {
        let is_harmless = matches!(value, Node::Scalar(word) if HARMLESS.contains(&&*fold(word)));
        return (!is_harmless).then_some(Reason::UnknownField);
    }
    match value {
        // A count of signals or documents that are not in the answer.
        Node::Scalar(count) if name == "count" => (count != "0").then_some(Reason::Contradictory),
        Node::Scalar(count) if has("document") => {
            let counts = has("count") || has("total") || has("number");
            let more = count.parse::<usize>().is_ok_and(|count| count > documents);
            (counts && more).then_some(Reason::Contradictory)
        }
        Node::Nothing | Node::Scalar(_) | Node::List(_) | Node::Object(_) => SUSPICIOUS
            .iter()
            .any(|part| has(part))
            .then_some(Reason::UnknownField),
    }
}

/// A name without case and punctuation.
fn fold(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// JSON with every field of every object, repeated ones too.
#[derive(Default)]
pub(crate) enum Node {
    /// Null, or what cannot be read.
    #[default]
    Nothing,
    Scalar(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Node {
    /// Whether the value is empty: null, false, zero, or an empty text, list or object.
    fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Scalar(text) => ["", "0", "false"].contains(&text.as_str()),
            Self::List(list) => list.is_empty(),
            Self::Object(fields) => fields.is_empty(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Nothing)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_owned()))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Node, S::Error> {
                let mut list = Vec::new();
                while let Some(node) = seq.next_element()? {
                    list.push(node);
                }
                Ok(Node::List(list))
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Node, M::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Node::Object(fields))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
