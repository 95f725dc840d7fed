//! The words that a key may take where the client crates, and not a type of the format, define them.

use serde::{Deserialize as _, Deserializer, de};

use crate::operations::NAMES;

const KINDS: [&str; 12] = [
    "api",
    "client_certificate",
    "config",
    "connect",
    "connection",
    "decode",
    "file",
    "input",
    "journal",
    "layer",
    "server_certificate",
    "timeout",
];
const DELIVERIES: [&str; 4] = ["not_sent", "rejected", "unknown", "delivered"];
const STEPS: [&str; 2] = ["call", "token"];
const REFUSALS: [&str; 7] = [
    "api_credentials",
    "bank_down",
    "bank_login",
    "pending",
    "session_over",
    "wrong_answer",
    "wrong_answer_final",
];

pub(crate) fn operation<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one_of(String::deserialize(from)?, &NAMES)
}

/// `none` is for a check made before any call began.
pub(crate) fn failed_operation<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(from)? {
        Some(word) if word != "none" => one_of(word, &NAMES).map(Some),
        word => Ok(word),
    }
}

pub(crate) fn kind<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one_of(String::deserialize(from)?, &KINDS)
}

pub(crate) fn delivery<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one_of(String::deserialize(from)?, &DELIVERIES)
}

pub(crate) fn step<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one_of(String::deserialize(from)?, &STEPS)
}

pub(crate) fn refusal<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let word = Option::<String>::deserialize(from)?;
    word.map(|word| one_of(word, &REFUSALS)).transpose()
}

fn one_of<E: de::Error>(word: String, allowed: &'static [&'static str]) -> Result<String, E> {
    if allowed.contains(&word.as_str()) {
        Ok(word)
    } else {
        Err(E::unknown_variant(&word, allowed))
    }
}
