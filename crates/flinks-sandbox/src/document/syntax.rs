//! The syntax that PDF objects and page contents share.

/// How deep arrays and dictionaries may nest; deeper ones are not understood.
const DEPTH: usize = 32;

/// A value, or a word that is none: an operator.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Number(f64),
    Name(&'a [u8]),
    Text(Vec<u8>),
    Array(Vec<Self>),
    Dictionary(Vec<(&'a [u8], Self)>),
    Reference(u32),
    Word(&'a [u8]),
}

impl Value<'_> {
    pub(super) fn entry(&self, key: &str) -> Option<&Self> {
        let Self::Dictionary(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find(|(name, _)| *name == key.as_bytes())
            .map(|(_, value)| value)
    }

    pub(super) fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// A number that counts something.
    pub(super) fn count(&self) -> Option<usize> {
        let number = self.number()?;
        // Saturates outside of usize, which no offset or length survives.
        (number >= 0.0 && number.fract() == 0.0).then_some(number as usize)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self, Self::Name(own) if *own == name.as_bytes())
    }

    pub(super) fn reference(&self) -> Option<u32> {
        if let Self::Reference(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    pub(super) fn text(&self) -> Option<&[u8]> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The elements of an array, or the one value that stands for an array of one.
    pub(super) fn elements(&self) -> &[Self] {
        if let Self::Array(elements) = self {
            elements
        } else {
            std::slice::from_ref(self)
        }
    }

    fn dictionary(values: Vec<Self>) -> Self {
        let mut entries = Vec::new();
        let mut values = values.into_iter();
        while let Some(key) = values.next() {
            if let (Value::Name(name), Some(value)) = (key, values.next()) {
                entries.push((name, value));
            }
        }
        Self::Dictionary(entries)
    }
}

/// Reads values one after another; never fails, at worst it gives odd words.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    /// The next value; `None` at the end.
    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> Option<Value<'a>> {
        self.skip_space();
        Some(match self.rest {
            [] => return None,
            [b'<', b'<', ..] => {
                self.skip(2);
                Value::dictionary(self.list(b">>", depth))
            }
            [b'[', ..] => {
                self.skip(1);
                Value::Array(self.list(b"]", depth))
            }
            [b'(', ..] => Value::Text(self.literal()),
            [b'<', ..] => Value::Text(self.hexadecimal()),
            [b'/', ..] => {
                self.skip(1);
                Value::Name(self.word())
            }
            [b'>', b'>', ..] => Value::Word(self.take(2)),
            [byte, ..] if is_regular(*byte) => number_or_word(self.word()),
            _ => Value::Word(self.take(1)),
        })
    }

    fn list(&mut self, end: &[u8], depth: usize) -> Vec<Value<'a>> {
        let mut values = Vec::new();
        if depth == DEPTH {
            return values;
        }
        while let Some(value) = self.nested(depth + 1) {
            if value == Value::Word(end) {
                break;
            }
            if value == Value::Word(b"R") {
                // `12 0 R` refers to object 12.
                values.pop();
                let number = values.pop().and_then(|number: Value<'_>| number.count());
                let number = number.and_then(|number| u32::try_from(number).ok());
                values.extend(number.map(Value::Reference));
            } else {
                values.push(value);
            }
        }
        values
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    fn word(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !is_regular(*byte));
        self.take(end.unwrap_or(self.rest.len()))
    }

    fn skip_space(&mut self) {
        while let [byte, rest @ ..] = self.rest {
            if *byte == b'%' {
                let end = self
                    .rest
                    .iter()
                    .position(|byte| matches!(byte, b'\r' | b'\n'));
                self.skip(end.unwrap_or(self.rest.len()));
            } else if is_space(*byte) {
                self.rest = rest;
            } else {
                break;
            }
        }
    }

    fn literal(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut open = 0_usize;
        while let [byte, rest @ ..] = self.rest {
            self.rest = rest;
            match byte {
                b'(' => {
                    open += 1;
                    if open > 1 {
                        text.push(b'(');
                    }
                }
                b')' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                    text.push(b')');
                }
                b'\\' => self.escape(&mut text),
                plain => text.push(*plain),
            }
        }
        text
    }

    /// What follows a backslash.
    fn escape(&mut self, text: &mut Vec<u8>) {
        let digits = self
            .rest
            .iter()
            .take(3)
            .take_while(|byte| matches!(byte, b'0'..=b'7'))
            .count();
        if digits > 0 {
            let code = self.take(digits).iter().fold(0_u8, |code, digit| {
                // A code above 255 loses its high bit, as the PDF specification says.
                code.wrapping_mul(8).wrapping_add(digit - b'0')
            });
            text.push(code);
            return;
        }
        match self.take(1) {
            b"n" => text.push(b'\n'),
            b"r" => text.push(b'\r'),
            b"t" => text.push(b'\t'),
            b"b" => text.push(8),
            b"f" => text.push(12),
            b"\r" => {
                if self.rest.starts_with(b"\n") {
                    self.skip(1);
                }
            }
            b"\n" => {}
            other => text.extend_from_slice(other),
        }
    }

    fn hexadecimal(&mut self) -> Vec<u8> {
        let end = memchr::memchr(b'>', self.rest).unwrap_or(self.rest.len());
        let digits = self.take(end + 1);
        hexadecimal(digits)
    }
}

/// Pairs of hex digits; whatever is no digit is passed over, an odd last one is filled with 0.
pub(super) fn hexadecimal(digits: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = digits
        .iter()
        .filter_map(|byte| char::from(*byte).to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits
        .chunks(2)
        .map(|pair| {
            pair.iter().fold(0, |byte, digit| byte << 4 | digit)
                << if pair.len() == 1 { 4 } else { 0 }
        })
        .collect()
}

fn number_or_word(word: &[u8]) -> Value<'_> {
    let is_number = word
        .iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.'));
    let number = std::str::from_utf8(word).ok().filter(|_| is_number);
    match number.and_then(|text| text.parse().ok()) {
        Some(number) => Value::Number(number),
        None => Value::Word(word),
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b'\0' | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte)
        && !matches!(
            byte,
            b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<Value<'_>> {
        let mut reader = Reader::new(bytes);
        std::iter::from_fn(|| reader.value()).collect()
    }

    #[test]
    fn values_are_told_apart() {
        let values =
            read(b"<< /Kids [3 0 R 4 0 R] /Count -2 /T (a\\(b\\)(c)\\101\\n) /H <4 1 5> >> q");
        let [dictionary, Value::Word(b"q")] = &values[..] else {
            panic!("{values:?}")
        };
        assert_eq!(
            dictionary.entry("Kids").unwrap().elements(),
            [Value::Reference(3), Value::Reference(4)]
        );
        assert_eq!(dictionary.entry("Count").unwrap().number(), Some(-2.0));
        assert_eq!(
            dictionary.entry("T").unwrap().text().unwrap(),
            b"a(b)(c)A\n"
        );
        assert_eq!(dictionary.entry("H").unwrap().text().unwrap(), b"AP");
        assert_eq!(dictionary.entry("None"), None);
    }

    #[test]
    fn odd_bytes_end() {
        for bytes in [
            &b"((("[..],
            b"<<<<",
            b">>>]}{)",
            b"[[[[",
            b"<",
            b"\\",
            b"%",
            b"/",
        ] {
            read(bytes);
        }
        read(&b"[".repeat(100_000));
    }

    proptest! {
        #[test]
        fn reading_ends_and_never_panics(bytes: Vec<u8>) {
            prop_assert!(read(&bytes).len() <= bytes.len());
        }

        #[test]
        fn literal_strings_survive(text: Vec<u8>) {
            let mut literal = vec![b'('];
            for byte in &text {
                if matches!(byte, b'(' | b')' | b'\\') {
                    literal.push(b'\\');
                }
                literal.push(*byte);
            }
            literal.push(b')');
            prop_assert_eq!(read(&literal), [Value::Text(text)]);
        }
    }
}
