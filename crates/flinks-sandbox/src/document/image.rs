//! The metadata of PNG, JPEG and TIFF images.

use super::software::{Field, xmp};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";

/// More than any camera or scanner writes; a loop of directories ends here.
const DIRECTORIES: usize = 32;
const TEXT_LIMIT: usize = 1024 * 1024;

pub(super) fn is_image(content: &[u8]) -> bool {
    content.starts_with(PNG) || content.starts_with(JPEG) || Tiff::new(content).is_some()
}

/// What the image says of the software that made it.
pub(super) fn metadata(content: &[u8]) -> Vec<Field> {
    if let Some(chunks) = content.strip_prefix(PNG) {
        png(chunks)
    } else if content.starts_with(JPEG) {
        jpeg(content.get(2..).unwrap_or_default())
    } else {
        tiff(content)
    }
}

fn field(name: &'static str, value: &[u8]) -> Field {
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
    Field {
        name,
        value: String::from_utf8_lossy(value).into_owned(),
    }
}

fn png(mut rest: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let Some((kind, tail)) = tail.split_first_chunk::<4>() else {
            break;
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((data, tail)) = tail.split_at_checked(length) else {
            break;
        };
        match kind {
            b"tEXt" | b"zTXt" | b"iTXt" => fields.extend(png_text(kind, data)),
            b"eXIf" => fields.extend(tiff(data)),
            _ => {}
        }
        // The checksum follows.
        rest = tail.get(4..).unwrap_or_default();
    }
    fields
}

fn png_text(kind: &[u8], data: &[u8]) -> Vec<Field> {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (Some(keyword), Some(rest)) = (parts.next(), parts.next()) else {
        return Vec::new();
    };
    let (compressed, text) = match (kind, rest) {
        (b"tEXt", text) => (false, text),
        (b"zTXt", [_method, text @ ..]) => (true, text),
        // Compression flag and method, then language and translated keyword, each ended by 0.
        (b"iTXt", [flag, _method, rest @ ..]) => (
            *flag != 0,
            rest.splitn(3, |byte| *byte == 0).nth(2).unwrap_or_default(),
        ),
        _ => return Vec::new(),
    };
    let inflated;
    let text = if compressed {
        let limited = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(text, TEXT_LIMIT);
        let Ok(whole) = limited else {
            return Vec::new();
        };
        inflated = whole;
        &inflated
    } else {
        text
    };
    match keyword {
        b"XML:com.adobe.xmp" => xmp(text),
        b"Software" => vec![field("Software", text)],
        b"Creation Tool" => vec![field("Creation Tool", text)],
        b"Comment" => vec![field("Comment", text)],
        _ => Vec::new(),
    }
}

fn jpeg(mut rest: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    while let [0xff, marker, tail @ ..] = rest {
        match marker {
            // Fill bytes may precede a marker.
            0xff => {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            // From the start of the scan there is only the picture.
            0xda | 0xd9 => break,
            _ => {}
        }
        let Some((length, _)) = tail.split_first_chunk::<2>() else {
            break;
        };
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((segment, tail)) = tail.split_at_checked(length.max(2)) else {
            break;
        };
        let data = segment.get(2..).unwrap_or_default();
        match marker {
            0xe1 => {
                if let Some(exif) = data.strip_prefix(b"Exif\0\0") {
                    fields.extend(tiff(exif));
                } else if data.starts_with(b"http://ns.adobe.com/xap/1.0/\0") {
                    fields.extend(xmp(data));
                }
            }
            0xfe => fields.push(field("Comment", data)),
            _ => {}
        }
        rest = tail;
    }
    fields
}

/// A TIFF file, or the EXIF block that has its form.
struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        match bytes {
            [b'I', b'I', 42, 0, ..] => Some(Self {
                bytes,
                big_endian: false,
            }),
            [b'M', b'M', 0, 42, ..] => Some(Self {
                bytes,
                big_endian: true,
            }),
            _ => None,
        }
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn long(&self, at: usize) -> Option<usize> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        let long = if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        };
        usize::try_from(long).ok()
    }

    /// The bytes of an entry's value, which stand in the entry itself if there are up to four.
    fn value(&self, entry: usize) -> Option<&'a [u8]> {
        let length = self.long(entry + 4)?;
        let start = if length <= 4 {
            entry + 8
        } else {
            self.long(entry + 8)?
        };
        self.bytes.get(start..)?.get(..length)
    }

    /// Reads one directory into `fields`; gives the place of the next.
    fn directory(&self, at: usize, fields: &mut Vec<Field>) -> Option<usize> {
        let count = usize::from(self.short(at)?);
        for entry in (0..count).map(|index| at + 2 + 12 * index) {
            match self.short(entry)? {
                305 => fields.extend(self.value(entry).map(|value| field("Software", value))),
                700 => fields.extend(self.value(entry).map(xmp).unwrap_or_default()),
                _ => {}
            }
        }
        self.long(at + 2 + 12 * count)
    }
}

fn tiff(bytes: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    let Some(tiff) = Tiff::new(bytes) else {
        return fields;
    };
    let mut next = tiff.long(4);
    for _ in 0..DIRECTORIES {
        match next {
            None | Some(0) => break,
            Some(at) => next = tiff.directory(at, &mut fields),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length, kind, data, &[0; 4]].concat()
    }

    fn values(content: &[u8]) -> Vec<String> {
        assert!(is_image(content));
        metadata(content)
            .into_iter()
            .map(|field| field.value)
            .collect()
    }

    fn exif(big_endian: bool, software: &[u8]) -> Vec<u8> {
        let short = |n: u16| {
            if big_endian {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        let long = |n: u32| {
            if big_endian {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        let mark: &[u8] = if big_endian { b"MM" } else { b"II" };
        [
            mark,
            &short(42),
            &long(8),
            &short(1),
            &short(305),
            &short(2),
            &long(u32::try_from(software.len()).unwrap()),
            &long(26),
            &long(8), // The next directory is this one again: a loop.
            software,
        ]
        .concat()
    }

    #[test]
    fn png_texts_are_read_plain_and_compressed() {
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(b"GIMP 3", 6);
        let image = [
            PNG,
            &chunk(b"IHDR", &[0; 13]),
            &chunk(b"tEXt", b"Software\0Adobe ImageReady"),
            &chunk(b"tEXt", b"Title\0Photoshop"),
            &chunk(b"iTXt", b"Comment\0\0\0en\0\0Created with GIMP"),
            &chunk(b"zTXt", &[b"Software\0\0", packed.as_slice()].concat()),
            &chunk(
                b"iTXt",
                b"XML:com.adobe.xmp\0\0\0\0\0<xmp:CreatorTool>Canva</xmp:CreatorTool>",
            ),
            &chunk(b"eXIf", &exif(true, b"Pixelmator\0")),
            &chunk(b"IEND", b""),
        ]
        .concat();
        let found = values(&image);
        assert_eq!(
            found[..4],
            ["Adobe ImageReady", "Created with GIMP", "GIMP 3", "Canva"]
        );
        assert_eq!(found[4], "Pixelmator");
    }

    #[test]
    fn a_png_text_that_inflates_without_end_is_dropped() {
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b'a'; 4 << 20], 6);
        let text = chunk(b"zTXt", &[b"Software\0\0", packed.as_slice()].concat());
        assert_eq!(metadata(&[PNG, &text].concat()), []);
    }

    #[test]
    fn jpeg_segments_are_read_up_to_the_scan() {
        let segment = |marker: u8, data: &[u8]| {
            let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
            [&[0xff, marker], &length[..], data].concat()
        };
        let image = [
            &[0xff, 0xd8][..],
            &segment(
                0xe1,
                &[b"Exif\0\0", exif(false, b"Adobe Photoshop 24\0").as_slice()].concat(),
            ),
            &segment(
                0xe1,
                b"http://ns.adobe.com/xap/1.0/\0<a xmp:CreatorTool=\"Canva\"/>",
            ),
            &[0xff],
            &segment(0xfe, b"edited"),
            &segment(0xda, b""),
            &segment(0xfe, b"not a comment"),
        ]
        .concat();
        let found = values(&image);
        assert_eq!(found[0], "Adobe Photoshop 24");
        assert_eq!(found[found.len() - 2..], ["Canva", "edited"]);
    }

    #[test]
    fn tiff_is_read_in_both_byte_orders_and_loops_end() {
        for big_endian in [false, true] {
            let found = values(&exif(big_endian, b"GIMP 2.10\0"));
            assert_eq!(found.len(), DIRECTORIES);
            assert_eq!(found[0], "GIMP 2.10");
        }
    }
}
