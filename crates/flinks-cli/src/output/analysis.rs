//! Prints a fraud analysis and its verdict: text for people, a JSON object for scripts.

pub(crate) mod document;

use std::collections::HashSet;
use std::time::SystemTime;

use flinks_fraud::Verdict;
use flinks_types::text::escaped;
use flinks_types::{Detail, DocumentAnalysis, FraudAnalysis, FraudSignal, LoginId};
use flinks_upload::FileInfo;
use serde_json::{Value, json};

use self::document::signals;
use crate::output::text::{counted, date, labeled, wrapped};
use crate::output::{Output, explanations};

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
    /// Returns the text for people: the verdict, each document with its signals, and what to do next.
    /// The uploaded files are shown if they are known.
    pub(crate) fn to_text(&self, files: &[FileInfo], output: Output) -> String {
        let columns = output.columns().unwrap_or(usize::MAX);
        let documents = &self.analysis.documents;
        let mut text = self.heading(columns, output);
        let mut explained = HashSet::new();
        for (index, document) in documents.iter().enumerate() {
            let title = format!("Document {} of {}: ", index + 1, documents.len());
            let file = match (documents.len(), files) {
                (1, [file]) => format!("{}, ", escaped(&file.file_name)),
                _ => String::new(),
            };
            let kind = document::kind(document);
            let comma = if kind.is_empty() { "" } else { ", " };
            let status = escaped(document::status(document));
            let finding = document::finding(document);
            let line = format!("{title}{file}{kind}{comma}{status}, {finding}");
            text.push_str(&format!("\n{}", wrapped(&line, 0, columns)));
            for signal in signals(document) {
                text.push_str(&signal_text(signal, columns, output));
                if explained.insert(&signal.signal_type) {
                    let explanation = explanations::signal(signal.signal_type.as_ref());
                    let lines = format!("{}\nNext: {}", explanation.meaning, explanation.next);
                    text.push_str(&wrapped(&lines, 4, columns));
                }
                text.push_str(&details_text(signal));
            }
        }
        let mut notes = Vec::new();
        if documents
            .iter()
            .flat_map(signals)
            .any(|signal| details(signal).next().is_some())
        {
            notes.push(explanations::DETAILS);
        }
        if documents.len() > 1 {
            notes.push(explanations::ORDER);
        }
        for note in notes {
            text.push_str(&output.faint(&format!("\n{}", wrapped(note, 0, columns))));
        }
        let explanation = explanations::verdict(&self.verdict);
        let next = format!("{}\nNext: {}", explanation.meaning, explanation.next);
        text.push_str(&format!("\n{}", wrapped(&next, 0, columns)));
        text
    }

    /// Returns the verdict and whom it is about.
    fn heading(&self, columns: usize, output: Output) -> String {
        let verdict = self.verdict.as_str().to_uppercase();
        // Wrapped before it is colored: an escape sequence takes no columns.
        let line = wrapped(
            &format!("Verdict: {verdict}, {}", self.summary()),
            0,
            columns,
        );
        let colored = match &self.verdict {
            Verdict::Clean => output.green(&verdict),
            Verdict::Flagged(_) => output.red(&verdict),
            Verdict::Undetermined(_) | _ => output.yellow(&verdict),
        };
        let mut text = line.replacen(&verdict, &colored, 1);
        let mut line = |label, value: &str| text.push_str(&labeled(label, 9, value, columns));
        line("LoginId", &escaped(self.login_id.as_str()));
        if let Some(tag) = &self.analysis.tag {
            line("Tag", &escaped(tag));
        }
        line("Read", &date(self.read_at));
        text
    }

    /// Returns what the verdict rests on: `2 signals in 1 of 3 documents`, or why it is undetermined.
    pub(crate) fn summary(&self) -> String {
        let documents = &self.analysis.documents;
        let all = counted(documents.len(), "document");
        match &self.verdict {
            Verdict::Clean => format!("no fraud signal in {all}"),
            Verdict::Undetermined(reason) => escaped(&reason.to_string()).into_owned(),
            Verdict::Flagged(_) | _ => {
                let found = documents.iter().flat_map(signals).count();
                let flagged = documents
                    .iter()
                    .filter(|document| signals(document).next().is_some());
                let (found, flagged) = (counted(found, "signal"), flagged.count());
                format!("{found} in {flagged} of {all}")
            }
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

fn signal_text(signal: &FraudSignal, columns: usize, output: Output) -> String {
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
    let name = format!("! {}", escaped(name));
    let line = wrapped(&format!("{name} ({place}{times})"), 2, columns);
    line.replacen(&name, &output.red(&name), 1)
}

fn details_text(signal: &FraudSignal) -> String {
    let mut text = String::new();
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
        let text = report(ANALYSIS).to_text(&[], Output::plain());
        for part in [
            "Verdict: FLAGGED, 2 signals in 1 of 3 documents",
            "Document 1 of 3: bank statement, COMPLETED, no fraud signal\n",
            "(page 1, 2 times)",
            "delta  0.85",
            "delta  -1.00",
            "! Unreconciled balances (whole document)\n    The running balances",
            "    Next: Add up",
            "    Flinks does not document this signal.\n",
            "Document 3 of 3: PROCESSING, not finished\n",
            "not a proof of fraud",
        ] {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let one = r#"{"DocumentAnalysis":[{"Status":"PENDING"}]}"#;
        let one = report(one).to_text(&[FileInfo::new("a.pdf", 1)], Output::plain());
        assert!(
            one.contains("Document 1 of 1: a.pdf, PENDING, not finished\n"),
            "{one}"
        );
        let unknown = report("{}").to_text(&[], Output::plain());
        let start = "Verdict: UNDETERMINED, the analysis has no documents\n\
                     LoginId  aabf32b7\n\
                     Read     1 Jan 1970, 00:00:00 UTC\n\n\
                     This is not a clean result";
        assert!(unknown.starts_with(start), "{unknown}");
    }
}
