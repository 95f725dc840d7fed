//! What the service calls `SecurityChallenges`: a bank's questions, and the shape of the answers.

use std::fmt;

use serde::de::Deserializer;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::lenient;
use crate::open_enum::open_enum;
use crate::shown::Length;
use crate::{RequestId, Secret};

open_enum! {
    /// How a challenge is meant, and so under which key and with which value it is answered.
    pub ChallengeType {
        /// A date is asked for. Named in an older interface description only.
        Date = "Date",
        /// One of the images in `Iterables`, each in base64.
        ImageSelection = "ImageSelection",
        /// One of `Iterables`.
        MultipleChoice = "MultipleChoice",
        /// One or more of `Iterables`.
        MultipleChoiceMultipleAnswers = "MultipleChoiceMultipleAnswers",
        /// A one-time code. Named in an older interface description only.
        OneTimeVerification = "OneTimeVerification",
        /// A question and its answer; with `Iterables`, a question to choose and a new answer to it.
        QuestionAndAnswer = "QuestionAndAnswer",
        /// A phone number of `Iterables`, and whether it gets a text or a call.
        TextOrCall = "TextOrCall",
        /// An approval on the device that the bank trusts.
        WaitUntilEuAccept = "WaitUntilEUAccept",
    }
}

/// One question of a bank.
///
/// The texts belong to the bank and its customer: prompts can name a device, choices a phone
/// number or a purchase. `Debug` gives only their lengths.
///
/// Source: Legacy guide, MFA Types.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct SecurityChallenge {
    /// How it is meant.
    #[serde(deserialize_with = "lenient::word")]
    pub r#type: Option<ChallengeType>,
    /// The bank's text, exactly as it came: an answer may have to name it to the byte.
    #[serde(deserialize_with = "lenient::text")]
    pub prompt: Option<String>,
    /// What there is to choose from, exactly as it came; may be empty.
    #[serde(deserialize_with = "texts")]
    pub iterables: Vec<String>,
}

impl SecurityChallenge {
    /// A challenge from its parts, as one that was put away.
    #[must_use]
    pub const fn new(
        r#type: Option<ChallengeType>,
        prompt: Option<String>,
        iterables: Vec<String>,
    ) -> Self {
        Self {
            r#type,
            prompt,
            iterables,
        }
    }
}

/// What can be chosen, texts only; an absent list is an empty one.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let elements: Vec<&RawValue> =
        serde_json::from_str(lenient::raw(deserializer)?.get()).unwrap_or_default();
    Ok(elements
        .into_iter()
        .filter_map(|element| lenient::text_of(element.get()))
        .collect())
}

impl fmt::Debug for SecurityChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityChallenge")
            .field("type", &self.r#type)
            .field("prompt", &Length::of(&self.prompt))
            .field("iterables", &self.iterables.len())
            .finish()
    }
}

/// The answers to one round of challenges: the third form of an Authorize request.
///
/// Each answer has a key, which is a text of the challenge to the byte, and one or more values.
/// `Debug` gives only their number.
#[derive(Clone)]
pub struct SecurityResponses {
    request_id: RequestId,
    entries: Vec<(String, Vec<Secret>)>,
}

impl SecurityResponses {
    /// Answers to the questions of the session `request_id`, none so far.
    #[must_use]
    pub fn new(request_id: RequestId) -> Self {
        Self {
            request_id,
            entries: Vec::new(),
        }
    }

    /// Adds an answer. A key that is there already is kept beside it, and the service would lose
    /// one of them: whoever adds answers looks that keys differ.
    pub fn push(&mut self, key: impl Into<String>, values: Vec<Secret>) {
        self.entries.push((key.into(), values));
    }

    /// The session that they belong to.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    pub(crate) fn as_map(&self) -> impl Serialize + '_ {
        Entries(&self.entries)
    }
}

impl fmt::Debug for SecurityResponses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityResponses")
            .field("request_id", &self.request_id)
            .field("answers", &self.entries.len())
            .finish()
    }
}

/// A JSON object in the order in which the answers were given. A value is an array even if there
/// is one of it.
struct Entries<'e>(&'e [(String, Vec<Secret>)]);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, values) in self.0 {
            let values: Vec<_> = values.iter().map(Secret::expose).collect();
            map.serialize_entry(key, &values)?;
        }
        map.end()
    }
}
