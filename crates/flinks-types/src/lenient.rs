//! Readers that take what the service might send and make the rest absent.
//!
//! Each reads one field, for serde's `deserialize_with`, from its raw JSON text: that keeps the
//! exact text of numbers, and a surprise inside one field never fails the fields beside it. Only
//! where absence would say something else than the service did, as for a list of accounts, is
//! another type an error. The raw text is borrowed from the whole answer, so that nesting copies
//! nothing.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::value::RawValue;

/// The text that .NET prints for a GUID that was never set.
const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// Whether the text stands for "nothing": the zero GUID, or a date of year 1.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    text == ZERO_GUID || text.starts_with("0001-01-01")
}

/// The field's raw JSON text.
pub(crate) fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'de RawValue, D::Error> {
    <&'de RawValue>::deserialize(deserializer)
}

/// A string as it is meant, a number or boolean as it is written; nothing else is text.
pub(crate) fn text_of(json: &str) -> Option<String> {
    match json.bytes().next()? {
        b'"' => serde_json::from_str(json).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(json.to_owned()),
    }
}

/// Text; an empty one is absent.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(text_of(raw(deserializer)?.get()).filter(|text| !text.is_empty()))
}

/// Text, even if it is empty.
pub(crate) fn any_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(text_of(raw(deserializer)?.get()))
}

/// The service's word for something; an empty one is absent.
pub(crate) fn word<'de, D: Deserializer<'de>, T: From<String>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(text(deserializer)?.map(T::from))
}

/// An id: strings only, and neither the zero GUID nor a text that cannot be an id.
pub(crate) fn id<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = raw(deserializer)?;
    if text_of(raw.get()).is_none_or(|text| is_placeholder(&text)) {
        return Ok(None);
    }
    Ok(serde_json::from_str(raw.get()).ok())
}

/// A count or a page: a whole number, as a number or as text.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Ok(text_of(raw(deserializer)?.get()).and_then(|text| whole(&text)))
}

/// A whole number, also when it is written with decimals that are all zero.
pub(crate) fn whole(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|byte| byte == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    digits.parse().ok()
}

/// `true` or `false`, also as text.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(text_of(raw(deserializer)?.get()).and_then(|text| {
        [("true", true), ("false", false)]
            .into_iter()
            .find_map(|(word, flag)| word.eq_ignore_ascii_case(&text).then_some(flag))
    }))
}

/// An object inside another; null is absent, and anything else is an error: absence would be a lie
/// about somebody's money.
pub(crate) fn part<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = raw(deserializer)?;
    match raw.get().as_bytes() {
        b"null" => Ok(None),
        [b'{', ..] => read_object(raw).map(Some),
        _ => Err(D::Error::custom("expected an object")),
    }
}

/// An object inside another that only informs; anything else is absent.
pub(crate) fn loose_part<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = raw(deserializer)?;
    Ok(raw.get().starts_with('{').then(|| object_of(raw)))
}

/// An object inside another that only informs; anything else is the empty one.
pub(crate) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(object_of(raw(deserializer)?))
}

/// A list; null is absent, and anything else is an error: an object must not read as "no accounts".
/// An element that is no object stays in it, as an empty one.
pub(crate) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let raw = raw(deserializer)?;
    if raw.get() == "null" {
        return Ok(None);
    }
    let elements: Vec<&RawValue> =
        serde_json::from_str(raw.get()).map_err(|_| D::Error::custom("expected a list"))?;
    let elements = elements.into_iter().map(|element| {
        if element.get().starts_with('{') {
            read_object(element)
        } else {
            Ok(T::default())
        }
    });
    elements.collect::<Result<_, _>>().map(Some)
}

/// The same, where an absent list and an empty one mean the same.
pub(crate) fn elements<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(list(deserializer)?.unwrap_or_default())
}

/// A list whose absence makes nothing look better than it is; anything else is absent. An element
/// that is no object stays in it, as an empty one: a signal that cannot be read must not make a
/// document look as if it had none.
pub(crate) fn loose_list<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let elements: Option<Vec<&RawValue>> = serde_json::from_str(raw(deserializer)?.get()).ok();
    Ok(elements.map(|elements| elements.into_iter().map(object_of).collect()))
}

/// The same, where an absent list and an empty one mean the same.
pub(crate) fn loose_elements<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(loose_list(deserializer)?.unwrap_or_default())
}

fn read_object<T: DeserializeOwned, E: Error>(raw: &RawValue) -> Result<T, E> {
    // The text of the cause may quote what is there.
    serde_json::from_str(raw.get()).map_err(|_| E::custom("a field has another type"))
}

fn object_of<T: DeserializeOwned + Default>(raw: &RawValue) -> T {
    if raw.get().starts_with('{') {
        serde_json::from_str(raw.get()).unwrap_or_default()
    } else {
        T::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_in_any_writing() {
        let numbers = [
            ("1", 1),
            (" 2 ", 2),
            ("3.0", 3),
            ("4.000", 4),
            ("4294967295", u32::MAX),
        ];
        for (text, number) in numbers {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for text in ["", "-1", "1.5", "4294967296", "1e3", "one", ".0"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn placeholders_of_the_service() {
        for text in [
            ZERO_GUID,
            "0001-01-01",
            "0001-01-01T00:00:00",
            "0001-01-01T00:00:00Z",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "",
            "00000000-0000-0000-0000-000000000001",
            "2001-01-01T00:00:00",
            "0001",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
