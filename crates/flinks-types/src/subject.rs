//! Compares the ids in an answer with those of its request.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::id::guid_digits;
use crate::lenient::{lossy, text_of};
use crate::{LoginId, RequestId};

/// The login and session that a call is about. An answer that names another one is an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'s> {
    login_id: Option<&'s LoginId>,
    request_id: Option<&'s RequestId>,
}

impl<'s> Subject<'s> {
    /// Creates the subject of a call about a login, a session, or both.
    #[must_use]
    pub const fn new(login_id: Option<&'s LoginId>, request_id: Option<&'s RequestId>) -> Self {
        Self {
            login_id,
            request_id,
        }
    }

    /// Creates the subject of a call about a login.
    #[must_use]
    pub const fn login(login_id: &'s LoginId) -> Self {
        Self::new(Some(login_id), None)
    }

    /// Returns which id of the body differs from that of the call: `LoginId` or `RequestId`.
    ///
    /// Returns `None` if every id is the same or the body has none: absent and empty ids and zero
    /// GUIDs are ignored, and so is a body that is not JSON. Field names are read in any case, at the
    /// top level and in `Login`. GUIDs are compared without case and hyphens.
    #[must_use]
    pub fn contradicted_by(&self, body: &[u8]) -> Option<&'static str> {
        if self.login_id.is_none() && self.request_id.is_none() {
            return None;
        }
        let mut named = Named::default();
        // An id with bytes that are not UTF-8 is another one.
        let body = lossy(body);
        named.read(body.strip_prefix('\u{feff}').unwrap_or(&body));
        let other_login = |asked: &LoginId| named.logins.iter().any(|id| asked.is_another(id));
        let other_request =
            |asked: &RequestId| named.requests.iter().any(|id| asked.is_another(id));
        if self.login_id.is_some_and(other_login) {
            Some("LoginId")
        } else if self.request_id.is_some_and(other_request) {
            Some("RequestId")
        } else {
            None
        }
    }
}

/// The ids in a body.
#[derive(Default)]
struct Named {
    logins: Vec<String>,
    requests: Vec<String>,
}

impl Named {
    fn read(&mut self, body: &str) {
        // A single string is a sentence, such as "LoginId … has now been activated".
        if let Ok(sentence) = serde_json::from_str::<String>(body) {
            return self.logins.extend(of_sentence(&sentence));
        }
        let fields = serde_json::from_str::<Fields<'_>>(body);
        for (name, value) in fields.map(|fields| fields.0).unwrap_or_default() {
            if name.eq_ignore_ascii_case("Login") {
                self.read_login(value);
            } else if name.eq_ignore_ascii_case("LoginId") {
                self.logins
                    .extend(text_of(value.get()).map(Cow::into_owned));
            } else if name.eq_ignore_ascii_case("RequestId") {
                self.requests
                    .extend(text_of(value.get()).map(Cow::into_owned));
            } else if name.eq_ignore_ascii_case("Message") {
                let sentence = text_of(value.get());
                self.logins
                    .extend(sentence.as_deref().and_then(of_sentence));
            }
        }
    }

    fn read_login(&mut self, login: &RawValue) {
        // A string in place of the documented object is an id if it is a GUID, or else a user name.
        if let Ok(id) = serde_json::from_str::<String>(login.get()) {
            return self.logins.extend(guid_digits(&id).map(|_| id.clone()));
        }
        for login in serde_json::from_str::<Vec<&RawValue>>(login.get()).unwrap_or_default() {
            self.read_login(login);
        }
        let fields = serde_json::from_str::<Fields<'_>>(login.get());
        for (name, value) in fields.map(|fields| fields.0).unwrap_or_default() {
            if ["Id", "LoginId"]
                .iter()
                .any(|id| name.eq_ignore_ascii_case(id))
            {
                self.logins
                    .extend(text_of(value.get()).map(Cow::into_owned));
            } else if name.eq_ignore_ascii_case("RequestId") {
                self.requests
                    .extend(text_of(value.get()).map(Cow::into_owned));
            }
        }
    }
}

/// The GUID after the word `LoginId` in a message.
fn of_sentence(sentence: &str) -> Option<String> {
    let mut words = sentence.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.find(|word| word.eq_ignore_ascii_case("LoginId"))?;
    let next = words.find(|word| !word.is_empty())?;
    guid_digits(next).map(|_| next.to_owned())
}

/// All fields of an object, including repeated ones.
struct Fields<'b>(Vec<(String, &'b RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = "aabf32b7-2f4e-4248-8895-b47b7ebc5a3c";
    const OTHER: &str = "11111111-2222-3333-4444-555555555555";

    fn contradicted(body: &str) -> Option<&'static str> {
        let login = LoginId::new(ASKED).unwrap();
        let request = RequestId::new("r-1").unwrap();
        let subject = Subject::new(Some(&login), Some(&request));
        let body = body.replace("OTHER", OTHER).replace("ASKED", ASKED);
        subject.contradicted_by(body.as_bytes())
    }

    #[test]
    fn another_id_anywhere_is_found() {
        for body in [
            r#"{"LoginId":"OTHER"}"#,
            r#"{"loginId":"OTHER"}"#,
            r#"{"Login":{"LoginId":"OTHER"}}"#,
            r#"{"Login":{"Id":"OTHER"}}"#,
            r#"{"login":{"id":"OTHER"}}"#,
            "\u{feff}{\"Login\":{\"Id\":\"OTHER\"}}",
            r#"{"Login":{"Id":"ASKED","LoginId":"OTHER"}}"#,
            r#"{"Login":{"Id":"OTHER","Id":"ASKED"}}"#,
            r#"{"Login":{"Id":"ASKED"},"Login":{"Id":"OTHER"}}"#,
            r#"{"Login":{"Id":4711}}"#,
            r#"{"Login":"OTHER"}"#,
            r#"{"Login":[{"Id":"ASKED"},{"Id":"OTHER"}]}"#,
            r#"{"Login":["OTHER"]}"#,
            r#"{"LoginId":"ASKEDx"}"#,
            r#""LoginId OTHER has now been activated""#,
            r#"{"Message":"LoginId: OTHER was deleted"}"#,
        ] {
            assert_eq!(contradicted(body), Some("LoginId"), "{body}");
        }
        for body in [
            r#"{"RequestId":"r-2"}"#,
            r#"{"requestId":"R-1"}"#,
            r#"{"Login":{"Id":"ASKED","RequestId":"r-2"}}"#,
        ] {
            assert_eq!(contradicted(body), Some("RequestId"), "{body}");
        }
    }

    #[test]
    fn the_same_id_in_any_writing_and_no_id_are_no_contradiction() {
        let (upper, bare) = (ASKED.to_uppercase(), ASKED.replace('-', ""));
        for body in [
            r#"{"Login":{"Id":"ASKED","LoginId":"ASKED","RequestId":"r-1"},"RequestId":"r-1"}"#,
            &format!(r#"{{"Login":{{"Id":"{upper}"}},"LoginId":" {bare}"}}"#),
            r#"{"Login":{"Id":null,"LoginId":""},"RequestId":"  "}"#,
            r#"{"Login":{"Id":"00000000-0000-0000-0000-000000000000"}}"#,
            r#"{"Login":null,"LoginId":{},"RequestId":[]}"#,
            r#"{"Login":[{"Id":"ASKED"},null]}"#,
            r#"{"Login":"ASKED"}"#,
            r#"{"Login":"jane"}"#,
            r#"{"Accounts":[{"LoginId":"OTHER","Id":"OTHER"}],"Id":"OTHER"}"#,
            r#""LoginId ASKED has now been activated""#,
            r#""LoginId X has been activated""#,
            r#""ACTIVATED""#,
            r#"{"Message":"No LoginId, nothing"}"#,
            "",
            "<html>",
            "[]",
        ] {
            assert_eq!(contradicted(body), None, "{body}");
        }
    }

    #[test]
    fn an_id_that_is_no_utf_8_is_another_one() {
        let login = LoginId::new("a").unwrap();
        let body = b"{\"Login\":{\"Id\":\"a\xff\"}}";
        assert_eq!(
            Subject::login(&login).contradicted_by(body),
            Some("LoginId")
        );
    }

    #[test]
    fn what_was_not_asked_for_is_not_compared() {
        let body = br#"{"LoginId":"a","RequestId":"b"}"#;
        assert_eq!(Subject::default().contradicted_by(body), None);
        let login = LoginId::new("a").unwrap();
        assert_eq!(Subject::login(&login).contradicted_by(body), None);
    }
}
