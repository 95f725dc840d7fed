//! Enums that the service may extend: known words are variants, unknown text is kept.

/// Defines an enum from the service's words.
///
/// Words compare without regard to ASCII case, and `_`, `-` and space count as one another: the
/// service's own pages spell the same word in several ways. The first text of a variant is its
/// canonical word, further ones are other spellings.
macro_rules! open_enum {
    (
        $(#[$doc:meta])*
        $vis:vis $name:ident {
            $( $(#[$variant_doc:meta])* $variant:ident = $word:literal $(| $spelling:literal)*, )+
        }
    ) => {
        $(#[$doc])*
        ///
        /// Create one with `From`: unknown text is kept in `Other`. `Debug` shows only its length.
        #[derive(Clone, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        $vis enum $name {
            $( $(#[$variant_doc])* $variant, )+
            /// A word that this version does not know, unchanged.
            Other(String),
        }

        impl $name {
            /// The words that this version knows: every variant but `Other`.
            $vis const KNOWN: &'static [Self] = &[$( Self::$variant, )+];

            /// Returns the service's word: the canonical spelling of a known one, or the unknown text.
            #[must_use]
            $vis fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $word, )+
                    Self::Other(text) => text,
                }
            }

            fn known(text: &str) -> Option<Self> {
                $(
                    if [$word $(, $spelling)*].iter().any(|word| $crate::open_enum::same_word(word, text)) {
                        return Some(Self::$variant);
                    }
                )+
                None
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::known(text).unwrap_or_else(|| Self::Other(text.to_owned()))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::known(&text).unwrap_or(Self::Other(text))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $( Self::$variant => f.write_str(stringify!($variant)), )+
                    Self::Other(text) => write!(f, "Other({} bytes)", text.len()),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::wire::Value for $name {
            fn read<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<Self>, D::Error> {
                let text = $crate::wire::text(deserializer)?;
                Ok(text.filter(|text| !text.is_empty()).map(|text| {
                    Self::known(&text).unwrap_or_else(|| Self::Other(text.into_owned()))
                }))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::secret::read_text(deserializer).map(Self::from)
            }
        }
    };
}

pub(crate) use open_enum;

/// Whether two texts are the same word, ignoring case and separators.
pub(crate) fn same_word(a: &str, b: &str) -> bool {
    fn plain(byte: u8) -> u8 {
        match byte {
            b' ' | b'-' => b'_',
            other => other.to_ascii_lowercase(),
        }
    }
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| plain(a) == plain(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    open_enum! {
        /// Words for these tests.
        Word {
            /// One word.
            Plain = "PLAIN",
            /// Two words and two spellings.
            TwoWords = "Two_Words" | "2_WORDS",
        }
    }

    #[test]
    fn known_words_are_found_in_any_case_and_spelling() {
        for text in ["Two_Words", "two words", "TWO-WORDS", "2_words"] {
            assert_eq!(Word::from(text), Word::TwoWords, "{text}");
            assert!(Word::KNOWN.contains(&Word::from(text)), "{text}");
            assert_eq!(Word::from(text.to_owned()).as_str(), "Two_Words");
        }
        for text in ["", "PLAIN ", "PLAINS", "TwoWords", "рlain"] {
            assert_eq!(Word::from(text), Word::Other(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn json_is_the_bare_word() {
        assert_eq!(serde_json::to_string(&Word::Plain).unwrap(), r#""PLAIN""#);
        assert_eq!(
            serde_json::from_str::<Word>(r#""plain""#).unwrap(),
            Word::Plain
        );
        assert!(serde_json::from_str::<Word>("4711").is_err());
    }

    #[test]
    fn debug_shows_no_unknown_text() {
        assert_eq!(format!("{:?}", Word::Plain), "Plain");
        assert_eq!(format!("{:?}", Word::from("hunter2")), "Other(7 bytes)");
    }

    proptest! {
        #[test]
        fn unknown_text_is_kept_exactly(text in ".*") {
            prop_assume!(!["PLAIN", "Two_Words", "2_WORDS"].iter().any(|w| super::same_word(w, &text)));
            let word = Word::from(text.as_str());
            prop_assert_eq!(word.as_str(), text.as_str());
            let json = serde_json::to_string(&word).unwrap();
            prop_assert_eq!(serde_json::from_str::<Word>(&json).unwrap(), word);
        }
    }
}
