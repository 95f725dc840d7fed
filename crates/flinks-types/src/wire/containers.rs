//! Objects and lists of the service's JSON, read in one pass.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Field;

/// A struct of the service's JSON; [`wire_struct`] implements it.
pub(crate) trait Object: Default + fmt::Debug {
    /// Whether JSON of another type is an error: an object in place of a list must not read as "no
    /// accounts". Otherwise it reads as absent.
    const STRICT: bool;

    /// Reads the fields. One that occurs twice is an error in a strict struct; a loose one is then
    /// empty.
    fn read_fields<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error>;
}

/// The name of a field, by a function from its text.
pub(crate) struct Name<F>(pub(crate) F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for Name<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Name<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<T, E> {
        Ok((self.0)(name))
    }
}

/// The value of a field.
pub(crate) struct Read<T>(PhantomData<T>);

impl<T> Read<T> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Field> DeserializeSeed<'de> for Read<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer)
    }
}

/// Reads an object or a list; null and, unless `strict`, any other type is absent.
struct Container<T> {
    strict: bool,
    of: PhantomData<T>,
}

impl<T> Container<T> {
    const fn new(strict: bool) -> Self {
        Self {
            strict,
            of: PhantomData,
        }
    }

    fn other<V, E: Error>(&self, expected: &'static str) -> Result<Option<V>, E> {
        if self.strict {
            Err(E::custom(expected))
        } else {
            Ok(None)
        }
    }
}

/// Implements a [`Visitor`]'s methods for JSON that is neither a list nor an object.
macro_rules! visit_scalars {
    ($expected:literal) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str($expected)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            self.other($expected)
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            self.other($expected)
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            self.other($expected)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            self.other($expected)
        }

        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            self.other($expected)
        }
    };
}

impl<'de, T: Object> Visitor<'de> for Container<T> {
    type Value = Option<T>;

    visit_scalars!("expected an object");

    fn visit_seq<S: SeqAccess<'de>>(self, list: S) -> Result<Self::Value, S::Error> {
        let absent = self.other("expected an object")?;
        IgnoredAny.visit_seq(list)?;
        Ok(absent)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
        T::read_fields(map).map(Some)
    }
}

impl<'de, T: Object> Visitor<'de> for Container<Vec<T>> {
    type Value = Option<Vec<T>>;

    visit_scalars!("expected a list");

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(Element::<T>(PhantomData))? {
            elements.push(element);
        }
        Ok(Some(elements))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
        let absent = self.other("expected a list")?;
        IgnoredAny.visit_map(map)?;
        Ok(absent)
    }
}

/// An element that is not an object stays in its list as an empty one: a signal that cannot be read
/// must not make a document look as if it had none.
struct Element<T>(PhantomData<T>);

impl<'de, T: Object> DeserializeSeed<'de> for Element<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let element = deserializer.deserialize_any(Container::<T>::new(false))?;
        Ok(element.unwrap_or_default())
    }
}

/// Reads an answer: an object, and nothing else.
pub(crate) fn read_answer<'de, D: Deserializer<'de>, T: Object>(
    deserializer: D,
) -> Result<T, D::Error> {
    let answer = deserializer.deserialize_any(Container::<T>::new(true))?;
    answer.ok_or_else(|| D::Error::custom("expected an object"))
}

/// An object inside another; null is absent.
pub(crate) fn read_object<'de, D: Deserializer<'de>, T: Object>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Container::<T>::new(T::STRICT))
}

/// A list; null is absent.
impl<T: Object> Field for Option<Vec<T>> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Container::<Vec<T>>::new(T::STRICT))
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            None => f.write_str("absent"),
            Some(list) => list.show(f),
        }
    }
}

/// A list of which an absent one and an empty one mean the same.
impl<T: Object> Field for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Self>::read(deserializer).map(Option::unwrap_or_default)
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    /// A long list only by its length: an account can have thousands of transactions.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.len() > 20 {
            write!(f, "{} elements", self.len())
        } else {
            f.debug_list().entries(self).finish()
        }
    }
}
