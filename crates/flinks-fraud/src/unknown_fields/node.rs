//! The JSON of an answer, without what is documented and cannot matter.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::fold;

/// The documented names, the most frequent ones first. What they hold is not kept unless it may
/// matter: an answer as documented is looked through without a copy.
const DOCUMENTED: [&str; 21] = [
    "SpecificType",
    "Value",
    "DataType",
    "Details",
    "Type",
    "PageNumber",
    "UnderlyingData",
    "DocumentType",
    "Status",
    "FullAnalysis",
    "DocumentAnalysis",
    "Login",
    "RequestId",
    "Tag",
    "Message",
    "FlinksCode",
    // These are kept.
    COUNT,
    SIGNALS,
    "Id",
    "LoginId",
    STATUS,
];
const COUNT: &str = "Count";
const SIGNALS: &str = "FraudSignals";
pub(super) const STATUS: &str = "HttpStatusCode";
const KEPT: [&str; 5] = [COUNT, SIGNALS, "Id", "LoginId", STATUS];

/// An answer's JSON without what is documented and cannot matter.
#[derive(Default)]
pub(crate) enum Node<'b> {
    /// Null, or what cannot be read.
    #[default]
    Nothing,
    Scalar(Cow<'b, str>),
    List {
        is_empty: bool,
        /// Those of which something was kept.
        elements: Vec<Self>,
    },
    Object {
        is_empty: bool,
        /// Whether a name occurs twice, without regard to case and punctuation.
        repeats: bool,
        fields: Vec<Field<'b>>,
    },
}

/// A field's name and value.
pub(super) type Field<'b> = (Cow<'b, str>, Node<'b>);

impl Node<'_> {
    /// Whether the value is empty: null, false, zero, or an empty text, list or object.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Scalar(text) => ["", "0", "false"].contains(&&**text),
            Self::List { is_empty, .. } | Self::Object { is_empty, .. } => *is_empty,
        }
    }

    /// Whether the value of a documented field matters.
    fn holds_anything(&self) -> bool {
        match self {
            Self::Nothing | Self::Scalar(_) => false,
            Self::List { elements, .. } => !elements.is_empty(),
            Self::Object {
                repeats, fields, ..
            } => *repeats || !fields.is_empty(),
        }
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader { in_signals: false }.deserialize(deserializer)
    }
}

/// A field's name, borrowed from the answer where it can be.
#[derive(Deserialize)]
struct Name<'b>(#[serde(borrow)] Cow<'b, str>);

/// Reads a value.
#[derive(Clone, Copy)]
struct Reader {
    /// Whether it is in a list of signals, which decides the verdict itself.
    in_signals: bool,
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Node::Scalar(if value { "true" } else { "false" }.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Node::Scalar(value.to_string().into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Node::Scalar(value.to_string().into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Node::Scalar(value.to_string().into()))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Scalar(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Node::Scalar(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
        let (mut is_empty, mut elements) = (true, Vec::new());
        while let Some(element) = list.next_element_seed(self)? {
            is_empty = false;
            if element.holds_anything() {
                elements.push(element);
            }
        }
        Ok(Node::List { is_empty, elements })
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let (mut names, mut is_empty, mut fields) = (Names::default(), true, Vec::new());
        while let Some(Name(name)) = map.next_key()? {
            is_empty = false;
            let in_signals = self.in_signals || name == SIGNALS;
            let value = map.next_value_seed(Self { in_signals })?;
            let matters =
                value.holds_anything() || KEPT.contains(&&*name) && !(in_signals && name == COUNT);
            if !names.add(&name) || matters {
                fields.push((name, value));
            }
        }
        let repeats = names.repeat();
        Ok(Node::Object {
            is_empty,
            repeats,
            fields,
        })
    }
}

/// The names in an object.
#[derive(Default)]
struct Names {
    documented: u32,
    others: Vec<String>,
    repeats: bool,
}

impl Names {
    /// Adds a name, and returns whether it is documented.
    fn add(&mut self, name: &str) -> bool {
        let place = DOCUMENTED.iter().position(|known| *known == name);
        let Some(place) = place else {
            self.others.push(fold(name));
            return false;
        };
        let bit = 1 << place;
        self.repeats |= self.documented & bit != 0;
        self.documented |= bit;
        true
    }

    /// Whether a name was added twice, without regard to case and punctuation.
    fn repeat(mut self) -> bool {
        if self.others.is_empty() || self.repeats {
            return self.repeats;
        }
        let documented = DOCUMENTED.iter().enumerate();
        let documented = documented.filter(|(place, _)| self.documented & (1 << place) != 0);
        self.others.extend(documented.map(|(_, name)| fold(name)));
        self.others.sort_unstable();
        self.others.windows(2).any(|two| two.first() == two.last())
    }
}
