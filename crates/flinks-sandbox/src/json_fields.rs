//! The fields of JSON objects, and what is wrong with one: by name, never by value.

use std::fmt;

use http::StatusCode;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_json::value::RawValue;

use crate::answer::Answer;

/// `SecurityResponses`: from the key of a challenge to its answers.
pub(crate) type Answers = Vec<(String, Vec<String>)>;

/// The fields of an object in order, with duplicates.
#[derive(Debug)]
pub(crate) struct Fields {
    all: Vec<(String, Box<RawValue>)>,
    casing: Casing,
    /// What comes before the names in messages, as `Files[0].`.
    path: String,
}

/// How the names of fields are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Casing {
    /// In any casing, as the clients of the legacy API do.
    Any,
    /// As documented.
    Exact,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Fields;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut all = Vec::new();
                while let Some(field) = map.next_entry()? {
                    all.push(field);
                }
                Ok(Fields {
                    all,
                    casing: Casing::Any,
                    path: String::new(),
                })
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

impl Fields {
    pub(crate) fn read(body: &[u8], casing: Casing) -> Result<Self, Answer> {
        let fields = serde_json::from_slice(body).map_err(|error: serde_json::Error| {
            if error.is_data() {
                return Answer::invalid("The body has to be a JSON object.");
            }
            // Line and column only: the text of the error may quote the body.
            let (line, column) = (error.line(), error.column());
            Answer::invalid(&format!(
                "The body is not JSON (line {line}, column {column})."
            ))
        })?;
        Ok(Self { casing, ..fields })
    }

    /// A field; `null` counts as absent.
    fn value<T: DeserializeOwned>(&self, name: &str, form: &str) -> Result<Option<T>, Answer> {
        let is_named = |(key, _): &&(String, _)| key.eq_ignore_ascii_case(name);
        let mut fields = self.all.iter().filter(is_named);
        match (fields.next(), fields.next()) {
            (None, _) => Ok(None),
            (Some((key, _)), _) if self.casing == Casing::Exact && key != name => {
                Err(self.invalid(name, "has to be spelled with this casing"))
            }
            (Some((_, value)), None) if value.get() == "null" => Ok(None),
            (Some((_, value)), None) => serde_json::from_str(value.get())
                .map(Some)
                .map_err(|_| self.invalid(name, form)),
            (Some(_), Some(_)) => Err(self.invalid(name, "is given twice")),
        }
    }

    /// Answers 400 with the name of a wrong field of this object.
    pub(crate) fn invalid(&self, field: &str, problem: &str) -> Answer {
        invalid(&format!("{}{field}", self.path), problem)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Answer> {
        self.value(name, "has to be a string")
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<String, Answer> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.invalid(name, "is required"))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Answer> {
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
            Some(Flag::Text(_)) => Err(self.invalid(name, form)),
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Answer> {
        self.value(name, "has to be an array of strings")
    }

    pub(crate) fn objects(&self, name: &str) -> Result<Option<Vec<Self>>, Answer> {
        let objects: Option<Vec<Self>> = self.value(name, "has to be an array of objects")?;
        let placed = objects.map(|objects| {
            let placed = objects.into_iter().enumerate().map(|(index, object)| Self {
                casing: self.casing,
                path: format!("{}{name}[{index}].", self.path),
                ..object
            });
            placed.collect()
        });
        Ok(placed)
    }

    /// An object from keys, which stay as they are, to arrays of strings.
    pub(crate) fn answers(&self, name: &str) -> Result<Option<Answers>, Answer> {
        let form = "has to be an object of arrays of strings";
        let Some(Self { all: entries, .. }) = self.value(name, form)? else {
            return Ok(None);
        };
        let mut answers = Answers::new();
        for (key, value) in entries {
            if answers.iter().any(|(earlier, _)| *earlier == key) {
                return Err(self.invalid(name, "holds a key twice"));
            }
            let values = serde_json::from_str(value.get()).map_err(|_| self.invalid(name, form))?;
            answers.push((key, values));
        }
        Ok(Some(answers))
    }
}

/// Answers 400 with the name of the wrong field, without its value.
pub(crate) fn invalid(field: &str, problem: &str) -> Answer {
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
        Fields::read(text.as_bytes(), Casing::Any).unwrap()
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
            assert!(
                Fields::read(text.as_bytes(), Casing::Any).is_err(),
                "{text}"
            );
        }
        assert!(fields(r#"{"Save": "maybe"}"#).flag("Save").is_err());
    }

    proptest! {
        #[test]
        fn every_answer_arrives_as_it_was_sent(
            sent in prop::collection::btree_map(any::<String>(), any::<Vec<String>>(), 0..5)
        ) {
            let body = json!({"RequestId": "r", "SecurityResponses": sent}).to_string();
            let answers = fields(&body).answers("SecurityResponses");
            prop_assert_eq!(answers.unwrap().unwrap(), sent.into_iter().collect::<Answers>());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "\\{\"k\": ?[\\[\\]{}\",a-z0-9]{0,12}\\}") {
            for body in [&bytes[..], text.as_bytes()] {
                if let Ok(fields) = Fields::read(body, Casing::Any) {
                    drop((fields.text("k"), fields.flag("k"), fields.texts("k")));
                    drop((fields.objects("k"), fields.answers("k")));
                }
            }
        }
    }
}
