//! Unknown, repeated and contradictory fields of an answer: reasons not to call it clean.
//!
//! Other answers ignore unknown fields. Here a field that may hold a signal, or that contradicts the
//! known ones, makes the verdict undetermined.

mod node;

use flinks_types::{FraudAnalysis, LoginId};

use crate::verdict::Reason;

use node::{Field, STATUS};

pub(crate) use node::Node;

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
pub(crate) fn unclear(answer: &Node<'_>, read: &FraudAnalysis) -> Option<Reason> {
    let Node::Object { fields, .. } = answer else {
        return Some(Reason::UnknownField);
    };
    let is_status =
        |name: &str| ["httpstatuscode", "statuscode", "httpresponsecode"].contains(&name);
    let mut statuses = fields.iter().filter(|(name, _)| is_status(&fold(name)));
    let is_odd = |(name, status): &Field<'_>| match status {
        Node::Nothing => false,
        // The decoder has handled every status that it can read.
        _ if name == STATUS => read.http_status_code.is_none(),
        Node::Scalar(status) => status != "200" && !status.eq_ignore_ascii_case("OK"),
        Node::List { .. } | Node::Object { .. } => true,
    };
    if statuses.any(is_odd) {
        return Some(Reason::Contradictory);
    }
    in_node(answer, read.documents.len())
}

/// Whether the answer has a status or a code that was not read as such, because of its name or its
/// value.
pub(crate) fn has_odd_outcome(answer: &Node<'_>, read: &FraudAnalysis) -> bool {
    let Node::Object { fields, .. } = answer else {
        return false;
    };
    fields.iter().any(|(name, _)| match &**name {
        STATUS => read.http_status_code.is_none(),
        name => ["httpstatuscode", "flinkscode"].contains(&&*fold(name)),
    })
}

/// Whether any part of the answer names another login than the requested one.
pub(crate) fn is_about_another(answer: &Node<'_>, asked: &LoginId) -> bool {
    let in_field = |(name, value): &Field<'_>| match (&*fold(name), value) {
        ("loginid", Node::Scalar(id)) => asked.is_another(id),
        // The service names a LoginId `Id` in one answer and `LoginId` in the next.
        ("login", Node::Object { fields: login, .. }) => {
            let is_id = |name: &str| ["id", "loginid"].contains(&&*fold(name));
            let another = |(name, id): &Field<'_>| matches!(id, Node::Scalar(id) if is_id(name) && asked.is_another(id));
            login.iter().any(another) || is_about_another(value, asked)
        }
        _ => is_about_another(value, asked),
    };
    match answer {
        Node::Nothing | Node::Scalar(_) => false,
        Node::List { elements, .. } => elements.iter().any(|node| is_about_another(node, asked)),
        Node::Object { fields, .. } => fields.iter().any(in_field),
    }
}

fn in_node(node: &Node<'_>, documents: usize) -> Option<Reason> {
    match node {
        Node::Nothing | Node::Scalar(_) => None,
        Node::List { elements, .. } => elements.iter().find_map(|node| in_node(node, documents)),
        Node::Object { repeats: true, .. } => Some(Reason::Contradictory),
        Node::Object { fields, .. } => fields.iter().find_map(|(name, value)| {
            in_field(name, value, documents).or_else(|| in_node(value, documents))
        }),
    }
}

/// Returns why one field makes the answer unclear. Documented lists of signals are not considered:
/// they decide the verdict themselves.
fn in_field(name: &str, value: &Node<'_>, documents: usize) -> Option<Reason> {
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
        Node::Nothing | Node::Scalar(_) | Node::List { .. } | Node::Object { .. } => SUSPICIOUS
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
