//! The body of an upload, decoded while it arrives.
//!
//! A document is the one long string of its body. Its base64 is decoded as it comes, and the JSON
//! gets a mark in its place, so that neither the body nor the encoded document is ever held whole.

use std::mem;

use base64::Engine;
use base64::engine::Simd;
use base64::engine::general_purpose::PAD;
use memchr::memchr2;

/// 18 MB a file, read as MiB (Upload guide, "File and Size Limits").
pub(super) const FILE_LIMIT: usize = 18 * 1024 * 1024;

/// A document that is too large is read up to this size, so that the connection can be kept.
const READ_LIMIT: usize = 20 * 1024 * 1024;

/// The most that an upload may send: a document of the largest size, with each character of its
/// base64 escaped as `\u002b`.
pub(crate) const UPLOAD_LIMIT: u64 = 6 * 26 * 1024 * 1024;

/// The most that any other body may hold, and an upload besides its long strings.
pub(crate) const BODY_LIMIT: u64 = 4 * 1024 * 1024;

/// A longer string is taken for a document.
const SHORT: usize = 64 * 1024;

/// The base64 that is decoded at once.
const CHUNK: usize = 16 * 1024;

/// The capacity for a document. glibc maps an allocation above 32 MiB by itself and gives it back to
/// the system when it is freed. Pages that are not written to cost nothing.
const CAPACITY: usize = 33 * 1024 * 1024;

/// The body is larger than the sandbox reads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Why a string is not the content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentError {
    NotBase64,
    /// Larger than [`FILE_LIMIT`].
    TooLarge,
}

/// The body of an upload, as far as it has arrived.
#[derive(Debug)]
pub(crate) struct UploadBody {
    /// The JSON, with a mark in place of each long string.
    json: Vec<u8>,
    place: Place,
    documents: Vec<Document>,
    /// Part of the marks, so that no string of a client is taken for one.
    nonce: u128,
}

/// Where the next byte belongs.
#[derive(Clone, Copy, Debug)]
enum Place {
    Outside,
    /// In a string whose first byte is at `start` of the JSON.
    String {
        start: usize,
        escaped: bool,
    },
    /// In the last of the documents.
    Document,
}

impl Default for UploadBody {
    fn default() -> Self {
        Self {
            json: Vec::new(),
            place: Place::Outside,
            documents: Vec::new(),
            nonce: fastrand::u128(..),
        }
    }
}

impl UploadBody {
    /// Reads the next bytes of the body.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<(), TooLarge> {
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Document => self.push_to_document(bytes),
                Place::Outside | Place::String { .. } => self.push_to_json(bytes),
            };
        }
        let content: usize = self.documents.iter().map(Document::size).sum();
        if self.json.len() as u64 > BODY_LIMIT || content > READ_LIMIT {
            return Err(TooLarge);
        }
        Ok(())
    }

    /// Reads up to the end of `bytes`, or to where a string becomes a document.
    fn push_to_json<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let mut rest = bytes.iter();
        while let Some(&byte) = rest.next() {
            self.json.push(byte);
            self.place = match self.place {
                Place::String { escaped, .. } if byte == b'"' && !escaped => Place::Outside,
                Place::String { start, .. } if self.json.len() - start > SHORT => {
                    let begun = self.json.split_off(start);
                    self.documents.push(Document::new());
                    self.place = Place::Document;
                    self.push_to_document(&begun);
                    return rest.as_slice();
                }
                Place::String { start, escaped } => Place::String {
                    start,
                    escaped: byte == b'\\' && !escaped,
                },
                Place::Outside if byte == b'"' => Place::String {
                    start: self.json.len(),
                    escaped: false,
                },
                place @ (Place::Outside | Place::Document) => place,
            };
        }
        &[]
    }

    /// Reads up to the end of `bytes`, or to the end of the document.
    fn push_to_document<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let ended = self.documents.last_mut().and_then(|it| it.push(bytes));
        if ended.is_some() {
            let mark = self.mark(self.documents.len() - 1);
            self.json.extend_from_slice(mark.as_bytes());
            self.json.push(b'"');
            self.place = Place::Outside;
        }
        ended.unwrap_or_default()
    }

    fn mark(&self, index: usize) -> String {
        format!("long string {index} {:032x}", self.nonce)
    }

    /// Returns the JSON, with a mark in place of each string of more than 64 KiB.
    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }

    /// Whether a string of the JSON is the mark of a longer one.
    pub(super) fn is_long(&self, text: &str) -> bool {
        (0..self.documents.len()).any(|index| self.mark(index) == text)
    }

    /// Decodes a string of the JSON, which may be a mark, from base64.
    pub(super) fn content(&mut self, text: &str) -> Result<Vec<u8>, ContentError> {
        let index = (0..self.documents.len()).find(|index| self.mark(*index) == text);
        match index.and_then(|index| self.documents.get_mut(index)) {
            Some(document) => mem::replace(&mut document.content, Ok(Vec::new())),
            None => Simd::standard(PAD)
                .decode(text)
                .map_err(|_| ContentError::NotBase64),
        }
    }
}

/// A string in base64, decoded as far as it has arrived.
#[derive(Debug)]
struct Document {
    content: Result<Vec<u8>, ContentError>,
    /// The end of the string so far, which is not decoded yet.
    encoded: Vec<u8>,
    /// The number of characters of the string so far.
    length: usize,
    /// The escape that has begun, from its backslash on.
    escape: Vec<u8>,
}

impl Document {
    fn new() -> Self {
        Self {
            content: Ok(Vec::with_capacity(CAPACITY)),
            encoded: Vec::with_capacity(2 * CHUNK),
            length: 0,
            escape: Vec::new(),
        }
    }

    /// The size of what the string decodes to.
    fn size(&self) -> usize {
        self.length / 4 * 3
    }

    /// Reads the next bytes of the string. Returns what follows its closing quote, once it is there.
    fn push<'a>(&mut self, mut bytes: &'a [u8]) -> Option<&'a [u8]> {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = rest;
            if byte == b'\\' || !self.escape.is_empty() {
                self.escape.push(byte);
                self.unescape();
            } else if byte == b'"' {
                self.decode(self.encoded.len());
                return Some(rest);
            } else {
                let end = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                let (plain, after) = rest.split_at(end);
                self.add(&[byte]);
                plain.chunks(CHUNK).for_each(|chunk| self.add(chunk));
                bytes = after;
            }
        }
        None
    }

    /// Adds the character of an escape that is whole. Only those for printable ASCII can be base64.
    fn unescape(&mut self) {
        let character = match self.escape.as_slice() {
            [b'\\'] => return,
            [b'\\', b'/'] => Some(b'/'),
            [b'\\', b'u', digits @ ..] if digits.len() < 4 => return,
            [b'\\', b'u', digits @ ..] => std::str::from_utf8(digits)
                .ok()
                .filter(|digits| !digits.starts_with('+'))
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        self.escape.clear();
        self.add(&[character.unwrap_or(b'\\')]);
    }

    fn add(&mut self, characters: &[u8]) {
        self.length += characters.len();
        self.encoded.extend_from_slice(characters);
        if self.encoded.len() > CHUNK {
            // Padding may be in the last four only, so they wait for what follows.
            let whole = (self.encoded.len() - 1) / 4 * 4;
            if self.encoded.get(whole - 1) == Some(&b'=') {
                self.content = Err(ContentError::NotBase64);
            }
            self.decode(whole);
        }
    }

    /// Decodes the first characters of those that wait.
    fn decode(&mut self, count: usize) {
        let waiting = self.encoded.split_off(count);
        let encoded = mem::replace(&mut self.encoded, waiting);
        let Ok(content) = &mut self.content else {
            return;
        };
        if Simd::standard(PAD).decode_vec(&encoded, content).is_err() {
            self.content = Err(ContentError::NotBase64);
        } else if content.len() > FILE_LIMIT {
            self.content = Err(ContentError::TooLarge);
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;
    use serde_json::{Value, json};

    use super::*;

    /// The content of a body that arrives in pieces of this size.
    fn content(body: &str, piece: usize) -> Result<Vec<u8>, ContentError> {
        let mut read = UploadBody::default();
        for piece in body.as_bytes().chunks(piece) {
            read.push(piece).unwrap();
        }
        let json: Value = serde_json::from_slice(read.json()).unwrap();
        assert_eq!(json["Tag"], "a \"tag\" \\", "what follows is kept");
        let text = json["Content"].as_str().unwrap();
        assert_eq!(read.is_long(text), body.len() > SHORT);
        read.content(text)
    }

    fn body(content: &str) -> String {
        format!(r#"{{"Content": "{content}", "Tag": "a \"tag\" \\"}}"#)
    }

    #[test]
    fn a_document_is_the_same_in_any_pieces_and_escapes() {
        for size in [0, 1, 40_000, 100_000, 100_001, 100_002] {
            let document: Vec<u8> = (0..size).map(|_| fastrand::u8(..)).collect();
            let plain = BASE64_STANDARD.encode(&document);
            let slashes = plain.replace('/', r"\/");
            let unicode = slashes.replace('+', r"\u002B").replace('=', r"\u003d");
            for encoded in [plain, slashes, unicode] {
                for piece in [1, 7, 16 * 1024 + 1, usize::MAX] {
                    assert!(content(&body(&encoded), piece).unwrap() == document);
                }
            }
        }
    }

    #[test]
    fn a_long_string_has_to_be_base64() {
        let long = "A".repeat(100_000);
        for (mistake, place) in [
            ("=", 50_000),
            ("AA==", 50_000),
            ("AA==", 16_380),
            ("A", 0),
            ("-", 0),
            (r"\n", 99_999),
            (r"\u00e9", 70_000),
            (r"\u+02b", 70_000),
            ("é", 70_000),
        ] {
            let mut text = long.clone();
            text.insert_str(place, mistake);
            let mut read = UploadBody::default();
            read.push(format!("[\"{text}\"]").as_bytes()).unwrap();
            let [mark]: [String; 1] = serde_json::from_slice(read.json()).unwrap();
            let refused = read.content(&mark);
            assert_eq!(refused, Err(ContentError::NotBase64), "{mistake} {place}");
        }
    }

    #[test]
    fn a_document_is_limited_and_its_escapes_are_not() {
        let pushed = |text: &str, quads: usize| {
            let mut read = UploadBody::default();
            let text = text.repeat(1024);
            read.push(br#"{"Content":""#).unwrap();
            for _ in 0..quads / 1024 {
                read.push(text.as_bytes())?;
            }
            read.push(b"\"}").unwrap();
            let json: Value = serde_json::from_slice(read.json()).unwrap();
            Ok(read
                .content(json["Content"].as_str().unwrap())
                .map(|it| it.len()))
        };
        let full = FILE_LIMIT / 3;
        assert_eq!(pushed(r"\/\/\/\/", full), Ok(Ok(FILE_LIMIT)));
        let over = Ok(Err(ContentError::TooLarge));
        assert_eq!(pushed("AAAA", full + 1024), over);
        assert_eq!(pushed("AAAA", READ_LIMIT / 3 + 1024), Err(TooLarge));
    }

    #[test]
    fn what_is_no_document_is_limited() {
        let mut read = UploadBody::default();
        let text = json!(["A".repeat(1_000)]).to_string();
        let refused = (0..5_000).find_map(|_| read.push(text.as_bytes()).err());
        assert_eq!(refused, Some(TooLarge));
    }
}
