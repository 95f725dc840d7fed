//! `SecurityChallenges`: a bank's questions, and the answers to them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::lenient::text_of;
use crate::open_enum::open_enum;
use crate::wire::{Field, raw, wire_struct};
use crate::{RequestId, Secret};

open_enum! {
    /// The type of a challenge, which decides the key and the values of its answer.
    pub ChallengeType {
        /// A date. Only in an older API description.
        Date = "Date",
        /// A choice of one of the images in `Iterables`, each in base64.
        ImageSelection = "ImageSelection",
        /// A choice of one of `Iterables`.
        MultipleChoice = "MultipleChoice",
        /// A choice of one or more of `Iterables`.
        MultipleChoiceMultipleAnswers = "MultipleChoiceMultipleAnswers",
        /// A one-time code. Only in an older API description.
        OneTimeVerification = "OneTimeVerification",
        /// A question with a text answer; with `Iterables`, a choice of a question and a new answer to it.
        QuestionAndAnswer = "QuestionAndAnswer",
        /// A choice of one of the phone numbers in `Iterables`, which then gets a text message or a call.
        TextOrCall = "TextOrCall",
        /// An approval on the customer's device.
        WaitUntilEuAccept = "WaitUntilEUAccept",
    }
}

wire_struct! {
    /// One question of a bank.
    ///
    /// Its texts are private: prompts can name a device, choices a phone number or a purchase. `Debug`
    /// shows only their lengths.
    ///
    /// Source: Legacy guide, MFA Types.
    pub strict struct SecurityChallenge {
        /// The type.
        pub r#type: Option<ChallengeType> = "Type",
        /// The bank's text, unchanged: it can be the key of the answer.
        pub prompt: Option<String> = "Prompt",
        /// The choices, unchanged; may be empty.
        pub iterables: Vec<String> = "Iterables",
    }
}

impl SecurityChallenge {
    /// Creates a challenge from its parts, such as one that was stored.
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

/// The choices: an absent list is empty, and so is a single text. Choices that are objects are an
/// error: without them a question would be answered under the wrong key.
impl Field for Vec<String> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = raw(deserializer)?;
        let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(json) else {
            return text(json).map(|_| Self::new());
        };
        let texts = elements.into_iter().map(|json| text(json.get()));
        texts.filter_map(Result::transpose).collect()
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} texts", self.len())
    }
}

fn text<E: Error>(json: &str) -> Result<Option<String>, E> {
    match text_of(json) {
        None if json != "null" => Err(E::custom("expected a text")),
        text => Ok(text.map(Cow::into_owned)),
    }
}

/// The answers to one round of challenges: the third form of an Authorize request.
///
/// Each answer has a key, which is a text of the challenge, and one or more values. `Debug` shows
/// only their number.
#[derive(Clone)]
pub struct SecurityResponses {
    request_id: RequestId,
    entries: Vec<(String, Vec<Secret>)>,
}

impl SecurityResponses {
    /// Creates an empty set of answers for the session `request_id`.
    #[must_use]
    pub fn new(request_id: RequestId) -> Self {
        Self {
            request_id,
            entries: Vec::new(),
        }
    }

    /// Adds an answer. Keys are not checked: of two answers with the same key the service loses one.
    pub fn push(&mut self, key: impl Into<String>, values: Vec<Secret>) {
        self.entries.push((key.into(), values));
    }

    /// Returns the session that the answers belong to.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// All values.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Secret> {
        self.entries.iter().flat_map(|(_, values)| values)
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

/// A JSON object in the order of the answers. The values are an array even if there is only one.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::from_json;

    fn read(json: &str) -> SecurityChallenge {
        from_json(json.as_bytes()).unwrap()
    }

    #[test]
    fn challenges_are_read_leniently_and_texts_exactly() {
        let challenge = read(
            r#"{"Type":"QuestionAndAnswer","Prompt":" O\u00f9 : $? ","Iterables":["a ",7,null,"A "]}"#,
        );
        assert_eq!(challenge.r#type, Some(ChallengeType::QuestionAndAnswer));
        assert_eq!(challenge.prompt.as_deref(), Some(" Où : $? "));
        assert_eq!(challenge.iterables, ["a ", "7", "A "]);
        for json in ["{}", r#"{"Type":null,"Prompt":"","Iterables":null}"#] {
            assert_eq!(read(json), SecurityChallenge::default(), "{json}");
        }
        assert!(read(r#"{"Iterables":"x"}"#).iterables.is_empty());
        assert_eq!(read(r#"{"Iterables":["x",null]}"#).iterables, ["x"]);
        for json in [
            r#"{"Iterables":{"a":1}}"#,
            r#"{"Iterables":[{"Text":"a"}]}"#,
        ] {
            assert!(
                serde_json::from_str::<SecurityChallenge>(json).is_err(),
                "{json}"
            );
        }
    }

    #[test]
    fn types_of_tomorrow_are_kept() {
        let challenge = read(r#"{"Type":"Fingerprint"}"#);
        let kind = challenge.r#type.unwrap();
        assert_eq!(kind, ChallengeType::Other("Fingerprint".to_owned()));
        let known = [
            ("WaitUntilEUAccept", ChallengeType::WaitUntilEuAccept),
            ("textorcall", ChallengeType::TextOrCall),
        ];
        for (word, kind) in known {
            assert_eq!(ChallengeType::from(word), kind);
        }
    }

    #[test]
    fn debug_shows_no_text() {
        let challenge = read(r#"{"Type":"CANARY","Prompt":"CANARY","Iterables":["CANARY"]}"#);
        let mut responses = SecurityResponses::new(RequestId::new("CANARY-4711-4711").unwrap());
        responses.push("CANARY-key", vec![Secret::new("CANARY-value")]);
        let shown = format!("{challenge:?}{challenge:#?}{responses:?}{responses:#?}");
        assert!(
            !shown.contains("CANARY-key") && !shown.contains("CANARY-value"),
            "{shown}"
        );
        assert!(!format!("{challenge:?}").contains("CANARY"));
    }

    proptest! {
        #[test]
        fn answers_are_written_in_their_order_to_the_byte(
            entries in proptest::collection::vec((".*", proptest::collection::vec(".*", 1..4)), 0..6),
        ) {
            let mut responses = SecurityResponses::new(RequestId::new("r").unwrap());
            let mut expected = String::from("{");
            for (index, (key, values)) in entries.iter().enumerate() {
                responses.push(key.as_str(), values.iter().map(|v| Secret::new(v.as_str())).collect());
                let (key, values) = (serde_json::json!(key), serde_json::json!(values));
                let comma = if index == 0 { "" } else { "," };
                expected += &format!("{comma}{key}:{values}");
            }
            expected.push('}');
            prop_assert_eq!(serde_json::to_string(&responses.as_map()).unwrap(), expected);
        }

        #[test]
        fn any_texts_come_back(prompt in ".+", iterables in proptest::collection::vec(".*", 0..5)) {
            let json = serde_json::json!({"Prompt": prompt, "Iterables": iterables});
            let challenge = read(&json.to_string());
            prop_assert_eq!(challenge, SecurityChallenge::new(None, Some(prompt), iterables));
        }
    }
}
