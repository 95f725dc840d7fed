//! Recognizes the type of a file by its first bytes, for the message that refuses it.

/// A kind of file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Kind {
    /// With its article: "a PNG image".
    pub(crate) name: &'static str,
    /// The accepted extension of this kind; none when the service does not take it.
    pub(crate) extension: Option<&'static str>,
}

const fn accepted(name: &'static str, extension: &'static str) -> Kind {
    Kind {
        name,
        extension: Some(extension),
    }
}

const fn other(name: &'static str) -> Kind {
    Kind {
        name,
        extension: None,
    }
}

const PDF: Kind = accepted("a PDF", "pdf");
const ZEROS: Kind = other("nothing but zero bytes, as after a copy that was cut off");

/// Kinds by the bytes that a file of them begins with.
const STARTS: &[(&[u8], Kind)] = &[
    (b"\x89PNG\r\n\x1a\n", accepted("a PNG image", "png")),
    (b"\xff\xd8\xff", accepted("a JPEG image", "jpg")),
    (b"II*\0", accepted("a TIFF image", "tif")),
    (b"MM\0*", accepted("a TIFF image", "tif")),
    (b"II+\0", other("a BigTIFF image: save it as plain TIFF")),
    (b"MM\0+", other("a BigTIFF image: save it as plain TIFF")),
    (b"GIF8", other("a GIF image")),
    (b"BM", other("a BMP image")),
    (b"\0\0\0\x0cjP  ", other("a JPEG 2000 image")),
    (b"\0\0\0\x0cJXL ", other("a JPEG XL image")),
    (b"\xff\x0a", other("a JPEG XL image")),
    (b"%!PS", other("PostScript: convert it to PDF")),
    (b"\x04%!PS", other("PostScript: convert it to PDF")),
    (b"\x1b%-12345X", other("a print job (PJL)")),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        other("an older Office document or an Outlook message"),
    ),
    (b"{\\rtf", other("a rich text document (RTF)")),
    (b"\x1f\x8b", other("a gzip archive")),
    (b"7z\xbc\xaf\x27\x1c", other("a 7z archive")),
    (b"Rar!\x1a\x07", other("a RAR archive")),
    (b"MZ", other("a program for Windows")),
    (b"-----BEGIN ", other("a key or a certificate (PEM)")),
];

/// What these first bytes of a file belong to, where that is certain.
pub(crate) fn kind(head: &[u8]) -> Option<Kind> {
    if is_pdf(head) {
        return Some(PDF);
    }
    let known = STARTS.iter().find(|(start, _)| head.starts_with(start));
    if let Some((_, kind)) = known {
        return Some(*kind);
    }
    match head {
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(other("a WebP image")),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => Some(media(brand)),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => Some(archive(head)),
        [0, ..] if head.iter().all(|byte| *byte == 0) => Some(ZEROS),
        _ => markup(head),
    }
}

/// Whether a PDF begins here. Producers may put a few bytes before it; readers look through the
/// first 1,024.
pub(crate) fn is_pdf(head: &[u8]) -> bool {
    holds(head, b"%PDF-")
}

/// ISO base media: the brand says whether it is an image or a film.
fn media(brand: &[u8]) -> Kind {
    match brand.first_chunk() {
        Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx") => {
            other("a HEIC image, as phones take them: export it as JPEG")
        }
        Some(b"mif1" | b"msf1" | b"heif") => other("a HEIF image: export it as JPEG"),
        Some(b"avif" | b"avis") => other("an AVIF image: export it as JPEG"),
        _ => other("a film or a sound (MP4, QuickTime)"),
    }
}

fn archive(head: &[u8]) -> Kind {
    let office = [b"[Content_Types].xml".as_slice(), b"word/", b"xl/", b"ppt/"];
    if office.iter().any(|part| holds(head, part)) {
        other("an Office document (in a ZIP archive): save it as PDF")
    } else if holds(head, b"application/vnd.oasis.opendocument") {
        other("an OpenDocument file (in a ZIP archive): save it as PDF")
    } else {
        other("a ZIP archive: take the documents out of it")
    }
}

fn markup(head: &[u8]) -> Option<Kind> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start().to_ascii_lowercase();
    let begins = |word: &str| text.starts_with(word.as_bytes());
    let xml = begins("<?xml");
    if begins("<!doctype html") || begins("<html") || (xml && holds(&text, b"<html")) {
        Some(other(
            "an HTML page, possibly a website's message instead of the file",
        ))
    } else if xml {
        Some(other("XML"))
    } else {
        None
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
