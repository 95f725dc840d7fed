//! The top-level members of a `case.json` as they are written, so that one can change and the rest stays.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::value::RawValue;

/// The text of a case, and where the values of its keys stand in it.
pub(crate) struct Members<'t> {
    text: &'t str,
    values: BTreeMap<Cow<'t, str>, Range<usize>>,
}

impl<'t> Members<'t> {
    pub(crate) fn read(text: &'t str) -> Result<Self, String> {
        let raw: BTreeMap<Cow<'t, str>, &'t RawValue> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        let place = |raw: &'t RawValue| {
            // The value is borrowed from the text.
            let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
            start..start + raw.get().len()
        };
        let values = raw.into_iter().map(|(key, raw)| (key, place(raw)));
        Ok(Self {
            text,
            values: values.collect(),
        })
    }

    /// A value as it is written.
    pub(crate) fn value(&self, key: &str) -> Option<&'t str> {
        self.text.get(self.values.get(key)?.clone())
    }

    /// What stands in front of a value on its line.
    pub(crate) fn before(&self, key: &str) -> Option<&'t str> {
        let before = self.text.get(..self.values.get(key)?.start)?;
        before.rsplit('\n').next()
    }

    /// The text with another value for one key.
    pub(crate) fn with(&self, key: &str, value: &str) -> Option<String> {
        let place = self.values.get(key)?;
        let (before, after) = (self.text.get(..place.start)?, self.text.get(place.end..)?);
        Some(format!("{before}{value}{after}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_changes_and_the_rest_stays() {
        let text = "{ \"a\" : {\"want\": 1},\n\t\"w\\u0061nt\":  {\"x\": \"ü\"} ,\"b\":2 }\n\n";
        let members = Members::read(text).expect("JSON");
        assert_eq!(members.value("want"), Some("{\"x\": \"ü\"}"));
        assert_eq!(members.before("want"), Some("\t\"w\\u0061nt\":  "));
        let changed = members.with("want", "0").expect("there");
        assert_eq!(
            changed,
            "{ \"a\" : {\"want\": 1},\n\t\"w\\u0061nt\":  0 ,\"b\":2 }\n\n"
        );
        assert_eq!(members.value("c"), None);
    }
}
