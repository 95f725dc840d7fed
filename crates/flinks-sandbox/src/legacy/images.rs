//! The sixteen pictures of an image selection: generated PNG files.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

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
    chunk(&mut file, *b"IDAT", &stored(&pixels(number)));
    chunk(&mut file, *b"IEND", &[]);
    file
}

/// A zlib stream of one block that is not compressed.
fn stored(data: &[u8]) -> Vec<u8> {
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    let head = [
        [0x78, 0x01, 0x01].as_slice(),
        &length.to_le_bytes(),
        &(!length).to_le_bytes(),
    ];
    [head.concat().as_slice(), data, &(b << 16 | a).to_be_bytes()].concat()
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

    use super::*;
    use crate::fraud::is_readable;

    #[test]
    fn sixteen_different_pictures_of_about_4_000_characters() {
        let images = sixteen();
        assert_eq!(images.iter().collect::<HashSet<_>>().len(), 16);
        for image in &images {
            assert!((3_900..4_100).contains(&image.len()), "{}", image.len());
            let file = BASE64_STANDARD.decode(image).unwrap();
            assert!(is_readable("a.png", &file));
        }
    }
}
