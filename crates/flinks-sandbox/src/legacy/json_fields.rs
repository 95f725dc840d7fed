//! The fields of JSON objects, in any casing, with `"true"` for `true`.

use std::fmt;

use http::StatusCode;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_json::value::RawValue;

use crate::answer::Answer;

/// `SecurityResponses`: from the key of a challenge to its answers.
pub(super) type Answers = Vec<(String, Vec<String>)>;

/// The fields of an object in order, with duplicates.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Fields;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

impl Fields {
    pub(super) fn read(body: &[u8]) -> Result<Self, Answer> {
        serde_json::from_slice(body)
            .map_err(|_| Answer::invalid("The body has to be a JSON object."))
    }

    /// A field in any casing; `null` counts as absent.
    fn value<T: DeserializeOwned>(&self, name: &str, form: &str) -> Result<Option<T>, Answer> {
        let is_named = |(key, _): &&(String, _)| key.eq_ignore_ascii_case(name);
        let mut fields = self.0.iter().filter(is_named);
        match (fields.next(), fields.next()) {
            (None, _) => Ok(None),
            (Some((_, value)), None) if value.get() == "null" => Ok(None),
            (Some((_, value)), None) => serde_json::from_str(value.get())
                .map(Some)
                .map_err(|_| invalid(name, form)),
            (Some(_), Some(_)) => Err(invalid(name, "is given twice")),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Answer> {
        self.value(name, "has to be a string")
    }

    pub(super) fn required_text(&self, name: &str) -> Result<String, Answer> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| invalid(name, "is required"))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Answer> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Flag {
            Bool(bool),
            Text(String),
        }

        let form = "has to be true or false";
        match self.value(name, form)? {
            None => Ok(None),
            Some(Flag::Bool(flag)) => Ok(Some(flag)),
            Some(Flag::Text(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Flag::Text(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(Flag::Text(_)) => Err(invalid(name, form)),
        }
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Answer> {
        self.value(name, "has to be an array of strings")
    }

    pub(super) fn objects(&self, name: &str) -> Result<Option<Vec<Self>>, Answer> {
        self.value(name, "has to be an array of objects")
    }

    /// An object from keys, which stay as they are, to arrays of strings.
    pub(super) fn answers(&self, name: &str) -> Result<Option<Answers>, Answer> {
        let form = "has to be an object of arrays of strings";
        let Some(Self(entries)) = self.value(name, form)? else {
            return Ok(None);
        };
        let mut answers = Answers::new();
        for (key, value) in entries {
            if answers.iter().any(|(earlier, _)| *earlier == key) {
                return Err(invalid(name, "holds a key twice"));
            }
            let values = serde_json::from_str(value.get()).map_err(|_| invalid(name, form))?;
            answers.push((key, values));
        }
        Ok(Some(answers))
    }
}

/// Answers 400 with the name of the wrong field, without its value.
pub(super) fn invalid(field: &str, problem: &str) -> Answer {
    let message = format!("{field} {problem}.");
    let details = json!({field: [message]});
    let body = json!({
        "FlinksCode": "INVALID_REQUEST", "Message": message, "ValidationDetails": details,
    });
    Answer::with_status_code(StatusCode::BAD_REQUEST, body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn casing_and_booleans_as_text_do_not_matter() {
        let fields = fields(r#"{"userName": "u", "SAVE": "True", "x": false, "tag": null}"#);
        assert_eq!(fields.required_text("Username").unwrap(), "u");
        assert_eq!(fields.flag("Save").unwrap(), Some(true));
        assert_eq!(fields.flag("X").unwrap(), Some(false));
        assert_eq!(fields.text("Tag").unwrap(), None);
        assert_eq!(fields.flag("other").unwrap(), None);
    }

    #[test]
    fn keys_of_answers_stay_as_they_are() {
        let answers = fields(r#"{"securityresponses": {"Où ? $5:": ["É"], "où ? $5:": []}}"#)
            .answers("SecurityResponses")
            .unwrap()
            .unwrap();
        assert_eq!(
            answers,
            [
                ("Où ? $5:".to_owned(), vec!["É".to_owned()]),
                ("où ? $5:".to_owned(), Vec::new())
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named_and_never_repeated() {
        for text in [
            r#"{"SecurityResponses": {"k": "secret"}}"#,
            r#"{"SecurityResponses": {"k": [1]}}"#,
            r#"{"SecurityResponses": {"k": null}}"#,
            r#"{"SecurityResponses": ["secret"]}"#,
            r#"{"SecurityResponses": {"k": ["secret"], "k": ["secret"]}}"#,
            r#"{"SecurityResponses": {}, "securityResponses": {}}"#,
        ] {
            let answer = fields(text).answers("SecurityResponses").unwrap_err();
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{text}");
            assert!(body["ValidationDetails"]["SecurityResponses"][0].is_string());
            assert!(!body.to_string().contains("secret"), "{text}");
        }
        for text in ["", "[]", "{", "\"text\""] {
            assert!(Fields::read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(fields(r#"{"Save": "maybe"}"#).flag("Save").is_err());
    }

    proptest! {
        #[test]
        fn every_answer_arrives_as_it_was_sent(
            sent in prop::collection::btree_map(any::<String>(), any::<Vec<String>>(), 0..5)
        ) {
            let body = json!({"RequestId": "r", "SecurityResponses": sent}).to_string();
            let answers = Fields::read(body.as_bytes()).unwrap().answers("SecurityResponses");
            prop_assert_eq!(answers.unwrap().unwrap(), sent.into_iter().collect::<Answers>());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "\\{\"k\": ?[\\[\\]{}\",a-z0-9]{0,12}\\}") {
            for body in [&bytes[..], text.as_bytes()] {
                if let Ok(fields) = Fields::read(body) {
                    drop((fields.text("k"), fields.flag("k"), fields.texts("k")));
                    drop((fields.objects("k"), fields.answers("k")));
                }
            }
        }
    }
}
