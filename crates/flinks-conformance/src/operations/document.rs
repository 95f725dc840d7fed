//! A document as a case writes it down: a name and short content, or a size.

use std::io::{Cursor, Read as _};

use flinks_upload::{Document, UploadError};
use serde::Deserialize;

/// A document: its content as text or hex, filled up with zeros to `size` when that is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentInput {
    name: String,
    content_text: Option<String>,
    content_hex: Option<Hex>,
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
        // Zeroed by the allocator: pages that are not read cost nothing.
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
        let pairs = text.as_bytes().chunks(2).map(|pair| {
            let pair = str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        let bytes: Option<_> = pairs.collect();
        bytes.map(Self).ok_or("not hexadecimal digits in pairs")
    }
}
