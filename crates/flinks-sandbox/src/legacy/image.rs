//! The sixteen pictures of an image selection: real PNG files, made here.

use base64::{Engine, prelude::BASE64_STANDARD};
use miniz_oxide::deflate::compress_to_vec_zlib;

const SIDE: i32 = 31;

/// Sixteen pictures in base64, each of about 4,000 characters, as Laurentienne's are.
pub(super) fn sixteen() -> Vec<String> {
    (0..16)
        .map(|number| BASE64_STANDARD.encode(png(number)))
        .collect()
}

/// A disc, a ring, a square or a cross, in one of four colours.
fn png(number: i32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    for side in [SIDE, SIDE] {
        header.extend(side.to_be_bytes());
    }
    // Eight bits, red, green and blue, no interlacing.
    header.extend([8, 2, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header);
    // Level 0 stores: the size does not depend on the picture.
    chunk(
        &mut file,
        *b"IDAT",
        &compress_to_vec_zlib(&pixels(number), 0),
    );
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn pixels(number: i32) -> Vec<u8> {
    let ink = match number / 4 {
        0 => [196, 30, 58],
        1 => [0, 103, 165],
        2 => [0, 128, 85],
        _ => [90, 60, 140],
    };
    let mut pixels = Vec::new();
    for y in 0..SIDE {
        // No filter.
        pixels.push(0);
        for x in 0..SIDE {
            let (across, down) = (x - SIDE / 2, y - SIDE / 2);
            let distance = across * across + down * down;
            let inside = match number % 4 {
                0 => distance < 140,
                1 => (80..160).contains(&distance),
                2 => across.abs() < 10 && down.abs() < 10,
                _ => across.abs() < 4 || down.abs() < 4,
            };
            pixels.extend(if inside { ink } else { [250, 250, 245] });
        }
    }
    pixels
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    file.extend(length.to_be_bytes());
    file.extend(kind);
    file.extend(data);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&kind);
    crc.update(data);
    file.extend(crc.finalize().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use miniz_oxide::inflate::decompress_to_vec_zlib;

    use super::*;

    #[test]
    fn sixteen_different_pictures_of_about_4_000_characters() {
        let images = sixteen();
        assert_eq!(images.iter().collect::<HashSet<_>>().len(), 16);
        for image in &images {
            assert!((3_900..4_100).contains(&image.len()), "{}", image.len());
        }
    }

    #[test]
    fn every_chunk_is_whole() {
        let file = BASE64_STANDARD.decode(&sixteen()[5]).unwrap();
        let mut rest = file.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap();
        let mut kinds = Vec::new();
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[..4].try_into().unwrap());
            let (chunk, next) = rest[4..].split_at(4 + usize::try_from(length).unwrap());
            let crc = u32::from_be_bytes(next[..4].try_into().unwrap());
            assert_eq!(crc32fast::hash(chunk), crc);
            if chunk.starts_with(b"IDAT") {
                let pixels = decompress_to_vec_zlib(&chunk[4..]).unwrap();
                assert_eq!(pixels.len(), 31 * (1 + 31 * 3));
            }
            kinds.push(String::from_utf8(chunk[..4].to_vec()).unwrap());
            rest = &next[4..];
        }
        assert_eq!(kinds, ["IHDR", "IDAT", "IEND"]);
    }
}
