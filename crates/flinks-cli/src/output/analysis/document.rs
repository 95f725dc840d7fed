//! What is known of an analyzed document, in words for the terminal and the page.

use flinks_types::text::escaped;
use flinks_types::{DocumentAnalysis, DocumentType, FraudSignal, FullAnalysis};

use crate::output::text::counted;

/// Returns the signals of a document.
pub(crate) fn signals(document: &DocumentAnalysis) -> impl Iterator<Item = &FraudSignal> {
    forms(document).flat_map(|form| form.fraud_signals.iter().flatten())
}

/// Returns the types of a document's forms: `bank statement + pay stub`. Empty if none is stated.
pub(crate) fn kind(document: &DocumentAnalysis) -> String {
    let kinds = forms(document).filter_map(|form| form.document_type.as_ref());
    kinds.map(kind_name).collect::<Vec<_>>().join(" + ")
}

/// Returns the status as the service states it.
pub(crate) fn status(document: &DocumentAnalysis) -> &str {
    let status = document.status.as_ref();
    status.map_or("no status", |status| status.as_str())
}

/// Returns what was found in a document: only one that was checked has "no fraud signal".
pub(crate) fn finding(document: &DocumentAnalysis) -> String {
    let found = signals(document).count();
    if found > 0 {
        return counted(found, "signal");
    }
    let status = document.status.as_ref();
    let is_statement =
        |form: &FullAnalysis| form.document_type == Some(DocumentType::BankStatement);
    let finding = if status.is_none_or(|status| !status.is_terminal()) {
        "not finished"
    } else if status.is_none_or(|status| !status.is_completed()) {
        "not processed"
    } else if !forms(document).all(is_statement) {
        "not checked for fraud"
    } else if forms(document).next().is_none()
        || forms(document).any(|form| form.fraud_signals.is_none())
    {
        "not analyzed"
    } else {
        "no fraud signal"
    };
    finding.to_owned()
}

fn forms(document: &DocumentAnalysis) -> impl Iterator<Item = &FullAnalysis> {
    document.full_analysis.iter().flatten()
}

fn kind_name(kind: &DocumentType) -> String {
    match kind {
        DocumentType::BankStatement => "bank statement".to_owned(),
        DocumentType::Form => "form".to_owned(),
        DocumentType::Paystub => "pay stub".to_owned(),
        DocumentType::VoidCheque => "void cheque".to_owned(),
        DocumentType::W2 => "W-2".to_owned(),
        DocumentType::Other(_) | _ => escaped(kind.as_str()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use flinks_types::from_json;

    use super::*;

    #[test]
    fn only_a_checked_document_has_no_signal() {
        let rows = [
            (
                r#"{"Status":"COMPLETED","FullAnalysis":[{"DocumentType":"BANK_STATEMENT","FraudSignals":[]}]}"#,
                "no fraud signal",
            ),
            (
                r#"{"Status":"COMPLETED","FullAnalysis":[{"DocumentType":"BANK_STATEMENT"}]}"#,
                "not analyzed",
            ),
            (r#"{"Status":"COMPLETED"}"#, "not analyzed"),
            (
                r#"{"Status":"COMPLETED","FullAnalysis":[{"DocumentType":"VOID_CHEQUE","FraudSignals":[]}]}"#,
                "not checked for fraud",
            ),
            (
                r#"{"Status":"PENDING","FullAnalysis":[{"DocumentType":"BANK_STATEMENT","FraudSignals":[]}]}"#,
                "not finished",
            ),
            (r#"{"Status":"UNABLE_TO_PROCESS"}"#, "not processed"),
            (
                r#"{"Status":"PENDING","FullAnalysis":[{"FraudSignals":[null]}]}"#,
                "1 signal",
            ),
        ];
        for (json, expected) in rows {
            let document: DocumentAnalysis = from_json(json.as_bytes()).expect("a document");
            assert_eq!(finding(&document), expected, "{json}");
        }
    }
}
