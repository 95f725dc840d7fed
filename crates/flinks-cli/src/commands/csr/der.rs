//! Reads and writes DER elements.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const CONTEXT_0: u8 = 0xa0;
pub(super) const CONTEXT_3: u8 = 0xa3;

/// One element.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// Tag, length and content.
    pub(super) whole: &'a [u8],
}

/// The elements of a constructed element; ends at the first that cannot be read.
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let (length, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = after;
            let is_short = (1..=4).contains(&length.len());
            let number = length
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            is_short.then_some(number)?
        };
        let (content, after) = rest.split_at_checked(length)?;
        let (whole, _) = self.0.split_at_checked(self.0.len() - after.len())?;
        self.0 = after;
        Some(Element {
            tag,
            content,
            whole,
        })
    }
}

impl<'a> Elements<'a> {
    /// Returns the next element's content, if it has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|next| next.tag == tag)
            .map(|next| next.content)
    }

    /// As [`expect`](Self::expect), as elements.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.expect(tag).map(Elements)
    }
}

/// Writes an element.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let bytes = content.len().to_be_bytes();
    let length: Vec<_> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut whole = vec![tag];
    match length.as_slice() {
        [] => whole.push(0),
        [short] if *short < 0x80 => whole.push(*short),
        long => {
            whole.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7f));
            whole.extend_from_slice(long);
        }
    }
    whole.extend_from_slice(&content);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![7; length];
            let whole = element(SEQUENCE, &[&content]);
            let read = Elements(&whole).next().expect("an element");
            assert_eq!(
                (read.tag, read.content, read.whole),
                (SEQUENCE, &*content, &*whole)
            );
            assert!(Elements(&whole[..whole.len() - 1]).next().is_none());
        }
    }
}
