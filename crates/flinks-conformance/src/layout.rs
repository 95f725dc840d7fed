//! JSON laid out as the cases are: on one line where it fits, with the keys in the order they had.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// How wide a line may be.
const WIDTH: usize = 119;

/// A JSON value whose keys keep their order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// Anything but a list or an object, as JSON has it.
    Leaf(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Node {
    /// Puts the keys that `old` has too into its order, and the others behind them.
    pub(crate) fn ordered_like(self, old: &Self) -> Self {
        match (self, old) {
            (Self::List(items), Self::List(old)) => {
                let mut old = old.iter();
                let like = |item: Self| match old.next() {
                    Some(old) => item.ordered_like(old),
                    None => item,
                };
                Self::List(items.into_iter().map(like).collect())
            }
            (Self::Object(mut members), Self::Object(old)) => {
                let place = |key: &String| old.iter().position(|(other, _)| other == key);
                members.sort_by_key(|(key, _)| place(key).unwrap_or(old.len()));
                let like = |(key, member): (String, Self)| {
                    let place = place(&key).and_then(|place| old.get(place));
                    match place {
                        Some((_, old)) => (key, member.ordered_like(old)),
                        None => (key, member),
                    }
                };
                Self::Object(members.into_iter().map(like).collect())
            }
            (new, _) => new,
        }
    }

    /// The text after the first `column` of a line that begins with `indent`.
    pub(crate) fn laid_out(&self, indent: &str, column: usize) -> String {
        let mut text = String::new();
        // A comma may follow.
        self.write(indent, column, 1, &mut text);
        text
    }

    fn write(&self, indent: &str, column: usize, after: usize, text: &mut String) {
        let line = self.to_string();
        if column + line.chars().count() + after <= WIDTH {
            text.push_str(&line);
            return;
        }
        let inner = format!("{indent}  ");
        let (open, members, close): (_, Vec<(String, &Self)>, _) = match self {
            Self::List(items) if !items.is_empty() => {
                let items = items.iter().map(|item| (String::new(), item));
                ('[', items.collect(), ']')
            }
            Self::Object(members) if !members.is_empty() => {
                let members = members.iter();
                let members = members.map(|(key, member)| (format!("{}: ", quoted(key)), member));
                ('{', members.collect(), '}')
            }
            Self::Leaf(_) | Self::List(_) | Self::Object(_) => {
                text.push_str(&line);
                return;
            }
        };
        text.push(open);
        let last = members.len().saturating_sub(1);
        for (index, (key, member)) in members.into_iter().enumerate() {
            let comma = usize::from(index < last);
            text.push('\n');
            text.push_str(&inner);
            text.push_str(&key);
            let column = inner.chars().count() + key.chars().count();
            member.write(&inner, column, comma, text);
            if comma == 1 {
                text.push(',');
            }
        }
        text.push('\n');
        text.push_str(indent);
        text.push(close);
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => {
                let members = members.iter();
                Self::Object(
                    members
                        .map(|(key, value)| (key.clone(), value.into()))
                        .collect(),
                )
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Self::Leaf(value.to_string())
            }
        }
    }
}

/// On one line.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(text) => f.write_str(text),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (key, member)) in members.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}: {member}", quoted(key))?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Reads what is written, whose keys have an order of their own.
impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok((&Value::Null).into())
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok((&Value::from(value)).into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok((&Value::from(value)).into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok((&Value::from(value)).into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok((&Value::from(value)).into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok((&Value::from(value)).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = from.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

fn quoted(key: &str) -> String {
    Value::from(key).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::corpus::load;
    use crate::members::Members;
    use crate::suite::fixtures;

    fn node(text: &str) -> Node {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn keys_keep_the_order_that_they_had() {
        let old = node(r#"{"b": 1, "a": [{"d": 1, "c": 2}], "gone": 0}"#);
        let new =
            Node::from(&json!({ "a": [{ "c": 3, "d": 4 }, { "z": 0, "y": 0 }], "b": 5, "c": 6 }));
        let like = new.ordered_like(&old).to_string();
        assert_eq!(
            like,
            r#"{"b": 5, "a": [{"d": 4, "c": 3}, {"y": 0, "z": 0}], "c": 6}"#
        );
    }

    #[test]
    fn what_does_not_fit_a_line_is_broken_at_its_outermost_members() {
        let long = "x".repeat(60);
        let text =
            format!(r#"{{"a": ["{long}", "{long}"], "b": {{}}, "ü": [1.50, null, true, -1]}}"#);
        let laid = node(&text).laid_out("  ", 10);
        let wanted = format!(
            "{{\n    \"a\": [\n      \"{long}\",\n      \"{long}\"\n    ],\n    \"b\": {{}},\n    \"ü\": [1.5, null, true, -1]\n  }}"
        );
        assert_eq!(laid, wanted);
    }

    /// A blessed case must look as if it had always been there.
    #[test]
    fn the_cases_of_this_workspace_are_laid_out_so() {
        let (mut all, mut so) = (0, 0);
        for fixture in load(&fixtures()).expect("a corpus") {
            let file = fixtures().join(fixture.path()).join("case.json");
            let text = std::fs::read_to_string(file).expect("read");
            let members = Members::read(&text).expect("JSON");
            let want = members.value("want").expect("want");
            all += 1;
            so += usize::from(node(want).laid_out("  ", 10) == want);
        }
        assert!(so * 100 >= all * 95, "{so} of {all}");
    }
}
