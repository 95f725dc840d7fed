//! An analysis that a tester chooses.

use std::io;
use std::str::FromStr;

use serde_json::Value;

use super::document::Document;
use super::signal::Signal;

/// A fraud analysis that a tester chooses: for
/// [`Sandbox::set_analysis`](crate::Sandbox::set_analysis) and
/// [`Sandbox::set_next_analysis`](crate::Sandbox::set_next_analysis).
///
/// ```
/// use flinks_sandbox::{Analysis, Signal};
///
/// let clean = Analysis::clean();
/// let failed = Analysis::with_status("UNABLE_TO_PROCESS");
/// let flagged = Analysis::flagged([
///     Signal::new("DATE_EDITS").page(2).count(3),
///     Signal::new("UNRECONCILED_BALANCES").detail("delta", "2000.00"),
/// ]);
/// let own: Analysis = r#"[{"Status": "A_NEW_STATUS", "FullAnalysis": []}]"#.parse()?;
/// # drop((clean, failed, flagged, own));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Parsed from JSON, an array is the `DocumentAnalysis`, and the sandbox adds the rest of the
/// answer; an object is the whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analysis(Value);

impl Analysis {
    /// Returns the analysis of one document that is `COMPLETED` without any signal.
    #[must_use]
    pub fn clean() -> Self {
        Self::of(&Document::default())
    }

    /// Returns the analysis of one document that is `COMPLETED` with these signals.
    #[must_use]
    pub fn flagged(signals: impl IntoIterator<Item = Signal>) -> Self {
        let mut document = Document::default();
        signals.into_iter().for_each(|signal| document.add(signal));
        Self::of(&document)
    }

    /// Returns the analysis of one document that has this status, as `UNABLE_TO_PROCESS`, and no
    /// signal.
    #[must_use]
    pub fn with_status(status: impl Into<String>) -> Self {
        Self::of(&Document::with_status(status.into()))
    }

    fn of(document: &Document) -> Self {
        Self(Value::Array(vec![document.json()]))
    }

    pub(crate) fn from_json(json: Value) -> Option<Self> {
        (json.is_array() || json.is_object()).then_some(Self(json))
    }

    pub(crate) fn into_json(self) -> Value {
        self.0
    }
}

impl FromStr for Analysis {
    type Err = io::Error;

    /// # Errors
    ///
    /// The text is not a JSON array or object.
    fn from_str(json: &str) -> io::Result<Self> {
        Self::from_json(serde_json::from_str(json)?).ok_or_else(|| {
            let kind = io::ErrorKind::InvalidData;
            io::Error::new(kind, "an analysis is a JSON array or object")
        })
    }
}
