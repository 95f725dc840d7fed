//! The contents of a statement, decoded from base64 piece by piece.

use std::io::{self, Write};

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use flinks_types::Statement;

/// The padding says nothing that the length does not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Characters a piece: a multiple of 4, each of which are 3 bytes.
const PIECE: usize = 64 * 1024;

/// What a [`Statement`] contains, as bytes.
///
/// ```
/// use flinks_legacy::StatementContent;
/// use flinks_types::Statement;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let json = r#"{ "UniqueId": "0a1b", "FileType": "PDF", "Base64Bytes": "JVBERi0xLjcK" }"#;
/// let statement: Statement = flinks_types::from_json(json.as_bytes())?;
/// assert_eq!(statement.to_bytes()?, b"%PDF-1.7\n");
///
/// let mut file = Vec::new(); // any writer, such as a file
/// assert_eq!(statement.write_to(&mut file)?, 9);
/// # Ok(())
/// # }
/// ```
pub trait StatementContent {
    /// Writes the contents, 48 KiB at a time, and says how many bytes they are.
    ///
    /// After an error the writer holds what came before it: write to a file of another name, and
    /// rename it when all is well.
    ///
    /// # Errors
    /// The writer's own; [`io::ErrorKind::InvalidData`] when the statement has no contents or they
    /// are no base64.
    fn write_to<W: Write>(&self, writer: W) -> io::Result<u64>;

    /// The contents as one piece.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when the statement has no contents or they are no base64.
    fn to_bytes(&self) -> io::Result<Vec<u8>>;
}

impl StatementContent for Statement {
    fn write_to<W: Write>(&self, writer: W) -> io::Result<u64> {
        decode(text(self)?, writer)
    }

    fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let text = text(self)?;
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
        decode(text, &mut bytes)?;
        Ok(bytes)
    }
}

fn text(statement: &Statement) -> io::Result<&str> {
    let text = statement.base64_bytes.as_deref();
    text.ok_or_else(|| invalid("the statement has no contents"))
}

/// Line breaks are left out, as encoders that wrap their lines put them in.
fn decode<W: Write>(text: &str, mut writer: W) -> io::Result<u64> {
    let mut characters = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let mut piece = Vec::with_capacity(PIECE.min(text.len()));
    let mut bytes = vec![0; PIECE.min(text.len()) / 4 * 3 + 3];
    let mut written = 0;
    let mut ended = false;
    loop {
        piece.clear();
        piece.extend(characters.by_ref().take(PIECE));
        if piece.is_empty() {
            return Ok(written);
        }
        // A piece that does not fill its bytes ended in padding, or was the last one.
        if ended {
            return Err(invalid("the statement goes on after its end"));
        }
        let length = BASE64
            .decode_slice_unchecked(&piece, &mut bytes)
            .map_err(|_| invalid("the statement's contents are no base64"))?;
        ended = length < PIECE / 4 * 3;
        writer.write_all(bytes.get(..length).unwrap_or_default())?;
        written += length as u64;
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    fn statement(base64: &str) -> Statement {
        let json = serde_json::json!({ "Base64Bytes": base64 });
        serde_json::from_str(&json.to_string()).unwrap()
    }

    /// Notes how much comes at a time.
    struct Pieces(Vec<usize>);

    impl Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_large_statement_is_written_in_pieces() {
        let contents: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
        let statement = statement(&STANDARD.encode(&contents));
        let mut pieces = Pieces(vec![]);
        assert_eq!(statement.write_to(&mut pieces).unwrap(), 1_000_000);
        assert!(pieces.0.len() > 20 && pieces.0.iter().all(|piece| *piece <= 48 * 1024));
        assert_eq!(statement.to_bytes().unwrap(), contents);
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        let full = "QUJD".repeat(PIECE / 4);
        let padded = format!("{}QQ==", "QUJD".repeat(PIECE / 4 - 1));
        for wrong in [
            "A".to_owned(),
            "====".to_owned(),
            "QUJD!".to_owned(),
            "QQ==QUJD".to_owned(),
            "é".to_owned(),
            format!("{padded}QUJD"),
            format!("{full}*"),
        ] {
            let error = statement(&wrong).to_bytes().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
        let none = Statement::default().to_bytes().unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_writer_that_fails_ends_it() {
        let mut small = [0; 2];
        let error = statement("QUJD").write_to(&mut small[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }

    proptest! {
        #[test]
        fn every_content_comes_back(
            contents in proptest::collection::vec(any::<u8>(), 0..2_000),
            width in 1usize..100,
        ) {
            let padded = STANDARD.encode(&contents);
            let lines: Vec<_> = padded.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
            for text in [padded.clone(), STANDARD_NO_PAD.encode(&contents), lines.join("\r\n")] {
                if text.is_empty() {
                    continue;
                }
                prop_assert_eq!(&statement(&text).to_bytes().unwrap(), &contents);
            }
        }

        #[test]
        fn any_text_is_decoded_or_refused(text in ".{0,100}") {
            drop(statement(&text).to_bytes());
        }
    }
}
