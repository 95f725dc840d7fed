//! Fraud signals, as the analysis shows them, and the statuses of a document.

use serde_json::{Value, json};

/// Every status of a document.
pub(crate) const STATUSES: [&str; 7] = [
    "COMPLETED",
    "PENDING",
    "PROCESSING",
    "UNABLE_TO_PROCESS",
    "UNSUPPORTED",
    "DELETED",
    "DOCUMENT_PROCESSING_FAILED",
];

/// A kind of signal, with the detail that it has unless a marker names another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SignalKind {
    pub(crate) kind: &'static str,
    example: &'static str,
}

/// The ten kinds of signal.
pub(crate) const SIGNALS: [SignalKind; 10] = [
    signal("ACCOUNT_INFORMATION_EDITS", "field_name:account_holder"),
    signal("DATE_EDITS", "field_name:transaction_date"),
    signal("DESCRIPTION_EDITS", "field_name:transaction_description"),
    signal("DOLLAR_AMOUNT_EDITS", "field_name:transaction_amount"),
    signal("EDITING_SOFTWARE_DETECTED", "field_name:Producer"),
    signal("EMPTY_TRANSACTION_DATA", "field_name:transactions"),
    signal("MISALIGNED_TEXT", "field_name:transaction_amount"),
    signal("MISSING_TRANSACTION_DATA", "field_name:transactions"),
    signal("UNRECONCILED_BALANCES", "delta:0.85"),
    signal("UNUSUAL_DOCUMENT_SOURCE", "field_name:Producer"),
];

const fn signal(kind: &'static str, example: &'static str) -> SignalKind {
    SignalKind { kind, example }
}

/// A fraud signal of one document, for [`Analysis::flagged`](crate::Analysis::flagged).
///
/// It is about the whole document and occurs once, with one fitting detail, unless it says
/// otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    pub(crate) kind: String,
    /// From 1; `None` for a signal about the whole document.
    pub(crate) page: Option<usize>,
    /// The details of each occurrence.
    pub(crate) occurrences: Vec<Vec<Detail>>,
}

impl Signal {
    /// Returns a signal of this `Type`, as `DATE_EDITS`; a `Type` that no guide lists is kept.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        let kind = kind.into();
        let details = example(&kind).into_iter().collect();
        Self {
            kind,
            page: None,
            occurrences: vec![details],
        }
    }

    /// Sets the page, from 1.
    #[must_use]
    pub const fn page(mut self, page: usize) -> Self {
        self.page = Some(page);
        self
    }

    /// Sets the number of occurrences.
    #[must_use]
    pub fn count(mut self, count: usize) -> Self {
        let details = self.occurrences.first().cloned().unwrap_or_default();
        self.occurrences = vec![details; count];
        self
    }

    /// Adds a `SpecificType` and its `Value` to each occurrence, in place of the fitting one.
    ///
    /// The `DataType` is `bool`, `int`, `float` or `str`, as the value looks.
    #[must_use]
    pub fn detail(mut self, specific_type: &str, value: &str) -> Self {
        let example = example(&self.kind);
        for details in &mut self.occurrences {
            details.retain(|detail| Some(detail) != example.as_ref());
            details.push(Detail {
                specific_type: specific_type.to_owned(),
                value: value.to_owned(),
            });
        }
        self
    }

    pub(crate) fn json(&self) -> Value {
        let details = |details: &Vec<Detail>| -> Value {
            let details: Vec<_> = details.iter().map(Detail::json).collect();
            json!({"Details": details})
        };
        json!({
            "Type": self.kind,
            "PageNumber": self.page,
            "Count": self.occurrences.len(),
            "UnderlyingData": self.occurrences.iter().map(details).collect::<Vec<_>>(),
        })
    }
}

fn example(kind: &str) -> Option<Detail> {
    let kind = SIGNALS.iter().find(|one| one.kind == kind)?;
    Detail::example_of(kind)
}

/// One fact about an occurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    specific_type: String,
    value: String,
}

impl Detail {
    /// Reads `NAME:VALUE`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (specific_type, value) = text.split_once(':')?;
        Some(Self {
            specific_type: specific_type.to_owned(),
            value: value.to_owned(),
        })
    }

    /// The detail of a marker that names none.
    pub(crate) fn example_of(kind: &SignalKind) -> Option<Self> {
        Self::parse(kind.example)
    }

    fn json(&self) -> Value {
        let data_type = match self.value.as_str() {
            "true" | "false" => "bool",
            value if value.parse::<i64>().is_ok() => "int",
            value if value.parse::<f64>().is_ok_and(f64::is_finite) => "float",
            _ => "str",
        };
        json!({
            "SpecificType": self.specific_type,
            "Value": self.value,
            "DataType": data_type,
        })
    }
}
