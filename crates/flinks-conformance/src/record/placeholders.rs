//! Made-up texts in the place of everything that is somebody's: the same for the same, wherever it stands.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use serde_json::{Map, Value, json};

use super::tape::Answer;
use super::words;

/// What stands for what. It has no `Debug`: it knows the originals.
#[derive(Default)]
pub(super) struct Placeholders(BTreeMap<String, String>);

impl Placeholders {
    /// The texts that were replaced wherever they stood.
    pub(super) fn originals(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The input of a call: only the words of the format stay.
    pub(super) fn input(&mut self, input: &Value) -> Value {
        self.given("", input)
    }

    fn given(&mut self, key: &str, value: &Value) -> Value {
        match value {
            Value::Object(object) if object.contains_key("name") => self.document(object),
            Value::Object(object) => {
                let mut replaced = Map::new();
                for (key, value) in object {
                    let (name, value) = match key.as_str() {
                        "challenged" => (key.clone(), self.answered("", value)),
                        // Prompts and choices are keys here.
                        _ if !words::INPUT_KEYS.contains(&key.as_str()) => {
                            (self.stand_in("text", key), self.given("answer", value))
                        }
                        _ => (key.clone(), self.given(key, value)),
                    };
                    replaced.insert(name, value);
                }
                Value::Object(replaced)
            }
            Value::Array(list) => list.iter().map(|item| self.given(key, item)).collect(),
            Value::String(_) if words::CHOSEN.contains(&key) => value.clone(),
            Value::String(text) => self.stand_in(key, text).into(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// A small file of the same type in the place of a document.
    fn document(&mut self, document: &Map<String, Value>) -> Value {
        let name = document.get("name").and_then(Value::as_str);
        let name = name.unwrap_or_default();
        let (_, extension) = name.rsplit_once('.').unwrap_or_default();
        let content = match extension.to_ascii_lowercase().as_str() {
            "png" => json!({ "content_hex": "89504e470d0a1a0a" }),
            "jpg" | "jpeg" => json!({ "content_hex": "ffd8ffe0" }),
            "tif" | "tiff" => json!({ "content_hex": "49492a00" }),
            _ => json!({ "content_text": "%PDF-1.7 canary-document" }),
        };
        let known = words::EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str());
        let made = self.stand_in("document", name);
        let made = if known {
            format!("{made}.{extension}")
        } else {
            made
        };
        // With the extension, should an answer name the file.
        self.0.insert(name.to_owned(), made.clone());
        for key in ["content_text", "content_hex"] {
            if let Some(text) = document.get(key).and_then(Value::as_str) {
                self.0.insert(text.to_owned(), "canary-document".to_owned());
            }
        }
        let mut replaced = Map::from_iter([("name".to_owned(), made.into())]);
        replaced.extend(content.as_object().cloned().unwrap_or_default());
        replaced.extend(
            document
                .get_key_value("once")
                .map(|(key, once)| (key.clone(), once.clone())),
        );
        Value::Object(replaced)
    }

    /// The `reply` of a step.
    ///
    /// # Errors
    /// The body is no text.
    pub(super) fn reply(&mut self, answer: &Answer) -> Result<Value, String> {
        let mut reply = Map::new();
        let mut put = |key: &str, value| drop(reply.insert(key.to_owned(), value));
        put("status", answer.status.into());
        let headers = headers(&answer.headers);
        if !headers.is_empty() {
            put("headers", Value::Object(headers));
        }
        if let Ok(value) = serde_json::from_slice(&answer.body) {
            put("body_json", self.answered("", &value));
        } else if !answer.body.is_empty() {
            let text = std::str::from_utf8(&answer.body);
            let text = text.map_err(|_| "an answer is neither JSON nor text")?;
            put("body_text", shape(text).into());
        }
        Ok(Value::Object(reply))
    }

    /// A part of an answer: only the words of the protocol stay.
    fn answered(&mut self, key: &str, value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let mut replaced = Map::new();
                for (key, value) in object {
                    let known = words::ANSWER_KEYS.contains(&key.as_str());
                    let name = if known {
                        key.clone()
                    } else {
                        self.stand_in("key", key)
                    };
                    replaced.insert(name, self.answered(key, value));
                }
                Value::Object(replaced)
            }
            Value::Array(list) => {
                // Without what they say, two elements tell as much as hundreds.
                let long = words::LONG.contains(&key);
                let some = list.iter().take(if long { 2 } else { usize::MAX });
                some.map(|item| self.answered(key, item)).collect()
            }
            Value::String(text) => self.said(key, text).into(),
            Value::Number(_) if words::COUNTS.contains(&key) => value.clone(),
            Value::Number(number) if number.is_f64() => json!(1.5),
            Value::Number(_) => json!(1),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn said(&mut self, key: &str, text: &str) -> String {
        if let Some(made) = self.0.get(text) {
            return made.clone();
        }
        match key {
            _ if is_guid(text) => self.stand_in("id", text),
            "AggregationId" | "LoginId" | "RequestId" | "UniqueId" | "Id" => {
                self.stand_in("id", text)
            }
            "Prompt" | "Question" => self.stand_in("prompt", text),
            "Iterables" => self.stand_in("choice", text),
            "access_token" | "Token" => self.stand_in("token", text),
            "Base64Bytes" => STANDARD.encode("canary-document"),
            "href" | "example" | "Href" | "Example" => {
                let parts = text.split('/');
                let part = |part| {
                    if words::ENDPOINTS.contains(&part) {
                        part.to_owned()
                    } else {
                        self.said("", part)
                    }
                };
                parts.map(part).collect::<Vec<_>>().join("/")
            }
            "Message" | "error_description" if words::MESSAGES.contains(&text) => text.to_owned(),
            _ if words::SPOKEN.contains(&key) && words::is_word(text) => text.to_owned(),
            _ => shape(text),
        }
    }

    /// What stands for a text from now on.
    fn stand_in(&mut self, what: &str, text: &str) -> String {
        if text.is_empty() || text == ZERO_GUID {
            return text.to_owned();
        }
        if let Some(made) = self.0.get(text) {
            return made.clone();
        }
        let what = what.replace('_', "-");
        let number = self.0.len() + 1;
        let made = if is_guid(text) {
            format!("ca9a41e5-0000-4000-8000-{number:012}")
        } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
            // A code of so many digits stays one.
            format!("{number:0width$}", width = text.len())
        } else if is_date(text) {
            DATE.to_owned()
        } else if text.to_ascii_lowercase().contains("securid") {
            // This word alone tells the service's question for a code from others.
            format!("canary-{what}-{number} SecurID")
        } else {
            format!("canary-{what}-{number}")
        };
        self.0.insert(text.to_owned(), made.clone());
        made
    }
}

const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";
const DATE: &str = "2001-02-03";

/// The headers that decide what a client does.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut kept = Map::new();
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    if let Some(kind) = text(CONTENT_TYPE) {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        // The runner's servers say `application/json` by themselves.
        if kind != "application/json" {
            let known = ["text/html", "text/plain", "application/problem+json"].contains(&kind);
            let kind = if known {
                kind
            } else {
                "application/octet-stream"
            };
            kept.insert(CONTENT_TYPE.as_str().to_owned(), kind.into());
        }
    }
    if let Some(delay) = text(RETRY_AFTER) {
        let seconds = delay.bytes().all(|byte| byte.is_ascii_digit());
        let delay = if seconds {
            delay
        } else {
            "Sat, 03 Feb 2001 04:05:06 GMT"
        };
        kept.insert(RETRY_AFTER.as_str().to_owned(), delay.into());
    }
    if headers.contains_key(LOCATION) {
        kept.insert(
            LOCATION.as_str().to_owned(),
            "https://elsewhere.test/".into(),
        );
    }
    kept
}

/// Letters and digits without what they say; a date stays one.
fn shape(text: &str) -> String {
    let plain = |letter: char| match letter {
        _ if letter.is_uppercase() => 'X',
        _ if letter.is_alphabetic() => 'x',
        _ if letter.is_numeric() => '0',
        _ if letter.is_ascii() => letter,
        _ => 'x',
    };
    let shape: String = text.chars().take(LONGEST_TEXT).map(plain).collect();
    let Some(rest) = shape.strip_prefix("0000-00-00") else {
        return shape;
    };
    let time = |byte: u8| byte.is_ascii_digit() || b"T:.Z+-".contains(&byte);
    if !text.bytes().all(time) {
        return format!("{DATE}{rest}");
    }
    let date = if text.starts_with(NEVER) { NEVER } else { DATE };
    let zero = |letter: char| if letter.is_ascii_digit() { '0' } else { letter };
    date.chars()
        .chain(text.chars().skip(date.len()).map(zero))
        .collect()
}

/// The beginning of the service's word for "never".
const NEVER: &str = "0001-01-01";
/// No client reads further into a text of nobody's words.
const LONGEST_TEXT: usize = 200;

fn is_date(text: &str) -> bool {
    shape(text) == DATE
}

fn is_guid(text: &str) -> bool {
    let fits = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: &str, body: &[u8]) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().expect("a header"));
        headers.insert(LOCATION, "https://canary.test/".parse().expect("a header"));
        headers.insert("x-canary", "canary".parse().expect("a header"));
        Answer {
            status: 200,
            headers,
            body: body.to_vec().into(),
        }
    }

    #[test]
    fn shapes_keep_what_a_client_reads_and_nothing_else() {
        for (text, kept) in [
            ("Zoë Roe, 12 Å-Street", "Xxx Xxx, 00 X-Xxxxxx"),
            ("-1,234.56 $", "-0,000.00 $"),
            ("2026-01-31T20:47:47.145999Z", "2001-02-03T00:00:00.000000Z"),
            ("0001-01-01T00:00:00", "0001-01-01T00:00:00"),
            ("0001-01-01 Roe", "2001-02-03 Xxx"),
            ("東京", "xx"),
            ("€", "x"),
        ] {
            assert_eq!(shape(text), kept, "{text}");
        }
        assert_eq!(shape(&"a".repeat(1000)).len(), LONGEST_TEXT);
    }

    #[test]
    fn headers_and_bodies_that_are_no_json_say_nothing_either() {
        let mut placeholders = Placeholders::default();
        let reply = placeholders.reply(&answer("text/html; charset=utf-8", b"<b>Roe</b>"));
        assert_eq!(
            reply.expect("text"),
            json!({
                "status": 200,
                "headers": { "content-type": "text/html", "location": "https://elsewhere.test/" },
                "body_text": "<x>Xxx</x>"
            })
        );
        let reply = placeholders.reply(&answer("application/canary", b""));
        let kind = &reply.expect("empty")["headers"]["content-type"];
        assert_eq!(kind, "application/octet-stream");
        placeholders
            .reply(&answer("application/pdf", b"\xff\xfe"))
            .expect_err("no text");
    }

    #[test]
    fn unknown_keys_and_unusual_values_are_replaced_alike_everywhere() {
        let mut placeholders = Placeholders::default();
        let body = json!({
            "Jane Roe": 4711, "Status": "Jane Roe", "FlinksCode": "4111111111111111",
            "Login": { "Id": "jane" }, "LoginId": "jane", "Amount": "12.50", "Type": "Personal",
            "HttpStatusCode": 200, "RequestId": ZERO_GUID
        });
        let reply = placeholders.reply(&answer("application/json", body.to_string().as_bytes()));
        let reply = reply.expect("JSON");
        let text = reply.to_string();
        for original in ["Jane", "jane", "4711", "4111", "12.50", "Amount"] {
            assert!(!text.contains(original), "{original} is in {text}");
        }
        let body = &reply["body_json"];
        assert_eq!(body["Login"]["Id"], body["LoginId"]);
        assert_eq!(
            (&body["Type"], &body["HttpStatusCode"]),
            (&json!("Personal"), &json!(200))
        );
        assert_eq!(body["RequestId"], ZERO_GUID);
    }
}
