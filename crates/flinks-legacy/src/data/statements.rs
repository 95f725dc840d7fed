//! The bank statements of a session: `legacy.statements`, and the contents of each as bytes.

use std::io::{self, Write};

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use flinks_transport::{Error, ErrorKind, Route};
use flinks_types::{AccountId, FlinksCode, NumberOfStatements, Statement, StatementsResponse};
use serde::Serialize;

use super::call::Data;
use super::source::DataSource;
use super::wait::DataWait;
use crate::client::LegacyClient;
use crate::session::Session;

impl LegacyClient {
    /// Fetches the bank's own statements of a session or a LoginId: `legacy.statements`. The returned
    /// [`DataWait`] sends nothing until it is awaited; [`StatementContent`] writes the statements to
    /// files.
    ///
    /// Canada only, and Flinks must have enabled it. *Effect:* that of
    /// [`accounts_detail`](Self::accounts_detail).
    pub fn statements(&self, of: impl Into<DataSource>) -> DataWait<Statements> {
        DataWait::start(self.clone(), of)
    }

    /// Continues to wait for what [`statements`](Self::statements) started:
    /// `legacy.statements_async`.
    pub fn statements_async(&self, session: &Session) -> DataWait<Statements> {
        DataWait::resume(self.clone(), session)
    }
}

/// The options of GetStatements. What is not set is left to the service.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statements {
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_statements: Option<NumberOfStatements>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts_filter: Vec<AccountId>,
}

impl Statements {
    /// The service's default: the latest statement of every account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many statements the answer has. [`NumberOfStatements::Months12`] requires exactly
    /// one [account](Self::with_account).
    #[must_use]
    pub fn with_number(mut self, number: NumberOfStatements) -> Self {
        self.number_of_statements = Some(number);
        self
    }

    /// Adds an account to the filter. With a filter, the answer has only statements of its accounts.
    #[must_use]
    pub fn with_account(mut self, id: AccountId) -> Self {
        self.accounts_filter.push(id);
        self
    }
}

impl Data for Statements {
    type Response = StatementsResponse;

    const OPERATION: &'static str = "legacy.statements";
    const POLL_OPERATION: &'static str = "legacy.statements_async";
    const ROUTE: Route = Route::post("/v3/{customerId}/BankingServices/GetStatements");
    const POLL_ROUTE: Route =
        Route::get("/v3/{customerId}/BankingServices/GetStatementsAsync/{requestId}");
    /// Enough for twelve months of statements of several megabytes each.
    const MAX_RESPONSE_BYTES: usize = 256 << 20;

    fn status(response: &StatementsResponse) -> (Option<u16>, Option<&FlinksCode>) {
        (response.http_status_code, response.flinks_code.as_ref())
    }

    fn check(&self) -> Result<(), Error> {
        let is_year = self.number_of_statements == Some(NumberOfStatements::Months12);
        if is_year && self.accounts_filter.len() != 1 {
            return Err(Error::new(
                ErrorKind::Input,
                "twelve months of statements are given for one account at a time: name one account",
            ));
        }
        Ok(())
    }
}

/// Padding is optional: it adds nothing to the length.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Characters decoded at a time: a multiple of 4, because every 4 are 3 bytes.
const CHUNK: usize = 64 * 1024;

/// The contents of a [`Statement`] as bytes, decoded from base64.
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
    /// Writes the contents, 48 KiB at a time, and returns their length in bytes.
    ///
    /// After an error the writer holds a part of the contents: write to a temporary file and rename
    /// it afterwards.
    ///
    /// # Errors
    /// Those of the writer, and [`io::ErrorKind::InvalidData`] if the statement has no contents or
    /// they are not base64.
    fn write_to<W: Write>(&self, writer: W) -> io::Result<u64>;

    /// Returns the whole contents.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] if the statement has no contents or they are not base64.
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

/// Skips line breaks, which some encoders insert.
fn decode<W: Write>(text: &str, mut writer: W) -> io::Result<u64> {
    let mut characters = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let mut chunk = Vec::with_capacity(CHUNK.min(text.len()));
    let mut bytes = vec![0; CHUNK.min(text.len()) / 4 * 3 + 3];
    let mut written = 0;
    let mut ended = false;
    loop {
        chunk.clear();
        chunk.extend(characters.by_ref().take(CHUNK));
        if chunk.is_empty() {
            return Ok(written);
        }
        // A chunk that does not fill its bytes ended in padding, or was the last one.
        if ended {
            return Err(invalid(
                "the base64 of the statement continues after its end",
            ));
        }
        let length = BASE64
            .decode_slice_unchecked(&chunk, &mut bytes)
            .map_err(|_| invalid("the statement's contents are not base64"))?;
        ended = length < CHUNK / 4 * 3;
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
    fn a_large_statement_is_written_in_chunks() {
        let contents: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
        let statement = statement(&STANDARD.encode(&contents));
        let mut chunks = Pieces(vec![]);
        assert_eq!(statement.write_to(&mut chunks).unwrap(), 1_000_000);
        assert!(chunks.0.len() > 20 && chunks.0.iter().all(|chunk| *chunk <= 48 * 1024));
        assert_eq!(statement.to_bytes().unwrap(), contents);
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        let full = "QUJD".repeat(CHUNK / 4);
        let padded = format!("{}QQ==", "QUJD".repeat(CHUNK / 4 - 1));
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
