//! The limits of the Upload guide (File and Size Limits), checked before anything is sent.

use crate::error::{UploadError, file_error};
use crate::file_type::{self, Kind};

/// How many bytes at the start of a file its type is recognized by.
pub(crate) const HEAD: usize = 1024;

/// The limits that documents are checked against before anything is sent.
///
/// Each can be changed; [`Limits::unlimited`] switches them off. An empty document is always refused.
///
/// Source: Upload guide, File and Size Limits. It says "18 MB" and "180 MB"; these are read as
/// MiB, so that nothing is refused here that the service may accept.
#[derive(Clone, Debug)]
pub struct Limits {
    max_file_bytes: u64,
    max_session_bytes: u64,
    extensions: Option<&'static [&'static str]>,
    check_contents: bool,
}

/// Upload guide, File and Size Limits, "Accepted file types".
const EXTENSIONS: &[&str] = &["pdf", "png", "jpg", "jpeg", "tif", "tiff"];

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_file_bytes: 18 << 20,
            max_session_bytes: 180 << 20,
            extensions: Some(EXTENSIONS),
            check_contents: true,
        }
    }
}

impl Limits {
    /// No limits, except that a document must not be empty.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            max_file_bytes: u64::MAX,
            max_session_bytes: u64::MAX,
            extensions: None,
            check_contents: false,
        }
    }

    /// Sets the maximum size of one document in bytes, before encoding; 18 MiB by default.
    #[must_use]
    pub const fn with_max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// Sets the maximum total size of a session's documents in bytes, before encoding; 180 MiB by default.
    #[must_use]
    pub const fn with_max_session_bytes(mut self, bytes: u64) -> Self {
        self.max_session_bytes = bytes;
        self
    }

    /// Sets the accepted extensions, in lower case and without the dot; `None` accepts any.
    #[must_use]
    pub const fn with_extensions(mut self, extensions: Option<&'static [&'static str]>) -> Self {
        self.extensions = extensions;
        self
    }

    /// Sets whether a document's first bytes must match its extension.
    #[must_use]
    pub const fn with_content_check(mut self, check: bool) -> Self {
        self.check_contents = check;
        self
    }

    /// Checks one document by its name, its size and its first bytes.
    pub(crate) fn check(&self, name: &str, bytes: u64, head: &[u8]) -> Result<(), UploadError> {
        if bytes == 0 {
            return Err(refused(name, "is empty"));
        }
        if bytes > self.max_file_bytes {
            let limit = limit(self.max_file_bytes);
            return Err(refused(
                name,
                &format!(
                    "is too large: {} bytes; the limit is {limit}",
                    grouped(bytes)
                ),
            ));
        }
        let extension = extension(name);
        if let Some(accepted) = self.extensions
            && !accepted.contains(&extension.as_str())
        {
            if name.ends_with(|c: char| c == '.' || c.is_whitespace()) {
                return Err(refused(
                    name,
                    "has a name that ends in a space or a dot: rename it",
                ));
            }
            let list = accepted.join(", ").to_uppercase();
            return Err(file_error(format!(
                "{}: unsupported file type (accepted: {list}){}",
                name.escape_debug(),
                really(head)
            )));
        }
        if self.check_contents && !looks_like(&extension, head) {
            let mut why = format!(
                "is named .{extension} but its contents are not{}",
                really(head)
            );
            if extension == "pdf" && bytes > HEAD as u64 {
                why.push_str("; no \"%PDF-\" is in its first 1,024 bytes");
            }
            return Err(refused(name, &why));
        }
        Ok(())
    }

    /// Checks the total size of a session's documents, in bytes before encoding.
    ///
    /// # Errors
    /// [`UploadErrorKind::File`](crate::UploadErrorKind::File): they are larger than a session may be.
    pub fn check_session(&self, bytes: u64) -> Result<(), UploadError> {
        if bytes <= self.max_session_bytes {
            return Ok(());
        }
        Err(file_error(format!(
            "the files are too large for one session: {} bytes; the limit is {}: split them into \
             several sessions",
            grouped(bytes),
            limit(self.max_session_bytes)
        )))
    }
}

/// Formats a limit, in MiB too if it is a whole number of them.
fn limit(bytes: u64) -> String {
    let text = grouped(bytes);
    match bytes.is_multiple_of(1 << 20) {
        true => format!("{text} ({} MiB)", bytes >> 20),
        false => text,
    }
}

/// Formats a number with a comma between groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn refused(name: &str, why: &str) -> UploadError {
    file_error(format!("{} {why}", name.escape_debug()))
}

/// What the file is instead, where that is certain, and the name that would be taken.
fn really(head: &[u8]) -> String {
    match file_type::kind(head) {
        None => String::new(),
        Some(Kind {
            name,
            extension: Some(extension),
        }) => format!(": it is {name}; rename it to end in .{extension}"),
        Some(Kind { name, .. }) => format!(": it is {name}"),
    }
}

fn extension(name: &str) -> String {
    name.rsplit_once('.')
        .map_or("", |(_, extension)| extension)
        .to_ascii_lowercase()
}

/// Whether the first bytes are of the kind that an extension names; true for kinds unknown here.
fn looks_like(extension: &str, head: &[u8]) -> bool {
    match extension {
        "pdf" => file_type::is_pdf(head),
        "png" => head.starts_with(b"\x89PNG\r\n\x1a\n"),
        "jpg" | "jpeg" => head.starts_with(b"\xff\xd8\xff"),
        "tif" | "tiff" => head.starts_with(b"II*\0") || head.starts_with(b"MM\0*"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::UploadErrorKind;

    const PDF: &[u8] = b"%PDF-1.7";

    #[test]
    fn every_documented_type_passes_in_any_case() {
        let limits = Limits::default();
        let rows: [(&str, &[u8]); 8] = [
            ("a.pdf", PDF),
            ("a.PDF", b"\n\njunk before %PDF-1.4"),
            ("a.png", b"\x89PNG\r\n\x1a\n...."),
            ("a.jpg", b"\xff\xd8\xff\xe0"),
            ("a.JPEG", b"\xff\xd8\xff\xe1"),
            ("a.tif", b"II*\0"),
            ("a.tiff", b"MM\0*"),
            ("a.b.pdf", PDF),
        ];
        for (name, head) in rows {
            limits.check(name, 10, head).expect(name);
        }
    }

    #[test]
    fn what_the_guide_does_not_accept_is_refused_by_name() {
        let limits = Limits::default();
        let rows: [(&str, u64, &[u8], &str); 7] = [
            ("a.pdf", 0, b"", "empty"),
            (
                "a.pdf",
                (18 << 20) + 1,
                PDF,
                "18,874,369 bytes; the limit is 18,874,368 (18 MiB)",
            ),
            (
                "a.docx",
                10,
                b"PK",
                "unsupported file type (accepted: PDF, PNG",
            ),
            ("pdf", 10, PDF, "unsupported file type (accepted: PDF, PNG"),
            ("a.pdf", 10, b"\x89PNG\r\n\x1a\n", "contents"),
            ("a.png", 10, PDF, "contents"),
            ("a.tif", 10, b"II+\0", "contents"),
        ];
        for (name, bytes, head, why) in rows {
            let error = limits.check(name, bytes, head).expect_err(name);
            assert_eq!(error.kind(), UploadErrorKind::File);
            let text = error.to_string();
            assert!(text.contains(name) && text.contains(why), "{text}");
        }
        limits
            .check("a.pdf", 18 << 20, PDF)
            .expect("exactly the limit");
        limits.check_session(180 << 20).expect("exactly the limit");
        let session = limits.check_session((180 << 20) + 1);
        let session = session.expect_err("too large").to_string();
        assert!(
            session.contains("188,743,681 bytes; the limit is"),
            "{session}"
        );
    }

    #[test]
    fn a_refusal_tells_what_the_file_really_is() {
        let rows: [(&str, &[u8], &str); 27] = [
            (
                "a.jpg",
                b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
                "a HEIC image",
            ),
            ("a.jpeg", b"\0\0\0\x18ftypmif1", "a HEIF image"),
            ("a.heic", b"\0\0\0\x18ftypheic", "a HEIC image"),
            ("a.png", b"\0\0\0\x1cftypavif", "an AVIF image"),
            ("a.pdf", b"\0\0\0\x14ftypqt  ", "a film"),
            ("a.jpg", b"RIFF\x90\x01\0\0WEBPVP8 ", "a WebP image"),
            (
                "a.jpg",
                b"\x89PNG\r\n\x1a\n",
                "a PNG image; rename it to end in .png",
            ),
            ("a.png", b"%PDF-1.7\n", "a PDF; rename it to end in .pdf"),
            (
                "a.pdf",
                b"\xff\xd8\xff\xe0",
                "a JPEG image; rename it to end in .jpg",
            ),
            (
                "a.jfif",
                b"\xff\xd8\xff\xe0",
                "a JPEG image; rename it to end in .jpg",
            ),
            ("a.jpg", b"II*\0", "a TIFF image; rename it to end in .tif"),
            ("a.tif", b"II+\0\x08\0", "a BigTIFF image"),
            ("a.png", b"GIF89a", "a GIF image"),
            ("a.pdf", b"%!PS-Adobe-3.0 PDF-1.4", "PostScript"),
            (
                "a.pdf",
                b"\x1b%-12345X@PJL JOB",
                "a print job (PJL); no \"%PDF-\"",
            ),
            ("a.pdf", b"<!DOCTYPE html><html>", "an HTML page"),
            ("a.pdf", b"\xef\xbb\xbf\r\n<HTML lang=en>", "an HTML page"),
            (
                "a.pdf",
                b"<?xml version='1.0'?><!DOCTYPE html><html>",
                "an HTML page",
            ),
            (
                "a.pdf",
                b"PK\x03\x04\x14\0[Content_Types].xml",
                "an Office document",
            ),
            (
                "a.docx",
                b"PK\x03\x04\x14\0\x06\0word/document.xml",
                "an Office document",
            ),
            ("a.zip", b"PK\x03\x04\x14\0january.pdf", "a ZIP archive"),
            (
                "a.pdf",
                b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.text",
                "OpenDocument",
            ),
            (
                "a.doc",
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
                "an older Office document",
            ),
            ("a.pdf", b"-----BEGIN CERTIFICATE-----", "a certificate"),
            ("a.pdf", &[0; 100], "zero bytes"),
            ("a.pdf", b"nothing known", "in its first 1,024 bytes"),
            ("statement", b"%PDF-1.7", "a PDF; rename it to end in .pdf"),
        ];
        for (name, head, advice) in rows {
            let error = Limits::default().check(name, 5000, head).expect_err(name);
            let text = error.to_string();
            assert!(text.starts_with(name) && text.contains(advice), "{text}");
        }
        for name in ["end.pdf ", "end.pdf.", "end.pdf\u{a0}"] {
            let error = Limits::default().check(name, 5000, PDF).expect_err(name);
            assert!(
                error.to_string().contains("ends in a space or a dot"),
                "{error}"
            );
        }
    }

    #[test]
    fn limits_can_be_switched_off_but_for_emptiness() {
        let none = Limits::unlimited();
        none.check("a.docx", 1 << 40, b"PK").expect("anything goes");
        assert!(none.check("a.docx", 0, b"").is_err());
    }
}
