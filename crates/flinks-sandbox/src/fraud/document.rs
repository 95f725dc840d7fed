//! The analysis of one document.

use serde_json::{Value, json};

use super::signal::Signal;

/// What the analysis says about one document once it is final.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// `None` is `COMPLETED`.
    pub(crate) status: Option<String>,
    /// `None` is `BANK_STATEMENT`.
    pub(crate) document_type: Option<String>,
    signals: Vec<Signal>,
}

impl Document {
    pub(crate) fn with_status(status: impl Into<String>) -> Self {
        Self {
            status: Some(status.into()),
            ..Self::default()
        }
    }

    /// Adds a signal; occurrences on the same page are counted together.
    pub(crate) fn add(&mut self, signal: Signal) {
        let same = |one: &&mut Signal| one.kind == signal.kind && one.page == signal.page;
        match self.signals.iter_mut().find(same) {
            Some(earlier) => earlier.occurrences.extend(signal.occurrences),
            None => self.signals.push(signal),
        }
    }

    pub(crate) fn json(&self) -> Value {
        let status = self.status.as_deref().unwrap_or("COMPLETED");
        let signals: Vec<_> = self.signals.iter().map(Signal::json).collect();
        let is_analyzed =
            status == "COMPLETED" || self.document_type.is_some() || !signals.is_empty();
        let analysis = json!({
            "DocumentType": self.document_type.as_deref().unwrap_or("BANK_STATEMENT"),
            "FraudSignals": signals,
        });
        let analyses = if is_analyzed {
            vec![analysis]
        } else {
            Vec::new()
        };
        json!({"Status": status, "FullAnalysis": analyses})
    }
}
