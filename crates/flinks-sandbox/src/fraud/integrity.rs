//! Cheap checks that a file is whole and of the type that its name says.

/// The end of a document is searched for in this many last bytes, because markers may follow it.
const TAIL: usize = 4_096;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Returns whether a file can be read, as far as its extension and its bytes show.
pub(crate) fn is_readable(file_name: &str, content: &[u8]) -> bool {
    let extension = file_name.rsplit_once('.').map(|(_, extension)| extension);
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("pdf") => is_whole_pdf(content),
        Some("png") => png_parts(content).is_some(),
        Some("jpg" | "jpeg") => {
            content.starts_with(b"\xff\xd8\xff") && contains(tail(content), b"\xff\xd9")
        }
        Some("tif" | "tiff") => is_whole_tiff(content),
        _ => false,
    }
}

/// Returns the parts of a file that may hold text: each chunk of a PNG by itself, because a
/// checksum follows its text directly; any other file as a whole.
pub(crate) fn text_parts(content: &[u8]) -> Vec<&[u8]> {
    png_parts(content).unwrap_or_else(|| vec![content])
}

/// Returns the chunks of a PNG and the bytes behind them, or `None` if it is not a whole PNG.
fn png_parts(content: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = content.strip_prefix(PNG)?;
    let mut parts = Vec::new();
    loop {
        let (length, after) = rest.split_first_chunk()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (data, after) = after.split_at_checked(length)?;
        let (_checksum, after) = after.split_first_chunk::<4>()?;
        parts.push(data);
        rest = after;
        if kind == b"IEND" {
            parts.push(rest);
            return Some(parts);
        }
    }
}

/// Whether the start and end of a PDF are there, and its trailer has no `/Encrypt`.
fn is_whole_pdf(content: &[u8]) -> bool {
    let Some(trailer) = pdf_trailer(content) else {
        return false;
    };
    let head = content.get(..1_024).unwrap_or(content);
    contains(head, b"%PDF-") && !contains(trailer, b"/Encrypt")
}

/// Returns the cross-references that the last `startxref` points to, with their trailer.
fn pdf_trailer(content: &[u8]) -> Option<&[u8]> {
    let tail = tail(content);
    let end = rfind(tail, b"%%EOF")?;
    let tail = tail.get(..end)?;
    let start = rfind(tail, b"startxref")?;
    let offset = tail.get(start + b"startxref".len()..)?;
    let offset = std::str::from_utf8(offset).ok()?.trim().parse().ok()?;
    let trailer = content.get(offset..content.len() - TAIL.min(content.len()) + start)?;
    // A cross-reference stream has its trailer before its data.
    let end = find(trailer, b"stream").unwrap_or(trailer.len());
    trailer.get(..end)
}

/// Whether the header of a TIFF points to a directory inside the file.
fn is_whole_tiff(content: &[u8]) -> bool {
    let directory = match content.split_first_chunk() {
        Some((b"II*\0", rest)) => rest.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)),
        Some((b"MM\0*", rest)) => rest.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)),
        _ => None,
    };
    directory
        .and_then(|offset| usize::try_from(offset).ok())
        .is_some_and(|offset| {
            offset >= 8 && content.get(offset..).is_some_and(|rest| rest.len() > 2)
        })
}

fn tail(content: &[u8]) -> &[u8] {
    content
        .get(content.len().saturating_sub(TAIL)..)
        .unwrap_or(content)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    find(bytes, part).is_some()
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn rfind(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).rposition(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/documents/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    }

    #[test]
    fn whole_documents_are_readable_and_truncated_ones_are_not() {
        for (name, kind) in [
            ("statement-january.pdf", "pdf"),
            ("statement-january-edited.pdf", "pdf"),
            ("scan.png", "png"),
            ("scan.jpg", "jpg"),
            ("scan.jpeg", "jpg"),
            ("scan.tif", "tif"),
            ("scan.tiff", "tif"),
        ] {
            let content = fixture(name);
            for other in ["pdf", "png", "jpg", "tif", "TIF"] {
                let same = other.eq_ignore_ascii_case(kind);
                assert_eq!(
                    is_readable(&format!("a.{other}"), &content),
                    same,
                    "{name} {other}"
                );
            }
            let trailing = [&content[..], b"\n%flinks-sandbox status=DELETED\n"].concat();
            assert!(is_readable(name, &trailing), "{name}");
            assert!(!is_readable(name, &content[..7]), "{name}");
            // The directory of a TIFF may stand before its picture.
            if name != "scan.tiff" {
                assert!(!is_readable(name, &content[..content.len() / 2]), "{name}");
            }
        }
    }

    #[test]
    fn an_encrypted_pdf_is_not_readable() {
        let plain = |trailer: &str| {
            format!("%PDF-1.7\n(a text about /Encrypt)\nxref\n{trailer}\nstartxref\n33\n%%EOF\n")
        };
        assert!(is_readable(
            "a.pdf",
            plain("trailer << /Size 1 >>").as_bytes()
        ));
        let encrypted = plain("trailer << /Encrypt 5 0 R >>");
        assert!(!is_readable("a.pdf", encrypted.as_bytes()));
        let stream = plain("1 0 obj << /Type /XRef /Encrypt 5 0 R >> stream\nxyz\nendstream");
        assert!(!is_readable("a.pdf", stream.as_bytes()));
    }
}
