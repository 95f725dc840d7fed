//! Documents: the fraud signals that their content gives, whatever their name.

use serde_json::{Value, json};

/// A sign of fraud in one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signal {
    kind: &'static str,
    /// From 1; `None` for what concerns the whole document.
    page: Option<usize>,
    occurrences: Vec<Vec<Detail>>,
}

/// One fact of an occurrence, always as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    specific_type: &'static str,
    value: String,
    data_type: &'static str,
}

impl Signal {
    /// The signal of the guide's example ("Response — Fraud Signals Detected"), with as many
    /// occurrences as its count says.
    pub(crate) fn guide_example() -> Self {
        let delta = Detail {
            specific_type: "delta",
            value: "0.85".to_owned(),
            data_type: "float",
        };
        Self {
            kind: "SIGNAL_TYPE",
            page: Some(1),
            occurrences: vec![vec![delta.clone()], vec![delta]],
        }
    }

    pub(crate) fn json(&self) -> Value {
        let occurrences: Vec<Value> = self
            .occurrences
            .iter()
            .map(|details| {
                let details: Vec<Value> = details.iter().map(Detail::json).collect();
                json!({"Details": details})
            })
            .collect();
        json!({
            "Type": self.kind,
            "PageNumber": self.page,
            "Count": self.occurrences.len(),
            "UnderlyingData": occurrences,
        })
    }
}

impl Detail {
    fn json(&self) -> Value {
        json!({
            "SpecificType": self.specific_type,
            "Value": self.value,
            "DataType": self.data_type,
        })
    }
}

/// The signals of a document, in a fixed order.
pub(crate) fn inspect(_content: &[u8]) -> Vec<Signal> {
    Vec::new()
}
