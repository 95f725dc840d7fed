//! The service's ids: opaque strings, each of its own type.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::lenient::is_placeholder;
use crate::secret::read_text;
use crate::text::escaped;
use crate::wire::{Value, id_text};

/// The longest accepted id: seven times a GUID, and far below any limit on URLs.
const MAX_BYTES: usize = 256;

/// The error for a text that is not an id. It contains the type of id and the reason, never the text.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct InvalidId {
    kind: &'static str,
    reason: &'static str,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.reason)
    }
}

/// As `Display`, because `?` in `main` prints this.
impl fmt::Debug for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for InvalidId {}

/// Refuses `.` and `..`, which a URL's path would lose, and control characters, which could reach
/// a log.
fn check(kind: &'static str, text: &str) -> Result<(), InvalidId> {
    let reason = if text.is_empty() {
        "must not be empty"
    } else if text == "." || text == ".." {
        "must not be `.` or `..`"
    } else if text.len() > MAX_BYTES {
        "must not be longer than 256 bytes"
    } else if text.chars().any(char::is_control) {
        "must not hold control characters"
    } else {
        return Ok(());
    };
    Err(InvalidId { kind, reason })
}

/// Writes the type of id and its first 8 characters, or half of a short one: enough to distinguish
/// ids in a log, too little to use.
fn show(kind: &str, text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let shown = 8.min(text.chars().count() / 2);
    let prefix: String = text.chars().take(shown).collect();
    write!(f, "{kind}({}…)", escaped(&prefix))
}

/// The hexadecimal digits of a GUID in lower case; `None` if the text is not a GUID.
pub(crate) fn guid_digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_guid = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_guid.then(|| digits.to_ascii_lowercase())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// An opaque text: a GUID in every published example, but any text is accepted.
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(String);

        impl $name {
            /// Creates an id from the service's text.
            ///
            /// # Errors
            /// [`InvalidId`]: the text is empty, `.`, `..`, longer than 256 bytes, or has control
            /// characters.
            pub fn new(id: impl Into<String>) -> Result<Self, InvalidId> {
                let id = id.into();
                check(stringify!($name), &id)?;
                Ok(Self(id))
            }

            /// Returns the whole id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns whether `text` is an id other than this one.
            ///
            /// An empty text, the zero GUID and a date of year 1 are not ids. GUIDs are compared
            /// without case and hyphens.
            #[must_use]
            pub fn is_another(&self, text: &str) -> bool {
                let text = text.trim();
                let same_guid = || guid_digits(&self.0).is_some_and(|own| guid_digits(text) == Some(own));
                !(text.is_empty() || is_placeholder(text) || self.0 == text || same_guid())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                show(stringify!($name), &self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(id: &str) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidId;

            fn try_from(id: &str) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl Value for $name {
            fn read<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<Self>, D::Error> {
                Ok(id_text(deserializer)?.and_then(|text| Self::new(text).ok()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let id = read_text(deserializer)?;
                Self::new(id).map_err(de::Error::custom)
            }
        }
    };
}

id! {
    /// The id of one account of a login, from the answer of a data call.
    AccountId
}

id! {
    /// The id of an upload session: the answer to the first file has it, every later call sends it.
    AggregationId
}

id! {
    /// The id of a customer of Flinks, issued with the API secret and part of result URLs.
    CustomerId
}

id! {
    /// The id of a completed upload or an authorized login. Keep it secret: it is a key to account
    /// data.
    LoginId
}

id! {
    /// The id of a request or session at the service, which Flinks' support asks for.
    RequestId
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_a_url_or_a_log_cannot_hold() {
        let longest = "x".repeat(256);
        let long = format!("{longest}x");
        for wrong in ["", ".", "..", "a\nb", "\u{0}", "\u{7f}", "\u{85}", &long] {
            let error = LoginId::new(wrong).unwrap_err();
            assert!(error.to_string().starts_with("LoginId must not"), "{error}");
        }
        for right in [
            "...",
            ".a",
            "a b",
            "é",
            "d521ae0d-9cf1-40e1-a1ee-474983800601",
            &longest,
        ] {
            assert_eq!(LoginId::new(right).unwrap().as_str(), right);
        }
    }

    #[test]
    fn debug_shows_too_little_to_use() {
        let id = CustomerId::new("d521ae0d-9cf1-40e1-a1ee-474983800601").unwrap();
        assert_eq!(format!("{id:?}"), "CustomerId(d521ae0d…)");
        assert_eq!(
            format!("{:?}", CustomerId::new("abcd").unwrap()),
            "CustomerId(ab…)"
        );
        assert_eq!(
            format!("{:?}", CustomerId::new("a").unwrap()),
            "CustomerId(…)"
        );
    }

    #[test]
    fn json_is_the_bare_string() {
        let id: RequestId = serde_json::from_str(r#""c3d4e5f6""#).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""c3d4e5f6""#);
        assert_eq!(id.to_string(), "c3d4e5f6");
        for wrong in ["4711", "true", "null", r#""""#, r#""47\u000011""#, "[]"] {
            let error = serde_json::from_str::<RequestId>(wrong)
                .unwrap_err()
                .to_string();
            assert!(!error.contains("47") && !error.contains("true"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_accepted_id_is_kept_exactly(text in ".{0,300}") {
            match AggregationId::new(text.as_str()) {
                Ok(id) => {
                    prop_assert_eq!(id.as_str(), text.as_str());
                    prop_assert!((1..=256).contains(&text.len()));
                    let json = serde_json::to_string(&id).unwrap();
                    prop_assert_eq!(serde_json::from_str::<AggregationId>(&json).unwrap(), id);
                }
                Err(_) => prop_assert!(
                    text.is_empty() || text == "." || text == ".." || text.len() > 256
                        || text.chars().any(char::is_control)
                ),
            }
        }
    }
}
