//! A document as a case writes it down: a name and short content, or a size.

use std::io::{Cursor, Read as _};

use flinks_upload::{Document, UploadError};
use serde::Deserialize;

/// A document: its content as text or hex, filled up with zeros to `size` when that is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(crate) struct DocumentInput {
    name: String,
    #[serde(default)]
    content_text: Option<String>,
    #[serde(default)]
    content_hex: Option<Hex>,
    #[serde(default)]
    size: Option<usize>,
    /// Can be read only once, as a pipe.
    #[serde(default)]
    once: bool,
}

impl DocumentInput {
    pub(crate) fn open(&self) -> Result<Document, UploadError> {
        let head = self.content();
        let size = self.size.unwrap_or(head.len());
        if self.once {
            let zeros = size.saturating_sub(head.len()) as u64;
            let reader = Cursor::new(head).chain(std::io::repeat(0).take(zeros));
            return Document::from_reader(&self.name, size as u64, reader);
        }
        // Zeroed by the allocator: pages that nobody reads cost nothing.
        let mut bytes = vec![0; size];
        for (to, from) in bytes.iter_mut().zip(&head) {
            *to = *from;
        }
        Document::from_bytes(&self.name, bytes)
    }

    pub(crate) fn content_text(&self) -> String {
        String::from_utf8_lossy(&self.content()).into_owned()
    }

    fn content(&self) -> Vec<u8> {
        match (&self.content_text, &self.content_hex) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(hex)) => hex.0.clone(),
            (None, None) => Vec::new(),
        }
    }
}

/// Bytes written as hexadecimal digits.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = digits.ok_or("not hexadecimal")?;
        let pairs = digits.chunks(2).map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).map_err(|_| "not hexadecimal"),
            _ => Err("an odd number of hexadecimal digits"),
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }
}
