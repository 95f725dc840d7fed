//! Prints a fraud analysis and its verdict: text for people, a JSON object for scripts.

use std::time::SystemTime;

use flinks_fraud::Verdict;
use flinks_types::text::escaped;
use flinks_types::{
    Detail, DocumentAnalysis, DocumentType, FraudAnalysis, FraudSignal, LoginId, SignalType,
};
use serde_json::{Value, json};

use crate::output::Output;
use crate::output::text::counted;

/// The maximum number of details per signal in the text. The JSON has all.
const MAX_DETAILS: usize = 8;

/// A fraud analysis and its verdict.
pub(crate) struct AnalysisReport {
    pub(crate) login_id: LoginId,
    /// When this program read the analysis.
    pub(crate) read_at: SystemTime,
    pub(crate) verdict: Verdict,
    pub(crate) analysis: FraudAnalysis,
}

impl AnalysisReport {
    /// Returns the text for people: the verdict, then each document with its signals.
    pub(crate) fn to_text(&self, output: Output) -> String {
        let documents = &self.analysis.documents;
        let mut text = format!("{}\n", self.headline(output));
        if !documents.is_empty() {
            text.push('\n');
        }
        for (index, document) in documents.iter().enumerate() {
            text.push_str(&format!("Document {} of {}: ", index + 1, documents.len()));
            text.push_str(&document_text(document, output));
            // Signals take several lines, so an empty line separates the next document.
            if signals(document).next().is_some() && index + 1 < documents.len() {
                text.push('\n');
            }
        }
        if documents.len() > 1 {
            let note =
                "\nThe service does not say which file a document is; its order may differ.\n";
            text.push_str(&output.faint(note));
        }
        text
    }

    fn headline(&self, output: Output) -> String {
        let documents = &self.analysis.documents;
        let all = counted(documents.len(), "document");
        match &self.verdict {
            Verdict::Clean => format!(
                "Verdict: {}, no fraud signal in {all}",
                output.green("CLEAN")
            ),
            Verdict::Flagged(_) => {
                let found: Vec<_> = documents
                    .iter()
                    .map(|document| signals(document).count())
                    .collect();
                let flagged = found.iter().filter(|count| **count > 0).count();
                let count = counted(found.iter().sum(), "signal");
                format!(
                    "Verdict: {}, {count} in {flagged} of {all}",
                    output.red("FLAGGED")
                )
            }
            Verdict::Undetermined(reason) => {
                let reason = reason.to_string();
                let reason = escaped(&reason);
                format!("Verdict: {}, {reason}", output.yellow("UNDETERMINED"))
            }
            other => format!("Verdict: {}", output.yellow(other.as_str())),
        }
    }

    /// Returns the JSON object for scripts. Lists that the service left out are empty; the verdict
    /// considers the difference.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({
            "login_id": self.login_id.as_str(),
            "verdict": self.verdict.as_str(),
            "documents": self.analysis.documents.iter().map(document_json).collect::<Vec<_>>(),
        });
        if let (Verdict::Undetermined(reason), Some(object)) =
            (&self.verdict, object.as_object_mut())
        {
            object.insert("reason".to_owned(), json!(reason.to_string()));
        }
        object
    }
}

fn signals(document: &DocumentAnalysis) -> impl Iterator<Item = &FraudSignal> {
    document
        .full_analysis
        .iter()
        .flatten()
        .flat_map(|form| form.fraud_signals.iter().flatten())
}

fn document_json(document: &DocumentAnalysis) -> Value {
    let analyses = document.full_analysis.iter().flatten().map(|form| {
        let signals: Vec<_> = form
            .fraud_signals
            .iter()
            .flatten()
            .map(signal_json)
            .collect();
        json!({ "document_type": form.document_type, "signals": signals })
    });
    json!({ "status": document.status, "analyses": analyses.collect::<Vec<_>>() })
}

fn signal_json(signal: &FraudSignal) -> Value {
    let details: Vec<_> = details(signal)
        .map(|detail| {
            json!({
                "specific_type": detail.specific_type,
                "value": detail.value,
                "data_type": detail.data_type,
            })
        })
        .collect();
    json!({
        "type": signal.signal_type,
        "page": signal.page_number,
        "count": signal.count,
        "details": details,
    })
}

fn details(signal: &FraudSignal) -> impl Iterator<Item = &Detail> {
    signal
        .underlying_data
        .iter()
        .flat_map(|finding| &finding.details)
}

fn document_text(document: &DocumentAnalysis, output: Output) -> String {
    let status = document
        .status
        .as_ref()
        .map_or("no status", |status| status.as_str());
    let forms = document.full_analysis.iter().flatten();
    let kinds: Vec<_> = forms
        .filter_map(|form| form.document_type.as_ref())
        .map(kind_name)
        .collect();
    let kind = if kinds.is_empty() {
        String::new()
    } else {
        format!("{}, ", kinds.join(" + "))
    };
    let completed = document
        .status
        .as_ref()
        .is_some_and(|status| status.is_completed());
    let found: String = signals(document)
        .map(|signal| signal_text(signal, output))
        .collect();
    let none = if found.is_empty() && completed && !kinds.is_empty() {
        ", no fraud signal"
    } else {
        ""
    };
    format!("{kind}{}{none}\n{found}", escaped(status))
}

fn kind_name(kind: &DocumentType) -> String {
    match kind {
        DocumentType::BankStatement => "bank statement".to_owned(),
        DocumentType::Form => "form".to_owned(),
        DocumentType::Paystub => "pay stub".to_owned(),
        DocumentType::VoidCheque => "void cheque (not checked for fraud)".to_owned(),
        DocumentType::W2 => "W-2".to_owned(),
        DocumentType::Other(_) | _ => escaped(kind.as_str()).into_owned(),
    }
}

fn signal_text(signal: &FraudSignal, output: Output) -> String {
    let name = signal
        .signal_type
        .as_ref()
        .map_or("unnamed signal", |kind| kind.as_str());
    let place = match signal.page_number {
        Some(page) => format!("page {page}"),
        None => "whole document".to_owned(),
    };
    let times = match signal.count {
        None => String::new(),
        Some(1) => ", once".to_owned(),
        Some(count) => format!(", {count} times"),
    };
    let mut text = format!(
        "  {} ({place}{times})\n",
        output.red(&format!("! {}", escaped(name)))
    );
    if let Some(meaning) = signal.signal_type.as_ref().and_then(meaning) {
        text.push_str(&format!("    {meaning}\n"));
    }
    let all: Vec<_> = details(signal).collect();
    let label =
        |detail: &Detail| escaped(detail.specific_type.as_deref().unwrap_or("value")).into_owned();
    let shown = all.iter().take(MAX_DETAILS);
    let width = shown
        .clone()
        .map(|detail| label(detail).chars().count())
        .max()
        .unwrap_or_default();
    for detail in shown {
        let value = escaped(detail.value.as_deref().unwrap_or("-"));
        text.push_str(&format!("      {:<width$}  {value}\n", label(detail)));
    }
    if all.len() > MAX_DETAILS {
        let rest = all.len() - MAX_DETAILS;
        text.push_str(&format!("      … {rest} more; --json shows all\n"));
    }
    text
}

/// Explains a signal in one line.
fn meaning(kind: &SignalType) -> Option<&'static str> {
    Some(match kind {
        SignalType::AccountInformationEdits => {
            "An account number, a name or an address was altered."
        }
        SignalType::DateEdits => "A date was altered.",
        SignalType::DescriptionEdits => "The text of a transaction was altered.",
        SignalType::DollarAmountEdits => "An amount or a balance was altered.",
        SignalType::EditingSoftwareDetected => "The document's metadata names an editing program.",
        SignalType::EmptyTransactionData => "A transaction section is empty.",
        SignalType::MisalignedText => "Text is not aligned with its surroundings.",
        SignalType::MissingTransactionData => "Transactions that should be there are missing.",
        SignalType::UnreconciledBalances => "The running balances do not match the transactions.",
        SignalType::UnusualDocumentSource => {
            "The document was not created as banks create theirs (printing to PDF has the same effect)."
        }
        SignalType::Other(_) | _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use flinks_fraud::Reason;
    use flinks_types::from_json;

    use super::*;

    /// The guide's own example, with a hostile name and a status of its own.
    const ANALYSIS: &str = r#"{"DocumentAnalysis":[
        {"Status":"COMPLETED","FullAnalysis":[{"DocumentType":"BANK_STATEMENT","FraudSignals":[]}]},
        {"Status":"completed","FullAnalysis":[{"DocumentType":"BANK_STATEMENT","FraudSignals":[
            {"Type":"SIGNAL_\u001b[31mTYPE","PageNumber":1,"Count":2,"UnderlyingData":[
                {"Details":[{"SpecificType":"delta","Value":"0.85","DataType":"float"}]},
                {"Details":[{"SpecificType":"delta","Value":"-1.00","DataType":"float"}]}]},
            {"Type":"Unreconciled balances","PageNumber":null}]}]},
        {"Status":"PROCESSING"}]}"#;

    fn report(analysis: &str) -> AnalysisReport {
        let analysis: FraudAnalysis = from_json(analysis.as_bytes()).expect("JSON");
        let flags = analysis.documents.iter().flat_map(signals).count();
        let verdict = if flags == 0 {
            Verdict::Undetermined(Reason::NoDocuments)
        } else {
            Verdict::Flagged(Vec::new())
        };
        AnalysisReport {
            login_id: LoginId::new("aabf32b7").expect("an id"),
            read_at: SystemTime::UNIX_EPOCH,
            verdict,
            analysis,
        }
    }

    #[test]
    fn the_json_has_the_whole_analysis() {
        let json = report(ANALYSIS).to_json();
        assert_eq!(json["verdict"], "flagged");
        assert_eq!(json["login_id"], "aabf32b7");
        assert!(json.get("reason").is_none());
        let documents = &json["documents"];
        assert_eq!(documents[0]["status"], "COMPLETED");
        assert_eq!(documents[0]["analyses"][0]["signals"], json!([]));
        let signal = &documents[1]["analyses"][0]["signals"][0];
        assert_eq!(signal["page"], 1);
        assert_eq!(signal["count"], 2);
        assert_eq!(
            signal["details"],
            json!([
                { "specific_type": "delta", "value": "0.85", "data_type": "float" },
                { "specific_type": "delta", "value": "-1.00", "data_type": "float" },
            ])
        );
        assert_eq!(
            documents[1]["analyses"][0]["signals"][1]["page"],
            Value::Null
        );
        assert_eq!(documents[2]["analyses"], json!([]));
        let reason = report("{}").to_json();
        assert_eq!(reason["verdict"], "undetermined");
        assert_eq!(reason["reason"], "the analysis has no documents");
    }

    #[test]
    fn the_text_has_every_signal_without_control_characters() {
        let text = report(ANALYSIS).to_text(Output::without_color());
        for part in [
            "Verdict: FLAGGED, 2 signals in 1 of 3 documents",
            "Document 1 of 3: bank statement, COMPLETED, no fraud signal\n",
            "(page 1, 2 times)",
            "delta  0.85",
            "delta  -1.00",
            "! Unreconciled balances (whole document)\n    The running balances",
            "Document 3 of 3: PROCESSING\n",
        ] {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let unknown = report("{}").to_text(Output::without_color());
        assert_eq!(
            unknown,
            "Verdict: UNDETERMINED, the analysis has no documents\n"
        );
    }
}
